"""Points for a score just below its threshold: only where the rubric has steps, and only for what is honest."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from grader import rubric, scoring
from grader.assignments.vit.assignment import VIT
from grader.errors import GraderError
from grader.evidence import Evidence
from grader.judging import Fail
from grader.records import Measurement
from grader.reports import record
from grader.rubric import RubricCriterion
from grader.rubric_reads import RubricReads
from tests.test_undecided import evidence, fails, is_open, passes


def scored(share: float, needed: float = 0.88) -> Any:
    def reaches(seen: Evidence) -> None:
        """It names enough images right."""
        raise Fail(f"{share:.2%} are named right", "", Measurement.of_share(share, 10_000, needed))

    return reaches


def grade(*functions: Any, steps: tuple[tuple[float, float], ...] = ((0.80, 1.0), (0.86, 3.0))) -> Any:
    found = evidence({"a.b": functions})
    entry = RubricCriterion("a.b", 1, "Accuracy", 6.0, {}, steps)
    rubric = RubricReads(dataclasses.replace(found.rubric.whole, criteria=(entry,)))
    return scoring.grade(dataclasses.replace(found, rubric=rubric), {}, {})


@pytest.mark.parametrize(
    ("functions", "points", "status"),
    [
        ((scored(0.79),), 0, "failed"), ((scored(0.80),), 1, "partial"), ((scored(0.859),), 1, "partial"),
        ((scored(0.879),), 3, "partial"), ((passes,), 6, "passed"), ((passes, scored(0.87)), 3, "partial"),
        ((fails, scored(0.87)), 0, "failed"), ((scored(0.87), is_open), 0, "failed"), ((fails,), 0, "failed"),
    ],
)  # fmt: skip
def test_a_score_earns_the_points_of_the_highest_step_that_it_reaches(functions, points, status):
    (result,) = grade(*functions).criteria
    assert (result.points, result.status) == (points, status)


def test_without_steps_a_score_below_its_threshold_earns_nothing():
    assert grade(scored(0.879), steps=()).score == 0


def test_the_interval_of_10000_images_at_88_percent_is_0_6_points():
    assert round(100 * Measurement.of_share(0.88, 10_000, 0.9).plus_minus, 1) == 0.6


@pytest.mark.parametrize(("share", "near"), [(0.8737, True), (0.8799, True), (0.873, False), (0.80, False)])
def test_a_score_that_misses_its_threshold_by_chance_alone_is_to_be_looked_at(share, near):
    found = grade(scored(share), steps=())
    assert found.status == "graded" and bool(found.to_look_at) == near
    assert record.from_dict(record.to_dict(found)).to_look_at == found.to_look_at
    if near:
        assert "points, 88% are needed" in found.to_look_at[0]


def load(folder: Path, steps: str, criterion: str = "vit.accuracy") -> rubric.Rubric:
    text, at = VIT.rubric.read_text(), f'id = "{criterion}"\n'
    (folder / "rubric.toml").write_text(text.replace(at, f"{at}steps = {steps}\n"))
    return rubric.load(folder / "rubric.toml", VIT.check_names, VIT.thresholds)


def test_the_steps_of_a_rubric_are_read_and_there_are_none_by_default(tmp_path):
    assert not any(each.steps for each in load(tmp_path, "[]").criteria)
    found = load(tmp_path, "[[0.80, 1], [0.86, 3]]").criterion("vit.accuracy")
    assert found is not None and found.steps == ((0.80, 1), (0.86, 3))


@pytest.mark.parametrize(
    ("steps", "criterion", "line"),
    [
        ("[[0.86, 1], [0.80, 3]]", "vit.accuracy", "expected rising scores with rising points"),
        ("[[0.80, 3], [0.86, 1]]", "vit.accuracy", "expected rising scores with rising points"),
        ("[[0.88, 1]]", "vit.accuracy", "0.88 is not below the threshold, 0.88"),
        ("[[0.86, 6]]", "vit.accuracy", "expected from 0 to 5 points"),
        ("[[0.86, 1]]", "vit.model", "only a criterion whose score is held against a threshold has steps"),
        ("[0.86, 1]", "vit.accuracy", "criterion 'vit.accuracy': steps"),
    ],
)
def test_steps_that_make_no_sense_are_refused_in_a_line(tmp_path, steps, criterion, line):
    with pytest.raises(GraderError, match=line.replace("(", r"\(")):
        load(tmp_path, steps, criterion)
