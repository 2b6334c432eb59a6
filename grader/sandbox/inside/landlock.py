"""Landlock: which files may be read and written, whatever the file modes say (landlock.io, kernel 5.13 and up)."""

import os
import struct
from collections.abc import Iterable

from grader.sandbox.inside import kernel

READ_FILE, READ_DIR = 1 << 2, 1 << 3
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
WRITE_DIR = (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 12) | (1 << 13)  # remove, make, link, rename
FILE_RIGHTS = READ_FILE | WRITE_FILE | TRUNCATE
ALL_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
TCP_BIND_AND_CONNECT = 0b11
SIGNALS_AND_ABSTRACT_SOCKETS = 0b11
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1


def version() -> int:
    """The kernel's Landlock version, 0 where there is none."""
    try:
        return kernel.call("landlock_create_ruleset", None, 0, CREATE_RULESET_VERSION)
    except OSError:
        return 0


def restrict(read: Iterable[str], write: Iterable[str], listed: Iterable[str] = ()) -> None:
    """Leave this thread, for good, no files but those below ``read`` and ``write``; no TCP, no program to execute.

    Args:
        read: files and folders to read.
        write: to read and write.
        listed: folders whose names, and those of all folders below, may be seen.

    Raises:
        OSError: Landlock is missing, or refused. Nothing is restricted then.
    """
    number = version()
    rights = ALL_FILE_RIGHTS.get(number, ALL_FILE_RIGHTS[5]) if number else 0
    attributes = struct.pack(
        "=QQQ",
        rights,
        TCP_BIND_AND_CONNECT if number >= 4 else 0,
        SIGNALS_AND_ABSTRACT_SOCKETS if number >= 6 else 0,
    )
    size = 24 if number >= 6 else 16 if number >= 4 else 8
    rules = kernel.call("landlock_create_ruleset", attributes[:size], size, 0)
    for path in listed:
        _allow(rules, path, READ_DIR & rights)
    for path in read:
        _allow(rules, path, (READ_FILE | READ_DIR) & rights)
    for path in write:
        _allow(rules, path, (READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | WRITE_DIR) & rights)
    kernel.call("landlock_restrict_self", rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:  # a system without this file
        return
    if not os.path.isdir(path):
        rights &= FILE_RIGHTS
    kernel.call("landlock_add_rule", rules, RULE_PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    os.close(place)
