"""The pixels and labels of a data set that looks like FashionMNIST, drawn from a seed.

The trusted side draws the labels again, to know which items are the first of each class. Only NumPy is needed.
"""

import numpy as np

from grader.assignments.vit.inside.constants import GRID

CLASSES = 10


def labels(seed: int, per_class: int) -> np.ndarray:
    """(10 * per_class,) the labels, in random order."""
    return _labels(np.random.default_rng(seed), per_class)


def _labels(rng: np.random.Generator, per_class: int) -> np.ndarray:
    return rng.permutation(np.arange(CLASSES * per_class) % CLASSES)


def images_and_labels(seed: int, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Images whose classes overlap widely, so that easy and hard triplets are met.

    Returns:
        images: (n, 28, 28) uint8.
        labels: (n,).
    """
    rng = np.random.default_rng(seed)
    of = _labels(rng, per_class)
    kinds, own = rng.integers(0, 256, (CLASSES, GRID, GRID)), rng.integers(0, 256, (len(of), GRID, GRID))
    pixels = (0.4 * kinds[of] + 0.6 * own).astype(np.uint8)
    return pixels.repeat(4, axis=1).repeat(4, axis=2), of
