"""Arrays that every worker may read and none can change: the images of the data set."""

import numpy as np

ARRAYS: dict[str, np.ndarray] = {}  # what was opened, by name


def open_arrays(paths: dict[str, str]) -> dict[str, np.ndarray]:
    """Map .npy files read-only, so that forks share their pages.

    The files are opened for reading only, so that no worker can make its mapping of them writable.
    """
    ARRAYS.update({name: np.load(path, mmap_mode="r", allow_pickle=False) for name, path in paths.items()})
    return ARRAYS
