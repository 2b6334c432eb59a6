"""The roster of a class: who belongs to it, in which teams, with which extensions.

    key,name,team,extension,late_days,excused
    ab12,Ada Lovelace,,3d,,
    cd34,Alan Turing,red,,2,
    ef56,Emmy Noether,red,,,
    gh78,Ida Rhodes,,2026-11-27T23:59:00+01:00,,yes

A student is told by ``key``, ``email`` or ``id``; other columns than these are left alone, but for a misspelt one.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from grader import patterns
from grader.errors import GraderErrors
from grader.gradebook.late import Extension
from grader.gradebook.tables import Cells, records, yes

IDENTITY = ("key", "email", "id")
OF_EFFECT = (*IDENTITY, "team", "extension", "late_days", "excused")  # columns


@dataclass(frozen=True)
class RosterStudent:
    """One row.

    Attributes:
        row: its line in the file.
        key, email, id: whose it is; at least one of them is there.
        name: in full; may be empty.
        team: may be empty.
        extension: how much longer, or until when.
        late_days: left in the bank; None: as many as the rubric gives.
        excused: gets no score.
    """

    row: int
    key: str = ""
    email: str = ""
    id: str = ""
    name: str = ""
    team: str = ""
    extension: Extension | None = None
    late_days: int | None = None
    excused: bool = False

    @property
    def label(self) -> str:
        """What a student is called who is not in the gradebook."""
        return self.key or self.email or self.id


@dataclass(frozen=True)
class Roster:
    """The rows of a roster; none where a class has no roster."""

    students: tuple[RosterStudent, ...] = ()

    def keys(self, ids: Mapping[str, str | None]) -> dict[str, RosterStudent]:
        """The students by their keys.

        Args:
            ids: by key in the gradebook, the id that Canvas or Moodle gave. Who is not there is called by the row.
        """
        return dict(reversed(self._keyed(ids)))

    def expect_distinct(self, ids: Mapping[str, str | None], path: str) -> None:
        """Say of rows that name one student in two ways, by key and by id, that they do.

        Raises:
            GraderErrors: a line for each of them.
        """
        first: dict[str, RosterStudent] = {}
        keyed = [(key, student, first.setdefault(key, student)) for key, student in self._keyed(ids)]
        lines = [
            f"{path}: row {student.row}: {key!r} stands in row {other.row} already"
            for key, student, other in keyed
            if other is not student
        ]
        if lines:
            raise GraderErrors(lines)

    def _keyed(self, ids: Mapping[str, str | None]) -> list[tuple[str, RosterStudent]]:
        by_id = {ident: key for key, ident in ids.items() if ident}
        by_name: dict[str, list[str]] = {}
        for key in ids:
            by_name.setdefault(key.casefold(), []).append(key)
        forms = {**{composed(key): key for key in ids}, **{key: key for key in ids}}
        return [(_key(student, by_id, by_name, forms), student) for student in self.students]


def _key(
    student: RosterStudent, by_id: Mapping[str, str], by_name: Mapping[str, list[str]], forms: Mapping[str, str]
) -> str:
    """The key of a row: told by key, then by id, then by email, as which a key may stand with or without its domain."""
    if student.key:
        return forms.get(student.key) or forms.get(composed(student.key), student.key)
    if student.id in by_id:
        return by_id[student.id]
    whole = student.email.casefold()
    login, _, _ = whole.partition("@")
    for name in (whole, login):
        if name and len(by_name.get(name, ())) == 1:
            return by_name[name][0]
    return student.label


def composed(key: str) -> str:
    """A key in which each letter with its accent is one character: a Mac unpacks names with two."""
    return unicodedata.normalize("NFC", key)


def parse(text: str, path: str) -> Roster:
    """Read a roster.

    Args:
        path: of its file, for messages.

    Raises:
        GraderErrors: a line for each row that is wrong; nothing of it holds then.
    """
    students, wrong = records(text, path, _columns, _student)
    wrong += [f"{path}: {line}" for line in (*_twice(students), *_differing(students))]
    if wrong:
        raise GraderErrors(wrong)
    return Roster(tuple(students))


def _columns(names: set[str]) -> str:
    for name in OF_EFFECT:
        close = difflib.get_close_matches(name, names - {*OF_EFFECT, "name"}, 1, cutoff=0.82)
        if close and name not in names:
            return f"the column {close[0]!r} means nothing here: write {name!r}, if that is meant, or rename it"
    return "" if names & set(IDENTITY) else "expected a column 'key', 'email' or 'id'"


def _student(row: int, cells: Cells) -> RosterStudent:
    if not any(cells.get(name) for name in IDENTITY):
        raise ValueError("expected a key, an email or an id")
    late_days = cells.get("late_days", "")
    if late_days and not (late_days.isascii() and late_days.isdigit()):
        raise ValueError(f"late_days: expected a whole number of days, got {late_days!r}")
    return RosterStudent(
        row, cells.get("key", ""), cells.get("email", ""), cells.get("id", ""), cells.get("name", ""),
        cells.get("team", ""), _extension(cells.get("extension", "")), int(late_days) if late_days else None,
        yes(cells, "excused"),
    )  # fmt: skip


def _extension(text: str) -> Extension | None:
    if not text:
        return None
    length = patterns.compile(r"(?P<number>\d{1,4})\s*(?P<unit>[dh])")
    if found := length.fullmatch(text):
        number = int(found["number"])
        return timedelta(days=number) if found["unit"] == "d" else timedelta(hours=number)
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"extension: expected 3d, 36h or a time like 2026-11-27T23:59:00+01:00, got {text!r}"
        ) from None
    if until.tzinfo is None:
        raise ValueError(f"extension: the time {text!r} has no offset from UTC, as 2026-11-27T23:59:00+01:00 has")
    return until


def _twice(students: Iterable[RosterStudent]) -> Iterator[str]:
    """A line for each row of a student who has one already."""
    for name in IDENTITY:
        first: dict[str, int] = {}
        for student in students:
            value = getattr(student, name).casefold() if name == "email" else getattr(student, name)
            if value and value in first:
                yield f"row {student.row}: {name} {value!r} stands in row {first[value]} already"
            first.setdefault(value, student.row)


def _differing(students: Iterable[RosterStudent]) -> Iterator[str]:
    """A line for each member of a team whose extension is another than that of the team's first."""
    in_teams = sorted((student for student in students if student.team), key=lambda each: (each.team, each.row))
    for team, members in groupby(in_teams, lambda each: each.team):
        first, *others = members
        for other in others:
            if other.extension != first.extension:
                yield f"row {other.row}: team {team!r}: another extension than in row {first.row}"
