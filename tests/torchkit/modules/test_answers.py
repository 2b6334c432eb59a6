"""Answers about modules: an honest one has attributes; each record refuses what its type does not allow."""

import copy
from typing import Any

import numpy as np
import pytest
from torch import nn

from grader.evidence import Answer, Question
from grader.judging import Fail, Missing, Skip, Verdict
from grader.observations import fit
from grader.records import Observation
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import modules, shapes
from grader.torchkit.modules import answers
from grader.torchkit.modules.asking import build, call
from grader.torchkit.modules.run import ModuleRun

X = np.ones((2, 3), np.float32)
WEIGHTS = np.ones((2, 4), np.float32)
RAISED = {"type": "ValueError", "bases": ["ValueError"], "message": "no", "frames": []}
CALLS = {
    "batch": call(X),
    "gradients": call(X, "gradients", weights=WEIGHTS),
    "training step": call(X, "training step", weights=WEIGHTS, lr=0.1),
    "attention scale": call(X, "attention scale"),
    "without attention": call(X, "without attention", layers=1),
    "tokens replaced": call(X, "tokens replaced", tokens=np.ones((2, 3, 4), np.float32)),
}
ARGS = {
    "name": "Linear",
    "builds": {
        "usual": build(3, 4, seed=1, attributes=["in_features"], calls=CALLS),
        "copy": build(3, 4, seed=2, like="usual", calls={"batch": call(X)}),
        "wrong": build("three", 4, seed=1, calls={"batch": call(X)}),
    },
}
CASES = {"cases": {"Linear": [[[3, 4], [2, 3]], [[3, 4], X], [[3, 4], [2, 5]]]}}


class _Linear(Student):
    """A submission that defines one class, without executing anything."""

    def __init__(self) -> None: ...

    def get(self, name: str) -> Any:
        return nn.Linear


@pytest.fixture(scope="module")
def sent() -> dict[str, Any]:
    return modules.run(_Linear(), **copy.deepcopy(ARGS))


@pytest.fixture(scope="module")
def sent_shapes() -> dict[str, Any]:
    return shapes.shapes(_Linear(), **copy.deepcopy(CASES))


def arrived(value: Any, declared: Any = answers.RUN, args: dict[str, Any] = ARGS) -> Observation:
    return fit(Observation("value", value), declared, args)


def changed(value: Any, path: str, new: Any) -> Any:
    """The same answer with something else at a place, "usual/calls/batch"; ``...`` takes it away."""
    value = copy.deepcopy(value)
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    place = value
    for step in steps:
        place = place[step]
    if new is ...:
        del place[last]
    else:
        place[last] = new
    return value


def run_of(value: Any) -> ModuleRun:
    return ModuleRun(Answer("linear", Question(ARGS), arrived(value)), "Linear")


def test_an_honest_answer_has_attributes(sent: dict[str, Any]) -> None:
    run = run_of(sent)
    assert run.output("usual").shape == (2, 4) and run.size("usual") == 16
    assert run.number("usual", "in_features") == 3 and not run.is_float("usual", "in_features")
    assert run.gradients("usual", "gradients").agree_with_the_output
    before, after = run.training_step("usual", "training step")
    assert (before != after).all() and np.array_equal(run.output("copy"), after)  # it is loaded after all calls
    assert isinstance(run.result("usual", "tokens replaced"), answers.NoTokens)
    assert isinstance(run.result("usual", "without attention"), answers.NoAttention)


def test_a_build_that_raised_fails_what_looks_at_it_alone(sent: dict[str, Any]) -> None:
    run = run_of(sent)
    assert not run.works("wrong") and run.works("copy")
    with pytest.raises(Fail, match=r"`Linear\(three, 4\)` raised TypeError"):
        run.output("wrong")


GRADIENTS = "usual/calls/gradients"
UNFIT = {
    "a build less": ("copy", ...),
    "a build more": ("other", {"kind": "raised", "exception": RAISED}),
    "a call less": ("usual/calls/batch", ...),
    "a call more": ("usual/calls/other", {"kind": "no tokens"}),
    "an attribute less": ("usual/attributes/in_features", ...),
    "a build of no kind": ("usual/kind", "made"),
    "a list of builds": ("usual", []),
    "an array for a build": ("usual", X),
    "an array for calls": ("usual/calls", X),
    "a parameter without its shape": ("usual/parameters/0/shape", ...),
    "a negative size": ("usual/parameters/0/shape", [-1, 2]),
    "a shape of 65 axes": ("usual/parameters/0/shape", [1] * 65),
    "a truth value for a size": ("usual/parameters/0/shape", [True]),
    "a number for a truth value": ("usual/parameters/0/trainable", 1),
    "too many parameters": ("usual/parameters", [{"name": "a", "shape": [1], "trainable": True}] * 2_001),
    "too many buffers": ("usual/buffers", ["a"] * 2_001),
    "gradients for an output": ("usual/calls/batch", {"kind": "no tokens"}),
    "an output for gradients": (GRADIENTS, {"kind": "str", "text": "a"}),
    "half an exception": (GRADIENTS, {"kind": "raised", "exception": {"type": "ValueError"}}),
    "too large an output": ("usual/calls/batch/array", np.zeros((1 << 22) + 1, np.uint8)),
    "an output of text": ("usual/calls/batch/array", "1"),
    "a key that nobody declared": ("usual/calls/batch/passed", True),
    "no dtype": ("usual/calls/batch/dtype", ...),
    "gradients of another shape": (f"{GRADIENTS}/inputs", X.T.copy()),
    "gradients of whole numbers": (f"{GRADIENTS}/inputs", X.astype(np.int64)),
    "gradients without a slope": (f"{GRADIENTS}/slope", ...),
    "a slope that is an array": (f"{GRADIENTS}/slope", np.ones(1)),
    "a negative count": (f"{GRADIENTS}/reached", -1),
    "text for a gradient": (f"{GRADIENTS}/largest/weight", "large"),
    "too many unregistered": (f"{GRADIENTS}/unregistered", [[1]] * 21),
    "a step of another shape": ("usual/calls/training step/after", WEIGHTS[:1]),
    "a step of whole numbers": ("usual/calls/training step/before", WEIGHTS.astype(np.int64)),
    "a scale of text": ("usual/calls/attention scale/scale", "1"),
    "a width of half a number": ("usual/calls/attention scale/width", 0.5),
}


@pytest.mark.parametrize(("path", "new"), UNFIT.values(), ids=UNFIT)
def test_what_does_not_fit_is_forged(sent: dict[str, Any], path: str, new: Any) -> None:
    assert arrived(changed(sent, path, new)).outcome == "forged"


@pytest.mark.parametrize(
    ("path", "new", "verdict"),
    [
        ("usual/calls/batch/array", np.full((2, 4), np.nan, np.float32), Fail),
        ("usual/calls/batch/array", WEIGHTS[:1], Skip),
        ("usual/calls/batch", {"kind": "other", "type": "NoneType", "none": True}, Fail),
        ("usual/calls/batch", {"kind": "raised", "exception": RAISED}, Fail),
        ("usual/calls/batch", {"kind": "raised", "exception": {**RAISED, "bases": ["NotImplementedError"]}}, Missing),
        ("usual", {"kind": "raised", "exception": RAISED}, Fail),
    ],
    ids=["NaN", "another shape", "None", "an exception", "to do", "a build that raised"],
)
def test_what_fits_and_is_no_right_output_is_a_verdict(
    sent: dict[str, Any], path: str, new: Any, verdict: type[Verdict]
) -> None:
    with pytest.raises(verdict):
        run_of(changed(sent, path, new)).output("usual", "batch", (2, 4))


def test_gradients_that_are_nan_fail_and_those_of_another_shape_are_for_other_checks(sent: dict[str, Any]) -> None:
    with pytest.raises(Fail, match="NaN or infinite"):
        run_of(changed(sent, f"{GRADIENTS}/inputs", X * np.inf)).gradients("usual", "gradients")
    with pytest.raises(Skip):
        run_of(changed(sent, GRADIENTS, {"kind": "other shape"})).gradients("usual", "gradients")


def test_a_size_that_no_memory_holds_is_counted_exactly(sent: dict[str, Any]) -> None:
    assert run_of(changed(sent, "usual/parameters/0/shape", [2**60] * 64)).size("usual") > 2**3000


def test_shapes_tell_what_came_of_each_case(sent_shapes: dict[str, Any]) -> None:
    plain, given, raised = arrived(sent_shapes, answers.SHAPES, CASES).value["Linear"]
    assert plain.shape == (2, 4) and plain.values is None and given.values.shape == (2, 4)
    assert raised.exception.type == "RuntimeError"


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("Linear", ...), ("Linear/2", ...), ("Linear/0/shape", [-1]), ("Linear/0/shape", "2, 4"), ("Linear/1/values", None),
        ("Linear/0/values", X), ("Linear/1/values", [1.0]), ("Linear/0/kind", "none"), ("Linear/0", {"kind": "no tensor"}),
        ("Linear/1/values", np.zeros((1 << 22) + 1, np.uint8)), ("Other", []),
    ],
    ids=str,
)  # fmt: skip
def test_shapes_that_do_not_fit_are_forged(sent_shapes: dict[str, Any], path: str, new: Any) -> None:
    assert arrived(changed(sent_shapes, path, new), answers.SHAPES, CASES).outcome == "forged"
