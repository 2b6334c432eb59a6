"""Landlock: which files may be read and written, whatever the file modes say (landlock.io, kernel 5.13 and up)."""

import os
import struct
from collections.abc import Iterable

from grader.sandbox.inside import kernel

READ_FILE, READ_DIR = 1 << 2, 1 << 3
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14


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
        "=QQQ",
        rights,
        tcp_bind_and_connect if number >= 4 else 0,
        signals_and_abstract_sockets if number >= 6 else 0,
    )
    size = 24 if number >= 6 else 16 if number >= 4 else 8
    rules = kernel.call("landlock_create_ruleset", attributes[:size], size, 0)
    for path in listed:
        _allow(rules, path, READ_DIR & rights)
    for path in read:
        _allow(rules, path, (READ_FILE | READ_DIR) & rights)
    write_dir = (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 12) | (1 << 13)  # remove, make, link, rename
    for path in write:
        _allow(rules, path, (READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | write_dir) & rights)
    kernel.call("landlock_restrict_self", rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:  # a system without this file
        return
    file_rights = READ_FILE | WRITE_FILE | TRUNCATE
    if not os.path.isdir(path):
        rights &= file_rights
    rule_path_beneath = 1
    kernel.call("landlock_add_rule", rules, rule_path_beneath, struct.pack("=Qi", rights, place), 0)
    os.close(place)
