"""Reading a gradebook: who handed in what, which attempt counts, and what it is worth.

with GradebookReader(Path("grades")) as reader:
    for entry in reader.entries():
        entry.key, entry.grade, entry.points, entry.path, entry.days_late
        with reader.evidence(entry) as seen:  # what was observed; no student code runs
            ...
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from grader.gradebook import digests, late
from grader.gradebook.adjusting import Adjuster
from grader.gradebook.basis import rubric_of
from grader.gradebook.inputs import archive_of, has_zone
from grader.gradebook.late import Lateness
from grader.gradebook.ledger import Ledger
from grader.gradebook.roster import RosterStudent
from grader.gradebook.store import NAME, Gradebook, GradeRow, SubmissionRow
from grader.gradebook.together import Classlist, classlist
from grader.records import Grade

if TYPE_CHECKING:
    from grader.evidence import Evidence
    from grader.gradebook.regrade import Regrader

Attempts = Literal["latest", "best"]


@dataclass(frozen=True)
class GradedSubmission:
    """One submission with its grade, as it counts for one student: that of a team for each of its members.

    Attributes:
        row: what the download told of it.
        kept: its grade as it was computed, and what that rests on.
        key: the student's.
        grade: with the decisions of people; its name is the student's.
        lateness: what it costs this student.
        shared_by: the keys of all for whom it counts.
        student: the row of the roster, where there is one.
        own: what this student handed in, by whose name Canvas or Moodle knows them; None where that is nothing.
        attempt: which of the student's, or of the team's, it is, from 1.
        attempts: how many there are.
        counts: whether it is the one that counts.
    """

    row: SubmissionRow
    kept: GradeRow
    key: str
    grade: Grade
    lateness: Lateness
    shared_by: tuple[str, ...]
    student: RosterStudent | None = None
    own: SubmissionRow | None = None
    attempt: int = 1
    attempts: int = 1
    counts: bool = False

    @property
    def path(self) -> Path:
        return self.row.path

    @property
    def days_late(self) -> int:
        """By this student's own deadline, begun ones counted whole."""
        return self.lateness.days

    @property
    def deduction(self) -> float:
        """Points that lateness costs."""
        return self.lateness.deduction

    @property
    def excused(self) -> bool:
        """Whether the student gets no score."""
        return self.student is not None and self.student.excused

    @property
    def platform_id(self) -> str | None:
        """The id that Canvas or Moodle gave to this student."""
        return (self.own.student if self.own else "") or (self.student.id if self.student else "") or None

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
        self.policy = late.load(self.rubric, self.book.setting("zone", ""))
        self.ledger = Ledger(self.book)

    def entries(self, every: bool = False) -> list[GradedSubmission]:
        """The submissions that count, by student.

        Args:
            every: those that do not count, too.
        """
        class_ = classlist(self.book)
        adjuster = Adjuster(self.book, class_.groups)
        found = [entry for keys in class_.groups for entry in self._group(keys, class_, adjuster)]
        return sorted((entry for entry in found if entry.counts or every), key=lambda entry: entry.key)

    def entry(self, key: str, class_: Classlist | None = None) -> GradedSubmission | None:
        """The submission that counts for one student; None where there is none.

        Args:
            class_: where it is known.
        """
        class_ = class_ or classlist(self.book)
        keys = class_.group(key)
        found = self._group(keys, class_, Adjuster(self.book, [keys]))
        return next((entry for entry in found if entry.counts and entry.key == key), None)

    def not_handed_in(self) -> dict[str, RosterStudent]:
        """The students of the roster, by key, for whom nothing was handed in and who are not excused."""
        class_ = classlist(self.book)
        missing = sorted(key for keys in class_.groups if not class_.rows.keys() & set(keys) for key in keys)
        return {key: class_.students[key] for key in missing if not class_.students[key].excused}

    def excused(self) -> dict[str, RosterStudent]:
        """The students of the roster, by key, who get no score."""
        students = classlist(self.book).students
        return {key: student for key, student in sorted(students.items()) if student.excused}

    def not_on_roster(self) -> list[str]:
        """The students who handed in and whom the roster does not name; nobody where there is no roster."""
        class_ = classlist(self.book)
        return sorted(class_.rows.keys() - class_.students.keys()) if class_.students else []

    def roster_remarks(self) -> list[str]:
        """Say who has not handed in, and whom the roster does not name; nothing where there is no roster."""
        absent = [f"{key} ({student.name})" if student.name else key for key, student in self.not_handed_in().items()]
        strangers = self.not_on_roster()
        return [
            *([f"Not handed in: {', '.join(absent)}"] if absent else []),
            *([f"Not on the roster: {', '.join(strangers)}"] if strangers else []),
        ]

    def late_remarks(self) -> list[str]:
        """Say, in one line, where lateness was not computed for want of a time zone."""
        class_ = classlist(self.book)
        for row in (row for rows in class_.rows.values() for row in rows):
            zoned, student = has_zone(row.path), class_.students.get(row.key)
            extension = student.extension if student is not None else None
            if self.policy.lacks_zone(row.late, row.handed_in, zoned, extension):
                return [late.zone_needed(self.policy, self.rubric, "" if zoned else archive_of(row.path))]
        return []

    def rubric_remarks(self) -> list[str]:
        """Say, in one line, where the rubric has changed since the grades were computed by it."""
        now = digests.of_rubric(self.rubric)
        if self.book.rubrics() <= {now} or all(entry.kept.digests.rubric == now for entry in self.entries()):
            return []
        return [f"{self.rubric} has changed since the grades were computed: `grade.py regrade` computes them by it"]

    def page_remarks(self) -> list[str]:
        """Say, in one line, after a change of grades, that pages of before are there."""
        index = self.book.path.with_name("index.html")
        words = f"{index} and its pages are of before: the command that graded, with --html, writes them anew"
        return [words] if index.is_file() else []

    def history(self, key: str) -> list[GradeRow]:
        """All grades that a student ever had, oldest first."""
        return self.book.history(key)

    @contextlib.contextmanager
    def evidence(self, entry: GradedSubmission) -> "Iterator[Evidence | None]":
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
    def _regrader(self) -> "Regrader":
        from grader.gradebook.regrade import Regrader  # noqa: PLC0415  slow to import, and few readers need it
        from grader.gradebook.remembering import remembered  # noqa: PLC0415

        return Regrader(remembered(self.book, self.rubric, self.data), self.book)

    def _group(self, keys: Sequence[str], class_: Classlist, adjuster: Adjuster) -> list[GradedSubmission]:
        """The entries of those who hand in together, each of their submissions for each of them."""
        pairs = [(row, kept) for row in class_.handed_in(keys) if (kept := self.book.latest(row.id)) is not None]
        pairs.sort(
            key=lambda pair: (pair[0].handed_in or 0.0, len(pair[0].attempt or ""), pair[0].attempt or "", pair[0].id)
        )
        if not pairs:
            return []
        attempts = []
        for row, kept in pairs:
            one = GradedSubmission(row, kept, row.key, adjuster.grade(row, kept.grade), Lateness(), tuple(keys))
            attempts.append([self._for_student(one, key, class_) for key in keys])
        counts = len(attempts) - 1
        if self.attempts == "best":  # as it may become
            worth = [sum(entry.points + entry.grade.undecided for entry in entries) for entries in attempts]
            counts = max(range(len(worth)), key=lambda at: (worth[at], at))
        return [
            replace(entry, attempt=at + 1, attempts=len(attempts), counts=at == counts)
            for at, entries in enumerate(attempts)
            for entry in entries
        ]

    def _for_student(self, entry: GradedSubmission, key: str, class_: Classlist) -> GradedSubmission:
        """The same as it counts for one of those who share it."""
        row, grade, student = entry.row, entry.grade, class_.students.get(key)
        downloaded = [each for each in class_.rows.get(key, ()) if each.student]
        own = row if key == row.key else max(downloaded, key=lambda each: (each.run, each.id), default=None)
        extension, bank = (student.extension, student.late_days) if student is not None else (None, None)
        days = self.policy.days(row.late, row.handed_in, has_zone(row.path), extension)
        if key != row.key:
            grade = replace(grade, submission={**grade.submission, "name": key})
        lateness = self.policy.lateness(days, bank, grade.max_score)
        return replace(entry, key=key, grade=grade, lateness=lateness, student=student, own=own)


def look_again(reader: GradebookReader) -> list[str]:
    """The decisions beneath which something has changed since, a line each."""
    entries = {entry.row.id: entry for entry in reader.entries()}.values()  # a team's is one
    return [f"look again: {entry.row.key}: {line}" for entry in entries for line in entry.grade.look_again]
