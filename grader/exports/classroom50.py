"""Classroom 50's ``result.json``, as far as an autograder fills it; the rest is its runner's.

Its runner knows no grade that is held back: what is open counts for nothing there until a person has decided it.
"""

import math
from typing import Any

from grader.exports.result import ExportedGrade
from grader.records import CriterionResult


def result(result: ExportedGrade) -> dict[str, Any]:
    """One submission in whole points: halves are rounded up, and no score is above its maximum."""
    tests = [_test(criterion) for criterion in result.grade.criteria]
    most = whole(result.grade.max_score)
    return {
        "schema": "classroom50/result/v1",
        "score": min(whole(result.points), most),
        "max-score": most,
        "tests": tests,
    }


def _test(criterion: CriterionResult) -> dict[str, Any]:
    most = whole(criterion.max_points)
    return {
        "test-name": criterion.id,
        "passed": criterion.status == "passed",
        "score": min(whole(criterion.points), most),
        "max-score": most,
    }


def whole(points: float) -> int:
    """A number of points without a fraction."""
    return math.floor(points + 0.5)
