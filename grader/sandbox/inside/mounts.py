"""A root of its own: a small tmpfs that shows libraries and a submission's files, read-only, and a scratch."""

import os
from collections.abc import Iterable

from grader.sandbox.inside import kernel

DEVICES = ("/dev/null", "/dev/urandom", "/dev/random")


def new_root(place: str, read: Iterable[str], scratch: str, size: int, files: int, uid: int) -> None:
    """Build a root and change into it; the caller is in a mount namespace of its own.

    Args:
        place: an empty folder to mount the root on.
        read: files and folders to show under their own names, with everything mounted below them.
        scratch: a folder to show as an empty tmpfs that ``uid`` may write to.
        size: bytes that fit in the scratch.
        files: how many files fit in it.
        uid: the scratch's owner.
    """
    kernel.mount("none", "/", None, kernel.Mount.REC | kernel.Mount.PRIVATE)
    kernel.mount("tmpfs", place, "tmpfs", kernel.Mount.NOSUID | kernel.Mount.NODEV, "size=1m,nr_inodes=4000,mode=755")
    for path in (*DEVICES, scratch):
        _within(place, path)  # while it can still be made
    for path in read:
        _show(place, path)
    kernel.make_read_only(place)
    for path in DEVICES:
        kernel.mount(path, place + path, None, kernel.Mount.BIND)
        kernel.make_read_only(place + path, devices=True)
    flags = kernel.Mount.NOSUID | kernel.Mount.NODEV | kernel.Mount.NOEXEC
    options = f"size={size},nr_inodes={files},mode=700,uid={uid}"
    kernel.mount("tmpfs", place + scratch, "tmpfs", flags, options)
    kernel.change_root(place)


def _show(place: str, path: str) -> None:
    if os.path.islink(path):  # /lib -> usr/lib; what it leads to is shown as well
        _folders(place + os.path.dirname(path))
        os.symlink(os.path.realpath(path), place + path)
    elif os.path.exists(path):
        kernel.mount(path, _within(place, path), None, kernel.Mount.BIND | kernel.Mount.REC)


def _within(place: str, path: str) -> str:
    """Make the place that a path will be shown at."""
    target = place + path
    if os.path.isdir(path):
        _folders(target)
    elif not os.path.exists(target):
        _folders(os.path.dirname(target))
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    return target


def _folders(path: str) -> None:
    os.makedirs(path, mode=0o755, exist_ok=True)
