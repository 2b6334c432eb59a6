"""What builds and calls of one class gave, as checks look at it: what is not there or wrong becomes a verdict."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from grader.evidence import Answer
from grader.judging import Fail, Missing, Skip
from grader.observations import Result
from grader.records import Raised
from grader.sentences import return_hint, type_words
from grader.torchkit.modules.answers import (
    ArrayResult,
    Built,
    CallResult,
    Gradients,
    InTraining,
    NumberResult,
    OtherResult,
    OtherShape,
    RaisedResult,
    SequenceResult,
    TensorResult,
    TrainingStep,
)
from grader.torchkit.modules.arrays import Array
from grader.torchkit.modules.failures import failure

T = TypeVar("T")


@dataclass(frozen=True)
class ModuleRun:
    """The answer to a ``module.run``; ``name`` is the class that was built."""

    answer: Answer
    name: str

    @property
    def known(self) -> Any:
        """What the question keeps on this side."""
        return self.answer.known

    def built(self, build: str) -> Built:
        """One build.

        Raises:
            Fail, Missing: it could not be made.
        """
        result = self.answer.value[build]
        if isinstance(result, RaisedResult):
            asked = self.answer.question.args["builds"][build]
            arguments = [*map(str, asked["args"]), *(f"{name}={value}" for name, value in asked["kwargs"].items())]
            raise failure(result.exception, f"`{self.name}({', '.join(arguments)})` ")
        found: Built = result
        return found

    def is_built(self, build: str) -> bool:
        """Whether a build could be made."""
        return isinstance(self.answer.value[build], Built)

    def size(self, build: str) -> int:
        """How many numbers the parameters of a build hold."""
        return sum(parameter.size for parameter in self.built(build).parameters)

    def number(self, build: str, attribute: str) -> float | None:
        """The value of an attribute, where it is one number."""
        match self.built(build).attributes[attribute]:
            case NumberResult(number=number):
                return number
            case TensorResult(array=array) | ArrayResult(array=array) if array.size == 1:
                return float(array.reshape(-1)[0])
        return None

    def not_a_number(self, build: str, attribute: str) -> str:
        """What an attribute is that is not one number, in words."""
        kind = _kind(self.built(build).attributes[attribute])
        return "there is no such attribute" if kind == "None" else f"it is a {kind.removeprefix('a ')}"

    def is_float(self, build: str, attribute: str) -> bool:
        """Whether an attribute is a Python float, however round."""
        value = self.built(build).attributes[attribute]
        return isinstance(value, NumberResult) and value.type.startswith("float")

    def inputs(self, build: str, call: str) -> Array:
        """What a call was given."""
        inputs: Array = self.answer.question.args["builds"][build]["calls"][call]["inputs"]
        return inputs

    def result(self, build: str, call: str) -> CallResult:
        """What one call gave.

        Raises:
            Fail, Missing: it raised, or the build could not be made.
        """
        result = self.built(build).calls[call]
        if isinstance(result, RaisedResult):
            shape = tuple(self.inputs(build, call).shape)
            trained = self.answer.question.args["builds"][build]["calls"][call]["do"] == "in training"
            mode = "in training mode, as after model.train(), " if trained else ""
            raise failure(result.exception, f"{mode}on an input of shape {shape} it ")
        return result

    def returned(self, build: str, call: str) -> str:
        """What a call gave in the place of a tensor, in words; empty where it gave one."""
        result = self.result(build, call)
        return "" if isinstance(result, TensorResult) else _kind(result)

    def works(self, build: str, call: str = "batch") -> bool:
        """Whether a build could be made and a call returned."""
        try:
            self.result(build, call)
        except (Fail, Missing):
            return False
        return True

    def raised(self, build: str, call: str) -> Raised | None:
        """The exception that a call ended with, or the making of what was called; None if neither did."""
        made = self.answer.value[build]
        result = made if isinstance(made, RaisedResult) else made.calls[call]
        return result.exception if isinstance(result, RaisedResult) else None

    def tensor(self, build: str, call: str = "batch") -> Array:
        """The float32 tensor that one call gave, whatever its shape and numbers."""
        result = self.result(build, call)
        if not isinstance(result, TensorResult):
            got = _kind(result)
            raise Fail(
                f"expected `{self.name}` to return a tensor, got {got}", return_hint(got, "Return the tensor itself.")
            )
        if result.dtype != "float32" or result.array.dtype != np.float32:
            hint = (
                "NumPy and Python numbers make float64: convert with .float()."
                if "float" in result.dtype
                else "Return the numbers that the last layer gives, without argmax, rounding or comparisons."
            )
            raise Fail(f"expected a float32 tensor from `{self.name}`, got {result.dtype[:20]}", hint)
        return result.array

    def output(self, build: str, call: str = "batch", shape: tuple[int, ...] | None = None) -> Array:
        """One call's output, a finite float32 tensor, as float64; of that shape, or the check is skipped."""
        array = self.tensor(build, call)
        if shape is not None and array.shape != shape:
            raise Skip
        wrong = int((~np.isfinite(array)).sum())
        if wrong:
            raise Fail(
                f"`{self.name}` gives NaN or infinite values: {wrong} of {array.size}",
                "Look for a division by zero, a log of zero, or a softmax over rows that are masked out.",
            )
        return array.astype(np.float64)

    def gradients(self, build: str, call: str) -> Gradients:
        """What a call of the kind "gradients" gave; the check is skipped where the output has another shape."""
        gradients = self._expected(Gradients, build, call)
        if gradients.inputs is not None:
            self._expect_finite(gradients.inputs)
        return gradients

    def training_step(self, build: str, call: str) -> tuple[Array, Array]:
        """The outputs before and after a step of training; the check is skipped where they have another shape."""
        step = self._expected(TrainingStep, build, call)
        self._expect_finite(step.before)
        self._expect_finite(step.after)
        return step.before.astype(np.float64), step.after.astype(np.float64)

    def reached_in_training(self, build: str) -> dict[str, bool]:
        """By parameter of two axes or more, whether a gradient reaches it in training mode; the check is skipped where no tensor came."""
        return self._expected(InTraining, build, "in training").reached

    def _expected(self, kind: type[T], build: str, call: str) -> T:
        """What a call gave where it is of a kind; the check is skipped where the shape did not allow for it."""
        result = self.result(build, call)
        if isinstance(result, OtherShape):
            raise Skip  # another check says what is wrong with the shape
        assert isinstance(result, kind)  # the answer agrees with what was asked
        return result

    def _expect_finite(self, array: Array) -> None:
        if not np.isfinite(array).all():
            raise Fail(
                f"the gradients of `{self.name}` are NaN or infinite", "Look for a division by zero or a log of zero."
            )


def _kind(result: CallResult | Result) -> str:
    """A word for what came instead of a tensor: its type where that is known."""
    match result:
        case NumberResult(type=name) | SequenceResult(type=name) | OtherResult(type=name):
            return type_words(name)
        case ArrayResult():
            return "a NumPy array"
    return str(type(result).__struct_config__.tag)
