"""Upgrading a gradebook of an earlier version in place; a copy of what it was stays beside it.

Version 2 kept the values of answers, packed in one block a submission, and large arrays under their digests. Version 3
keeps each answer as the frame that came over the wire. A frame is made of every old value; whether it has the form
that is read today is seen when the answer is looked at, and where it has not, the submission is graded again.
"""

import hashlib
import json
import sqlite3
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from grader.gradebook import packing
from grader.sandbox.inside import protocol

SIZE = struct.Struct(">I")


def upgrade(db: sqlite3.Connection, path: Path) -> None:
    """Turn a gradebook of version 2 into one of version 3, as a whole or not at all.

    Args:
        db: the open gradebook, in autocommit mode, with today's tables beside the old ones.
        path: its file.

    Raises:
        sqlite3.Error, OSError: no copy can be made, or the gradebook cannot be written.
    """
    copy = path.with_name(f"{path.stem}-version-2{path.suffix}")
    with sqlite3.connect(copy) as target:
        db.backup(target)
    target.close()
    db.execute("BEGIN IMMEDIATE")
    try:
        for ident, answers in db.execute("SELECT id, answers FROM observations").fetchall():
            db.execute("UPDATE observations SET answers = ? WHERE id = ?", (_answers(db, answers), ident))
        db.execute("ALTER TABLE grades RENAME COLUMN findings TO scores")
        db.execute("UPDATE grades SET scores = NULL")
        db.execute("DROP TABLE arrays")
        _forget_moved_rubric(db)
        db.execute("UPDATE settings SET value = '3' WHERE name = 'version'")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    print(f"{path}: upgraded to this version of the gradebook; as it was, it lies in {copy.name}", file=sys.stderr)


def _forget_moved_rubric(db: sqlite3.Connection) -> None:
    """Version 2 remembered this project's own rubric by a path that is no longer there."""
    row = db.execute("SELECT value FROM settings WHERE name = 'rubric'").fetchone()
    if row is not None and Path(row[0]).name == "rubric.toml" and not Path(row[0]).is_file():
        db.execute("DELETE FROM settings WHERE name = 'rubric'")


def _answers(db: sqlite3.Connection, data: bytes) -> bytes:
    """The index of a submission's answers, as today; their frames are written into the table of frames."""
    start = SIZE.size + SIZE.unpack_from(data)[0]
    index = json.loads(zlib.decompress(data[SIZE.size : start]))
    entries = {
        probe: _entry(db, _body(db, zlib.decompress(data[start + at : start + at + size])), asked, seconds)
        for probe, (at, size, asked, seconds) in index.items()
    }
    return zlib.compress(json.dumps(entries).encode(), 1)


def _entry(db: sqlite3.Connection, kept: dict[str, Any], asked: str, seconds: float) -> dict[str, Any]:
    frame = _frame(kept["value"]) if kept["outcome"] == "value" else b""
    digest = hashlib.sha256(frame).hexdigest() if frame else ""
    if frame:
        db.execute("INSERT OR IGNORE INTO frames VALUES (?, ?)", (digest, packing.packed_frame(frame)))
    return {
        "outcome": kept["outcome"], "frame": digest, "raised": kept["raised"], "detail": kept["detail"],
        "output": kept["output"], "seconds": seconds, "asked": asked,
    }  # fmt: skip


def _frame(value: Any) -> bytes:
    """The frame that a worker would send; empty where the value is over today's bounds."""
    try:
        return b"".join(protocol.encode("", {"value": value}))
    except protocol.ProtocolError:
        return b""


def _body(db: sqlite3.Connection, block: bytes) -> dict[str, Any]:
    """An observation as version 2 packed it."""
    start = SIZE.size + SIZE.unpack_from(block)[0]
    top = json.loads(block[SIZE.size : start])
    arrays: list[np.ndarray] = []
    for dtype, shape, digest in top["arrays"]:
        kind = protocol.DTYPES[dtype]
        size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        if digest:
            data = db.execute("SELECT data FROM arrays WHERE digest = ?", (digest,)).fetchone()[0]
        else:
            data, start = block[start : start + size], start + size
        arrays.append(np.frombuffer(data, kind).reshape(shape))
    found: dict[str, Any] = _restored(top["body"], arrays)
    return found


def _restored(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_restored(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$array"}:
        return arrays[value["$array"]]
    return {key: _restored(item, arrays) for key, item in value.items()}
