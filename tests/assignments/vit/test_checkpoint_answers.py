"""Answers about checkpoints and trainings: hostile ones are refused where they arrive, at a named place."""

from typing import Any

import numpy as np
import pytest

from grader.assignments.vit.thresholds.answers import FORMS
from grader.observations import fit
from grader.records import Observation

OPENED = {"kind": "opened", "types": {"vit": "dict"}, "recorded": 0.9}
SETS = [{"name": "test", "images": None, "rows": np.arange(3)}]
PREDICTED = {"kind": "sets", "sets": {"test": {"predicted": np.zeros(3, np.uint8), "not_finite": 0}}}
LOADED = {"vit": {"kind": "loaded"}, "classifier": {"kind": "loaded"}}
CLASSIFIER: dict[str, Any] = {"opening": OPENED, "undefined": [], "models": LOADED, "outputs": PREDICTED}
TRAINING: dict[str, Any] = {
    "undefined": [], "outputs": PREDICTED, "stopped": "target", "passes": 4,
    "history": [{"passes": 4, "accuracy": 0.9}],
}  # fmt: skip
NOT_TRAINED = {"undefined": ["heads"], "outputs": None, "stopped": "not begun", "passes": 0.0, "history": []}

FITTING = {
    "of a classifier": ("checkpoint.classify", CLASSIFIER),
    "a file that is no dict": (
        "checkpoint.classify", {**CLASSIFIER, "opening": {"kind": "no_dict", "type": "list"}, "models": {}, "outputs": None},
    ),
    "names that are not defined": ("checkpoint.classify", {**CLASSIFIER, "undefined": ["heads"], "models": {}, "outputs": None}),
    "a model that does not fit": (
        "checkpoint.classify", {**CLASSIFIER, "models": {**LOADED, "classifier": {"kind": "absent"}}, "outputs": None},
    ),
    "a recorded score that is no number": ("checkpoint.classify", {**CLASSIFIER, "opening": {**OPENED, "recorded": float("nan")}}),
    "of a training": ("classifier.train", TRAINING),
    "of no training": ("classifier.train", NOT_TRAINED),
}  # fmt: skip
HOSTILE = {
    "outputs of models that were not loaded": (
        "checkpoint.classify", {**CLASSIFIER, "models": {**LOADED, "vit": {"kind": "absent"}}}, "no outputs",
    ),
    "no outputs of loaded models": ("checkpoint.classify", {**CLASSIFIER, "outputs": None}, "outputs"),
    "a model less": ("checkpoint.classify", {**CLASSIFIER, "models": {"vit": LOADED["vit"]}}, "vit and classifier"),
    "another model": (
        "checkpoint.classify", {**CLASSIFIER, "models": {"vit": LOADED["vit"], "head": LOADED["vit"]}}, "vit and classifier",
    ),
    "the other operation's models": ("checkpoint.embed", CLASSIFIER, "predicted"),
    "three models": ("checkpoint.classify", {**CLASSIFIER, "models": {**LOADED, "head": LOADED["vit"]}}, "models"),
    "models of a file that is no dict": (
        "checkpoint.classify", {**CLASSIFIER, "opening": {"kind": "no_dict", "type": "list"}}, "no models",
    ),
    "models without hyperparameters": ("checkpoint.classify", {**CLASSIFIER, "undefined": ["heads"]}, "no models"),
    "another set": ("checkpoint.classify", {**CLASSIFIER, "outputs": {"kind": "sets", "sets": {}}}, "the sets test"),
    "no opening": ("checkpoint.classify", {k: v for k, v in CLASSIFIER.items() if k != "opening"}, "opening"),
    "one more field": ("checkpoint.classify", {**CLASSIFIER, "claim": 1.0}, "claim"),
    "an array for a name": ("checkpoint.classify", {**CLASSIFIER, "undefined": [np.zeros(2)]}, "undefined"),
    "embeddings for classes": (
        "checkpoint.classify",
        {**CLASSIFIER, "outputs": {"kind": "sets", "sets": {"test": {"embeddings": np.zeros((3, 2), np.float32), "width": 2}}}},
        "outputs",
    ),
    "an unknown end": ("classifier.train", {**TRAINING, "stopped": "bored"}, "stopped"),
    "infinite passes": ("classifier.train", {**TRAINING, "passes": float("inf")}, "passes"),
    "an accuracy that is no number": (
        "classifier.train", {**TRAINING, "history": [{"passes": 1.0, "accuracy": float("nan")}]}, "history",
    ),
    "too many cycles": ("classifier.train", {**TRAINING, "history": [{"passes": 1.0, "accuracy": 0.1}] * 101}, "history"),
    "outputs without a model": ("classifier.train", {**NOT_TRAINED, "outputs": PREDICTED}, "not defined"),
    "neither": ("classifier.train", {**TRAINING, "outputs": None}, "not defined"),
}  # fmt: skip


def arrived(op: str, value: Any) -> Observation:
    return fit(Observation("value", value), FORMS[op], {"sets": SETS})


@pytest.mark.parametrize(("op", "value"), FITTING.values(), ids=FITTING)
def test_right_answers_are_converted(op: str, value: Any) -> None:
    found = arrived(op, value)
    assert found.outcome == "value", found.misfit or found.detail


@pytest.mark.parametrize(("op", "value", "word"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_are_forged(op: str, value: Any, word: str) -> None:
    found = arrived(op, value)
    assert found.outcome == "forged" and word in found.misfit
