"""Hyperparameters, hard-coded devices and attention as they are answered, and what an instructor is told."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.assignments.vit import pictures, settings
from grader.evidence import Answer, Question
from grader.forged import forged
from grader.observations import fit
from grader.records import NOT_OURS, Observation, Raised
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


def value(number: float, type: str = "int") -> dict[str, Any]:
    return {"kind": "number", "number": number, "type": type}


@pytest.mark.parametrize(
    ("name", "given", "hint"),
    [
        ("layers", value(3), ""),
        ("lr", value(1e-3, "float"), ""),
        ("weight_decay", value(0), ""),
        ("layers", value(3, "float"), "`layers` is 3.0: write a whole number, 3."),
        ("heads", value(2.5, "float"), "`heads` is 2.5: write a whole number."),
        ("heads", value(0), "`heads` is 0: it must be 1 or more."),
        ("margin", value(-0.2, "float"), "`margin` is -0.2: it must not be negative."),
        ("lr", value(float("nan"), "float"), ""),
        ("lr", {"kind": "str", "text": "1e-3"}, "`lr` is a text, '1e-3': take the quotation marks away."),
        ("margin", {"kind": "other", "type": "NoneType", "none": True}, "`margin` is None: give it a number."),
        ("lr", {"kind": "other", "type": "Tensor", "none": False}, ""),
        (
            "heads",
            {"kind": "sequence", "type": "tuple", "items": [value(2)]},
            "`heads` is a tuple of 1: take away the comma at the end of its line.",
        ),
    ],
    ids=str,
)
def test_a_hyperparameter_that_nothing_can_be_done_with_is_named(name: str, given: Any, hint: str) -> None:
    observation = fit(Observation("value", {name: given}), FORMS["names.values"], {"names": [name]})
    seen = evidence("hyperparameters", observation)
    seen.submission = SimpleNamespace(program=SimpleNamespace(names={}))
    said = Raised("TypeError", ("TypeError", "Exception"), "no")
    assert settings.at_fault(seen, said) == hint
    assert not settings.at_fault(seen, said, names=()) and not settings.at_fault(
        seen, Raised("NameError", ("NameError", "Exception"), "no")
    )


@pytest.mark.parametrize(("hidden_size", "heads", "word"), [(64, 2, ""), (64, 3, "by heads=3"), (64, 0, "by heads=0")])
def test_heads_share_the_hidden_size(hidden_size: int, heads: int, word: str) -> None:
    hint = settings.unequal_heads(hidden_size, heads)
    assert word in hint if word else not hint


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
