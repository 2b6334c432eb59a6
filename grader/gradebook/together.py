"""Who hands in together: the students of a gradebook and of its roster, and their teams."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.gradebook.roster import RosterStudent, composed
from grader.gradebook.store import Gradebook, SubmissionRow
from grader.reports.text import printable


@dataclass(frozen=True)
class Classlist:
    """A class as its gradebook and its roster know it.

    Attributes:
        rows: by key, what a student handed in; nothing of who did not.
        students: by key, the rows of the roster.
        groups: every key, the members of a team together.
    """

    rows: Mapping[str, Sequence[SubmissionRow]]
    students: Mapping[str, RosterStudent]
    groups: Sequence[tuple[str, ...]]

    def group(self, key: str) -> tuple[str, ...]:
        """The keys of those who hand in together with a student; none where the student is not known."""
        return next((keys for keys in self.groups if key in keys), ())

    def named(self, key: str) -> str:
        """The key that a person wrote as it is shown, its line breaks as spaces; as it was written, if none is meant."""
        if self.group(key):
            return key
        same = [each for keys in self.groups for each in keys if shown(each) == shown(key)]
        return same[0] if len(same) == 1 else key

    def handed_in(self, keys: Iterable[str]) -> list[SubmissionRow]:
        """What a group handed in, without what was replaced in its place: that is history."""
        rows = [row for key in keys for row in self.rows.get(key, ())]
        return list({row.path: row for row in sorted(rows, key=lambda row: (row.run, row.id))}.values())


def shown(key: str) -> str:
    """A key as a person reads and writes it."""
    return printable(composed(key))


def classlist(book: Gradebook) -> Classlist:
    """The class of a gradebook as it is now."""
    rows: dict[str, list[SubmissionRow]] = {}
    for row in book.submissions():
        rows.setdefault(row.key, []).append(row)
    students = book.roster.keys({key: those[0].student for key, those in rows.items()})
    teams: dict[str, list[str]] = {}
    for key in sorted({*rows, *students}):
        team = students[key].team if key in students else ""
        teams.setdefault(f"team {team}" if team else f"student {key}", []).append(key)
    return Classlist(rows, students, [tuple(keys) for keys in teams.values()])
