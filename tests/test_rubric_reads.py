"""What verdicts take from a rubric: whether they hold by another one."""

import dataclasses
import json
from collections.abc import Callable

import pytest

from grader.rubric import Rubric, RubricCriterion
from grader.rubric_reads import RubricReads, hold

RUBRIC = Rubric("test", (RubricCriterion("a", 1, "A", 4.0),), {"accuracy": 0.88, "margin": 0.05}, strict=False)

Asked = Callable[[RubricReads], object]
BELOW: Asked = lambda reads: reads.below("accuracy", 0.9)  # noqa: E731
ABOVE: Asked = lambda reads: reads.above("margin", 0.04)  # noqa: E731
NUMBER: Asked = lambda reads: reads.thresholds["margin"]  # noqa: E731
STRICT: Asked = lambda reads: reads.strict  # noqa: E731
POINTS: Asked = lambda reads: reads.criterion("a")  # noqa: E731
TITLE: Asked = lambda reads: reads.name  # noqa: E731


def by(strict: bool = False, points: float = 4.0, name: str = "test", **thresholds: float) -> Rubric:
    criteria = tuple(dataclasses.replace(each, points=points) for each in RUBRIC.criteria)
    return Rubric(name, criteria, {**RUBRIC.thresholds, **thresholds}, strict)


@pytest.mark.parametrize(
    ("asked", "other", "same"),
    [
        pytest.param(BELOW, by(accuracy=0.9), True, id="another threshold on the same side of the score"),
        pytest.param(BELOW, by(accuracy=0.91), False, id="a threshold on the other side"),
        pytest.param(ABOVE, by(margin=0.06), True, id="another margin on the same side of the difference"),
        pytest.param(ABOVE, by(margin=0.03), False, id="a margin on the other side"),
        pytest.param(BELOW, Rubric("test", (), {}, strict=False), False, id="no such threshold"),
        pytest.param(NUMBER, by(accuracy=0.5), True, id="another threshold than was read"),
        pytest.param(NUMBER, by(margin=0.051), False, id="another number than was read"),
        pytest.param(STRICT, by(strict=True), False, id="strict"),
        pytest.param(POINTS, by(points=5.0), False, id="other points than were read"),
        pytest.param(TITLE, by(name="another", points=5.0, strict=True), True, id="nothing that was read"),
    ],
)
def test_verdicts_hold_where_all_that_was_asked_has_the_same_answer(asked, other, same):
    reads = RubricReads(RUBRIC)
    asked(reads)
    assert hold(json.loads(json.dumps(reads.noted)), other) == same
    assert hold(reads.noted, RUBRIC)


def test_thresholds_are_asked_for_what_they_are():
    reads = RubricReads(RUBRIC)
    assert reads.below("accuracy", 0.87) and not reads.below("accuracy", 0.88)
    assert reads.above("margin", 0.051) and not reads.above("margin", 0.05)
    assert dict(reads.thresholds) == dict(RUBRIC.thresholds)
    with pytest.raises(KeyError):
        reads.thresholds["none"]
