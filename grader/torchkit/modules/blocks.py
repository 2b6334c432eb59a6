"""What tells blocks of a transformer apart by what they give: their norms, their MLP, and their heads.

Shapes: n tokens, D features of a token, P pairs of tokens.
"""

import numpy as np

from grader.torchkit.modules.arrays import Array

ANGLES = np.arange(8) * (2 * np.pi / 8)  # of single tokens on a circle


def layer_norm(x: Array) -> Array:
    """(…, D) without a token's mean, and of variance 1."""
    x = x.astype(np.float64)
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)


def rms_norm(x: Array) -> Array:
    """(…, D) of mean square 1."""
    x = x.astype(np.float64)
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True))


def circle(rng: np.random.Generator, width: int, length: float) -> Array:
    """(8, 1, 1, D): single tokens, whose normalised versions lie on a circle.

    Args:
        width: D.
        length: times a usual token.
    """
    ones = np.ones((width, 1)) / np.sqrt(width)
    plane = np.linalg.qr(np.hstack([ones, rng.standard_normal((width, 2))]))[0][:, 1:]  # of mean zero, at right angles
    points = np.cos(ANGLES)[:, None] * plane[:, 0] + np.sin(ANGLES)[:, None] * plane[:, 1]
    return (length * np.sqrt(width) * points[:, None, None, :]).astype(np.float32)


def bending(added: Array) -> float:
    """How much of what is made of a circle no affine map makes, beside what one does; 0 where nothing is made of it.

    Args:
        added: (8, D) for the tokens of ``circle``.
    """
    waves = np.fft.rfft(added, axis=0)  # an affine map of a circle holds no wave beyond the first
    return float(np.linalg.norm(waves[2:]) / max(float(np.linalg.norm(waves[1])), 1e-12)) if waves[1:].any() else 0.0


def second_direction(added: Array, least: float) -> Array:
    """(P,): how much more than one direction there is, 0 where more and more copies add the same up to a factor.

    Args:
        added: (P, 3, D) what more and more copies of one token add to another.
        least: what they add is taken to be at least as long.
    """
    singular = np.linalg.svd(added, compute_uv=False)  # (P, 3)
    return singular[:, 1] / np.maximum(singular[:, 0], least)


def is_in_one_direction(
    added: Array, bound: float, least: float, min_growth: float = 1.15, min_length: float = 0.3
) -> bool:
    """Whether copies add more and more, and enough pairs tell that it is the same up to a factor.

    Where weights are all but 0 and 1, copies change nothing, or from next to nothing, and tell nothing.

    Args:
        added, least: as of ``second_direction``.
        bound: of the second direction.
        min_growth: from the fewest copies to the most: where it is less, copies tell nothing.
        min_length: shorter sums do not show that an MLP is not linear; right code adds 3 to 10.
    """
    fewest, most = (np.linalg.norm(added[:, n], axis=1) for n in (0, -1))
    telling = (most > min_growth * fewest) & (most > min_length)
    return bool(telling.sum() > len(added) / 5 and second_direction(added, least)[telling].max() < bound)
