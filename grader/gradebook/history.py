"""What became of a student's grade, in order: submitted, graded, regraded, adjusted, exported."""

from collections.abc import Iterator
from dataclasses import dataclass

from grader.gradebook.inputs import has_zone
from grader.gradebook.ledger import Decision
from grader.gradebook.looks import Looks
from grader.gradebook.reader import GradebookReader
from grader.gradebook.store import GradeRow, SubmissionRow
from grader.gradebook.together import classlist


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        at: seconds since 1970.
        what: "submitted", "graded", "regraded", "adjusted", "taken back", "looked at" or "exported".
        said: the rest of the line.
    """

    at: float
    what: str
    said: str


def events(reader: GradebookReader, key: str) -> list[Event]:
    """The history of a student, with what the student's team handed in; nothing where the student is not known."""
    class_ = classlist(reader.book)
    key = class_.named(key)
    keys = class_.group(key)
    found = [event for each in keys for row in class_.rows.get(each, ()) for event in _of_submission(reader, row)]
    found += [_decided(each) for member in keys for each in reader.ledger.decisions(member)]
    found += [Event(each.at, "exported", f"{each.format}: {each.said}") for each in reader.ledger.exports(key)]
    looks = Looks(reader.book)
    found += [
        Event(each.at, "looked at", f"by {each.by}: {each.reason}")
        for member in keys
        for row in class_.rows.get(member, ())
        for each in looks.of(row.id)
    ]
    return sorted(found, key=lambda event: event.at)  # stable: what came first in a second stays first


def _of_submission(reader: GradebookReader, row: SubmissionRow) -> Iterator[Event]:
    grades = reader.book.grades(row.id)
    first = grades[0].at if grades else None
    handed_in, clock = reader.policy.handed_in(row.handed_in, has_zone(row.path)), row.handed_in
    times = [at for at in (clock if handed_in is None else handed_in, first) if at is not None]
    if times:  # a zip's clock may be in another zone: nothing is handed in after it was graded
        unknown = (
            ", by the clock of a zip in a zone that is not known" if handed_in is None and clock is not None else ""
        )
        yield Event(min(times), "submitted", f"{row.path}, by {row.key}{unknown}")
    before: GradeRow | None = None
    for grade in grades:
        yield _graded(grade, before)
        before = grade


def _graded(grade: GradeRow, before: GradeRow | None) -> Event:
    now = f"{grade.grade.total} of {grade.grade.max_score:g} points, {grade.grade.status.replace('_', ' ')}"
    if before is None:
        return Event(grade.at, "graded", f"{now}, seed {grade.seed}")
    same = grade.observations is not None and grade.observations == before.observations
    moved = grade.grade.score - before.grade.score
    return Event(grade.at, "regraded" if same else "graded again", f"{now} ({moved:+g})")


def _decided(decision: Decision) -> Event:
    if decision.points is None:
        why = f": {decision.why}" if decision.why else ""
        return Event(decision.at, "taken back", f"{decision.criterion} by {decision.by}{why}")
    was = decision.beneath["points"]
    change = f"{decision.criterion} {was:g} → {decision.points:g} of {decision.beneath['max_points']:g}"
    return Event(decision.at, "adjusted", f"{change} by {decision.by}: {decision.why}")
