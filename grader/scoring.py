"""From verdicts to points: arithmetic, nothing else.

A criterion that is in error is open: its points are neither in the score nor lost until a person decides. Without
points by check a failed check decides a criterion, whatever the others are. With them a criterion is open as a whole
as soon as one check that has points is in error.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from grader import firewall
from grader.assignment import Assignment
from grader.evidence import Evidence
from grader.records import CriterionResult, CriterionStatus, Grade, GradeWarning, Judgement, Origin
from grader.rubric import Rubric, RubricCriterion
from grader.sentences import did_you_mean
from grader.syntax_errors import syntax_errors
from grader.verdicts import judge_in_order, undecided


def grade(evidence: Evidence, sandbox: dict[str, str], timings: dict[str, float]) -> Grade:
    """Compute the grade that the evidence supports."""
    judge_in_order(evidence.assignment.criteria, evidence)
    _open_blocked_by_nothing(evidence)
    results = _results(evidence.rubric.whole, evidence.verdicts, _origins(evidence))
    measured = {name: _measured(evidence, name) for name in evidence.assignment.measures}
    warnings = _warnings(evidence)
    return Grade(
        submission={
            "name": evidence.submission.name,
            "path": str(evidence.submission.path),
            "sha256": evidence.submission.sha256,
        },
        **totals(results),
        max_score=evidence.rubric.whole.max_score,
        seed=evidence.seed,
        criteria=results,
        measured={name: value for name, value in measured.items() if value is not None},
        warnings=(*warnings, *faults(evidence.firewall), *_slips(evidence)),
        sandbox=sandbox,
        timings=timings,
        given=evidence.given.digest,
        assignment=evidence.assignment.name,
        parts=evidence.assignment.parts,
        labels=evidence.assignment.shown_measures,
    )


def _open_blocked_by_nothing(evidence: Evidence) -> None:
    """Leave open what a check calls blocked by a criterion that the assignment has not: a slip of its author's."""
    criteria = evidence.assignment.criteria
    for ident, verdict in evidence.verdicts.items():
        if verdict.status == "blocked" and verdict.by not in criteria:
            why = f"there is no criterion {verdict.by!r}{did_you_mean(verdict.by, criteria)}"
            evidence.firewall.note(f"a check of {ident} that calls it blocked", ValueError(why))
            evidence.verdicts[ident] = undecided(criteria[ident])


def same_verdicts(
    kept: Grade, verdicts: Mapping[str, Judgement], rubric: Rubric, assignment: Assignment
) -> Grade | None:
    """The points of a grade again, by another rubric that changes no verdict; None where it judges other criteria.

    Args:
        kept: the grade.
        verdicts: that it rests on, by criterion.
    """
    origins = {result.id: result.origin for result in kept.criteria}
    if any(criterion.id not in origins or criterion.id not in verdicts for criterion in rubric.criteria):
        return None
    results = _results(rubric, verdicts, origins)
    return replace(
        kept, **totals(results), max_score=rubric.max_score, criteria=results,
        parts=assignment.parts, labels=assignment.shown_measures,
    )  # fmt: skip


def _results(
    rubric: Rubric, verdicts: Mapping[str, Judgement], origins: Mapping[str, Origin | None]
) -> tuple[CriterionResult, ...]:
    judged = {criterion.id: verdicts[criterion.id] for criterion in rubric.criteria}
    return tuple(_result(each, _opened(judged, each.id), origins[each.id]) for each in rubric.criteria)


def _origins(evidence: Evidence) -> dict[str, Origin | None]:
    """By criterion, where what its first failed check is about is defined, or else the first of its names."""
    places, found = evidence.submission.program.names, dict[str, Origin | None]()
    for ident, criterion in evidence.assignment.criteria.items():
        results = evidence.verdicts[ident].results if ident in evidence.verdicts else ()
        failed = {result.name for result in results if result.status == "failed"}
        about = [check.about for check in criterion.checks if check.name in failed][:1]
        found[ident] = next((places[name] for name in (*about, *criterion.names) if name in places), None)
    return found


def totals(results: Sequence[CriterionResult]) -> dict[str, Any]:
    """The fields of a grade that follow from its criteria: score, open points, status and its reason."""
    open_ = [result.id for result in results if result.status == "error"]
    undecided = round(sum(result.open for result in results), 4)
    why = f"not decided: {', '.join(open_)}; {undecided:g} points stay open until a person decides"
    return {
        "score": round(sum(result.points for result in results), 4), "undecided": undecided,
        "status": "needs_review" if open_ else "graded", "reason": why if open_ else "",
    }  # fmt: skip


def faults(wall: firewall.Firewall) -> tuple[GradeWarning, ...]:
    """A warning for each piece of the grader's own that raised."""
    return tuple(GradeWarning(firewall.WARNING_CODE, line) for line in wall.lines)


def _slips(evidence: Evidence) -> Iterator[GradeWarning]:
    """A warning for each operation that does not work, or whose answers do not fit their type."""
    slips = dict.fromkeys(answer.observation.slip for answer in evidence.answers.values())
    yield from (GradeWarning(firewall.WARNING_CODE, slip) for slip in slips if slip)


def noted(grade: Grade, wall: firewall.Firewall) -> Grade:
    """A grade with the warnings of pieces that raised after it was computed."""
    new = tuple(warning for warning in faults(wall) if warning not in grade.warnings)
    return replace(grade, warnings=(*grade.warnings, *new)) if new else grade


def _opened(verdicts: Mapping[str, Judgement], ident: str) -> Judgement:
    """A verdict; open where what blocks it is open itself."""
    verdict, met = verdicts[ident], {ident}
    by = verdict
    while by.status == "blocked" and by.by in verdicts and by.by not in met:
        met.add(by.by)
        by = verdicts[by.by]
    if verdict.status != "blocked" or by.status != "error":
        return verdict
    results = tuple(replace(r, status="error") if r.status == "skipped" else r for r in verdict.results)
    return replace(verdict, status="error", results=results)


def _result(criterion: RubricCriterion, verdict: Judgement, origin: Origin | None) -> CriterionResult:
    points, status = _points(criterion, verdict)
    return CriterionResult(
        criterion.id, criterion.part, criterion.title, points, criterion.points,
        status, verdict.feedback, verdict.results, origin,
    )  # fmt: skip


def _points(criterion: RubricCriterion, verdict: Judgement) -> tuple[float, CriterionStatus]:
    if verdict.status == "passed":
        return criterion.points, "passed"
    if verdict.status == "failed" and criterion.steps:
        points = criterion.earned(_score_below(verdict))
        return points, "partial" if points > 0 else "failed"
    if verdict.status != "failed" or not criterion.checks:
        return 0.0, verdict.status
    statuses = {result.name: result.status for result in verdict.results}
    if any(weight > 0 and statuses.get(name) == "error" for name, weight in criterion.checks.items()):
        return 0.0, "error"
    points = sum(weight for name, weight in criterion.checks.items() if statuses.get(name) == "passed")
    return points, "partial" if points > 0 else "failed"


def _score_below(verdict: Judgement) -> float:
    """The score of a criterion that failed for nothing else than being below its threshold; else one below all steps."""
    failed = [result for result in verdict.results if result.status != "passed"]
    measured = [result.measurement.value for result in failed if result.measurement is not None]
    return measured[0] if len(measured) == len(failed) == 1 else -math.inf


def _measured(evidence: Evidence, name: str) -> float | None:
    def measure() -> float | None:
        value = evidence.assignment.measures[name](evidence)
        if value is not None and not 0 <= value <= 1:  # NaN neither
            raise ValueError(f"expected a share from 0 to 1, got {value}")
        return None if value is None else round(float(value), 6)

    attempt = partial(evidence.firewall.attempt, f"the measure {name}", measure, None)
    return evidence.reading.result(f"measure {name}", attempt)


def _warnings(evidence: Evidence) -> tuple[GradeWarning, ...]:
    found: list[GradeWarning] = []
    for number, function in enumerate((syntax_errors, *evidence.assignment.warnings)):
        none: list[GradeWarning] = []
        piece = f"the warning {function.__name__}"
        attempt = partial(evidence.firewall.attempt, piece, partial(_warned, function, evidence), none)
        new = evidence.reading.result(f"warning {number}", attempt)
        found += [warning for warning in new if warning not in found]
    return tuple(found)


def _warned(function: Callable[[Evidence], Sequence[GradeWarning]], evidence: Evidence) -> list[GradeWarning]:
    """A list of warnings, so that a function which yields, or gives something else, fails here and not later."""
    found = list(function(evidence))
    for each in found:
        if not isinstance(each, GradeWarning):
            raise TypeError(f"expected warnings, got {each!r}")
    return found
