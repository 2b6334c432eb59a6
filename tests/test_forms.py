"""Forms of answers: what fits passes, what does not is named with its place, a bug in a form is a fault."""

from typing import Any

import numpy as np
import pytest

from grader import forms
from grader.forms import Form, Misfit
from grader.records import Observation
from grader.vit.assignment import VIT

RAISED = {"type": "ValueError", "bases": ["ValueError"], "message": "no", "frames": []}
TENSOR = {"dtype": "float32", "device": "cpu", "requires_grad": False, "array": np.zeros((2, 3), np.float32)}
FITTING: list[tuple[Form, Any]] = [
    (forms.whole(), 3),
    (forms.number(finite=False), float("nan")),
    (forms.maybe(forms.truth), None),
    (forms.row(forms.whole(), forms.text()), [1, "a"]),
    (forms.fields({"more": forms.truth}, name=forms.text()), {"name": "a", "undeclared": [1]}),
    (forms.or_raised(forms.fields(value=forms.whole())), {"raised": RAISED}),
    (forms.array("f", (None, 3)), np.zeros((2, 3), np.float32)),
    (forms.described, {"kind": "tensor", **TENSOR}),
    (forms.described, {"kind": "sequence", "type": "tuple", "items": [{"kind": "str", "text": "a"}]}),
    (forms.described, {"kind": "other", "type": "NoneType", "none": True}),
]
UNFIT: list[tuple[Form, Any, str]] = [
    (forms.whole(), True, "expected a whole number"),
    (forms.whole(), np.zeros(2), "got an array of float64, shape (2,)"),
    (forms.whole(), 2**63, "got int 9223372036854775808"),
    (forms.number(), float("inf"), "expected a finite number"),
    (forms.number(), np.zeros(()), "got an array of float64"),
    (forms.text(3), "long", "text of at most 3"),
    (forms.exactly(True), 1, "expected True"),
    (forms.every(forms.whole(), 2), [1, 2, 3], "a list of at most 2"),
    (forms.row(forms.whole()), [1, 2], "a list of 1 items, got a list of 2"),
    (forms.fields(a=forms.every(forms.whole())), {"a": [1, "b"]}, "at .a[1] expected a whole number"),
    (forms.fields(a=forms.whole()), {"b": 1}, "expected a dict with a"),
    (forms.or_raised(forms.whole()), {"raised": {"type": 3}}, "at .raised expected a described exception"),
    (forms.array("f"), np.zeros(2, np.int64), "expected an array of f"),
    (forms.array("uint8"), np.zeros(2, np.int64), "expected an array of uint8"),
    (forms.array(most=3), np.zeros(4), "at most 3 numbers"),
    (forms.array(shape=(None, 2)), np.zeros((2, 3)), "shape ('any', 2)"),
    (forms.array(values="finite"), np.array([np.nan]), "finite numbers"),
    (forms.array(values="counts"), np.array([-1]), "counts"),
    (forms.described, {"kind": "tensor", **TENSOR, "array": [1.0]}, "at .array expected an array"),
    (forms.described, {"kind": "sequence", "type": "list", "items": [{"kind": 3}]}, "at .items[0] expected a dict"),
    (forms.described, {"kind": {}, "items": []}, "kind is one of"),
    (forms.described, [], "got a list of 0"),
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
    seen = forms.fit(Observation("value", {"a": [0]}, seconds=2.0), lambda args: forms.fields(a=forms.truth), {})
    assert (seen.outcome, seen.value, seen.seconds) == ("forged", None, 2.0)
    assert seen.detail == (
        "the worker's answer was not in the agreed form: at .a expected true or false, got a list of 1"
    )


def test_a_form_rests_on_what_was_asked() -> None:
    declared = lambda args: forms.row(*[forms.whole()] * args["count"])  # noqa: E731
    assert forms.fit(Observation("value", [1, 2]), declared, {"count": 2}).outcome == "value"
    assert forms.fit(Observation("value", [1, 2]), declared, {"count": 3}).outcome == "forged"


def test_a_bug_in_a_form_is_the_graders_fault() -> None:
    seen = forms.fit(Observation("value", 1), lambda args: forms.row(*args["missing"]), {})
    assert seen.outcome == "fault" and "KeyError" in seen.detail


@pytest.mark.parametrize("outcome", ["raised", "timeout", "forged", "unasked"])
def test_what_is_no_value_has_no_form(outcome: Any) -> None:
    seen = Observation(outcome, detail="it ended")
    assert forms.fit(seen, lambda args: forms.nothing, {}) is seen


def test_every_operation_that_is_asked_declares_its_form() -> None:
    assert {probe.op for probe in VIT.probes} == VIT.forms.keys()
