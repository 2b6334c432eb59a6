"""The desk's pages: the list of what to look at first, and one submission with all that a person needs to decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.desk.attention import KINDS, DeskRow
from grader.desk.pieces import Pieces
from grader.exports.result import late_note
from grader.gradebook.ledger import WHOLE_SCORE
from grader.reports.html import rendering
from grader.reports.html.story import tell

SCRIPTS = ("page.js", "desk.js")
STYLES = ("desk.css",)
FORMS = "'self'"  # where forms of the desk may be sent


@dataclass(frozen=True)
class Typed:
    """What a person typed into a form that was not taken.

    Attributes:
        criterion: that it is about.
        fields: by name.
        problem: why it was not taken; empty where nothing was sent.
    """

    criterion: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def policy() -> str:
    """What the browser lets the desk's pages do."""
    return rendering.policy(SCRIPTS, STYLES, FORMS)


def desk_list(rows: Sequence[DeskRow], url: str, hidden: bool, missing: str = "") -> str:
    """The list.

    Args:
        rows: in the order in which a person should look at them.
        url: of the desk.
        hidden: whether names are hidden.
        missing: why a reason may not be there, in words.
    """
    rows = [row.without_names() for row in rows] if hidden else rows
    first = [row for row in rows if row.reasons]
    return _render(
        "desk.html", url, hidden, first=first, others=[row for row in rows if not row.reasons], kinds=KINDS,
        rows={row.id: row for row in rows}, missing=missing,
    )  # fmt: skip


def submission(
    row: DeskRow, rows: Sequence[DeskRow], pieces: Pieces, marks: Mapping[str, str], url: str, hidden: bool,
    typed: Typed, said: str = "", missing: str = "",
) -> str:  # fmt: skip
    """One submission.

    Args:
        rows: the list that it is one of.
        pieces: what stands beside the verdicts.
        marks: by criterion, what is standing now: a form gives it back, so that nobody decides on what has changed.
        typed: what was typed and not taken.
        said: what was just done, in words.
        missing: why a reason may not be there, in words.
    """
    at = [each.id for each in rows].index(row.id)
    looking = [each.mark for each in row.ends_with_a_look]  # before names are taken out of what is said
    row = row.without_names() if hidden else row
    grade = row.entry.grade
    parts = tell(grade, pieces.sources, pieces.demands, pieces.parts)
    return _render(
        "desk_submission.html", url, hidden, row=row, grade=grade, parts=parts, pieces=pieces, marks=marks, typed=typed,
        at=at, count=len(rows), before=rows[at - 1] if at else None, after=rows[at + 1] if at + 1 < len(rows) else None,
        kinds=KINDS, rows={each.id: each for each in rows}, late=_late(row), whole=WHOLE_SCORE, said=said,
        anchors={row.result.id: row for part in parts for row in part.rows}, looking=looking, missing=missing,
    )  # fmt: skip


def _late(row: DeskRow) -> str:
    """What lateness costs, where it is the same for all."""
    notes = {late_note(e.lateness, e.grade.score - e.points, e.open) if e.days_late else "in time" for e in row.entries}
    return "; ".join(sorted(notes - {"in time"})) if len(notes) == 1 else ""


def _render(template: str, url: str, hidden: bool, **content: Any) -> str:
    return rendering.render(template, *SCRIPTS, styles=STYLES, forms=FORMS, url=url, hide=hidden, **content)
