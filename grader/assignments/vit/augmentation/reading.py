"""The workers' answers about transforms, read with care: student code shares their process."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.evidence import Answer
from grader.judging import Malformed, dig
from grader.records import Raised
from grader.sandbox.outside.replies import raised_from

Array = np.ndarray


@dataclass(frozen=True)
class Kind:
    """One kind of output: "tensor", "ndarray", "image" (PIL) or another type's name."""

    type: str
    dtype: str
    shape: tuple[int, ...]
    count: int


@dataclass(frozen=True)
class Leaf:
    """A transform that calls no other, alone."""

    name: str
    text: str  # its repr
    own: bool  # the student's
    nested: bool  # it was seen to call others after all
    hits: int  # passes that came to it
    varies: float  # how far outputs for one input lie apart, as a share of the input's range
    moves: float  # how far they lie from the input
    cut: float  # share of the outputs between 0 and 1, of inputs that reached beyond


class Facts:
    """What one of the two transforms was seen to do."""

    def __init__(self, answer: Answer) -> None:
        self.value, self.args = answer.value, answer.question.args
        self.count = int(number(self.value, "count"))
        self.unfinite = int(number(self.value, "unfinite"))
        self.kinds = [_kind(item) for item in items(self.value, "kinds")]
        self.raised, self.failures = self._raised()

    def _raised(self) -> tuple[Raised | None, int]:
        raised = dig(self.value, "raised")
        if raised is None:
            return None, 0
        described = raised_from(raised)
        if described is None:
            raise Malformed
        return described, int(number(raised, "count"))

    def stack(self, *path: str, count: int | None = None) -> Array | None:
        """(n, H, W) outputs, the first channel where there are several; None where they are no images."""
        return images(dig(self.value, *path), count)


def leaves(value: Any, key: str) -> list[Leaf]:
    """The leaves of an answer's list."""
    return [
        Leaf(text(x, "name"), text(x, "text"), dig(x, "own") is True, x.get("nested") is True,
             int(number(x, "hits")), number(x, "varies"), number(x, "moves"), number(x, "cut"))
        for x in items(value, key)
    ]  # fmt: skip


def images(stack: Any, count: int | None = None) -> Array | None:
    """Outputs as (n, H, W) float64, None unless they are that, or (n, C, H, W), and finite."""
    if not isinstance(stack, np.ndarray) or stack.dtype.kind not in "biuf" or stack.ndim not in (3, 4):
        return None
    if (count is not None and len(stack) != count) or 0 in stack.shape:
        return None
    plane = stack if stack.ndim == 3 else stack[:, 0]
    return plane.astype(np.float64) if np.isfinite(plane).all() else None


def items(value: Any, *path: str) -> list[Any]:
    found = dig(value, *path)
    if not isinstance(found, list):
        raise Malformed
    return found


def number(value: Any, *path: str) -> float:
    found = dig(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found) or abs(found) > 1e12:
        raise Malformed
    return found


def text(value: Any, *path: str) -> str:
    found = dig(value, *path)
    if not isinstance(found, str):
        raise Malformed
    return found[:300]


def _kind(item: Any) -> Kind:
    shape = tuple(size for size in items(item, "shape") if isinstance(size, int))
    return Kind(text(item, "type"), text(item, "dtype"), shape, int(number(item, "count")))
