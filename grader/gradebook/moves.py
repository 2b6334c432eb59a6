"""A change of roster, time zone or late policy: it moves what lateness costs and who is excused, at once, and nothing else."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.gradebook import tables
from grader.gradebook.late import zone_named
from grader.gradebook.ledger import who
from grader.gradebook.reader import GradebookReader, GradedSubmission
from grader.gradebook.roster import parse
from grader.gradebook.store import NAME, Gradebook
from grader.gradebook.together import classlist
from grader.sentences import number_of


@dataclass(frozen=True)
class Standing:
    """Where a student stands.

    Attributes:
        submission: the row that counts.
        handed_in_by: whose it is.
        points: the score less what lateness costs.
        excused: there is no score.
        late: what lateness costs, in words.
    """

    submission: int
    handed_in_by: str
    points: float
    excused: bool
    late: str

    @property
    def shown(self) -> str:
        return "excused" if self.excused else f"{self.points:g}"


def standings(reader: GradebookReader) -> dict[str, Standing]:
    """Where the students of a class stand, by key."""
    return {entry.key: _standing(entry) for entry in reader.entries()}


def _standing(entry: GradedSubmission) -> Standing:
    days, paid = entry.days_late, entry.lateness.from_bank
    late = f"{days} {'day' if days == 1 else 'days'} late" if days else "not late"
    late += f", {paid} from the bank" if paid else ""
    taken = round(entry.grade.score - entry.points, 4)  # never more than there is
    cost = f", {'open' if entry.open else number_of(taken, 'point') + ' off'}" if entry.deduction else ""
    return Standing(entry.row.id, entry.row.key, entry.points, entry.excused, late + cost)


def moved(before: Mapping[str, Standing], after: Mapping[str, Standing]) -> list[str]:
    """Say who moved for another reason than the grade of a submission, a line each."""
    lines = []
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if new is None:
            lines.append(f"{key}: {old.shown if old else ''} → no submission counts any more")
        elif old is None:
            lines.append(f"{key}: {new.shown}: the submission of {new.handed_in_by} counts")
        elif (old.submission, old.late, old.excused) != (new.submission, new.late, new.excused) and (
            old.shown != new.shown
        ):
            by = "" if old.excused or new.excused else f" ({new.points - old.points:+g})"
            counts = f", the submission of {new.handed_in_by} counts" if old.submission != new.submission else ""
            lateness = f": {new.late}" if new.late != old.late or counts else ""
            lines.append(f"{key}: {old.shown} → {new.shown}{by}{lateness}{counts}")
    return lines


def standings_of(out: Path, rubric: Path | None = None) -> dict[str, Standing]:
    """Where the students of a class stand by a rubric's late policy; by the one that the class was graded by."""
    with GradebookReader(out, rubric=rubric) as reader:
        return standings(reader)


def take(book: Gradebook, roster: Path | None, zone: str | None) -> None:
    """Take a roster and a time zone into a gradebook, where they are given.

    Raises:
        GraderError: one of them is wrong, a line for each row of the roster; nothing is taken then.
    """
    if zone is not None:
        zone_named(zone, "--zone")
    text = None if roster is None else tables.read(roster)
    with book.transaction():
        if text is not None and text != book.roster_text:
            ids = {key: rows[0].student for key, rows in classlist(book).rows.items()}
            parse(text, str(roster)).expect_distinct(ids, str(roster))
            book.take_roster(str(roster), text, who(None))
        if zone is not None:
            book.remember("zone", zone)


def taken(
    out: Path, roster: Path | None, zone: str | None, rubric: Path | None = None, must_exist: bool = False
) -> list[str]:
    """Take a roster and a time zone into the gradebook of an output folder.

    Args:
        rubric: whose late policy holds; that of the rubric that the class was graded by where there is none.

    Returns:
        who moved by it, a line each.

    Raises:
        GraderError: as ``take`` does; or there is no gradebook, and there must be one.
    """
    if roster is None and zone is None:
        return []
    with contextlib.closing(Gradebook(out / NAME, must_exist)) as book:
        before = standings_of(out, rubric)
        take(book, roster, zone)
    return moved(before, standings_of(out, rubric))
