"""Reading a gradebook: who handed in what, which attempt counts, and what it is worth.

with GradebookReader(Path("grades")) as reader:
    for entry in reader.entries():
        entry.key, entry.grade, entry.points, entry.path, entry.days_late
        with reader.evidence(entry) as seen:  # what was observed; no student code runs
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

from grader.evidence import Evidence
from grader.gradebook import late
from grader.gradebook.basis import rubric_of
from grader.gradebook.inputs import archive_of, has_zone
from grader.gradebook.store import NAME, Gradebook, GradeRow, SubmissionRow
from grader.records import Grade

Attempts = Literal["latest", "best"]


@dataclass(frozen=True)
class GradedSubmission:
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

    row: SubmissionRow
    kept: GradeRow
    attempt: int
    attempts: int
    counts: bool
    days_late: int
    deduction: float

    @property
    def key(self) -> str:
        """The student's, from the class folder."""
        return self.row.key

    @property
    def path(self) -> Path:
        return self.row.path

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


class GradebookReader:
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
        self.rubric = rubric_of(self.book, rubric)
        self.policy = late.load(self.rubric)

    def entries(self, every: bool = False) -> list[GradedSubmission]:
        """The submissions that count, by student.

        Args:
            every: those that do not count, too.
        """
        found = []
        for _, group in groupby(self.book.submissions(), lambda row: row.key):
            found += self._student(list(group))
        return [entry for entry in found if entry.counts or every]

    def late_remarks(self) -> list[str]:
        """Say, in one line, where lateness was not computed for want of a time zone."""
        for row in self.book.submissions():
            zoned = has_zone(row.path)
            if self.policy.lacks_zone(row.late, row.handed_in, zoned):
                return [late.zone_needed(self.policy, self.rubric, "" if zoned else archive_of(row.path))]
        return []

    def history(self, key: str) -> list[GradeRow]:
        """All grades that a student ever had, oldest first."""
        return self.book.history(key)

    @contextlib.contextmanager
    def evidence(self, entry: GradedSubmission) -> Iterator[Evidence | None]:
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

    def _student(self, group: list[SubmissionRow]) -> list[GradedSubmission]:
        newest: dict[Path, SubmissionRow] = {}  # what lay at the same place before is history
        for row in sorted(group, key=lambda row: (row.run, row.id)):
            newest[row.path] = row
        rows = [(row, kept) for row in newest.values() if (kept := self.book.latest(row.id)) is not None]
        rows.sort(
            key=lambda pair: (pair[0].handed_in or 0.0, len(pair[0].attempt or ""), pair[0].attempt or "", pair[0].id)
        )
        entries = [self._entry(row, kept, number, len(rows)) for number, (row, kept) in enumerate(rows, 1)]
        if not entries:
            return []
        best = max(entries, key=lambda entry: (entry.points + entry.grade.undecided, entry.attempt))  # as it may become
        counting = best if self.attempts == "best" else entries[-1]
        return [_marked(entry, entry is counting) for entry in entries]

    def _entry(self, row: SubmissionRow, kept: GradeRow, number: int, of: int) -> GradedSubmission:
        days = self.policy.days(row.late, row.handed_in, has_zone(row.path))
        deduction = self.policy.deduction(days, kept.grade.max_score)
        return GradedSubmission(row, kept, number, of, False, days, deduction)


def _marked(entry: GradedSubmission, counts: bool) -> GradedSubmission:
    return GradedSubmission(
        entry.row, entry.kept, entry.attempt, entry.attempts, counts, entry.days_late, entry.deduction
    )
