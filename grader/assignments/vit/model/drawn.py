"""What is compared with what, drawn for each grade, so that answers recorded in another grade fit nothing.

A short line of inputs: the outputs for points on it lie in the proportions in which the points lie. Every module
that can be trained by gradients does that, whatever it is made of. The answers of another grade lie where the
points of that grade's line lay.
"""

import numpy as np

from grader.assignments.vit.model.reading import Array, Builds, normal
from grader.judging import Fail, Skip

POINTS = 16  # between the ends
LENGTH = 0.02  # of the line, beside the size of the input: long beside rounding, short beside any curvature
# How far a point's place may seem from where it is. Right code comes to 0.03, with a sharp softmax too; an answer to
# another line has each of its points off by 0.3 on average.
OFF = 0.15


def rows(rng: np.random.Generator, count: int) -> Array:
    """(2 * count,) rows of a batch in a random order, each at least once."""
    return rng.permutation(np.concatenate([np.arange(count), rng.integers(0, count, count)]))


def places(rng: np.random.Generator, count: int = POINTS) -> Array:
    """(count + 2,) where the points of a line lie: its ends, 0 and 1, and numbers between them."""
    return np.concatenate([[0.0, 1.0], rng.uniform(0.05, 0.95, count)])


def points(rng: np.random.Generator, start: Array, at: Array, length: float = LENGTH) -> Array:
    """(count + 2, *start.shape) the points of a line that begins at ``start``, in a random direction."""
    step = length * np.sqrt(np.mean(start**2)) * normal(rng, *start.shape)
    return (start + at.reshape(-1, *[1] * start.ndim) * step).astype(np.float32)


def expect_on_line(builds: Builds, number: int, which: int, shape: tuple[int, ...]) -> None:
    """Fail unless the outputs for the points of a line lie as the points do.

    Args:
        shape: of the output for one point; the check is skipped where it is another.
    """
    at = builds.known["line"]
    off = off_line(builds.output(number, which, (len(at), *shape)), at)
    if off is None:
        raise Skip  # nothing depends on the input: another check says so
    if not off <= OFF:
        raise Fail(
            f"the output of `{builds.name}` does not follow its input: on a short line of inputs, outputs jump",
            "Rounding, comparisons, lookups and random numbers have no place in forward: nothing could be learned "
            "through them.",
        )


def off_line(outputs: Array, at: Array) -> float | None:
    """How far the place of some output on the line seems from where it is; None where all outputs are the same."""
    out = outputs.reshape(len(at), -1).astype(np.float64)
    step = out[1] - out[0]
    length = float((step**2).sum())
    return float(np.abs((out - out[0]) @ step / length - at).max()) if length else None
