"""Hyperparameters, hard-coded devices and attention as they are answered, and what an instructor is told."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.assignments.vit import pictures, settings
from grader.evidence import Answer, Question
from grader.forged import forged
from grader.observations import fit
from grader.records import NOT_OURS, Observation
from grader.torchkit.devices import hard_coded_device

NUMBER = {"kind": "number", "number": 3.0, "type": "int"}
FORMS = {**settings.TOPIC.forms, **pictures.TOPIC.forms}
ASKED: dict[str, dict[str, Any]] = {
    "names.values": {"names": ["lr", "margin"]},
    "devices.hard_coded": {},
    "checkpoint.attention": {"images": np.zeros((6, 28, 28), np.uint8)},
}


def arrived(op: str, answer: Any) -> Observation:
    return fit(Observation("value", answer), FORMS[op], ASKED[op])


def evidence(probe: str, observation: Observation) -> Any:
    """As much of the evidence as a warning looks at."""
    answers = {probe: Answer(probe, Question({}), observation)}
    return type("Evidence", (), {"answers": answers, "__getitem__": lambda self, name: answers[name]})()


@pytest.mark.parametrize(
    ("op", "answer"),
    [
        ("names.values", {}), ("names.values", {"lr": NUMBER, "margin": {"kind": "str", "text": "a"}}),
        ("names.values", {"lr": {**NUMBER, "number": float("nan")}}), ("devices.hard_coded", ['device "cuda"']),
        ("checkpoint.attention", {"weights": None}),
        ("checkpoint.attention", {"weights": np.full((6, 49), np.nan, np.float32)}),
    ],
    ids=str,
)  # fmt: skip
def test_honest_answers_are_taken(op: str, answer: Any) -> None:
    assert arrived(op, answer).outcome == "value"


@pytest.mark.parametrize(
    ("op", "answer", "word"),
    [
        ("names.values", {"points": NUMBER}, "points"), ("names.values", {"lr": 3.0}, "float"),
        ("names.values", {"lr": {**NUMBER, "kind": "integer"}}, "kind"), ("names.values", [NUMBER], "object"),
        ("names.values", {"lr": {"kind": "ndarray", "dtype": "float32", "array": [1.0]}}, "array"),
        ("devices.hard_coded", [1], "str"), ("devices.hard_coded", ["cuda"] * 1_001, "1000"),
        ("devices.hard_coded", {"cuda": 1}, "array"), ("checkpoint.attention", None, "object"),
        ("checkpoint.attention", {}, "weights"), ("checkpoint.attention", {"weights": np.zeros((6, 49), int)}, "kind"),
        ("checkpoint.attention", {"weights": np.zeros((5, 49), np.float32)}, "(5, 49)"),
        ("checkpoint.attention", {"weights": np.zeros(6, np.float32)}, "(6,)"),
    ],
    ids=str,
)  # fmt: skip
def test_hostile_answers_are_refused(op: str, answer: Any, word: str) -> None:
    seen = arrived(op, answer)
    assert seen.outcome == "forged" and word in seen.misfit


@pytest.mark.parametrize(
    ("value", "expected"), [(3.0, 3.0), (float("inf"), None), (float("nan"), None)], ids=str
)  # fmt: skip
def test_a_hyperparameter_is_a_finite_number(value: float, expected: float | None) -> None:
    seen = evidence("hyperparameters", arrived("names.values", {"lr": {**NUMBER, "number": value}}))
    assert settings.hyperparameter(seen, "lr") == expected and settings.hyperparameter(seen, "margin") is None


def test_no_hyperparameter_is_known_where_none_were_answered() -> None:
    assert settings.hyperparameter(evidence("hyperparameters", Observation("crashed")), "lr") is None


def test_the_instructor_is_told_what_asked_for_a_gpu() -> None:
    (warning,) = hard_coded_device(evidence("devices", arrived("devices.hard_coded", ['device "cuda"'])))
    assert warning.code == "device.hard_coded" and 'device "cuda"' in warning.message
    assert not hard_coded_device(evidence("devices", arrived("devices.hard_coded", [])))
    assert not hard_coded_device(evidence("devices", Observation("crashed")))


def test_the_instructor_is_told_what_did_not_fit_and_the_student_is_not() -> None:
    observation = arrived("names.values", {"points": NUMBER})
    (warning,) = forged(evidence("hyperparameters", observation))
    assert warning.code == "forged.observation" and "hyperparameters (Expected values of lr" in warning.message
    assert observation.detail == NOT_OURS
    assert not forged(SimpleNamespace(answers={}))  # type: ignore[arg-type]
