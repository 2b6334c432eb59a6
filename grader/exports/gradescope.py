"""Gradescope's ``results.json``; a grade that is open is hidden from its student until a person has decided it.

It tells what the student's page tells: what to look at first, and of each criterion what was expected, what was seen
and what to look at next.
"""

from collections.abc import Iterator
from typing import Any

from grader.exports.result import ExportedGrade
from grader.gradebook.late import when
from grader.reports import record
from grader.reports.html.story import AssignmentPart, CriterionStory, NoLines, first_steps, tell
from grader.reports.text import visible


def results(result: ExportedGrade) -> dict[str, Any]:
    """One submission; every text in it is plain text, and warnings are for the instructor's eye."""
    grade = result.grade
    parts = tell(grade, NoLines(), result.demands)
    rows = [row for part in parts for row in part.rows]
    return {
        "score": round(result.points, 4),
        "execution_time": round(grade.timings.get("total", 0.0), 3),
        "output": _text("\n".join(_summary(result, parts))),
        "output_format": "text",
        "stdout_visibility": "hidden",
        **({} if result.may_be_handed_on else {"visibility": "hidden"}),  # an open grade is for the instructor alone
        "tests": [*_tests(rows), *_warnings(result)],
        "extra_data": {
            "status": grade.status,
            "seed": grade.seed,
            "sha256": grade.submission["sha256"],
            "measured": record.to_dict(grade)["measured"],
        },
    }


def _summary(result: ExportedGrade, parts: list[AssignmentPart]) -> Iterator[str]:
    """How a page begins: the score, what counts, what to look at first."""
    grade = result.grade
    yield f"{result.total} of {grade.max_score:g} points"
    yield from filter(None, [grade.told_reason, result.note])
    if result.handed_in is not None:
        yield from result.handed_in.told(result.lateness)
        yield from _since(result)
    if steps := first_steps(parts):
        yield "Look at these first:"
        yield from (f"  {row.result.title} (up to {row.gain:g} points)" for row in steps)
    elif parts and not grade.undecided:
        yield "All of it is as it should be: every criterion has full marks."
    yield from (f"{name}: {value:.4f}" for name, value in grade.measured.items())


def _since(result: ExportedGrade) -> Iterator[str]:
    """What has changed since the submission before."""
    before = result.handed_in.latest_before() if result.handed_in is not None else None
    if before is None or before.score is None:
        return
    moved = result.points - before.score
    yield f"Your submission before, of {when(before.submission_time.timestamp())}, got {before.score:g}: {moved:+g} points"
    was = before.points
    for word, sign in (("More points than then", 1), ("Fewer points than then", -1)):
        ids = [each.title for each in result.grade.criteria if sign * (each.points - was.get(each.id, each.points)) > 0]
        if ids:
            yield f"{word}: {', '.join(ids)}"


def _tests(rows: list[CriterionStory]) -> list[dict[str, Any]]:
    numbers: dict[int, int] = {}
    found = []
    for row in rows:
        part = row.result.part
        numbers[part] = number = numbers.get(part, 0) + 1
        found.append(_test(row, f"{part}.{number}"))
    return found


def _test(row: CriterionStory, number: str) -> dict[str, Any]:
    result = row.result
    test = {
        "score": result.points,
        "max_score": result.max_points,
        "name": _text(result.title),
        "number": number,
        "output": _text("\n".join(_story(row))),
        "output_format": "text",
        "tags": [result.id],
    }
    if result.status != "error":  # neither passed nor failed
        test["status"] = "passed" if result.status == "passed" else "failed"
    return test


def _story(row: CriterionStory) -> Iterator[str]:
    """A criterion as the page tells it."""
    result = row.result
    yield result.status if row.told and not row.decision else f"{result.status}: {result.feedback}"
    if result.origin:
        yield str(result.origin)
    for each in row.told:
        yield from ("", *([f"Expected: {each.expected}"] if each.expected else []), f"Seen: {each.seen}")
        if each.next:
            yield f"Look at next: {each.next}"
    if row.waiting:
        yield f"\nWaiting for this: {', '.join(other.result.title for other in row.waiting)}"
    if row.passed:
        yield f"\n{len(row.passed)} {'check' if len(row.passed) == 1 else 'checks'} passed"


def _warnings(result: ExportedGrade) -> list[dict[str, Any]]:
    said = "\n".join(f"{warning.code}: {warning.message}" for warning in result.grade.warnings)
    if not said:
        return []
    return [{"name": "For the instructor", "output": _text(said), "output_format": "text", "visibility": "hidden"}]


def _text(raw: str) -> str:
    return "\n".join(visible(line) for line in raw.split("\n"))
