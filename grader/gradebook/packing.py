"""Submissions, observations and findings as bytes, so that a grade can be computed again from what was kept.

Nothing is pickled. Observations lie one after the other, each compressed, so that reading one does not
unpack the others; large arrays lie apart, under their digest, and are read when somebody looks at them.
"""

import dataclasses
import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from grader.errors import Unreadable
from grader.evidence import Finding, Kept
from grader.judging import Judgement
from grader.records import (
    CellLog,
    CheckResult,
    Frame,
    Observation,
    Origin,
    Piece,
    Program,
    Raised,
    Submission,
    SyntaxProblem,
    Warning_,
)
from grader.sandbox.inside import protocol

LARGE = 64 << 10  # bytes of an array that lies apart, as it is: floats hardly compress
SMALL_FILE, SMALL_FILES = 64 << 10, 1 << 20  # bytes of code files that are kept, of one and of all
CHECKPOINTS = (".pt", ".pth")
SMALL_STORAGE, MOST_STORAGES = 1 << 10, 10_000  # bytes of a tensor that tells something; how many of them
SIZE = struct.Struct(">I")
Fetch = Callable[[str], bytes]  # a large array's bytes by its digest


class Lazy(dict[str, Any]):
    """A dict, some of whose values are made when they are looked at."""

    def __init__(self, plain: dict[str, Any], later: dict[str, Any]) -> None:
        super().__init__(plain)
        self.later = later

    def __getitem__(self, key: str) -> Any:
        if key in self.later:
            super().__setitem__(key, self.later.pop(key)())
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 (this is that method)

    def __iter__(self) -> Iterator[str]:  # so that dict(…) and {**…} ask for the values, too
        return super().__iter__()

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]


def pack_observations(
    observations: Mapping[str, Observation], asked: Mapping[str, str]
) -> tuple[bytes, dict[str, bytes]]:
    """Compress observations.

    Args:
        observations: by probe.
        asked: by probe, the digest of its question.

    Returns:
        one block of bytes, and by digest the large arrays that lie apart.
    """
    apart: dict[str, bytes] = {}
    index, blocks, at = {}, [], 0
    for probe, observation in observations.items():
        block = zlib.compress(_packed(_plain(observation), apart), 1)
        index[probe] = [at, len(block), asked.get(probe, ""), observation.seconds]
        blocks.append(block)
        at += len(block)
    head = zlib.compress(json.dumps(index).encode(), 1)
    return b"".join([SIZE.pack(len(head)), head, *blocks]), apart


def unpack_observations(data: bytes, fetch: Fetch, sure: bool) -> dict[str, Kept]:
    """Read back what was kept; each observation is unpacked when it is looked at.

    Args:
        fetch: gives large arrays.
        sure: the questions cannot have changed since.

    Raises:
        GraderError: the bytes were not written by ``pack_observations``.
    """
    try:
        start = SIZE.size + SIZE.unpack_from(data)[0]
        index = json.loads(zlib.decompress(data[SIZE.size : start]))
        return {
            probe: Kept(partial(_read, data[start + at : start + at + size], fetch), asked, sure, seconds)
            for probe, (at, size, asked, seconds) in index.items()
        }
    except Exception as error:
        raise Unreadable(f"kept observations cannot be read: {error}") from None


def _read(block: bytes, fetch: Fetch) -> Observation:
    try:
        return _observation(_unpacked(zlib.decompress(block), fetch))
    except Exception as error:
        raise Unreadable(f"a kept observation cannot be read: {error}") from None


def _packed(value: Any, apart: dict[str, bytes]) -> bytes:
    specs: list[list[Any]] = []
    blob: list[bytes] = []

    def array(found: np.ndarray, in_dict: bool) -> dict[str, int]:
        data = np.ascontiguousarray(found).tobytes()
        if in_dict and len(data) > LARGE:
            digest = hashlib.sha256(data).hexdigest()
            apart.setdefault(digest, data)
            specs.append([found.dtype.name, list(found.shape), digest])
        else:
            specs.append([found.dtype.name, list(found.shape), ""])
            blob.append(data)
        return {"$array": len(specs) - 1}

    def flat(each: Any, in_dict: bool = False) -> Any:
        if isinstance(each, np.ndarray):
            return array(each, in_dict)
        if isinstance(each, dict):
            return {key: flat(item, True) for key, item in each.items()}
        if isinstance(each, list | tuple):
            return [flat(item) for item in each]
        return each.item() if isinstance(each, np.generic) else each

    plain = flat(value)
    head = json.dumps({"body": plain, "arrays": specs}).encode()
    return b"".join([SIZE.pack(len(head)), head, *blob])


def _unpacked(data: bytes, fetch: Fetch) -> Any:
    start = SIZE.size + SIZE.unpack_from(data)[0]
    top = json.loads(data[SIZE.size : start])
    arrays: list[Any] = []
    for dtype, shape, digest in top["arrays"]:
        kind = protocol.DTYPES[dtype]
        if digest:
            arrays.append(partial(_large, digest, kind, shape, fetch))
            continue
        count = int(np.prod(shape, dtype=np.int64))
        arrays.append(_array(data[start : start + count * kind.itemsize], kind, shape))
        start += count * kind.itemsize
    return _restored(top["body"], arrays)


def _restored(value: Any, arrays: list[Any]) -> Any:
    if isinstance(value, list):
        return [_restored(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and "$array" in value:  # no worker can send this: the protocol takes it for an array itself
        return arrays[value["$array"]]
    found = {key: _restored(item, arrays) for key, item in value.items()}
    later = {key: item for key, item in found.items() if isinstance(item, partial)}
    return Lazy(found, later) if later else found


def _large(digest: str, kind: np.dtype, shape: list[int], fetch: Fetch) -> np.ndarray:
    return _array(fetch(digest), kind, shape)


def _array(data: bytes, kind: np.dtype, shape: list[int]) -> np.ndarray:
    array = np.frombuffer(data, kind).reshape(shape)
    array.flags.writeable = False
    return array


def _plain(observation: Observation) -> dict[str, Any]:
    kept = {f.name: getattr(observation, f.name) for f in dataclasses.fields(observation)}
    kept["value"] = observation.value if kept["sent"] is None else kept["sent"]
    del kept["sent"]
    raised = observation.raised
    return {**kept, "raised": None if raised is None else dataclasses.asdict(raised)}


def _observation(kept: dict[str, Any]) -> Observation:
    raised = kept["raised"]
    if raised is not None:
        frames = tuple(Frame(**frame) for frame in raised["frames"])
        raised = Raised(raised["type"], tuple(raised["bases"]), raised["message"], frames)
    return Observation(**{**kept, "raised": raised})


def pack_submission(submission: Submission) -> bytes:
    """Compress what judging needs of a submission: its program, its log, its digest, its small code files."""
    kept = dataclasses.asdict(dataclasses.replace(submission, path=Path(), root=Path(), files={}))
    files = {name: path.relative_to(submission.root).as_posix() for name, path in submission.files.items()}
    kept |= {"path": str(submission.path), "root": "", "files": files, "texts": _texts(submission)}
    kept["weights"] = {name: _checksums(path) for name, path in submission.files.items() if name.endswith(CHECKPOINTS)}
    return zlib.compress(json.dumps(kept).encode(), 6)


def _texts(submission: Submission) -> dict[str, str]:
    """Code files that a check may compare."""
    found: dict[str, str] = {}
    left = SMALL_FILES
    for name, path in sorted(submission.files.items()):
        if name.endswith(".py") and path.is_file() and path.stat().st_size <= min(SMALL_FILE, left):
            found[name] = path.read_bytes().decode("latin-1")
            left -= len(found[name])
    return found


def unpack_submission(data: bytes, root: Path) -> Submission:
    """Read a submission back.

    Args:
        root: an empty or new folder, which the code files that were kept are written into.

    Raises:
        GraderError: the bytes were not written by ``pack_submission``.
    """
    try:
        return _submission(json.loads(zlib.decompress(data)), root)
    except Exception as error:
        raise Unreadable(f"a kept submission cannot be read: {error}") from None


def _submission(kept: dict[str, Any], root: Path) -> Submission:
    program = Program(
        tuple(Piece(**piece) for piece in kept["program"]["main"]),
        {name: tuple(Piece(**piece) for piece in pieces) for name, pieces in kept["program"]["modules"].items()},
        {name: Origin(**origin) for name, origin in kept["program"]["names"].items()},
        tuple((module, Piece(**piece)) for module, piece in kept["program"].get("call", [])),
    )
    cells = tuple(CellLog(**{**cell, "errors": tuple(cell["errors"])}) for cell in kept["cells"])
    unparsed = (SyntaxProblem(**{**each, "names": tuple(each["names"])}) for each in kept.get("syntax_errors", ()))
    files = {name: root / inside for name, inside in kept["files"].items()}
    for name, text in kept["texts"].items():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_bytes(text.encode("latin-1"))
    return Submission(
        kept["name"], Path(kept["path"]), root, kept["sha256"], kept["notebook"],
        program, cells, files, tuple(kept["problems"]), tuple(kept.get("left_out", ())),
        tuple(unparsed),
    )  # fmt: skip


def program_of(data: bytes) -> list[str]:
    """The statements of a kept submission, for comparison with others."""
    program = json.loads(zlib.decompress(data))["program"]
    return [piece["source"] for pieces in (program["main"], *program["modules"].values()) for piece in pieces]


def weights_of(data: bytes) -> dict[str, frozenset[str]]:
    """By checkpoint of a kept submission, the checksums of its tensors."""
    kept = json.loads(zlib.decompress(data)).get("weights", {})
    return {name: frozenset(sums) for name, sums in kept.items() if sums}


def _checksums(path: Path) -> list[str]:
    """CRC and size of every storage, as the archive itself names them: nothing is unpickled or unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()[:MOST_STORAGES]
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):  # an old or a broken checkpoint
        return []
    storages = (member for member in members if "/data/" in member.filename and member.file_size >= SMALL_STORAGE)
    return sorted({f"{member.CRC:08x}-{member.file_size}" for member in storages})


def pack_findings(findings: Mapping[str, Finding], stamp: Callable[[str], str]) -> bytes:
    """Compress findings.

    Args:
        stamp: the digest of a module, by its name; of all that judges for "".
    """
    kept = {key: [_plain_finding(f.value), f.reads, f.code, stamp(f.code)] for key, f in findings.items()}
    return zlib.compress(json.dumps(kept).encode(), 1)


def unpack_findings(data: bytes, stamp: Callable[[str], str], settings: Mapping[str, float]) -> dict[str, Finding]:
    """Read back the findings that still hold; none where they are damaged: they can be computed again.

    Args:
        stamp: as above, as it is now.
        settings: the rubric's, as they are now.
    """
    try:
        kept = json.loads(zlib.decompress(data))
        return _holding(kept, stamp, settings)
    except Exception:
        return {}


def _holding(kept: dict[str, Any], stamp: Callable[[str], str], settings: Mapping[str, float]) -> dict[str, Finding]:
    return {
        key: Finding(_finding(key, value), reads, code)
        for key, (value, reads, code, was) in kept.items()
        if stamp(code) == was and all(settings.get(name) == read for name, read in reads.items())
    }


def _plain_finding(value: Any) -> Any:
    if isinstance(value, Judgement):
        return dataclasses.asdict(value)
    if isinstance(value, list | tuple):
        return [dataclasses.asdict(item) if isinstance(item, Warning_) else item for item in value]
    return value


def _finding(key: str, value: Any) -> Any:
    if key.startswith("verdict "):
        results = tuple(CheckResult(**result) for result in value["results"])
        return Judgement(value["status"], value["feedback"], results, value.get("by", ""))
    if key.startswith("warning "):
        return [Warning_(**warning) for warning in value]
    return value
