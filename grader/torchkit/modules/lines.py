"""Short lines of inputs: the outputs for points on one lie in the proportions in which the points lie.

Every module that can be trained by gradients does that, whatever it is made of. Lines are drawn for each grade, so
answers that were recorded in another grade lie where the points of that grade's line lay.
"""

import numpy as np

from grader.judging import Fail, Skip
from grader.torchkit.modules.arrays import Array
from grader.torchkit.modules.asking import normal
from grader.torchkit.modules.run import ModuleRun

# How far a point's place may seem from where it is. Right code comes to 0.03, with a sharp softmax too; an answer to
# another line has each of its points off by 0.3 on average.
MAX_OFF = 0.15


def rows(rng: np.random.Generator, count: int) -> Array:
    """(2 * count,) rows of a batch in a random order, each at least once."""
    return rng.permutation(np.concatenate([np.arange(count), rng.integers(0, count, count)]))


def places(rng: np.random.Generator, count: int = 16) -> Array:
    """(count + 2,) where the points of a line lie: its ends, 0 and 1, and numbers between them."""
    return np.concatenate([[0.0, 1.0], rng.uniform(0.05, 0.95, count)])


def points(rng: np.random.Generator, start: Array, at: Array, length: float = 0.02) -> Array:
    """The points of a line in a random direction.

    Args:
        start: where it begins, of any shape.
        at: (n,) where the points lie on it, as ``places``.
        length: of the line, as part of the size of ``start``: long beside rounding, short beside any curvature.

    Returns:
        (n, *start.shape) float32.
    """
    step = length * np.sqrt(np.mean(start**2)) * normal(rng, *start.shape)
    return (start + at.reshape(-1, *[1] * start.ndim) * step).astype(np.float32)


def wander(outputs: Array, at: Array) -> float:
    """How far outputs of neighbours on a line are from each other, beside those of any two points of it.

    That is von Neumann's ratio (1941) of the outputs in the order of their points: near 0 where they follow the line,
    in a curve or with a few jumps as well, as behind a steep softmax; near 1 where their order has nothing to do with
    it.

    Args:
        outputs: (n, …), not all the same, for the points of a line of inputs.
        at: (n,) where those lie.

    Returns:
        mean square distance of neighbours / mean square distance of two points.
    """
    out = outputs.reshape(len(at), -1).astype(np.float64)[np.argsort(at)]
    return float((np.diff(out, axis=0) ** 2).sum() / (2 * ((out - out.mean(0)) ** 2).sum()))


def expect_on_line(run: ModuleRun, build: str, call: str, shape: tuple[int, ...]) -> None:
    """Fail unless the outputs for the points of a line lie as the points do, ``run.known["line"]``.

    Args:
        shape: of the output for one point; the check is skipped where it is another.
    """
    at = run.known["line"]
    off = off_line(run.output(build, call, (len(at), *shape)), at)
    if off is None:
        raise Skip  # nothing depends on the input: another check says so
    if not off <= MAX_OFF:
        raise Fail(
            f"the output of `{run.name}` does not follow its input: a small change of the input makes it jump",
            "Rounding, comparisons, lookups and random numbers have no place in forward: nothing can be learned "
            "through them.",
        )


def off_line(outputs: Array, at: Array) -> float | None:
    """How far the place of some output on its line seems from where it is.

    Args:
        outputs: (n, …) for the points of a line of inputs.
        at: (n,) where those lie.

    Returns:
        the largest distance, as part of the line; None where all outputs are the same.
    """
    out = outputs.reshape(len(at), -1).astype(np.float64)
    step = out[1] - out[0]
    length = float((step**2).sum())
    return float(np.abs((out - out[0]) @ step / length - at).max()) if length else None
