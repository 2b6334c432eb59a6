"""Gradescope's ``results.json``; a grade that is open is hidden from its student until a person has decided it."""

from typing import Any

from grader.exports.result import ExportedGrade
from grader.records import CriterionResult
from grader.reports import record
from grader.reports.text import visible


def results(result: ExportedGrade) -> dict[str, Any]:
    """One submission; every text in it is plain text, and warnings are for the instructor's eye."""
    grade = result.grade
    return {
        "score": round(result.points, 4),
        "execution_time": round(grade.timings.get("total", 0.0), 3),
        "output": _text("\n".join(filter(None, [grade.reason, result.note]))),
        "output_format": "text",
        "stdout_visibility": "hidden",
        **({} if result.sure else {"visibility": "hidden"}),  # an open grade is for the instructor alone
        "tests": [*_tests(result), *_warnings(result)],
        "extra_data": {
            "status": grade.status,
            "seed": grade.seed,
            "sha256": grade.submission["sha256"],
            "measured": record.to_dict(grade)["measured"],
        },
    }


def _tests(result: ExportedGrade) -> list[dict[str, Any]]:
    numbers: dict[int, int] = {}
    found = []
    for criterion in result.grade.criteria:
        numbers[criterion.part] = number = numbers.get(criterion.part, 0) + 1
        found.append(_test(criterion, f"{criterion.part}.{number}"))
    return found


def _test(criterion: CriterionResult, number: str) -> dict[str, Any]:
    where = f"\n{criterion.origin}" if criterion.origin else ""
    test = {
        "score": criterion.points,
        "max_score": criterion.max_points,
        "name": _text(criterion.title),
        "number": number,
        "output": _text(f"{criterion.status}: {criterion.feedback}{where}"),
        "output_format": "text",
        "tags": [criterion.id],
    }
    if criterion.status != "error":  # neither passed nor failed
        test["status"] = "passed" if criterion.status == "passed" else "failed"
    return test


def _warnings(result: ExportedGrade) -> list[dict[str, Any]]:
    said = "\n".join(f"{warning.code}: {warning.message}" for warning in result.grade.warnings)
    if not said:
        return []
    return [{"name": "For the instructor", "output": _text(said), "output_format": "text", "visibility": "hidden"}]


def _text(raw: str) -> str:
    return "\n".join(visible(line) for line in raw.split("\n"))
