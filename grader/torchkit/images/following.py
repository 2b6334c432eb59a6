"""Whether what comes out of a transform has to do with the image that was put in.

Many images are drawn for each grade, of other mean gray levels and with other coarse patterns. Whatever a transform
does, the brighter images stay the brighter ones (or become the darker ones, or the extreme ones), or the patterns
can be found again. Which outputs go with which images is compared with pairing them at random: answers that were
recorded in another grade do not go with the images of this one any better than that.

Shapes: K drawn images, each of CELLS by CELLS cells.
"""

import numpy as np

from grader.torchkit.images.affine import SYMMETRIES
from grader.torchkit.images.calibration import CELL, CELLS
from grader.torchkit.images.observed import ObservedTransform

Array = np.ndarray
# In standard deviations of random pairings: recorded answers come to 5 once in 500,000 grades, right transforms to 9
# and more (tests/torchkit/images/test_following.py).
MIN_CLEARNESS = 5.0
SYMMETRIC_ORDERS = np.stack(
    [symmetry(np.arange(CELLS * CELLS).reshape(CELLS, CELLS)).ravel() for symmetry in SYMMETRIES]
)


def follows(transform: ObservedTransform) -> bool | None:
    """Whether the outputs for the drawn images depend on those; None where some outputs are no images."""
    if transform.did.drawn is None:
        return None
    got = np.nan_to_num(transform.did.drawn.astype(np.float64), posinf=0, neginf=0)
    return clearness(_cell_means(transform.asked["drawn"]), got) >= MIN_CLEARNESS


def gives_images(transform: ObservedTransform) -> bool:
    """Whether all calls gave tensors or arrays that can be images."""
    kinds = transform.did.kinds
    image = [k.dtype in ("float32", "uint8") and len(k.shape) in (2, 3) and min(k.shape) > 0 for k in kinds]
    return transform.did.failures is None and all(image)


def clearness(given: Array, got: Array) -> float:
    """How much better outputs go with their own images than with others, in standard deviations.

    Args:
        given: (K, CELLS, CELLS) the mean values of the images' cells.
        got: the same of the outputs.
    """
    return max(_standing(_likeness(a, b)) for a, b in _features(given, got)) if np.ptp(got) else 0.0


def _features(given: Array, got: Array) -> list[tuple[Array, Array]]:
    """Pairs of features of images and of outputs, (K, symmetries, features) and (K, features)."""
    level, out = given.mean((1, 2)), got.mean((1, 2))
    patterns = given.reshape(len(given), -1)[:, SYMMETRIC_ORDERS]
    patterns = _unit(patterns - patterns.mean(2, keepdims=True))
    found = got.reshape(len(got), -1)
    found = _unit(found - found.mean(1, keepdims=True))
    pairs = ((level, out), (np.abs(level - np.median(level)), np.abs(out - np.median(out))))
    return [(patterns, found), *((_scaled(a)[:, None, None], _scaled(b)[:, None]) for a, b in pairs)]


def _likeness(given: Array, got: Array) -> Array:
    """(K, K) how like each image is to each output, in the symmetry that suits best."""
    count, symmetries, features = given.shape
    products = (given.reshape(-1, features) @ got.T).reshape(count, symmetries, count)
    return np.abs(products).max(axis=1) if symmetries > 1 else products[:, 0]


def _standing(likeness: Array) -> float:
    """Of the pairing of each output with its own image among all pairings, whose mean and spread are known exactly.

    Hoeffding 1951, "A combinatorial central limit theorem".
    """
    count = len(likeness)
    centred = likeness - likeness.mean(0) - likeness.mean(1, keepdims=True) + likeness.mean()
    spread = np.sqrt((centred**2).sum() / (count - 1))
    return float(abs(np.trace(likeness) - count * likeness.mean()) / max(spread, 1e-12))


def _cell_means(drawn: Array) -> Array:
    """(K, CELLS, CELLS) of (K, 28, 28) images."""
    return drawn.reshape(len(drawn), CELLS, CELL, CELLS, CELL).mean((2, 4))


def _scaled(values: Array) -> Array:
    return (values - values.mean()) / max(float(values.std()), 1e-12)


def _unit(values: Array) -> Array:
    return values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-12)
