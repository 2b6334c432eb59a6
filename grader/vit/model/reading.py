"""Asking for builds and calls of a module, and reading what came back."""

from typing import Any

import numpy as np

from grader.checking import Fail, Malformed, Missing, Skip, dig, place, raised_hint, raised_words
from grader.confinement.evidence import raised_from
from grader.evidence import Answer

Array = np.ndarray


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


class Builds:
    """The answer to a ``module.run``: what each build and each call gave."""

    def __init__(self, answer: Answer, name: str) -> None:
        self.answer, self.name = answer, name

    @property
    def known(self) -> Any:
        return self.answer.known

    def parameters(self, number: int) -> list[dict[str, Any]]:
        """Name, shape, trainability and owner of every parameter of a build."""
        self._built(number)
        parameters = dig(self.answer.value, number, "parameters")
        if not isinstance(parameters, list) or not all(_is_parameter(p) for p in parameters):
            raise Malformed
        return parameters

    def size(self, number: int) -> int:
        """How many numbers the parameters of a build hold."""
        return sum(int(np.prod(p["shape"])) for p in self.parameters(number))

    def attribute(self, number: int, name: str) -> Any:
        """An attribute as ``describe.result`` described it."""
        self._built(number)
        return dig(self.answer.value, number, "attributes", name)

    def raw(self, number: int, which: int) -> dict[str, Any]:
        """One call's facts; an exception in it fails the check."""
        self._built(number)
        facts = dig(self.answer.value, number, "calls", which)
        if isinstance(facts, dict) and "raised" in facts:
            raise self._failure(facts["raised"], f"on an input of shape {self._shape(number, which)} it ")
        return facts

    def raised(self, number: int, which: int) -> list[str] | None:
        """The exception's type and its bases that a call ended with, None if it did not."""
        self._built(number)
        facts = dig(self.answer.value, number, "calls", which)
        if isinstance(facts, dict) and "raised" in facts:
            raised = raised_from(facts["raised"])
            return list(raised.bases) if raised else []
        return None

    def output(self, number: int, which: int, shape: tuple[int, ...] | None = None) -> Array:
        """One call's output, a finite float32 tensor; of that shape, or the check is skipped."""
        array = self.tensor(number, which)
        if shape is not None and array.shape != shape:
            raise Skip
        if not np.isfinite(array).all():
            raise Fail(
                f"`{self.name}` gives {int((~np.isfinite(array)).sum())} values that are NaN or infinite",
                "Look for a division by zero, a log of zero, or a softmax over masked-out rows.",
            )
        return array.astype(np.float64)

    def tensor(self, number: int, which: int) -> Array:
        """One call's output as it is."""
        facts = self.raw(number, which)
        kind = dig(facts, "kind")
        if kind != "tensor":
            what = facts.get("type", kind)
            raise Fail(f"expected `{self.name}` to return a tensor, got {what}", "Return the tensor itself.")
        array = dig(facts, "array")
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            raise Fail(f"expected a float32 tensor from `{self.name}`, got {facts.get('dtype')}")
        return array

    def works(self, number: int) -> bool:
        """Whether a build could be made and all its calls returned."""
        facts = dig(self.answer.value, number)
        return "raised" not in facts and not any("raised" in c for c in dig(facts, "calls"))

    def _built(self, number: int) -> None:
        facts = dig(self.answer.value, number)
        if isinstance(facts, dict) and "raised" in facts:
            arguments = ", ".join(map(str, self.answer.question.args["builds"][number]["args"]))
            raise self._failure(facts["raised"], f"`{self.name}({arguments})` ")

    def question_inputs(self, number: int, which: int) -> Array:
        """What a call was given."""
        return self.answer.question.args["builds"][number]["calls"][which]["inputs"]

    def _shape(self, number: int, which: int) -> tuple[int, ...]:
        return tuple(self.question_inputs(number, which).shape)

    def _failure(self, facts: Any, before: str) -> Exception:
        raised = raised_from(facts)
        if raised is None:
            return Malformed()
        if "NotImplementedError" in raised.bases:
            where = f" ({place(raised.frames[-1])})" if raised.frames else ""
            return Missing(f"still to do{where}: {raised.message}")
        return Fail(before + raised_words(raised), raised_hint(raised))


def expect_shape(builds: Builds, number: int, which: int, shape: tuple[int, ...], hint: str = "") -> None:
    """Fail unless an output has the shape."""
    got = builds.tensor(number, which)
    if got.shape != shape:
        inputs = builds.question_inputs(number, which).shape
        message = f"expected output shape {shape} for an input of shape {inputs}, got {got.shape}"
        raise Fail(message, hint or _shape_hint(got.shape, shape))


def _shape_hint(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if len(got) == 4 and len(expected) == 3:
        return "The patches still lie in a grid: flatten it into one axis of tokens."
    if len(got) == len(expected) and sorted(got) == sorted(expected):
        return "Two axes are in the other order: the assignment's order is batch, tokens, features."
    if len(got) != len(expected):
        return "The number of axes differs: look for a missing or an additional squeeze, flatten or index."
    return ""


def same(a: Array, b: Array, tolerance: float = 1e-3) -> bool:
    """Whether arrays agree up to float32 noise, relative to their size.

    Honest models in float32 differ by at most 2e-5 here (bench/margins.py, 300 seeds).
    """
    return bool(a.shape == b.shape and np.abs(a - b).max(initial=0.0) <= tolerance * max(1.0, np.abs(b).max(initial=0.0)))


def changed(a: Array, b: Array, axis: tuple[int, ...], tolerance: float = 1e-4) -> Array:
    """Where arrays differ by more than noise: True along the axes that are not reduced."""
    return np.abs(a - b).max(axis=axis) > tolerance * max(1.0, float(np.abs(b).max()))


def _is_parameter(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"name", "shape", "trainable", "owner"}:
        return False
    shape = value["shape"]
    return isinstance(shape, list) and all(isinstance(size, int) for size in shape) and isinstance(value["name"], str)
