"""The scratch folder of a worker that has no root of its own: made for it, and removed whatever it holds."""

import itertools
import os
import stat
from collections.abc import Iterator


def make(path: str, uid: int | None) -> None:
    """Make the folder, for its owner alone."""
    os.mkdir(path, 0o700)
    if uid is not None:
        os.chown(path, uid, uid)


def remove(path: str) -> None:
    """Remove a folder of any depth, whose owner may have closed parts of it; no link is followed.

    Every folder is moved to a heap beside before it is looked into, so that no path grows long.
    """
    heap, numbers = f"{path}~", itertools.count()
    if not os.path.lexists(path):
        return
    os.mkdir(heap)
    waiting = [_moved(path, heap, numbers)]
    while waiting:
        folder = waiting.pop()
        for name in os.listdir(folder):
            entry = f"{folder}/{name}"
            if stat.S_ISDIR(os.lstat(entry).st_mode):
                waiting.append(_moved(entry, heap, numbers))
            else:
                os.unlink(entry)
        os.rmdir(folder)
    os.rmdir(heap)


def _moved(folder: str, heap: str, numbers: Iterator[int]) -> str:
    target = f"{heap}/{next(numbers)}"
    os.chmod(folder, stat.S_IRWXU)
    os.rename(folder, target)
    return target
