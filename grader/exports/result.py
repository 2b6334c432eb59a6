"""One row of an export: a grade, and what the class's rules make of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grader.exports.handed_in import HandedIn
from grader.gradebook.late import Lateness, LatePolicy
from grader.gradebook.reader import GradebookReader, GradedSubmission
from grader.gradebook.roster import RosterStudent
from grader.records import Grade


@dataclass(frozen=True)
class ExportedGrade:
    """A grade on its way out.

    Attributes:
        grade: as it was computed, with what people decided.
        points: what counts: the score less what lateness costs.
        note: what is to be said of lateness and attempts; empty where there is nothing.
        student: the id that Canvas or Moodle gave.
        name: in full, from the roster; may be empty.
        excused: there is no score; the cell of a sheet is empty.
        demands: what each check demands, by criterion and name.
        handed_in: what Gradescope knows of the submission.
        lateness: what that makes of it.
    """

    grade: Grade
    points: float
    note: str = ""
    student: str | None = None
    name: str = ""
    excused: bool = False
    demands: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    handed_in: HandedIn | None = None
    lateness: Lateness = field(default_factory=Lateness)

    @property
    def key(self) -> str:
        """The student's, from the class folder."""
        return self.grade.submission["name"]

    @property
    def may_be_handed_on(self) -> bool:
        """Whether the points, or that there are none, may be handed on without a person looking at them."""
        return self.excused or self.grade.status != "needs_review"

    @property
    def total(self) -> str:
        """The points in words: "78", "78 + 10 open" or "excused"."""
        if self.excused:
            return "excused"
        return f"{self.points:g} + {self.grade.undecided:g} open" if self.grade.undecided else f"{self.points:g}"


def of_grade(grade: Grade, demands: Mapping[str, Mapping[str, str]] | None = None) -> ExportedGrade:
    """A grade of its own, without a class.

    Args:
        demands: what each check demands, by criterion and name.
    """
    return ExportedGrade(grade, grade.score, demands=demands or {})


def with_lateness(result: ExportedGrade, handed_in: HandedIn, policy: LatePolicy) -> ExportedGrade:
    """The same as Gradescope took it in: late by its deadline, with those who handed it in."""
    lateness = handed_in.lateness(policy, result.grade.max_score)
    points = result.points
    if result.may_be_handed_on:
        points = max(0.0, round(result.points - lateness.deduction, 4))
    note = late_note(lateness, result.points - points, not result.may_be_handed_on) if lateness.days else ""
    return replace(result, points=points, note=note, handed_in=handed_in, lateness=lateness)


def of_entry(entry: GradedSubmission) -> ExportedGrade:
    """A submission in a gradebook, as it counts for one student."""
    notes = [late_note(entry.lateness, entry.grade.score - entry.points, entry.open)] if entry.days_late else []
    if entry.attempts > 1:
        notes.append(f"attempt {entry.attempt} of {entry.attempts}")
    if entry.key != entry.row.key:
        notes.append(f"handed in by {entry.row.key}")
    name = entry.student.name if entry.student is not None else ""
    return ExportedGrade(entry.grade, entry.points, "; ".join(notes), entry.platform_id, name, entry.excused)


def late_note(lateness: Lateness, taken: float, is_open: bool) -> str:
    """Lateness in words.

    Args:
        taken: points that were taken off.
        is_open: nothing is taken off before the grade is decided.
    """
    days = "a day late" if lateness.days == 1 else f"{lateness.days} days late"
    paid = lateness.from_bank
    bank = f", {'all' if paid == lateness.days else paid} of it from the bank of late days" if paid else ""
    if not lateness.deduction:
        return days + bank
    if is_open:
        return f"{days}{bank}, which is charged once the grade is decided"
    return f"{days}{bank}, {taken:g} point{'s' * (taken != 1)} taken off"


def of_excused(key: str, student: RosterStudent) -> ExportedGrade:
    """A student who gets no score, and of whom nothing was handed in."""
    nothing = Grade({"name": key, "path": "", "sha256": ""}, "graded", 0.0, 0.0, 0, ())
    return ExportedGrade(nothing, 0.0, "", student.id or None, student.name, excused=True)


def of_class(reader: GradebookReader) -> list[ExportedGrade]:
    """The students of a class by key: who handed in, and who is excused from it."""
    found = [of_entry(entry) for entry in reader.entries()]
    there = {result.key for result in found}
    found += [of_excused(key, student) for key, student in reader.excused().items() if key not in there]
    return sorted(found, key=lambda result: result.key)


def words(result: ExportedGrade) -> list[str]:
    """What a student reads who has no page: a line a criterion that has not all its points, and the note."""
    grade = result.grade
    lines = [f"{grade.status.replace('_', ' ')}: {grade.told_reason}"] if grade.reason else []
    lines += [result.note] if result.note else []
    short = [each for each in grade.criteria if each.lost or each.open]
    lines += [f"{each.title} ({each.points:g} of {each.max_points:g}): {each.feedback}" for each in short]
    return lines
