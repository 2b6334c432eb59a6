"""Landlock: which files may be read and written, whatever the file modes say (landlock.io, kernel 5.13 and up)."""

import enum
import os
import struct
from collections.abc import Iterable

from grader.sandbox.inside import kernel


class Right(enum.IntFlag):
    """What a rule may allow, without its ``LANDLOCK_ACCESS_FS_``; WRITE_DIR: to remove, make, link and rename."""

    WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
    WRITE_DIR = (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 12) | (1 << 13)


def version() -> int:
    """The kernel's Landlock version, 0 where there is none."""
    create_ruleset_version = 1
    try:
        return kernel.call("landlock_create_ruleset", None, 0, create_ruleset_version)
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
    all_file_rights = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
    rights = all_file_rights.get(number, all_file_rights[5]) if number else 0
    tcp_bind_and_connect = 0b11
    signals_and_abstract_sockets = 0b11
    attributes = struct.pack(
        "=QQQ", rights, tcp_bind_and_connect if number >= 4 else 0, signals_and_abstract_sockets if number >= 6 else 0
    )
    size = 24 if number >= 6 else 16 if number >= 4 else 8
    rules = kernel.call("landlock_create_ruleset", attributes[:size], size, 0)
    for path in listed:
        _allow(rules, path, Right.READ_DIR & rights)
    for path in read:
        _allow(rules, path, (Right.READ_FILE | Right.READ_DIR) & rights)
    for path in write:
        both = Right.READ_FILE | Right.READ_DIR | Right.WRITE_FILE | Right.TRUNCATE | Right.WRITE_DIR
        _allow(rules, path, both & rights)
    kernel.call("landlock_restrict_self", rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:  # a system without this file
        return
    if not os.path.isdir(path):
        rights &= Right.READ_FILE | Right.WRITE_FILE | Right.TRUNCATE
    rule_path_beneath = 1
    kernel.call("landlock_add_rule", rules, rule_path_beneath, struct.pack("=Qi", rights, place), 0)
    os.close(place)
