"""What a person looked at and left as it is, kept in the gradebook: rows are added, and none is ever changed."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from grader.gradebook.store import Gradebook


@dataclass(frozen=True)
class Look:
    """A reason to look at a submission that needs no look any more.

    Attributes:
        submission: its row.
        reason: as it was said.
        by: who looked.
        at: seconds since 1970.
    """

    submission: int
    reason: str
    by: str
    at: float


class Looks:
    """What was looked at, of a gradebook."""

    def __init__(self, book: Gradebook) -> None:
        self.book = book

    def add(self, submission: int, reasons: Iterable[str], by: str) -> None:
        """Note that somebody looked; whoever noted it first stays."""
        now = time.time()
        with self.book.transaction():
            self.book.db.executemany(
                "INSERT OR IGNORE INTO looks (submission, reason, by, at) VALUES (?, ?, ?, ?)",
                [(submission, reason, by, now) for reason in reasons],
            )

    def of(self, submission: int | None = None) -> list[Look]:
        """All looks at one submission, or at any, oldest first."""
        where, values = ("", ()) if submission is None else ("WHERE submission = ?", (submission,))
        with self.book.lock:
            rows = self.book.db.execute(f"SELECT * FROM looks {where} ORDER BY id", values).fetchall()
        return [Look(row["submission"], row["reason"], row["by"], row["at"]) for row in rows]
