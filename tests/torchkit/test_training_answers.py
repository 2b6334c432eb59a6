"""What a worker tells of a training fits its types, or is named: hostile values in each record."""

from typing import Any

import numpy as np
import pytest

from grader.assignments.vit.metric_learning.watched_runs import ANSWERS
from grader.observations import Misfit, converted, fit
from grader.records import Observation

DECLARED = ANSWERS["embedding.train"]
LINE = np.zeros((4, 1, 28, 28), np.float32)
RAISED = {"type": "ValueError", "bases": ["ValueError", "Exception"], "message": "no", "frames": []}
EPOCH = dict.fromkeys(
    (
        "batches",
        "length",
        "steps",
        "backwards",
        "stale",
        "empty",
        "arrived",
        "wasted",
        "unstepped",
        "test_batches",
        "evaluations",
    ),
    2,
)
MODEL = {
    "role": "vit", "calls": 3, "parameters": 8, "held": 8, "frozen": 0, "arguments": {"layers": 1}, "misfit": "",
    "weights": [{"before": np.zeros(3, np.float32), "after": np.ones(3, np.float32)}],
    "untrained": {"first": np.ones((4, 2), np.float32), "again": np.ones((4, 2), np.float32)},
}  # fmt: skip
LOSS = {"type": "TripletMarginLoss", "triplet": True, "calls": 2, "learned": 2, "flat": 0, "found": 2, "nothing": 0,
        "one_class": 0, "exchanged": 0, "tuples": {"miner": 2}}  # fmt: skip
SCHEDULER = {"type": "StepLR", "drives": True, "steps": 2, "epochs": 2, "inner": False, "made": True, "raised": None,
             "settings": {"step_size": 3, "mode": "min", "milestones": [1, 2.5], "cyclic": True}}  # fmt: skip
ITEMS = {"learned": np.ones(5, bool), "could": np.ones(5, bool), "indices": 5, "tested": 0, "unknown": 0, "whole": True,
         "batch": 64, "direct": False, "offered": 5}  # fmt: skip
USED = {"epoch": np.array([0, 1]), "optimizer": np.array([0, -1]), "rate": np.array([0.1, np.nan])}
RATES = {"epochs": 3, "batches": 1, "per_batch": False, "curves": [np.ones((3, 1))]}
LINE_OF_CODE = {"file": "a.py", "cell": None, "line": 3, "function": "train", "text": "ViT(28, 7)"}
CALL = {"name": "ViT", "words": "ViT(28, 7)", "arguments": {"image_size": 28}, "others": {"heads": "'2'"},
        "frame": LINE_OF_CODE, "raised": RAISED, "image": [1, 1, 28, 28]}  # fmt: skip
RUN: dict[str, Any] = {
    "sizes": {"layers": 1}, "calls": [CALL], "set_rates": [{"frame": LINE_OF_CODE, "in_training": True}],
    "attempt": "own models", "per_class": 700, "samples": [500, -1], "ended": "returned", "raised": None,
    "epochs": [EPOCH], "used": USED, "models": [MODEL], "losses": [LOSS], "without_gradient": ["NTXentLoss"],
    "miners": ["TripletMarginMiner"], "schedulers": [SCHEDULER], "items": ITEMS, "rates": RATES,
    "evaluations": [{"vit": {"role": "vit", "unheld": False}, "head": {"role": "head", "unheld": True},
                     "train": "train", "test": "other", "calls": 2}],
    "best": [{"given": 0, "returned": None}],
    "calculators": [{"type": "AccuracyCalculator", "calculates": True, "measures": ["precision_at_1"]}],
}  # fmt: skip
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no epochs": ({"epochs": None}, "epochs"),
    "more epochs than are counted": ({"epochs": [EPOCH] * 5_001}, "epochs"),
    "an array for a count": ({"epochs": [{**EPOCH, "stale": np.zeros(2)}]}, "stale"),
    "a negative count": ({"epochs": [{**EPOCH, "steps": -1}]}, "steps"),
    "a count that is not there": ({"epochs": [{**EPOCH, "steps": True}]}, "steps"),
    "a count of another name": ({"epochs": [{**EPOCH, "more": 1}]}, "more"),
    "rates as whole numbers": ({"used": {**USED, "rate": np.array([1, 2])}}, "kind f"),
    "more rates than steps": ({"used": {**USED, "rate": np.ones(3)}}, "as many"),
    "a table of rates": ({"used": {**USED, "rate": np.ones((2, 1))}}, "shape"),
    "a negative epoch": ({"used": {**USED, "epoch": np.array([0, -1])}}, ">= 0"),
    "outputs for other images": ({"models": [{**MODEL, "untrained": {"first": np.ones((3, 2)), "again": np.ones((3, 2))}}]}, "4 images"),
    "outputs of two shapes": ({"models": [{**MODEL, "untrained": {"first": np.ones((4, 2)), "again": np.ones((4, 3))}}]}, "one shape"),
    "empty outputs": ({"models": [{**MODEL, "untrained": {"first": np.ones((4, 0)), "again": np.ones((4, 0))}}]}, "one shape"),
    "an output that is one number": ({"models": [{**MODEL, "untrained": {"first": np.array(1.0), "again": np.array(1.0)}}]}, "one shape"),
    "a matrix for weights": ({"models": [{**MODEL, "weights": [{"before": np.ones((2, 2)), "after": np.ones(4)}]}]}, "shape"),
    "a huge argument": ({"models": [{**MODEL, "arguments": {"layers": 2**63}}]}, "layers|arguments"),
    "a size that is no whole number": ({"sizes": {"layers": 1.5}}, "layers|sizes"),
    "a negative axis of an image": ({"calls": [{**CALL, "image": [1, -1]}]}, "image"),
    "21 calls": ({"calls": [CALL] * 21}, "calls"),
    "65 models": ({"models": [MODEL] * 65}, "models"),
    "a source that tuples do not have": ({"losses": [{**LOSS, "tuples": {"elsewhere": 2}}]}, "elsewhere"),
    "a dict for a setting": ({"schedulers": [{**SCHEDULER, "settings": {"gamma": {}}}]}, "settings"),
    "a setting of 2**63": ({"schedulers": [{**SCHEDULER, "settings": {"gamma": 2**63}}]}, "settings"),
    "words in a list of numbers": ({"schedulers": [{**SCHEDULER, "settings": {"milestones": ["a"]}}]}, "settings"),
    "half an exception": ({"schedulers": [{**SCHEDULER, "raised": {"type": "ValueError"}}]}, "raised"),
    "marks of other items": ({"items": {**ITEMS, "could": np.ones(4, bool)}}, "same items"),
    "numbers for marks": ({"items": {**ITEMS, "could": np.ones(5, np.uint8)}}, "kind b"),
    "an empty curve": ({"rates": {**RATES, "curves": [np.ones((0, 1))]}}, "learning rates"),
    "a flat curve": ({"rates": {**RATES, "curves": [np.ones(3)]}}, "shape"),
    "a long curve": ({"rates": {**RATES, "curves": [np.ones((500_001, 1))]}}, "at most"),
    "no batches": ({"rates": {**RATES, "batches": 0}}, "batches"),
    "an unknown ending": ({"ended": "crashed"}, "ended"),
    "an exception of a training that returned": ({"raised": RAISED}, "exception"),
    "no exception of one that raised": ({"ended": "raised"}, "exception"),
    "a best value that is none": ({"best": [{"given": float("nan"), "returned": 0.5}]}, "given"),
    "another set": ({"evaluations": [{**RUN["evaluations"][0], "train": "both"}]}, "train"),
    "no images of a class": ({"per_class": 0}, "per_class"),
}  # fmt: skip


def test_an_honest_answer_has_attributes() -> None:
    (run,) = converted([RUN], DECLARED.type)
    assert (run.steps, run.total("stale"), run.models[0].moved) == (2, 2, True)
    assert (run.losses[0].tuples.miner, run.losses[0].tuples.none) == (2, 0)
    assert run.schedulers[0].settings == SCHEDULER["settings"]


def test_an_exception_is_read_with_its_frames() -> None:
    frame = {"file": "a.py", "cell": None, "line": 3, "function": "f", "text": "x"}
    raised = {**RAISED, "frames": [frame]}
    (run,) = converted([{**RUN, "ended": "raised", "raised": raised}], DECLARED.type)
    assert run.raised is not None and run.raised.frames[0].line == 3 and run.raised.bases == ("ValueError", "Exception")


@pytest.mark.parametrize(("edit", "word"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_named(edit: dict[str, Any], word: str) -> None:
    with pytest.raises(Misfit, match=word):
        DECLARED.agrees({"line": LINE}, converted([{**RUN, **edit}], DECLARED.type))


@pytest.mark.parametrize("key", RUN)
def test_nothing_that_is_declared_may_be_missing(key: str) -> None:
    with pytest.raises(Misfit, match=key):
        converted([{name: value for name, value in RUN.items() if name != key}], DECLARED.type)


@pytest.mark.parametrize("count", [0, 12])
def test_there_is_one_attempt_at_least_and_not_more_than_are_made(count: int) -> None:
    assert fit(Observation("value", [RUN] * count), DECLARED, {"line": LINE}).outcome == "forged"
