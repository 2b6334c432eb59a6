"""Asking for builds and calls of a module, and reading what came back."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.evidence import Answer
from grader.judging import Fail, Malformed, Missing, Skip, dig, place, raised_hint, raised_words
from grader.sandbox.outside.replies import raised_from

Array = np.ndarray
TOLERANCE = 1e-3
# How far the slope of gradients may be from the measured one, as part of it: right code is within 0.0002, a sharp
# softmax with a learned temperature within 0.013, detached branches from 0.16 (python -m bench.structure_margins).
SLOPE = 0.05
FAINT = 0.5  # of the image that is also given alone: so a maximum over the batch is another's, and not its own


def build(
    *args: Any, calls: list[dict[str, Any]], seed: int, kind: str = "random", like: int | None = None, **kwargs: Any
) -> dict[str, Any]:
    """Describe one build of a class: its arguments, how its parameters are filled, what is called on it."""
    attributes = kwargs.pop("attributes", [])
    return {
        "args": list(args),
        "kwargs": kwargs,
        "fill": {"kind": kind, "seed": seed},
        "like": like,
        "attributes": attributes,
        "calls": calls,
    }


def call(inputs: Array, do: str = "forward", **more: Any) -> dict[str, Any]:
    """Describe one call."""
    return {"inputs": inputs, "do": do, **more}


def normal(rng: np.random.Generator, *shape: int) -> Array:
    """Standard normal float32 numbers."""
    return rng.standard_normal(shape, dtype=np.float32)


@dataclass(frozen=True)
class Gradients:
    """What a "gradients" call gave.

    ``largest`` by parameter, None where no gradient arrived; ``reached`` is how many numbers of all parameters
    have one; ``unregistered`` are the shapes of tensors that have one and are no parameters; ``inputs`` of the input, None likewise; ``slope`` is what the gradient says of a step along it,
    ``measured`` what the step really did.
    """

    largest: dict[str, float | None]
    reached: int
    inputs: Array | None
    slope: float
    measured: float
    unregistered: tuple[tuple[int, ...], ...] = ()

    @property
    def shown(self) -> bool:
        """Whether the gradient is what the output shows."""
        return bool(self.measured) and abs(self.slope / self.measured - 1) <= SLOPE


class Builds:
    """The answer to a ``module.run``: what each build and each call gave."""

    def __init__(self, answer: Answer, name: str) -> None:
        self.answer, self.name = answer, name

    @property
    def known(self) -> Any:
        """What the question keeps on this side."""
        return self.answer.known

    def parameters(self, number: int) -> list[dict[str, Any]]:
        """Name, shape and trainability of every parameter of a build."""
        self._built(number)
        parameters = dig(self.answer.value, number, "parameters")
        if not isinstance(parameters, list) or not all(_is_parameter(p) for p in parameters):
            raise Malformed
        return parameters

    def buffers(self, number: int) -> list[str]:
        """Names of the buffers of a build."""
        self._built(number)
        names = dig(self.answer.value, number, "buffers")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Malformed
        return names

    def size(self, number: int) -> int:
        """How many numbers the parameters of a build hold."""
        return sum(int(np.prod(p["shape"], dtype=np.float64)) for p in self.parameters(number))

    def number(self, number: int, name: str) -> float | None:
        """An attribute's value, where it is one number."""
        self._built(number)
        facts = dig(self.answer.value, number, "attributes", name)
        value = facts.get("number", facts.get("array")) if isinstance(facts, dict) else None
        if isinstance(value, np.ndarray):
            value = value.reshape(-1)[0].item() if value.size == 1 else None
        return float(value) if isinstance(value, int | float) else None

    def is_float(self, number: int, name: str) -> bool:
        """Whether an attribute is a Python float, however round."""
        facts = dig(self.answer.value, number, "attributes", name)
        return isinstance(facts, dict) and str(facts.get("type")).startswith("float")

    def raw(self, number: int, which: int) -> dict[str, Any]:
        """One call's facts; an exception in it fails the check."""
        self._built(number)
        facts = dig(self.answer.value, number, "calls", which)
        if not isinstance(facts, dict):
            raise Malformed
        if "raised" in facts:
            raise self._failure(facts["raised"], f"on an input of shape {self._shape(number, which)} it ")
        return facts

    def raised(self, number: int, which: int) -> tuple[str, ...] | None:
        """The exception's type and its bases that a call ended with, None if it did not."""
        self._built(number)
        facts = dig(self.answer.value, number, "calls", which)
        if isinstance(facts, dict) and "raised" in facts:
            raised = raised_from(facts["raised"])
            return raised.bases if raised else ()
        return None

    def output(self, number: int, which: int, shape: tuple[int, ...] | None = None) -> Array:
        """One call's output, a finite float32 tensor; of that shape, or the check is skipped."""
        array = self.tensor(number, which)
        if shape is not None and array.shape != shape:
            raise Skip
        wrong = int((~np.isfinite(array)).sum())
        if wrong:
            raise Fail(
                f"`{self.name}` gives {wrong} values that are NaN or infinite",
                "Look for a division by zero, a log of zero, or a softmax over masked-out rows.",
            )
        return array.astype(np.float64)

    def tensor(self, number: int, which: int) -> Array:
        """One call's output as it is."""
        facts = self.raw(number, which)
        kind = _text(dig(facts, "kind"))
        if kind != "tensor":
            what = _text(facts.get("type", kind))[:80]
            raise Fail(f"expected `{self.name}` to return a tensor, got {what}", "Return the tensor itself.")
        array, dtype = dig(facts, "array"), dig(facts, "dtype")
        if not isinstance(array, np.ndarray) or not isinstance(dtype, str):
            raise Malformed
        if dtype != "float32" or array.dtype != np.float32:
            hint = "numpy and Python numbers make float64: convert with .float()." if dtype == "float64" else ""
            raise Fail(f"expected a float32 tensor from `{self.name}`, got {dtype[:20]}", hint)
        return array

    def gradients(self, number: int, which: int) -> Gradients:
        """What a "gradients" call gave."""
        facts = self._fitting(number, which)
        largest, reached, inputs = dig(facts, "parameters"), dig(facts, "reached"), dig(facts, "inputs")
        if not isinstance(largest, dict) or not all(v is None or isinstance(v, int | float) for v in largest.values()):
            raise Malformed
        if not isinstance(reached, int):
            raise Malformed
        unregistered = tuple(map(_shape, facts.get("unregistered", [])))  # answers kept by older versions have none
        if inputs is None:
            return Gradients(largest, reached, None, 0.0, 0.0, unregistered)
        slope, measured = dig(facts, "slope"), dig(facts, "measured")
        if not isinstance(slope, int | float) or not isinstance(measured, int | float):
            raise Malformed
        self._expect(inputs, self._shape(number, which))
        return Gradients(largest, reached, inputs.astype(np.float64), float(slope), float(measured), unregistered)

    def step(self, number: int, which: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """The outputs before and after a step of training."""
        facts = self._fitting(number, which)
        before, after = dig(facts, "before"), dig(facts, "after")
        if isinstance(before, np.ndarray) and before.shape != shape:
            raise Skip
        self._expect(before, shape)
        self._expect(after, shape)
        return before.astype(np.float64), after.astype(np.float64)

    def _fitting(self, number: int, which: int) -> dict[str, Any]:
        """One call's facts, or a skip where the output is not of the shape asked for: another check says so."""
        facts = self.raw(number, which)
        if "unlike" in facts:
            raise Skip
        return facts

    def works(self, number: int, which: int = 0) -> bool:
        """Whether a build could be made and a call returned."""
        try:
            self.raw(number, which)
        except (Fail, Missing):
            return False
        return True

    def question_inputs(self, number: int, which: int) -> Array:
        """What a call was given."""
        return self.answer.question.args["builds"][number]["calls"][which]["inputs"]

    def _expect(self, array: Any, shape: tuple[int, ...]) -> None:
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.shape != shape:
            raise Malformed
        if not np.isfinite(array).all():
            raise Fail(
                f"the gradients of `{self.name}` are NaN or infinite", "Look for a division by zero or a log of zero."
            )

    def _built(self, number: int) -> None:
        facts = dig(self.answer.value, number)
        if isinstance(facts, dict) and "raised" in facts:
            asked = self.answer.question.args["builds"][number]
            by_name = [f"{name}={value}" for name, value in asked["kwargs"].items()]
            raise self._failure(facts["raised"], f"`{self.name}({', '.join([*map(str, asked['args']), *by_name])})` ")

    def _shape(self, number: int, which: int) -> tuple[int, ...]:
        return tuple(self.question_inputs(number, which).shape)

    def _failure(self, facts: Any, before: str) -> Exception:
        raised = raised_from(facts)
        if raised is None:
            return Malformed()
        if "NotImplementedError" in raised.bases:
            where = f" ({place(raised.frames[-1])})" if raised.frames else ""
            return Missing(f"still to do{where}: {raised.message}")
        hint = next((hint for sign, hint in HINTS if sign in raised.message), "") or raised_hint(raised)
        return Fail(before + raised_words(raised), hint)


HINTS = (
    ("in-place operation", "x += … works in place and changes a tensor that others still need: write x = x + …"),
    ("inplace operation", "x += … works in place and changes a tensor that gradients still need: write x = x + …"),
    (
        "does not require grad",
        "Nothing that was computed can be trained: look for detach, .data, numpy or a no_grad block in forward.",
    ),
    ("Sizes of tensors must match", "torch.cat needs the same size on all other axes: is the batch size hard-coded?"),
    ("expanded size of the tensor", "Is a size hard-coded, as that of the batch?"),
    (
        "cannot be multiplied",
        "A Linear layer gets another number of features than it was made for: is hidden_size hard-coded, or the "
        "wrong axis last?",
    ),
    (
        "Given normalized_shape",
        "A LayerNorm gets another number of features than it was made for: is a size hard-coded, as that of the batch "
        "or hidden_size?",
    ),
    ("Error(s) in loading state_dict", "Make all layers and parameters in __init__, none in forward."),
    ("before Module.__init__", "The first line of __init__ must be super().__init__()."),
    ("share same datatype", "Two tensors of different dtypes meet: float64 from numpy or Python and float32."),
    ("same dtype", "Two tensors of different dtypes meet: float64 from numpy or Python and float32."),
)


def expect_shape(builds: Builds, number: int, which: int, shape: tuple[int, ...], hint: str = "") -> None:
    """Fail unless an output has the shape."""
    got = builds.tensor(number, which)
    if got.shape != shape:
        inputs = builds.question_inputs(number, which).shape
        message = f"expected output shape {shape} for an input of shape {inputs}, got {got.shape}"
        raise Fail(message, _shape_hint(got.shape, shape) or hint)


def _shape_hint(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if len(got) == 4 and len(expected) == 3:
        return "The patches still lie in a grid: flatten it into one axis of tokens."
    if expected[0] == 1 and got == expected[1:]:
        return "A squeeze or an index takes the batch axis away when there is one image only."
    if len(got) == len(expected) and sorted(got) == sorted(expected):
        return "Two axes are in the other order: the assignment's order is batch, tokens, features."
    if len(got) != len(expected):
        return "The number of axes differs: look for a missing or an additional squeeze, flatten or index."
    if got[0] != expected[0]:
        return "The first axis is the batch's: is its size hard-coded, or are axes mixed by a reshape?"
    return ""


def same(a: Array, b: Array, tolerance: float = TOLERANCE) -> bool:
    """Whether arrays agree up to float32 noise, relative to their size."""
    return bool(
        a.shape == b.shape and np.abs(a - b).max(initial=0.0) <= tolerance * max(1.0, np.abs(b).max(initial=0.0))
    )


def changed(a: Array, b: Array, axis: tuple[int, ...], tolerance: float = 1e-4) -> Array:
    """Where arrays differ by more than noise: True along the axes that are not reduced."""
    return np.abs(a - b).max(axis=axis) > tolerance * max(1.0, float(np.abs(b).max()))


def expect_repeatable(builds: Builds, first: Array, again: Array, what: str) -> None:
    """Fail when the same input gave different results in eval mode."""
    if not same(again, first):
        raise Fail(
            f"in eval mode the same {what} gave different results twice",
            "Something random stays active: F.dropout needs training=self.training (nn.Dropout knows it by itself), "
            "and random numbers or new layers are made in __init__, not in forward.",
        )


def expect_alone(builds: Builds, number: int, which: int, expected: Array, what: str) -> None:
    """Fail when one input alone does not give what it gives among others."""
    alone = builds.tensor(number, which)
    if alone.shape != expected.shape:
        raise Skip
    if not np.isfinite(alone).all():
        raise Fail(
            f"{what} alone gives NaN: `{builds.name}` computes a statistic over the batch",
            "Normalise over the features, not over the batch.",
        )
    if not same(alone.astype(np.float64), expected):
        raise Fail(
            f"the output for {what} depends on which others are in the batch",
            "A reshape mixes the batch axis with others, attention runs over the batch axis, or something is "
            "normalised over the batch.",
        )


def expect_trained(builds: Builds, number: int, which: int) -> None:
    """Fail unless every parameter is trainable and has a gradient, and the input has one.

    A vector whose gradient is zero is let pass: a bias of the keys has none, since softmax ignores it.
    """
    parameters, gradients = builds.parameters(number), builds.gradients(number, which)
    if gradients.unregistered:
        raise Fail(*_unregistered(gradients.unregistered, builds.name))
    if not parameters:
        raise Fail(
            f"`{builds.name}` has no parameters: no layer of it is registered",
            "Make layers and nn.Parameters in __init__ and keep them in self; several in nn.ModuleList, not in a "
            "Python list.",
        )
    frozen = [p["name"] for p in parameters if not p["trainable"]]
    if frozen:
        raise Fail(f"{_names(frozen)} frozen (requires_grad=False): training cannot change it")
    unused = [p["name"] for p in parameters if _untouched(p, gradients.largest.get(p["name"]))]
    if unused:
        raise Fail(
            f"no gradient reaches {_listed(unused)}",
            "It is defined but not used in forward, or what was computed with it is cut off: look for detach, "
            ".data or a "
            "no_grad block.",
        )
    if gradients.inputs is None or not gradients.inputs.any():
        raise Fail("no gradient reaches the input", "Look for detach, .data, numpy or a no_grad block in forward.")


def _unregistered(shapes: tuple[tuple[int, ...], ...], name: str) -> tuple[str, str]:
    one = len(shapes) == 1
    learned = f"a tensor of shape {shapes[0]} is" if one else f"{len(shapes)} tensors are"
    return (
        f"{learned} computed with and requires a gradient, but is not registered as a parameter of `{name}`: an "
        "optimizer that is given its parameters() never changes it"
        if one
        else f"{learned} computed with and require gradients, but are not registered as parameters of `{name}`: an "
        "optimizer that is given its parameters() never changes them",
        "Wrap a tensor in nn.Parameter and keep it in self, in __init__; layers in a Python list or dict belong in "
        "nn.ModuleList or nn.ModuleDict, parameters in nn.ParameterList; nothing is made outside the class or in forward.",
    )


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(size) is int for size in value):
        raise Malformed
    return tuple(value)


def _untouched(parameter: dict[str, Any], largest: float | None) -> bool:
    return largest is None or (len(parameter["shape"]) > 1 and largest == 0)


def _names(names: list[str]) -> str:
    return f"{_listed(names)} {'are' if len(names) > 1 else 'is'}"


def _listed(names: list[str]) -> str:
    return f"`{names[0]}`" + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _text(value: Any) -> str:
    """A string that the worker should have given."""
    if not isinstance(value, str):
        raise Malformed
    return value


def _is_parameter(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"name", "shape", "trainable"}:
        return False
    shape = value["shape"]
    sizes = isinstance(shape, list) and all(type(size) is int and 0 <= size < 2**40 for size in shape)
    return sizes and isinstance(value["name"], str) and isinstance(value["trainable"], bool)
