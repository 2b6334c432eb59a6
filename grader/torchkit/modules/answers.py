"""The types of what workers answer about modules: builds by name, and what each of their calls gave."""

import math
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, field

from grader.observations import (
    Answered,
    ArrayResult,
    Count,
    Described,
    DictResult,
    Floats,
    Misfit,
    Name,
    NumberResult,
    OtherResult,
    RaisedResult,
    Record,
    Result,
    SequenceResult,
    Sizes,
    TensorResult,
    Text,
    TextResult,
)

SLOPE_TOLERANCE = 0.05
"""How far the slope that gradients tell may be from the measured one, as part of it: right code is within 0.0002, a
sharp softmax with a learned temperature within 0.013, detached branches from 0.16 (python -m bench.structure_margins).
"""


class Parameter(Record, frozen=True):
    """A parameter of a module, by the name in its state dict."""

    name: Text
    shape: Sizes
    trainable: bool

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


class Gradients(Record, frozen=True, tag_field="kind", tag="gradients"):
    """The gradients of a weighted sum of the output.

    Attributes:
        largest: by parameter, the largest absolute value of its gradient; None where no gradient arrived.
        reached: how many numbers of all parameters have a gradient that is not zero.
        reached_of: the same of each parameter; answers that were kept earlier do not tell.
        unregistered: shapes of tensors that have a gradient and are no parameters of the module.
        inputs: of the shape of the inputs, their gradient; None where none arrived.
        slope: what the gradient of the inputs says of a step along it; 0 where there is none.
        measured_slope: how the weighted sum really changes along that step.
    """

    largest: dict[str, float | None]
    reached: Count
    unregistered: Annotated[list[Sizes], Meta(max_length=20)]
    inputs: Floats | None
    slope: float
    measured_slope: float
    reached_of: dict[str, Count] = field(default_factory=dict)

    @property
    def agree_with_the_output(self) -> bool:
        """Whether the gradient of the inputs tells how the output really changes."""
        return bool(self.measured_slope) and abs(self.slope / self.measured_slope - 1) <= SLOPE_TOLERANCE


class TrainingStep(Record, frozen=True, tag_field="kind", tag="training step"):
    """The output before and after one step of gradient descent, both of the shape that was asked for."""

    before: Floats
    after: Floats


class AttentionScale(Record, frozen=True, tag_field="kind", tag="attention scale"):
    """The factor between the products of queries and keys and the softmax, and the number of features in a product.

    Each is None where it could not be followed.
    """

    scale: float | None
    width: Count | None


class InTraining(Record, frozen=True, tag_field="kind", tag="in training"):
    """What gradients reach in training mode.

    Attributes:
        reached: by parameter of two axes or more, whether one that is not zero arrived in one of some passes.
    """

    reached: dict[str, bool]


class OtherShape(Record, frozen=True, tag_field="kind", tag="other shape"):
    """The output has another shape than the weights of the sum that was to be differentiated."""


class NoAttention(Record, frozen=True, tag_field="kind", tag="no attention"):
    """Attention was not found as often as there are layers, so it could not be left out."""


class NoTokens(Record, frozen=True, tag_field="kind", tag="no tokens"):
    """No module inside puts tokens of the given shape out, so none could be replaced."""


CallResult = (
    TensorResult | ArrayResult | NumberResult | TextResult | SequenceResult | DictResult | OtherResult
    | Gradients | TrainingStep | InTraining | AttentionScale | OtherShape | NoAttention | NoTokens | RaisedResult
)  # fmt: skip


class Built(Record, frozen=True, tag_field="kind", tag="built"):
    """A build that was made.

    Attributes:
        attributes: the values of the attributes that were asked for.
        buffers: their names.
        calls: by name, what each gave.
    """

    attributes: dict[str, Result]
    parameters: Annotated[list[Parameter], Meta(max_length=2_000)]
    buffers: Annotated[list[Text], Meta(max_length=2_000)]
    calls: dict[str, CallResult]


BuildResult = Built | RaisedResult
OUTPUTS = (TensorResult, ArrayResult, NumberResult, TextResult, SequenceResult, DictResult, OtherResult)


def _runs_agree(args: dict[str, Any], answer: dict[str, BuildResult]) -> None:
    """Hold the answer to ``module.run`` against its builds and calls."""
    _expect_keys("the builds", args["builds"], answer)
    for name, build in args["builds"].items():
        built = answer[name]
        if isinstance(built, Built):
            _expect_keys(f"the attributes of {name}", build["attributes"], built.attributes)
            _expect_keys(f"the calls of {name}", build["calls"], built.calls)
            for call, asked in build["calls"].items():
                _expect_call(f"{name}.{call}", asked, built.calls[call])


def _expect_keys(what: str, asked: Any, got: dict[str, Any]) -> None:
    if set(asked) != got.keys():
        raise Misfit(f"Expected {what} to be {', '.join(asked) or 'none'}, got {', '.join(got)[:200] or 'none'}")


def _expect_call(what: str, asked: dict[str, Any], got: CallResult) -> None:
    of_calls = {
        "forward": OUTPUTS,
        "with targets": OUTPUTS,
        "loss gradients": (Gradients, OtherShape),
        "gradients": (Gradients, OtherShape),
        "training step": (TrainingStep, OtherShape),
        "in training": (InTraining, OtherShape),
        "tokens replaced": (*OUTPUTS, NoTokens),
        "attention scale": (AttentionScale,),
        "without attention": (*OUTPUTS, NoAttention),
    }
    if not isinstance(got, (*of_calls[asked["do"]], RaisedResult)):
        raise Misfit(f"Expected {what} to tell of {asked['do']}, got {type(got).__name__}")
    if isinstance(got, Gradients) and got.inputs is not None:
        _expect_shape(f"{what}.inputs", asked["inputs"], got.inputs)
    if isinstance(got, TrainingStep):
        _expect_shape(f"{what}.before", asked["weights"], got.before)
        _expect_shape(f"{what}.after", asked["weights"], got.after)


def _expect_shape(what: str, asked: np.ndarray, got: np.ndarray) -> None:
    if asked.shape != got.shape:
        raise Misfit(f"Expected {what} of shape {asked.shape}, got {got.shape}")


class ShapeResult(Record, frozen=True, tag_field="kind", tag="shape"):
    """A tensor came out.

    Attributes:
        shape: its shape.
        values: its values where they were asked for; of an output of another dtype or device they are copies.
    """

    shape: Sizes
    values: Described | None


class NoTensor(Record, frozen=True, tag_field="kind", tag="no tensor"):
    """Something else than a tensor came out."""

    type: Name


CaseResult = ShapeResult | NoTensor | RaisedResult


def _shapes_agree(args: dict[str, Any], answer: dict[str, list[CaseResult]]) -> None:
    """Hold the answer to ``shapes`` against its classes and cases."""
    _expect_keys("the classes", args["cases"], answer)
    for name, cases in args["cases"].items():
        if len(answer[name]) != len(cases):
            raise Misfit(f"Expected {len(cases)} cases of {name}, got {len(answer[name])}")
        for (_, given), result in zip(cases, answer[name], strict=True):
            with_values = isinstance(given, np.ndarray)
            if isinstance(result, ShapeResult) and with_values != (result.values is not None):
                raise Misfit(f"Expected values of {name} for the case that asks for them alone")


RUN = Answered(dict[str, BuildResult], _runs_agree)  # of module.run
SHAPES = Answered(dict[str, list[CaseResult]], _shapes_agree)  # of shapes
