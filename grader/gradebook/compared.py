"""What is compared of each submission of a class: read from the gradebook, or made once and kept there."""

import contextlib
import json
import platform
import sqlite3
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader import syntax
from grader.gradebook import digests, tokens
from grader.gradebook.basis import assignment_of
from grader.gradebook.reader import GradedSubmission
from grader.gradebook.store import Gradebook
from grader.gradebook.tokens import program_of, tokens_of, weights_of


@dataclass(frozen=True)
class ComparedWork:
    """What is compared of one submission."""

    key: str
    tokens: tuple[str, ...]
    weights: dict[str, frozenset[str]]  # by checkpoint, the checksums of its tensors


def works_of(book: Gradebook, entries: Iterable[GradedSubmission]) -> list[ComparedWork]:
    """What is compared of submissions, a team's once; of one that was rejected there is nothing."""
    template = assignment_of(book).template
    made_by = _made_by(template)
    kept = _kept(book, made_by)
    new: dict[int, bytes] = {}
    found: list[ComparedWork] = []
    for entry in {entry.row.id: entry for entry in entries}.values():
        ident = entry.kept.observations
        if ident is None:
            continue
        work = _unpacked(entry.row.key, kept[ident]) if ident in kept else None
        if work is None:
            submission, _ = book.observed(ident)
            own = tokens_of(program_of(submission), template)
            work = ComparedWork(entry.row.key, own, weights_of(submission))
            new[ident] = _packed(work)
        found.append(work)
        if len(new) == 100:  # whoever stops in between goes on from here
            _keep(book, made_by, new)
    _keep(book, made_by, new)
    return found


def _kept(book: Gradebook, made_by: str) -> dict[int, bytes]:
    """By observations, what is kept and was made by this code."""
    with book.lock:
        rows = book.db.execute("SELECT observations, data FROM compared WHERE made_by = ?", (made_by,))
        return {row["observations"]: row["data"] for row in rows.fetchall()}


def _keep(book: Gradebook, made_by: str, new: dict[int, bytes]) -> None:
    """Keep what is new, and forget that it is; where it cannot be kept, it is made again the next time."""
    rows = [(ident, made_by, data) for ident, data in new.items()]
    new.clear()
    with contextlib.suppress(sqlite3.Error):
        if rows:
            with book.transaction():
                book.db.executemany("INSERT OR REPLACE INTO compared VALUES (?, ?, ?)", rows)


def _made_by(template: Path | None) -> str:
    """What tokens rest on beside the submission: the code that makes them, and the template."""
    code = [Path(str(module.__file__)) for module in (tokens, syntax)]
    given = template.glob("*.py") if template else ()
    return f"Python {platform.python_version()} {digests.of_code(code)} {digests.of_code(given)}"


def _packed(work: ComparedWork) -> bytes:
    weights = {name: sorted(sums) for name, sums in work.weights.items()}
    return zlib.compress(json.dumps([work.tokens, weights]).encode(), 6)


def _unpacked(key: str, data: bytes) -> ComparedWork | None:
    """None where it cannot be read: it is made again then."""
    try:
        own, weights = json.loads(zlib.decompress(data))
        sums = {name: frozenset(map(sys.intern, each)) for name, each in weights.items()}
        return ComparedWork(key, tuple(map(sys.intern, own)), sums)
    except (ValueError, TypeError, AttributeError, zlib.error):
        return None
