"""Moodle's offline grading worksheet, filled in, or one of our own."""

import html
from collections.abc import Sequence

from grader.errors import GraderError
from grader.exports.result import ExportedGrade, words
from grader.exports.sheets import Filled, Filling, Sheet, number, read
from grader.reports.text import printable

IDENTIFIER, NAME, GRADE, MAXIMUM = "Identifier", "Full name", "Grade", "Maximum Grade"
CHANGEABLE, MODIFIED, COMMENTS = "Grade can be changed", "Last modified (grade)", "Feedback comments"
COLUMNS = (
    IDENTIFIER, NAME, "Email address", "Status", GRADE, MAXIMUM, CHANGEABLE, "Last modified (submission)",
    MODIFIED, COMMENTS,
)  # fmt: skip
NEEDED_COLUMNS = (IDENTIFIER, GRADE, MODIFIED)  # without these Moodle refuses the file


def export(results: Sequence[ExportedGrade], wanted: Filling) -> Filled:
    """Make the file to upload, as a person wants it."""
    return fill(results, read(wanted.given, *NEEDED_COLUMNS) if wanted.given else None, wanted.comments)


def fill(results: Sequence[ExportedGrade], given: Sheet | None, comments: bool = True) -> Filled:
    """Make the file to upload.

    Args:
        given: the worksheet that Moodle offers; grades are scaled to its maximum.
        comments: whether to write what was seen into the feedback comments.
    """
    sheet = given or _new(results)
    at = {name: found for name in COLUMNS if (found := sheet.column(name)) is not None}
    known = {ident: row for row in sheet.rows if (ident := row[at[IDENTIFIER]].strip().rpartition(" ")[2])}
    left, unknown = [], []
    for result in results:
        row = known.get(result.student or "") or _by_name(sheet, at, result)
        if row is None:
            unknown.append(result.key)
        elif not result.may_be_handed_on or (CHANGEABLE in at and row[at[CHANGEABLE]].strip().casefold() == "no"):
            left.append(result.key)
        elif result.excused:
            row[at[GRADE]] = ""
        else:
            row[at[GRADE]] = number(result.points * _scale(row, at, result))
            if comments and COMMENTS in at:
                row[at[COMMENTS]] = _comments(result)
    return Filled(sheet, tuple(left), tuple(unknown))


def _new(results: Sequence[ExportedGrade]) -> Sheet:
    most = max((result.grade.max_score for result in results), default=0.0)
    rows = [
        ["Participant " + result.student, result.name or result.key, "", "", "", number(most), "Yes", "-", "-", ""]
        for result in results
        if result.student is not None
    ]
    return Sheet(list(COLUMNS), rows)


def _scale(row: list[str], at: dict[str, int], result: ExportedGrade) -> float:
    """What points are multiplied by, so that all of them are the sheet's maximum.

    Raises:
        GraderError: the assignment there is graded by a scale in words.
    """
    if MAXIMUM not in at:
        return 1.0
    try:
        most = float(row[at[MAXIMUM]].replace(",", "."))
    except ValueError:
        raise GraderError(
            f"moodle: expected a number as {MAXIMUM}, got {row[at[MAXIMUM]]!r}: set the assignment's grade to points in "
            "Moodle; nothing was written"
        ) from None
    return most / result.grade.max_score if result.grade.max_score else 1.0


def _by_name(sheet: Sheet, at: dict[str, int], result: ExportedGrade) -> list[str] | None:
    if NAME not in at or result.student is not None:
        return None
    names = {result.key.casefold(), result.name.casefold()} - {""}
    same = [row for row in sheet.rows if row[at[NAME]].strip().casefold() in names]
    return same[0] if len(same) == 1 else None


def _comments(result: ExportedGrade) -> str:
    """Moodle takes HTML there."""
    max_characters = 5_000  # characters of comments, before they are escaped
    return "<br>".join(html.escape(printable(line)) for line in "\n".join(words(result))[:max_characters].split("\n"))
