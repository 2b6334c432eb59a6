"""Workflow commands of GitHub Actions: an annotation for each criterion that lost points."""

from collections.abc import Iterator, Sequence

from grader.exports.result import ExportedGrade
from grader.reports.text import printable


def commands(results: Sequence[ExportedGrade]) -> str:
    """``::error file=…,line=…::message`` lines."""
    several = len(results) > 1
    return "".join(f"{line}\n" for result in results for line in _of(result, several))


def _of(result: ExportedGrade, of_several: bool) -> Iterator[str]:
    grade, whose = result.grade, f"{result.key}: " if of_several else ""
    if grade.reason:
        yield f"::{'error' if grade.status == 'rejected' else 'warning'} title={_value(result.key)}::{_text(grade.told_reason)}"
    for each in grade.criteria:
        if not each.lost and not each.open:
            continue
        place, cell = "", ""
        if each.origin is not None:
            place = f"file={_value(each.origin.file)},line={each.origin.line},"
            if each.origin.cell is not None:  # a line of a cell is no line of the file
                place, cell = f"file={_value(each.origin.file)},", f"cell {each.origin.cell}, line {each.origin.line}: "
        word = "error" if each.status in ("failed", "partial") else "notice"
        title = _value(f"{whose}{each.title}: {'open' if each.open else f'{each.points:g} of {each.max_points:g}'}")
        yield f"::{word} {place}title={title}::{_text(cell + each.feedback)}"


def _text(raw: str) -> str:
    return printable(raw).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(raw: str) -> str:
    return _text(raw).replace(":", "%3A").replace(",", "%2C")
