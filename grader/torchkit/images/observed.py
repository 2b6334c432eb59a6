"""What a transform did, together with what it was asked."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.evidence import Answer
from grader.records import Raised
from grader.torchkit.images.answers import LeafSeen, OwnRandomness, RandomlyTransformed, Transformed

Array = np.ndarray


@dataclass(frozen=True)
class ObservedTransform:
    """A transform as it was observed.

    Attributes:
        did: what it did.
        asked: the arguments of the question, see ``grader.torchkit.inside.transforms``.
    """

    did: Transformed
    asked: dict[str, Any]

    @property
    def raised(self) -> Raised | None:
        """The first exception."""
        return self.did.failures.first if self.did.failures is not None else None

    @property
    def failed_calls(self) -> int:
        """How many calls raised."""
        return self.did.failures.count if self.did.failures is not None else 0

    @property
    def always_failed(self) -> bool:
        """Whether every call raised."""
        return self.failed_calls == self.did.count

    def flat_outputs(self, level: int) -> Array | None:
        """(1, H, W) the output for the image of one gray level; None where outputs are no images."""
        levels = list(self.asked["flat"])
        stack = planes(self.did.flat, len(levels))
        return None if stack is None else stack[levels.index(level)][None]

    def of_all_levels(self) -> Array | None:
        """(1, H, W) the output for the image of all gray levels; None where it is no image."""
        return planes(self.did.levels, 1)


@dataclass(frozen=True)
class ObservedRandomTransform(ObservedTransform):
    """A transform with random parts, as it was observed."""

    did: RandomlyTransformed

    @property
    def own(self) -> OwnRandomness:
        """What the student's own code does at random."""
        return self.did.rest

    @property
    def has_own_randomness(self) -> bool:
        """Whether it does."""
        return self.own.varies > 0

    @property
    def varies(self) -> bool:
        """Whether outputs for one image vary at all; one of the library's transforms alone is told by its leaves."""
        if self.did.library_only or self.always_failed or self.did.count < self.asked["draws"]:
            return True
        return self.did.varies > 0

    def leaves(self) -> list[tuple[LeafSeen, bool]]:
        """Every leaf, and whether a call comes to it; where every call fails on the way that cannot be seen."""
        called = [(leaf, True) for leaf in self.did.leaves]
        return called + [(leaf, self.always_failed) for leaf in self.did.unreached]


def observed_transform(answer: Answer) -> ObservedTransform:
    """A transform as ``transforms.test`` saw it.

    Raises:
        Unanswered: there is no answer.
    """
    return ObservedTransform(answer.value, answer.question.args)


def observed_random_transform(answer: Answer) -> ObservedRandomTransform:
    """A transform as ``transforms.train`` saw it.

    Raises:
        Unanswered: there is no answer.
    """
    return ObservedRandomTransform(answer.value, answer.question.args)


def planes(outputs: Array | None, count: int | None = None) -> Array | None:
    """The first channel of images, whatever axes of length 1 they have besides.

    Args:
        outputs: (n, H, W), (n, C, H, W), or (n, H * W) of square images.
        count: n, where it is known.

    Returns:
        (n, H, W) float64; None unless the outputs are that, and finite.
    """
    if outputs is None or outputs.ndim < 2 or 0 in outputs.shape or (count is not None and len(outputs) != count):
        return None
    images = outputs.reshape(len(outputs), *(size for size in outputs.shape[1:] if size > 1))
    side = math.isqrt(images[0].size)
    if images.ndim == 2 and side * side == images[0].size:
        images = images.reshape(-1, side, side)
    if images.ndim not in (3, 4):
        return None
    plane = images if images.ndim == 3 else images[:, 0]
    return plane.astype(np.float64) if np.isfinite(plane).all() else None
