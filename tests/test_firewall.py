"""Whatever piece of the grader's own raises: a grade comes out, the piece is named, and the others are what they were.

One grade of the reference is the evidence for all: checks, warnings, measures and pictures judge kept answers, and
questions are put to workers that repeat them.
"""

import dataclasses
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from grader import exports, pipeline, scoring
from grader.assignments.vit.assignment import VIT
from grader.evidence import Answer, Evidence, Probe, Question
from grader.exports.result import of_grade
from grader.firewall import WARNING_CODE, Firewall
from grader.judging import Check
from grader.probing import ask_all
from grader.records import Grade, Observation, Raised
from grader.reports.html import figures
from tests import grades, harness

KINDS = (IndexError("list index out of range"), RecursionError("too deep"), MemoryError(), OverflowError("too large"))
CHECKS = [(ident, check.name) for ident, criterion in VIT.criteria.items() for check in criterion.checks]


@pytest.fixture(scope="module")
def honest() -> Iterator[Evidence]:
    """What the reference answered, once."""
    options = pipeline.Options(seed=1, train="never", sample=100, threads=1, pictures=True)
    grader = pipeline.open_grader(options)
    seen: list[Evidence] = []
    try:
        assert VIT.reference is not None
        grader.graded(VIT.reference, 1, look=seen.append)
    finally:
        grader.close()
    yield seen[0]


def fresh(seen: Evidence, **changes: Any) -> Evidence:
    """The same answers, with scores that take a while, and nothing judged yet."""
    return harness.fresh(seen, firewall=Firewall(), **changes)


def raising(*_: Any) -> Any:
    raise KINDS[0]


def named(grade: Grade, piece: str) -> bool:
    return any(warning.code == WARNING_CODE and piece in warning.message for warning in grade.warnings)


def with_check(ident: str, name: str, error: Exception) -> Any:
    """The assignment with one check that raises."""

    def function(seen: Evidence) -> None:
        raise error

    criterion = VIT.criteria[ident]
    checks = tuple(Check(c.name, c.sentence, function) if c.name == name else c for c in criterion.checks)
    return dataclasses.replace(VIT, criteria={**VIT.criteria, ident: dataclasses.replace(criterion, checks=checks)})


@pytest.fixture(scope="module")
def before(honest: Evidence) -> Grade:
    grade = scoring.grade(fresh(honest), {}, {})
    assert not [warning for warning in grade.warnings if warning.code == WARNING_CODE] and grade.undecided == 0
    return grade


def statuses(grade: Grade) -> dict[str, tuple[str, float]]:
    return {result.id: (result.status, result.points) for result in grade.criteria}


@pytest.mark.parametrize(("ident", "name"), CHECKS, ids=["/".join(pair) for pair in CHECKS])
def test_a_check_that_raises_leaves_its_criterion_open(ident: str, name: str, honest: Evidence, before: Grade) -> None:
    error = KINDS[CHECKS.index((ident, name)) % len(KINDS)]
    grade = scoring.grade(fresh(honest, assignment=with_check(ident, name, error)), {}, {})
    assert named(grade, f"the check {ident}/{name}")
    assert {**statuses(before), ident: ("error", 0.0)} == statuses(grade)
    (open_,) = [result.max_points for result in grade.criteria if result.id == ident]
    assert (grade.undecided, grade.score, grade.status) == (open_, before.score - open_, "needs_review")


@pytest.mark.parametrize("warning", VIT.warnings, ids=lambda function: function.__name__)
def test_a_warning_that_raises_is_left_out(warning: Any, honest: Evidence, before: Grade) -> None:
    raises = partial(raising)
    raises.__module__, raises.__name__ = warning.__module__, warning.__name__  # type: ignore[attr-defined]
    warnings = tuple(raises if each is warning else each for each in VIT.warnings)
    grade = scoring.grade(fresh(honest, assignment=dataclasses.replace(VIT, warnings=warnings)), {}, {})
    assert named(grade, f"the warning {warning.__name__}")
    assert (grade.criteria, grade.measured, grade.status) == (before.criteria, before.measured, "graded")


@pytest.mark.parametrize("value", [math.nan, math.inf, 90.4, -0.1])
def test_a_measure_that_is_no_share_is_left_out(value: float, honest: Evidence) -> None:
    assignment = dataclasses.replace(VIT, measures={"accuracy": lambda evidence: value})
    grade = scoring.grade(fresh(honest, assignment=assignment), {}, {})
    assert named(grade, "the measure accuracy") and not grade.measured


@pytest.mark.parametrize("measure", VIT.measures)
def test_a_measure_that_raises_is_left_out(measure: str, honest: Evidence, before: Grade) -> None:
    assignment = dataclasses.replace(VIT, measures={**VIT.measures, measure: raising})
    grade = scoring.grade(fresh(honest, assignment=assignment), {}, {})
    assert named(grade, f"the measure {measure}") and grade.criteria == before.criteria
    assert grade.measured == {name: value for name, value in before.measured.items() if name != measure}


@pytest.mark.parametrize("part", ["build", "when"])
@pytest.mark.parametrize("probe", VIT.probes, ids=lambda probe: probe.id)
def test_a_question_that_raises_leaves_open_what_rests_on_it(
    probe: Probe, part: str, honest: Evidence, before: Grade
) -> None:
    changed = [dataclasses.replace(p, **{part: raising}) if p is probe else p for p in VIT.probes]
    answers = {"load": honest.answers["load"]}
    seen = fresh(honest, answers=answers, assignment=dataclasses.replace(VIT, probes=tuple(changed)))

    def ask(asked: Probe, question: Question) -> Observation:
        return honest[asked.id].observation

    ask_all(changed, seen, ask)
    grade = scoring.grade(seen, {}, {})
    if part == "build" and probe.id not in honest.answers:
        assert statuses(grade) == statuses(before)  # it is not asked of the reference
        return
    assert named(grade, f"the question {probe.id}")
    lost = {i: found for i, found in statuses(grade).items() if found != statuses(before)[i]}
    assert all(status == "error" for status, _ in lost.values()), lost
    assert grade.score + grade.undecided == before.score


@pytest.mark.parametrize("outcome", ["crashed", "timeout", "memory", "forged"])
def test_what_a_submission_that_cannot_be_loaded_brings_about_is_decided(outcome: Any, honest: Evidence) -> None:
    load = Observation(outcome, detail="it ended")
    seen = fresh(honest, answers={})
    ask_all([Probe("load", "load", lambda seen, rng: Question({})), *VIT.probes], seen, lambda probe, question: load)
    grade = scoring.grade(seen, {}, {})
    assert (grade.status, grade.undecided) == ("graded", 0.0), (grade.reason, grade.warnings)


@pytest.mark.parametrize("outcome", ["raised", "undefined", "crashed", "timeout", "memory", "forged", "unasked"])
@pytest.mark.parametrize("probe", [probe.id for probe in VIT.probes])
def test_no_answer_to_one_question_is_ever_an_error_of_the_graders(probe: str, outcome: Any, honest: Evidence) -> None:
    raised = Raised("ValueError", ("ValueError", "Exception"), "no") if outcome == "raised" else None
    answer = Observation(outcome, raised=raised, detail="ViT" if outcome == "undefined" else "it ended")
    seen = fresh(honest, answers={"load": honest.answers["load"]})
    probes = [p for p in VIT.probes if outcome != "unasked" or p.id != probe]
    ask_all(probes, seen, lambda asked, question: answer if asked.id == probe else honest[asked.id].observation)
    grade = scoring.grade(seen, {}, {})
    assert (grade.status, grade.undecided) == ("graded", 0.0), (grade.reason, grade.warnings)
    assert not [warning for warning in grade.warnings if warning.code == WARNING_CODE], grade.warnings


def test_every_picture_that_raises_is_named_and_the_others_are_drawn(
    honest: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {figure.id for figure in figures.draw(honest)}
    functions = figures.functions(VIT)
    for name in functions:
        drawing = {**functions, name: raising}
        monkeypatch.setattr(figures, "functions", lambda assignment, drawing=drawing: drawing)
        wall = Firewall()
        left = {figure.id for figure in figures.draw(honest, wall)}
        assert list(wall.faults) == [f"the picture {name}"] and left < there | {name}
        assert len(there) - len(left) <= 1


@pytest.mark.parametrize("name", exports.FORMATS)
def test_an_export_that_raises_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(exports.FORMATS, name, exports.Format("", raising))
    wall = Firewall()
    assert exports.written(name, [of_grade(grades.grade())], wall) == (None, [])
    assert list(wall.faults) == [f"the export {name}"]


@pytest.mark.parametrize("name", exports.FORMATS)
def test_a_submission_that_an_export_raises_over_is_left_out_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write = exports.FORMATS[name].write

    def some(results: Any) -> str:
        return write(results) if all(result.key != "bad" for result in results) else raising()

    monkeypatch.setitem(exports.FORMATS, name, exports.Format("", some))
    good, wall = of_grade(grades.grade("good")), Firewall()
    text, lines = exports.written(name, [good, of_grade(grades.grade("bad"))], wall)
    assert text == write([good]) and not wall.faults
    assert [line.partition(":")[0] for line in lines] == ["bad"]


@pytest.mark.parametrize("outcome", ["raised", "crashed", "timeout", "memory", "forged"])
def test_a_submission_that_ends_its_own_loading_loses_points_and_leaves_none_open(
    outcome: Any, honest: Evidence
) -> None:
    load = Answer("load", honest["load"].question, Observation(outcome, detail="ended while it was loaded"))
    seen = fresh(honest, answers={"load": load})
    grade = scoring.grade(seen, {}, {})
    assert grade.undecided == 0 and grade.status == "graded"
    assert not [warning for warning in grade.warnings if warning.code == WARNING_CODE]
