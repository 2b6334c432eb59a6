"""Arrays that every worker may read and none can change: the images of the data set."""

import numpy as np


def open_arrays(paths: dict[str, str]) -> dict[str, np.ndarray]:
    """Map .npy files read-only, so that forks share their pages."""
    return {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
