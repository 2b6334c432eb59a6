"""Answers about embeddings, neighbours and a trained head that are wrong in one way each do not fit their types."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.assignments.vit.application import answers as application
from grader.assignments.vit.metric_learning import embedding_answers
from grader.observations import fit
from grader.records import Observation

TYPES = {**application.ANSWERS, **embedding_answers.ANSWERS}
FLOATS = np.ones((2, 3), np.float32)
TENSOR = {"kind": "tensor", "dtype": "float32", "device": "cpu", "requires_grad": False, "array": FLOATS}
RAISED = {"kind": "raised", "exception": {"type": "E", "bases": ["E"], "message": "", "frames": []}}
STATE = {"linear.weight": FLOATS}
FORWARD = {"training": False, "grad": True, "batch": 2}
END = {
    "result": TENSOR,
    "printed": "Best Precision@1: 0.5",
    "file": {"kind": "saved", "keys": ["vit"], "vit": STATE, "embedding_head": None, "precision": TENSOR},
}
HEAD = {
    "optimized": True, "moved": None, "rows": 6, "reads": 6, "items": np.array([2, 2, 2]), "batches": np.array([2, 1]),
    "calls": {"state": np.array([0, 0]), "size": np.array([1, 1]), "item": np.array([0, 1])},
    "evaluated": np.zeros((1, 2), np.uint8),
    "logits": {"kind": "logits", "train": np.ones((1, 10), np.float32), "test": np.ones((2, 10), np.float32), "initial": None},
}  # fmt: skip
ASKED: dict[str, dict[str, Any]] = {
    "knn.ask": {"cases": [{}, {}]},
    "transfer.run": {"train": {"labels": np.zeros(3)}, "test": {"labels": np.zeros(2)}, "told": 1},
    "embedding.get": {"calls": {"batch": {}}},
    "embedding.sample": {"calls": {"": {}, "n_classes=10": {}}},
    "embedding.evaluate": {"best": {"better": 0.0}},
}
RIGHT: dict[str, Any] = {
    "knn.ask": [{"result": TENSOR, "changed": ["ref"]}, {"result": RAISED, "changed": []}],
    "transfer.run": {
        "vit": {"before": STATE, "after": STATE, "buffers": ["running_mean"]}, "steps": 3, "stale": 0,
        "result": {"kind": "dict", "keys": ["acc"], "acc": 0.5, "vit": STATE, "classifier_type": "dict"}, "head": HEAD,
    },
    "embedding.get": {"batch": {"result": TENSOR, "grad": True, "frozen": 0, "vit": [FORWARD], "head": []}},
    "embedding.sample": {"": RAISED, "n_classes=10": {"kind": "sampled", "subset": True, "type": "Subset", "rows": [0, 2]}},
    "embedding.evaluate": {"over": TENSOR, "precision": RAISED, "end": {"better": END},
                           "state": {"vit": STATE, "embedding_head": STATE}},
}  # fmt: skip


def arrived(op: str, value: Any) -> Observation:
    return fit(Observation("value", value), TYPES[op], ASKED[op])


@pytest.mark.parametrize("op", RIGHT)
def test_what_the_worker_sends_fits(op: str) -> None:
    assert arrived(op, RIGHT[op]).outcome == "value"


def put(*path: Any) -> Callable[[Any], None]:
    """Put the last argument into the place that the others tell."""
    *steps, last, value = path

    def change(answer: Any) -> None:
        for step in steps:
            answer = answer[step]
        answer[last] = value

    return change


WRONG = {
    "one call less": ("knn.ask", lambda answer: answer.pop()),
    "an argument that there is not": ("knn.ask", put(0, "changed", ["k"])),
    "three changed arguments": ("knn.ask", put(0, "changed", ["ref"] * 3)),
    "a result of no known kind": ("knn.ask", put(0, "result", {"kind": "list"})),
    "an extra key": ("knn.ask", put(0, "extra", 1)),
    "another number of items": ("transfer.run", put("head", "items", np.zeros(4, np.int64))),
    "negative counts": ("transfer.run", put("head", "batches", np.array([-1]))),
    "counts that are no whole numbers": ("transfer.run", put("head", "batches", np.ones(2))),
    "states of other test items": ("transfer.run", put("head", "evaluated", np.zeros((1, 3), np.uint8))),
    "too many states": ("transfer.run", put("head", "evaluated", np.zeros((401, 2), np.uint8))),
    "a state that there is not": ("transfer.run", put("head", "calls", "state", np.array([0, 1]))),
    "a test item that there is not": ("transfer.run", put("head", "calls", "item", np.array([0, 2]))),
    "sizes that do not add up": ("transfer.run", put("head", "calls", "size", np.array([1, 2]))),
    "an empty batch": ("transfer.run", put("head", "calls", "size", np.array([2, 0]))),
    "logits of other items": ("transfer.run", put("head", "logits", "test", np.ones((3, 10), np.float32))),
    "initial logits of other items": ("transfer.run", put("head", "logits", "initial", np.ones((3, 10), np.float32))),
    "logits in a row": ("transfer.run", put("head", "logits", "train", np.ones(3, np.float32))),
    "whole numbers for logits": ("transfer.run", put("head", "logits", "train", np.ones((3, 10), np.int64))),
    "a list for an accuracy": ("transfer.run", put("result", "acc", [0.5])),
    "21 keys": ("transfer.run", put("result", "keys", ["a"] * 21)),
    "a number for a state dict": ("transfer.run", put("vit", "after", 1)),
    "a truth value for a count": ("transfer.run", put("steps", True)),
    "a call of another name": ("embedding.get", lambda answer: answer.update(other=answer["batch"])),
    "no call": ("embedding.get", lambda answer: answer.clear()),
    "51 calls of a model": ("embedding.get", put("batch", "vit", [FORWARD] * 51)),
    "a number for a truth value": ("embedding.get", put("batch", "grad", 1)),
    "no count of frozen parameters": ("embedding.get", lambda answer: answer["batch"].pop("frozen")),
    "an array for rows": ("embedding.sample", put("n_classes=10", "rows", np.arange(3))),
    "a negative row": ("embedding.sample", put("n_classes=10", "rows", [-1])),
    "a row that is no number": ("embedding.sample", put("n_classes=10", "rows", [0.5])),
    "half an exception": ("embedding.sample", put("", "exception", {"type": 3})),
    "a list for what was printed": ("embedding.evaluate", put("end", "better", "printed", [])),
    "a list for a state dict": ("embedding.evaluate", put("end", "better", "file", "vit", [FLOATS])),
    "a result for a file": ("embedding.evaluate", put("end", "better", "file", TENSOR)),
    "no state of the models": ("embedding.evaluate", lambda answer: answer.pop("state")),
    "an end that nobody asked for": ("embedding.evaluate", put("end", "worse", END)),
}


@pytest.mark.parametrize(("op", "change"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_one_way_does_not_fit(op: str, change: Callable[[Any], Any]) -> None:
    answer = copy.deepcopy(RIGHT[op])
    change(answer)
    assert arrived(op, answer).outcome == "forged"


def test_a_number_that_is_none_may_stand_for_an_accuracy_and_in_logits() -> None:
    answer = copy.deepcopy(RIGHT["transfer.run"])
    answer["result"]["acc"] = float("nan")
    answer["head"]["logits"]["train"][0] = np.nan
    assert arrived("transfer.run", answer).outcome == "value"
