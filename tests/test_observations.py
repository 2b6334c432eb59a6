"""Types of answers: what fits is converted, what does not is the submission's doing, at a named place."""

from typing import Annotated, Any

import msgspec
import numpy as np
import pytest
import torch

from grader import observations
from grader.assignments.vit.assignment import VIT
from grader.observations import Answered, ArrayOf, Count, Finite, Misfit, Record, converted, fit
from grader.records import Observation
from grader.sandbox.inside import describe

Wholes = Annotated[np.ndarray, ArrayOf("iu")]


class Step(Record, frozen=True):
    loss: Finite
    seen: Count
    grid: Annotated[np.ndarray, ArrayOf("f", shape=(None, 2), finite=True, least=0)]
    more: dict[str, Wholes] = msgspec.field(default_factory=dict)
    last: observations.Floats | None = None


GRID = np.ones((3, 2), np.float32)
RIGHT = {"loss": 1, "seen": 3, "grid": GRID}
WRONG = {
    "a number that is none": ({"loss": float("nan")}, "loss"),
    "a truth value for a count": ({"seen": True}, "seen"),
    "a negative count": ({"seen": -1}, "seen"),
    "a list for an array": ({"grid": [[1.0, 2.0]]}, "grid"),
    "whole numbers for floats": ({"grid": GRID.astype(np.int64)}, "kind f"),
    "another shape": ({"grid": GRID.T}, "shape"),
    "an infinite number in an array": ({"grid": GRID * np.inf}, "finite"),
    "a negative number in an array": ({"grid": -GRID}, ">= 0"),
    "an array of another kind in a dict": ({"more": {"a": GRID}}, "kind iu"),
    "an array of another kind where there may be none": ({"last": np.arange(3)}, "kind f"),
    "a key that nobody declared": ({"extra": 1}, "extra"),
    "an array for a number": ({"loss": GRID}, "loss"),
    "an array for a dict": ({"more": GRID}, "dict"),
}


def test_what_fits_has_attributes():
    step = converted({**RIGHT, "more": {"a": np.arange(2)}}, Step)
    assert step.loss == 1.0 and type(step.loss) is float and step.grid is GRID and step.last is None


@pytest.mark.parametrize(("edit", "word"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_named(edit: dict[str, Any], word: str):
    with pytest.raises(Misfit, match=word):
        converted({**RIGHT, **edit}, Step)


@pytest.mark.parametrize("kind", [Wholes | None, list[Wholes], dict[str, Wholes]])
def test_arrays_that_lie_in_no_record_are_held_against_their_type_too(kind: Any):
    place = {"list": lambda a: [a], "dict": lambda a: {"a": a}}.get(
        getattr(kind, "__origin__", int).__name__, lambda a: a
    )
    converted(place(np.arange(3)), kind)
    with pytest.raises(Misfit, match="kind iu"):
        converted(place(GRID), kind)


@pytest.mark.parametrize("missing", ["loss", "seen", "grid"])
def test_nothing_that_is_declared_may_be_missing(missing: str):
    with pytest.raises(Misfit, match=missing):
        converted({key: value for key, value in RIGHT.items() if key != missing}, Step)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (torch.ones(2), "TensorResult"), (np.ones(2), "ArrayResult"), (1.5, "NumberResult"), (float("nan"), "NumberResult"),
        ("a", "TextResult"), ((1, [2]), "SequenceResult"), ({"a": {"b": None}}, "DictResult"), (object, "OtherResult"),
    ],
    ids=str,
)  # fmt: skip
def test_what_student_code_gives_is_a_result(value: Any, kind: str):
    assert type(converted(describe.result(value), observations.Result)).__name__ == kind


def test_an_answer_that_does_not_fit_is_forged_and_one_that_fits_is_converted():
    declared = Answered(Step)
    right = fit(Observation("value", RIGHT), declared, {})
    assert right.outcome == "value" and right.value.seen == 3
    wrong = fit(Observation("value", {**RIGHT, "seen": "x"}), declared, {})
    assert wrong.outcome == "forged" and "seen" in wrong.misfit and wrong.value is None
    assert "seen" not in wrong.detail


def test_an_answer_has_to_agree_with_what_was_asked():
    def agrees(args: dict[str, Any], step: Step) -> None:
        if step.seen != args["steps"]:
            raise Misfit(f"Expected {args['steps']} steps, got {step.seen}")

    declared = Answered(Step, agrees)
    assert fit(Observation("value", RIGHT), declared, {"steps": 3}).outcome == "value"
    assert fit(Observation("value", RIGHT), declared, {"steps": 4}).outcome == "forged"


def test_a_bug_in_a_declaration_is_no_fault_of_the_submissions():
    declared = Answered(Step, lambda args, step: args["nothing"])
    assert fit(Observation("value", RIGHT), declared, {}).outcome == "fault"


TENSOR = {"kind": "tensor", "dtype": "float32", "device": "cpu", "requires_grad": False, "array": GRID}
HOSTILE_RESULTS: dict[str, tuple[Any, str]] = {
    "a kind that there is none of": ({**TENSOR, "kind": "module"}, "kind"),
    "an array for a kind": ({**TENSOR, "kind": GRID}, "kind"),
    "no kind": ({"array": GRID}, "kind"),
    "a list for a tensor's numbers": ({**TENSOR, "array": [1.0]}, "array"),
    "a number for a truth value": ({**TENSOR, "requires_grad": 1}, "requires_grad"),
    "text for a number": ({"kind": "number", "number": "1", "type": "int"}, "number"),
    "too many items": ({"kind": "sequence", "type": "list", "items": [TENSOR] * 65}, "items"),
    "a wrong item": ({"kind": "sequence", "type": "list", "items": [{"kind": 3}]}, "items"),
    "too long a text": ({"kind": "str", "text": "a" * 20_001}, "text"),
    "half an exception": ({"kind": "raised", "exception": {"type": "ValueError"}}, "exception"),
    "a list": ([TENSOR], "object"),
}


@pytest.mark.parametrize(("value", "word"), HOSTILE_RESULTS.values(), ids=HOSTILE_RESULTS)
def test_what_is_no_result_is_named(value: Any, word: str):
    with pytest.raises(Misfit, match=word):
        converted(value, observations.ResultOrRaised)


@pytest.mark.parametrize("outcome", ["raised", "timeout", "forged", "unasked"])
def test_what_holds_no_value_is_left_as_it_is(outcome: Any):
    seen = Observation(outcome, detail="it ended")
    assert fit(seen, Answered(Step), {}) is seen


def test_every_operation_that_is_asked_declares_the_type_of_its_answer():
    assert {probe.op for probe in VIT.probes} == VIT.forms.keys()
    assert all(isinstance(declared, Answered) for declared in VIT.forms.values())
