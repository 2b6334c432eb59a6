"""Forms of answers: what fits passes, what does not is named with its place, a bug in a form is a fault."""

from typing import Any

import numpy as np
import pytest

from grader import forms as observations
from grader.assignments.vit.assignment import VIT
from grader.forms import Form, Misfit
from grader.observations import NOT_OURS
from grader.records import Observation

RAISED = {"type": "ValueError", "bases": ["ValueError"], "message": "no", "frames": []}
TENSOR = {"dtype": "float32", "device": "cpu", "requires_grad": False, "array": np.zeros((2, 3), np.float32)}
FITTING: list[tuple[Form, Any]] = [
    (observations.whole(), 3),
    (observations.number(finite=False), float("nan")),
    (observations.maybe(observations.truth), None),
    (observations.row(observations.whole(), observations.text()), [1, "a"]),
    (observations.fields({"more": observations.truth}, name=observations.text()), {"name": "a", "undeclared": [1]}),
    (observations.or_raised(observations.fields(value=observations.whole())), {"raised": RAISED}),
    (observations.array("f", (None, 3)), np.zeros((2, 3), np.float32)),
    (observations.described, {"kind": "tensor", **TENSOR}),
    (observations.described, {"kind": "sequence", "type": "tuple", "items": [{"kind": "str", "text": "a"}]}),
    (observations.described, {"kind": "other", "type": "NoneType", "none": True}),
]
UNFIT: list[tuple[Form, Any, str]] = [
    (observations.whole(), True, "expected a whole number"),
    (observations.whole(), np.zeros(2), "got an array of float64, shape (2,)"),
    (observations.whole(), 2**63, "got int 9223372036854775808"),
    (observations.number(), float("inf"), "expected a finite number"),
    (observations.number(), np.zeros(()), "got an array of float64"),
    (observations.text(3), "long", "text of at most 3"),
    (observations.exactly(True), 1, "expected True"),
    (observations.every(observations.whole(), 2), [1, 2, 3], "a list of at most 2"),
    (observations.row(observations.whole()), [1, 2], "a list of 1 items, got a list of 2"),
    (
        observations.fields(a=observations.every(observations.whole())),
        {"a": [1, "b"]},
        "at .a[1] expected a whole number",
    ),
    (observations.fields(a=observations.whole()), {"b": 1}, "expected a dict with a"),
    (
        observations.or_raised(observations.whole()),
        {"raised": {"type": 3}},
        "at .raised expected a described exception",
    ),
    (observations.array("f"), np.zeros(2, np.int64), "expected an array of f"),
    (observations.array("uint8"), np.zeros(2, np.int64), "expected an array of uint8"),
    (observations.array(most=3), np.zeros(4), "at most 3 numbers"),
    (observations.array(shape=(None, 2)), np.zeros((2, 3)), "shape ('any', 2)"),
    (observations.array(values="finite"), np.array([np.nan]), "finite numbers"),
    (observations.array(values="counts"), np.array([-1]), "counts"),
    (observations.described, {"kind": "tensor", **TENSOR, "array": [1.0]}, "at .array expected an array"),
    (
        observations.described,
        {"kind": "sequence", "type": "list", "items": [{"kind": 3}]},
        "at .items[0] expected a dict",
    ),
    (observations.described, {"kind": {}, "items": []}, "kind is one of"),
    (observations.described, [], "got a list of 0"),
]


@pytest.mark.parametrize(("form", "value"), FITTING)
def test_what_fits_passes(form: Form, value: Any) -> None:
    form(value)


@pytest.mark.parametrize(("form", "value", "words"), UNFIT)
def test_what_does_not_fit_is_named_with_its_place(form: Form, value: Any, words: str) -> None:
    with pytest.raises(Misfit) as misfit:
        form(value)
    assert words in str(misfit.value)


def test_an_answer_that_does_not_fit_is_a_forged_one() -> None:
    seen = observations.fit(
        Observation("value", {"a": [0]}, seconds=2.0), lambda args: observations.fields(a=observations.truth), {}
    )
    assert (seen.outcome, seen.value, seen.seconds) == ("forged", None, 2.0)
    assert seen.misfit == "at .a expected true or false, got a list of 1"
    assert seen.detail == NOT_OURS


def test_a_form_rests_on_what_was_asked() -> None:
    declared = lambda args: observations.row(*[observations.whole()] * args["count"])  # noqa: E731
    assert observations.fit(Observation("value", [1, 2]), declared, {"count": 2}).outcome == "value"
    assert observations.fit(Observation("value", [1, 2]), declared, {"count": 3}).outcome == "forged"


def test_a_bug_in_a_form_is_the_graders_fault() -> None:
    seen = observations.fit(Observation("value", 1), lambda args: observations.row(*args["missing"]), {})
    assert seen.outcome == "fault" and "KeyError" in seen.detail


@pytest.mark.parametrize("outcome", ["raised", "timeout", "forged", "unasked"])
def test_what_is_no_value_has_no_form(outcome: Any) -> None:
    seen = Observation(outcome, detail="it ended")
    assert observations.fit(seen, lambda args: observations.nothing, {}) is seen


def test_every_operation_that_is_asked_declares_its_form() -> None:
    assert {probe.op for probe in VIT.probes} == VIT.forms.keys()
