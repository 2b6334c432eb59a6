"""What people decided about a class, kept in its gradebook: rows are added, and none is ever changed.

A decision belongs to a student and a criterion, whichever of the student's submissions counts. The latest one of a
criterion stands; one without points takes the one before it back. ``adjusting`` lays decisions on a computed grade,
which is never changed itself.
"""

import getpass
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grader.errors import GraderError
from grader.gradebook.store import Gradebook, loaded

WHOLE_SCORE = "score"  # in place of a criterion: the score of a submission that could not be graded


@dataclass(frozen=True)
class Decision:
    """One decision of a person.

    Attributes:
        key: the student's.
        criterion: its id, or ``WHOLE_SCORE``.
        points: None takes the decision before it back.
        why: the reason.
        comment: what the student reads instead of the reason; may be empty.
        by: who decided.
        at: seconds since 1970.
        beneath: the computed verdict that it was made on, as ``adjusting.beneath`` gives it.
        id: its row; 0 before it is kept.
    """

    key: str
    criterion: str
    points: float | None
    why: str
    comment: str
    by: str
    at: float
    beneath: Mapping[str, Any]
    id: int = 0

    @property
    def when(self) -> str:
        """The time in ISO 8601."""
        return datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Export:
    """A student's grade as it was handed on."""

    key: str
    format: str
    said: str  # what was handed on, in words: "84"
    at: float


class Ledger:
    """The decisions in a gradebook, and to whom its grades were handed on."""

    def __init__(self, book: Gradebook) -> None:
        self.book = book

    def add(self, decisions: Iterable[Decision]) -> None:
        """Keep decisions, all of them or none."""
        with self.book.transaction():
            self.book.db.executemany(
                "INSERT INTO decisions (key, criterion, points, why, comment, by, at, beneath) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (d.key, d.criterion, d.points, d.why, d.comment, d.by, d.at, json.dumps(d.beneath))
                    for d in decisions
                ],
            )

    def decisions(self, key: str | None = None) -> list[Decision]:
        """All that was ever decided, about one student or everybody, oldest first."""
        where, values = ("", ()) if key is None else ("WHERE key = ?", (key,))
        with self.book.lock:
            rows = self.book.db.execute(f"SELECT * FROM decisions {where} ORDER BY id", values).fetchall()
        return [_decision(row) for row in rows]

    def standing(self, keys: Iterable[str] | None = None) -> dict[str, dict[str, Decision]]:
        """The decisions that stand, by student and criterion.

        Args:
            keys: of some students; of everybody where there is none.
        """
        found: dict[str, dict[str, Decision]] = {}
        asked = [None] if keys is None else keys
        for decision in (each for key in asked for each in self.decisions(key)):
            found.setdefault(decision.key, {})[decision.criterion] = decision
        return found

    def note_exports(self, format_: str, said: Mapping[str, str]) -> None:
        """Note that grades were handed on.

        Args:
            said: by student, what was handed on, in words.
        """
        now = time.time()
        with self.book.transaction():
            self.book.db.executemany(
                "INSERT INTO exports (key, format, said, at) VALUES (?, ?, ?, ?)",
                [(key, format_, words, now) for key, words in said.items()],
            )

    def exports(self, key: str) -> list[Export]:
        """Where a student's grade was handed on, oldest first."""
        with self.book.lock:
            rows = self.book.db.execute("SELECT * FROM exports WHERE key = ? ORDER BY id", (key,)).fetchall()
        return [Export(row["key"], row["format"], row["said"], row["at"]) for row in rows]


def _decision(row: sqlite3.Row) -> Decision:
    return Decision(
        row["key"], row["criterion"], row["points"], row["why"], row["comment"], row["by"], row["at"],
        loaded(row["beneath"]), row["id"],
    )  # fmt: skip


def counting(decisions: Iterable[Mapping[str, Decision]]) -> dict[str, Decision]:
    """By criterion the latest decision about any of some students, as about a team; those taken back left out."""
    latest: dict[str, Decision] = {}
    for decision in sorted((each for some in decisions for each in some.values()), key=lambda each: each.id):
        latest[decision.criterion] = decision
    return {criterion: decision for criterion, decision in latest.items() if decision.points is not None}


def who(given: str | None) -> str:
    """Who decides: the name that was given, else that of the account.

    Raises:
        GraderError: the account has no name.
    """
    name = " ".join((given or "").split())
    try:
        return name or getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise GraderError("it is not known who decides this: this account has no name; give one with --by") from None
