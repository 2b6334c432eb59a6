"""What workers answer about transforms: honest answers are converted, hostile ones refused at a named place."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.observations import Answered, fit
from grader.records import Observation
from grader.torchkit.images.answers import ANSWERS, RandomlyTransformed
from grader.torchkit.images.calibration import CELLS
from tests.torchkit.images.honest_answers import ASKED, CALIBRATED, COUNT, LEAF, OUTPUTS, RAISED, TEST, TRAIN


def arrived(answer: Any, op: str = "transforms.train") -> Observation:
    declared: Answered = ANSWERS[op]
    return fit(Observation("value", answer), declared, ASKED)


def edited(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    answer = copy.deepcopy(TRAIN)
    change(answer)
    return answer


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """What puts another value at a place of an answer, as "rest.varies" or "leaves.0.hits"."""

    def change(answer: Any) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in steps:
            answer = answer[step]
        answer[last] = value

    return change


HONEST: dict[str, Callable[[dict[str, Any]], Any]] = {
    "all calls raise": lambda a: a.update(kinds=[], failures={"count": 256, "first": RAISED}),
    "outputs of several shapes": lambda a: a.update(outputs=None, flat=None, levels=None, pictures=None, drawn=None),
    "nothing random of one's own": put("rest", {"varies": 0.0, "repeats": True, "calibration": None}),
    "outputs that are NaN": put("outputs", OUTPUTS * np.nan),
    "outputs that are no images": put("outputs", np.zeros((5, 784), np.float32)),
    "a calibration image of several shapes": put("rest.calibration", {**CALIBRATED, "texture": None}),
    "fewer calls where all is seen": lambda a: (a.update(count=48), a["kinds"][0].update(count=48)),
}
HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an exception beside an output of every call": (put("failures", {"count": 1, "first": RAISED}), "257 outputs"),
    "no calls": (put("count", 0), "count"),
    "more calls than were asked": (put("count", 257), "256 calls"),
    "a truth value for a count": (put("kinds.0.count", True), "count"),
    "more outputs than calls": (put("kinds.0.count", 257), "257 outputs"),
    "neither outputs nor an exception": (put("kinds", []), "neither"),
    "more NaN than calls": (put("not_finite", 300), "calls"),
    "failures of nothing": (put("failures", {"count": 0, "first": RAISED}), "failures.count"),
    "half an exception": (put("failures", {"count": 1, "first": {"type": "ValueError"}}), "failures.first"),
    "too many kinds": (put("kinds", TEST["kinds"] * 17), "kinds"),
    "a shape of 100 axes": (put("kinds.0.shape", [1] * 100), "shape"),
    "NaN for a spread": (put("varies", float("nan")), "varies"),
    "an infinite spread": (put("leaves.0.moves", float("inf")), "moves"),
    "an array for a spread": (put("rest.varies", np.zeros(2)), "varies"),
    "a list for an array": (put("flat", [[0.0]]), "flat"),
    "whole numbers for outputs": (put("levels", np.zeros((1, 1, 28, 28), np.int64)), "kind f"),
    "more numbers than any output has": (put("outputs", np.zeros((1 << 22) + 1, np.float32)), "4194304"),
    "drawn images of another shape": (put("drawn", np.zeros((COUNT, 28, 28), np.float32)), "shape"),
    "one drawn image less": (put("drawn", np.zeros((COUNT - 1, CELLS, CELLS), np.float32)), "drawn images"),
    "too many leaves": (put("leaves", [LEAF] * 65), "leaves"),
    "a leaf without a name": (lambda a: a["unreached"][0].pop("name"), "name"),
    "a key that nobody declared": (put("leaves.0.points", 100), "points"),
    "a calibration image left out": (lambda a: a["rest"]["calibration"].pop("gray"), "Expected outputs for"),
    "a calibration image of another name": (put("mapped.RandomAffine(10).more", OUTPUTS), "Expected outputs for"),
    "a missing part": (lambda a: a.pop("rest"), "rest"),
    "calibrated outputs of another kind": (put("rest.calibration.gray", np.zeros(3, bool)), "kind f"),
}


def test_an_honest_answer_has_attributes() -> None:
    seen = arrived(TRAIN)
    assert seen.outcome == "value", seen.misfit
    assert isinstance(seen.value, RandomlyTransformed) and seen.value.leaves[0].name == "RandomCrop"
    assert arrived(TEST, "transforms.test").value.kinds[0].shape == (1, 28, 28)


@pytest.mark.parametrize("change", HONEST.values(), ids=HONEST)
def test_whatever_an_honest_worker_sends_is_taken(change: Callable[[dict[str, Any]], Any]) -> None:
    seen = arrived(edited(change))
    assert seen.outcome == "value", seen.misfit


@pytest.mark.parametrize(("change", "word"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_answer_is_refused_at_a_named_place(change: Callable[[dict[str, Any]], Any], word: str) -> None:
    seen = arrived(edited(change))
    assert seen.outcome == "forged" and word in seen.misfit


def test_what_is_told_of_random_transforms_is_no_answer_about_others() -> None:
    assert arrived(TRAIN, "transforms.test").outcome == "forged"
    assert arrived(TEST, "transforms.train").outcome == "forged"
