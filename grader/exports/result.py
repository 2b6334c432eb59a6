"""One row of an export: a grade, and what the class's rules make of it."""

from dataclasses import dataclass

from grader.gradebook.reader import GradedSubmission
from grader.records import Grade


@dataclass(frozen=True)
class ExportedGrade:
    """A grade on its way out.

    Attributes:
        grade: as it was computed.
        points: what counts: the score less what lateness costs.
        note: what is to be said of lateness and attempts; empty where there is nothing.
        student: the id that Canvas or Moodle gave.
    """

    grade: Grade
    points: float
    note: str = ""
    student: str | None = None

    @property
    def key(self) -> str:
        """The student's, from the class folder."""
        return self.grade.submission["name"]

    @property
    def sure(self) -> bool:
        """Whether the points may be handed on without a person looking at them."""
        return self.grade.status != "needs_review"

    @property
    def total(self) -> str:
        """The points in words: "78", or "78 + 10 open"."""
        return f"{self.points:g} + {self.grade.undecided:g} open" if self.grade.undecided else f"{self.points:g}"


def of_grade(grade: Grade) -> ExportedGrade:
    """A grade of its own, without a class."""
    return ExportedGrade(grade, grade.score)


def of_entry(entry: GradedSubmission) -> ExportedGrade:
    """A submission in a gradebook."""
    notes = []
    if entry.days_late:
        days = "a day" if entry.days_late == 1 else f"{entry.days_late} days"
        taken = f", {entry.grade.score - entry.points:g} points taken off" if entry.deduction else ""
        if entry.deduction and entry.open:
            taken = ", which is charged once the grade is decided"
        notes.append(f"{days} late{taken}")
    if entry.attempts > 1:
        notes.append(f"attempt {entry.attempt} of {entry.attempts}")
    return ExportedGrade(entry.grade, entry.points, "; ".join(notes), entry.row.student)


def words(result: ExportedGrade) -> list[str]:
    """What a student reads who has no page: a line a criterion that has not all its points, and the note."""
    grade = result.grade
    lines = [f"{grade.status.replace('_', ' ')}: {grade.reason}"] if grade.reason else []
    lines += [result.note] if result.note else []
    short = [each for each in grade.criteria if each.lost or each.open]
    lines += [f"{each.title} ({each.points:g} of {each.max_points:g}): {each.feedback}" for each in short]
    return lines
