"""From verdicts to points: arithmetic, nothing else."""

from collections.abc import Sequence
from functools import partial

from grader.checking import Judgement
from grader.evidence import Evidence
from grader.records import CriterionResult, CriterionStatus, Grade, Warning_
from grader.rubric import RubricCriterion


def grade(seen: Evidence, sandbox: dict[str, str], timings: dict[str, float]) -> Grade:
    """Compute the grade that the evidence supports."""
    results = tuple(_result(criterion, seen) for criterion in seen.rubric.criteria)
    undecided = [result.id for result in results if result.status == "error"]
    measured = {n: seen.once(f"measure {n}", partial(f, seen)) for n, f in seen.assignment.measures.items()}
    return Grade(
        submission={
            "name": seen.submission.name,
            "path": str(seen.submission.path),
            "sha256": seen.submission.sha256,
        },
        status="needs_review" if undecided else "graded",
        score=round(sum(result.points for result in results), 4),
        max_score=seen.rubric.max_score,
        seed=seen.seed,
        criteria=results,
        measured={name: round(value, 6) for name, value in measured.items() if value is not None},
        warnings=_warnings(seen),
        sandbox=sandbox,
        timings=timings,
        reason=f"the grader could not decide {', '.join(undecided)}; no points were taken off" if undecided else "",
    )


def _result(criterion: RubricCriterion, seen: Evidence) -> CriterionResult:
    verdict = seen.judge(criterion.id)
    points, status = _points(criterion, verdict)
    names = seen.assignment.criteria[criterion.id].names
    origin = next((seen.submission.program.names[n] for n in names if n in seen.submission.program.names), None)
    return CriterionResult(
        criterion.id, criterion.part, criterion.title, points, criterion.points,
        status, verdict.feedback, verdict.results, origin,
    )  # fmt: skip


def _points(criterion: RubricCriterion, verdict: Judgement) -> tuple[float, CriterionStatus]:
    if verdict.status in ("passed", "error"):  # what the grader could not decide costs nothing
        return criterion.points, verdict.status
    if verdict.status != "failed" or not criterion.checks:
        return 0.0, verdict.status
    passed = {result.name for result in verdict.results if result.status == "passed"}
    points = sum(weight for name, weight in criterion.checks.items() if name in passed)
    return points, "partial" if points > 0 else "failed"


def _warnings(seen: Evidence) -> tuple[Warning_, ...]:
    found: list[Warning_] = []
    for function in seen.assignment.warnings:
        key = f"warning {function.__module__}.{function.__name__}"
        new: Sequence[Warning_] = seen.once(key, partial(function, seen))
        found += [warning for warning in new if warning not in found]
    return tuple(found)
