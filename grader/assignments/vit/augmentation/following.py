"""Whether what comes out of a transform has to do with the image that was put in.

Many images are drawn for each grade, of other mean gray levels and with other coarse patterns. Whatever a transform
does, the brighter images stay the brighter ones (or become the darker ones, or the extreme ones), or the patterns
can be found again. Which outputs go with which images is compared with pairing them at random: answers that were
recorded in another grade do not go with the images of this one any better than that.
"""

import numpy as np

from grader.assignments.vit.augmentation.motion import SYMMETRIES
from grader.assignments.vit.augmentation.probes import CELL, CELLS, COUNT
from grader.assignments.vit.augmentation.reading import Facts, Kind
from grader.judging import Fail, Malformed, dig

Array = np.ndarray
# In standard deviations of random pairings: recorded answers come to 5 once in 500,000 grades, right transforms to 9
# and more (tests/assignments/vit/test_following.py).
CLEAR = 5.0
ORDERS = np.stack([symmetry(np.arange(CELLS * CELLS).reshape(CELLS, CELLS)).ravel() for symmetry in SYMMETRIES])


def expect_following(facts: Facts, name: str) -> None:
    """Fail where the outputs for the drawn images have nothing to do with them."""
    given, got = _cells(facts.args["drawn"]), dig(facts.value, "drawn")
    if got is None and (facts.failures or not all(_is_image(kind) for kind in facts.kinds)):
        return  # another check says what comes instead of images
    if got is None:
        raise Malformed
    if clearness(given, np.nan_to_num(got.astype(np.float64), posinf=0, neginf=0)) < CLEAR:
        raise Fail(
            f"what {name} gives does not depend on the image that it is given",
            "Is the result computed from the image, in each step, and is that result returned?",
        )


def _is_image(kind: Kind) -> bool:
    return kind.dtype in ("float32", "uint8") and len(kind.shape) in (2, 3) and min(kind.shape) > 0


def clearness(given: Array, got: Array) -> float:
    """How much better outputs go with their own images than with others, in standard deviations."""
    return max(_standing(_likeness(a, b)) for a, b in _views(given, got)) if np.ptp(got) else 0.0


def _views(given: Array, got: Array) -> list[tuple[Array, Array]]:
    """Pairs of features of images and of outputs, (COUNT, symmetries, features) and (COUNT, features)."""
    level, out = given.mean((1, 2)), got.mean((1, 2))
    patterns = given.reshape(len(given), -1)[:, ORDERS]
    patterns = _unit(patterns - patterns.mean(2, keepdims=True))
    found = got.reshape(len(got), -1)
    found = _unit(found - found.mean(1, keepdims=True))
    pairs = ((level, out), (np.abs(level - np.median(level)), np.abs(out - np.median(out))))
    return [(patterns, found), *((_scaled(a)[:, None, None], _scaled(b)[:, None]) for a, b in pairs)]


def _likeness(given: Array, got: Array) -> Array:
    """(COUNT, COUNT) how like each image is to each output, in the symmetry that suits best."""
    count, symmetries, features = given.shape
    products = (given.reshape(-1, features) @ got.T).reshape(count, symmetries, count)
    return np.abs(products).max(axis=1) if symmetries > 1 else products[:, 0]


def _standing(likeness: Array) -> float:
    """Of the pairing of each output with its own image among all pairings, whose mean and spread are known exactly.

    Hoeffding 1951, "A combinatorial central limit theorem".
    """
    count = len(likeness)
    apart = likeness - likeness.mean(0) - likeness.mean(1, keepdims=True) + likeness.mean()
    spread = np.sqrt((apart**2).sum() / (count - 1))
    return float(abs(np.trace(likeness) - count * likeness.mean()) / max(spread, 1e-12))


def _cells(drawn: Array) -> Array:
    return drawn.reshape(COUNT, CELLS, CELL, CELLS, CELL).mean((2, 4))


def _scaled(values: Array) -> Array:
    return (values - values.mean()) / max(float(values.std()), 1e-12)


def _unit(values: Array) -> Array:
    return values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-12)
