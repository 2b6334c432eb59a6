"""Canvas's gradebook: the assignment's column of an exported file filled in, or a file of our own."""

from collections.abc import Sequence

from grader import patterns
from grader.errors import GraderError
from grader.exports.result import ExportedGrade
from grader.exports.sheets import Filled, Filling, Sheet, number, read

IDENTITY = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
ASSIGNMENT = patterns.compile(r"(?P<name>.+) \((?P<id>\d+)\)", dot_all=True)


def export(results: Sequence[ExportedGrade], wanted: Filling) -> Filled:
    """Make the file to import, as a person wants it."""
    return fill(results, read(wanted.given, "Student", "ID") if wanted.given else None, wanted.column)


def fill(results: Sequence[ExportedGrade], given: Sheet | None, assignment: str | None) -> Filled:
    """Make the file to import.

    Args:
        given: the file that Canvas exported; other assignments' columns are left out, so that they stay as they are.
        assignment: the column, by its name, its id, or whole, "Assignment 3 (12345)".

    Raises:
        GraderError: the column is not there, or several could be meant.
    """
    if given is None:
        return _new(results, assignment)
    column = _column(given, assignment)
    header = [name for name in IDENTITY if given.column(name) is not None]
    kept = [given.column(name) for name in header]
    rows = [[row[at] for at in kept if at is not None] + [row[column]] for row in given.rows]
    sheet = Sheet([*header, given.header[column]], rows, given.bom, given.ending)
    if results:
        _expect_points(rows, given.header[column], max(result.grade.max_score for result in results))
    known = {ident: row for row in rows if (ident := row[header.index("ID")].strip())}
    left, unknown = [], []
    for result in results:
        row = known.get(result.student or "") or _by_name(rows, result)
        if row is None:
            unknown.append(result.key)
        elif result.excused:
            row[-1] = ""
        elif result.may_be_handed_on:
            row[-1] = number(result.points)
        else:
            left.append(result.key)
    return Filled(sheet, tuple(left), tuple(unknown))


def _expect_points(rows: Sequence[Sequence[str]], column: str, most: float) -> None:
    """See that the column is worth as many points there as the grades are of.

    Raises:
        GraderError: it is worth others.
    """
    for first, *_, worth in rows:
        if first.strip().casefold() == "points possible" and _is_other(worth, most):
            raise GraderError(
                f"canvas: {column} is worth {worth.strip()} points in the sheet, the grades are of {number(most)}; "
                "nothing was written"
            )


def _is_other(cell: str, points: float) -> bool:
    """Whether a cell holds another number than the points; words and nothing are none."""
    try:
        return float(cell) != points
    except ValueError:
        return False


def _new(results: Sequence[ExportedGrade], assignment: str | None) -> Filled:
    if assignment is None or not ASSIGNMENT.fullmatch(assignment):
        raise GraderError(
            "canvas: say which column is to be filled, --column 'Assignment 3 (12345)', or give the gradebook that "
            "Canvas exports with --sheet FILE"
        )
    most = max((result.grade.max_score for result in results), default=0.0)
    rows = [["    Points Possible", "", "", "", "", number(most)]]
    rows += [
        [each.name or each.key, each.student or "", "", "", "", "" if each.excused else number(each.points)]
        for each in results
        if each.may_be_handed_on
    ]
    return Filled(
        Sheet([*IDENTITY, assignment], rows), tuple(each.key for each in results if not each.may_be_handed_on), ()
    )


def _column(sheet: Sheet, assignment: str | None) -> int:
    found = [at for at, name in enumerate(sheet.header) if (match := ASSIGNMENT.fullmatch(name.strip()))
             and (assignment is None or assignment in (match["name"], match["id"], name.strip()))]  # fmt: skip
    if len(found) != 1:
        names = ", ".join(repr(sheet.header[at]) for at in found) or "none"
        wanted = "an assignment" if assignment is None else repr(assignment)
        raise GraderError(f"canvas: expected one column for {wanted}, found {names}; choose one with --column")
    return found[0]


def _by_name(rows: list[list[str]], result: ExportedGrade) -> list[str] | None:
    """The row of a student without an id, by the name that Canvas gives to files, "Doe, Jane" as doejane."""
    names = {_plain(result.key), _in_order(result.name)} - {""}
    same = [row for row in rows if result.student is None and names & {_plain(row[0]), _in_order(row[0])}]
    possible = "points possible"
    return same[0] if len(same) == 1 and same[0][0].strip().casefold() != possible else None


def _plain(name: str) -> str:
    return "".join(character for character in name if character.isalnum()).casefold()


def _in_order(name: str) -> str:
    """The same for "Doe, Jane" and "Jane Doe"."""
    return " ".join(sorted(name.replace(",", " ").casefold().split()))
