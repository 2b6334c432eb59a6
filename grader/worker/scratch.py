"""The scratch folder of a worker that has no root of its own: made for it, and removed whatever it holds."""

import contextlib
import os
import stat


def make(path: str, uid: int | None) -> None:
    """Make the folder, for its owner alone."""
    os.mkdir(path, 0o700)
    if uid is not None:
        os.chown(path, uid, uid)


def remove(path: str) -> None:
    """Remove a folder of any depth, whose owner may have closed parts of it; no link is followed.

    Folders are moved up to the top before they are looked into, so that no path grows long.
    """
    number, waiting = 0, [path]
    while waiting:
        folder = waiting.pop()
        with contextlib.suppress(OSError):
            os.chmod(folder, stat.S_IRWXU)
        for name in _names(folder):
            entry = f"{folder}/{name}"
            if not stat.S_ISDIR(os.lstat(entry).st_mode):
                os.unlink(entry)
            elif folder == path:
                waiting.append(entry)
            else:
                number += 1
                waiting.append(f"{path}/{number}~")
                os.chmod(entry, stat.S_IRWXU)
                os.rename(entry, waiting[-1])
        if folder != path:
            os.rmdir(folder)
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(path)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
