"""Reading a gradebook: who handed in what, which attempt counts, and what it is worth.

with Roll(Path("grades")) as roll:
    for entry in roll.entries():
        entry.key, entry.grade, entry.points, entry.path, entry.days_late
        with roll.evidence(entry) as seen:  # what was observed; no student code runs
            ...
"""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Literal, Self

from grader import assignment
from grader.errors import GraderError
from grader.evidence import Evidence
from grader.gradebook import late
from grader.gradebook.inputs import archive_of, has_zone
from grader.gradebook.store import NAME, Gradebook, Handed, Kept
from grader.records import Grade

Attempts = Literal["latest", "best"]


@dataclass(frozen=True)
class Entry:
    """One submission with its grade.

    Attributes:
        handed: what the download told of it.
        kept: its grade, and what that rests on.
        attempt: which of the student's it is, from 1.
        attempts: how many the student handed in.
        counts: whether it is the one that counts.
        days_late: begun ones counted whole.
        deduction: points taken off for lateness.
    """

    handed: Handed
    kept: Kept
    attempt: int
    attempts: int
    counts: bool
    days_late: int
    deduction: float

    @property
    def key(self) -> str:
        """The student's, from the class folder."""
        return self.handed.key

    @property
    def path(self) -> Path:
        return self.handed.path

    @property
    def grade(self) -> Grade:
        return self.kept.grade

    @property
    def points(self) -> float:
        """The score less what lateness costs; nothing is taken off an open grade before it is decided."""
        return self.grade.score if self.open else max(0.0, round(self.grade.score - self.deduction, 4))

    @property
    def open(self) -> bool:
        """Whether a person has to decide something first."""
        return self.grade.status == "needs_review"


class Roll:
    """A gradebook opened for reading.

    Args:
        out: the output folder, or the gradebook itself.
        attempts: which of a student's submissions counts.
        rubric: whose late policy holds; the one that the class was graded by where there is none.
        data: the data set's root, for ``evidence``.

    Raises:
        GraderError: there is no gradebook.
    """

    def __init__(self, out: Path, attempts: Attempts = "latest", rubric: Path | None = None,
                 data: Path | None = None) -> None:  # fmt: skip
        self.book = Gradebook(out if out.suffix == Path(NAME).suffix else out / NAME, must_exist=True)
        self.attempts, self.data = attempts, data
        self.rubric = rubric or Path(self.book.setting("rubric", str(assignment.default().rubric)))
        if not self.rubric.is_file():
            raise GraderError(f"{self.rubric}: no such rubric, the class was graded by it; give another with --rubric")
        self.policy = late.load(self.rubric)

    def entries(self, every: bool = False) -> list[Entry]:
        """The submissions that count, by student.

        Args:
            every: those that do not count, too.
        """
        found = []
        for _, group in groupby(self.book.submissions(), lambda handed: handed.key):
            found += self._student(list(group))
        return [entry for entry in found if entry.counts or every]

    def late_remarks(self) -> list[str]:
        """Say, in one line, where lateness was not computed for want of a time zone."""
        for handed in self.book.submissions():
            zoned = has_zone(handed.path)
            if self.policy.lacks_zone(handed.late, handed.handed_in, zoned):
                return [late.zone_needed(self.policy, self.rubric, "" if zoned else archive_of(handed.path))]
        return []

    def history(self, key: str) -> list[Kept]:
        """All grades that a student ever had, oldest first."""
        return self.book.history(key)

    @contextlib.contextmanager
    def evidence(self, entry: Entry) -> Iterator[Evidence | None]:
        """What was observed of a submission, its code files beside it; None where it was rejected."""
        with tempfile.TemporaryDirectory(prefix="vit-grade-") as folder:
            yield self._regrader.evidence(entry.kept, Path(folder))

    def close(self) -> None:
        self.book.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _regrader(self):  # type: ignore[no-untyped-def] # imported late: torch is not needed to read grades
        from grader.gradebook.regrade import Regrader, remembered

        return Regrader(remembered(self.book, self.rubric, self.data), self.book)

    def _student(self, group: list[Handed]) -> list[Entry]:
        newest: dict[Path, Handed] = {}  # what lay at the same place before is history
        for handed in sorted(group, key=lambda handed: (handed.run, handed.id)):
            newest[handed.path] = handed
        rows = [(handed, kept) for handed in newest.values() if (kept := self.book.latest(handed.id)) is not None]
        rows.sort(key=lambda row: (row[0].handed_in or 0.0, len(row[0].attempt or ""), row[0].attempt or "", row[0].id))
        entries = [self._entry(handed, kept, number, len(rows)) for number, (handed, kept) in enumerate(rows, 1)]
        if not entries:
            return []
        best = max(entries, key=lambda entry: (entry.points + entry.grade.undecided, entry.attempt))  # as it may become
        counting = best if self.attempts == "best" else entries[-1]
        return [_marked(entry, entry is counting) for entry in entries]

    def _entry(self, handed: Handed, kept: Kept, number: int, of: int) -> Entry:
        days = self.policy.days(handed.late, handed.handed_in, has_zone(handed.path))
        deduction = self.policy.deduction(days, kept.grade.max_score)
        return Entry(handed, kept, number, of, False, days, deduction)


def _marked(entry: Entry, counts: bool) -> Entry:
    return Entry(entry.handed, entry.kept, entry.attempt, entry.attempts, counts, entry.days_late, entry.deduction)
