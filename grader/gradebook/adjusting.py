"""Decisions of people laid on a computed grade: arithmetic, nothing else.

The computed verdict stays beneath each decision and is told with it. Where it has changed since the decision was made,
the decision holds all the same, and a sentence asks for another look.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from grader.gradebook.ledger import WHOLE_SCORE, Decision, Ledger, counting
from grader.gradebook.store import Gradebook, SubmissionRow
from grader.gradebook.together import classlist
from grader.records import Adjustment, CriterionResult, CriterionStatus, Grade
from grader.sentences import number_of


class Adjuster:
    """Lays the decisions of a gradebook on grades, those about any member of a team on the team's.

    Args:
        book: whose decisions count as they stand now.
        groups: of students who hand in together; those of the roster where there are none.
    """

    def __init__(self, book: Gradebook, groups: Iterable[tuple[str, ...]] | None = None) -> None:
        standing = Ledger(book).standing()
        self.decisions: dict[str, dict[str, Decision]] = {}
        for keys in classlist(book).groups if groups is None else groups:
            about = counting(standing[key] for key in keys if key in standing)
            self.decisions |= dict.fromkeys(keys, about)

    def grade(self, row: SubmissionRow, computed: Grade) -> Grade:
        """The grade of a submission with what people decided."""
        return adjusted(computed, self.decisions.get(row.key, {}), row.content)


def beneath(grade: Grade, criterion: str, content: str) -> dict[str, Any]:
    """What a decision is made on.

    Args:
        grade: as it was computed.
        criterion: one of its criteria, or ``WHOLE_SCORE``.
        content: digest of the submission's files.
    """
    if criterion == WHOLE_SCORE:
        return {
            "content": content, "status": grade.status, "points": grade.score, "max_points": grade.max_score,
            "checks": {},
        }  # fmt: skip
    result = next(result for result in grade.criteria if result.id == criterion)
    checks = {check.name: check.status for check in result.checks}
    return {
        "content": content, "status": result.status, "points": result.points, "max_points": result.max_points,
        "checks": checks,
    }  # fmt: skip


def adjusted(grade: Grade, decisions: Mapping[str, Decision], content: str) -> Grade:
    """Lay decisions on a grade.

    Args:
        grade: as it was computed.
        decisions: those that stand, by criterion.
        content: digest of the submission's files.
    """
    if not decisions:
        return grade
    doubts = tuple(
        f"{criterion}: {decision.by} gave {number_of(decision.points or 0, 'point')}; {doubt}"
        for criterion, decision in decisions.items()
        if (doubt := _doubt(decision, grade, content))
    )
    results = tuple(
        _result(result, decisions[result.id]) if result.id in decisions else result for result in grade.criteria
    )
    made = tuple(_adjustment(result, decisions[result.id]) for result in results if result.computed is not None)
    grade = dataclasses.replace(grade, criteria=results, adjustments=made, look_again=doubts)
    if results:
        from grader import scoring  # noqa: PLC0415  slow to import, and a class may have no decisions

        grade = dataclasses.replace(grade, **scoring.totals(results))
    return _whole(grade, decisions[WHOLE_SCORE]) if WHOLE_SCORE in decisions else grade


def _result(computed: CriterionResult, decision: Decision) -> CriterionResult:
    points = _within(decision, computed.max_points)
    status: CriterionStatus = "partial" if points > 0 else "failed"
    seen = "not decided" if computed.status == "error" else f"{computed.status}, {number_of(computed.points, 'point')}"
    return dataclasses.replace(
        computed,
        points=points,
        status="passed" if points == computed.max_points else status,
        feedback=f"{_given(decision, points, computed.max_points)} Computed: {seen}: {computed.feedback}",
        computed=computed,
    )


def _whole(grade: Grade, decision: Decision) -> Grade:
    points = _within(decision, grade.max_score)
    computed = grade.reason or f"{grade.total} points"
    made = Adjustment(WHOLE_SCORE, points, grade.score, decision.why, decision.by, decision.when, decision.comment)
    return dataclasses.replace(
        grade, score=points, undecided=0.0, status="graded", adjustments=(*grade.adjustments, made),
        reason=f"{_given(decision, points, grade.max_score)} Computed: {grade.status.replace('_', ' ')}: {computed}",
    )  # fmt: skip


def _within(decision: Decision, most: float) -> float:
    """The points of a decision; a maximum that was lowered since bounds them."""
    assert decision.points is not None
    return round(min(decision.points, most), 4)


def _given(decision: Decision, points: float, most: float) -> str:
    said = decision.comment or decision.why
    return f"A person gave {points:g} of {most:g} points: {said}{'' if said.endswith(('.', '!', '?')) else '.'}"


def _adjustment(result: CriterionResult, decision: Decision) -> Adjustment:
    assert result.computed is not None
    was = result.computed.points
    return Adjustment(result.id, result.points, was, decision.why, decision.by, decision.when, decision.comment)


def _doubt(decision: Decision, grade: Grade, content: str) -> str:
    """What has changed beneath a decision since; empty where nothing has."""
    if decision.criterion != WHOLE_SCORE and all(result.id != decision.criterion for result in grade.criteria):
        return "this criterion is not judged any more, so the points do not count"
    was, now = decision.beneath, beneath(grade, decision.criterion, content)
    if was == now:
        return ""
    if was["max_points"] != now["max_points"]:
        return f"its maximum was {was['max_points']:g} then and is {now['max_points']:g} now"
    if was["content"] != now["content"]:
        return "another submission counts since"
    if (was["status"], was["points"]) != (now["status"], now["points"]):
        return f"computed was {_words(was)} then and is {_words(now)} now"
    return "its checks end otherwise since"


def _words(beneath: Mapping[str, Any]) -> str:
    return f"{beneath['status'].replace('_', ' ')} with {number_of(beneath['points'], 'point')}"
