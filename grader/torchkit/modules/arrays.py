"""Whether arrays agree up to the noise of float32 arithmetic."""

import numpy as np

Array = np.ndarray
TOLERANCE = 1e-3


def same(a: Array, b: Array, tolerance: float = TOLERANCE) -> bool:
    """Whether arrays agree up to float32 noise, relative to their size."""
    return bool(
        a.shape == b.shape and np.abs(a - b).max(initial=0.0) <= tolerance * max(1.0, np.abs(b).max(initial=0.0))
    )


def changed(a: Array, b: Array, axis: tuple[int, ...], tolerance: float = 1e-4) -> Array:
    """Where arrays differ by more than noise: True along the axes that are not reduced."""
    return np.abs(a - b).max(axis=axis) > tolerance * max(1.0, float(np.abs(b).max()))
