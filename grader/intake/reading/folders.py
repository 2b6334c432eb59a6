"""Folders, notebook files and loose files as lists of members; symbolic links are never followed."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .limits import IntakeLimits
from .members import Member, is_ignored, is_kept, safe_name
from .refusal import RefusalError


def flags(*names: str) -> int:
    """Those flags of os.open that this system has, and O_BINARY, which Windows needs for a file to stay as it is."""
    return sum(getattr(os, name, 0) for name in (*names, "O_BINARY"))


def open_regular(path: Path) -> IO[bytes]:
    """Open a file, and refuse a link, pipe or device that was put there in the meantime."""
    handle = os.open(path, flags("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RefusalError(f"file {path.name!r} is no regular file")
    return os.fdopen(handle, "rb")


def loose_member(name: str, path: Path, limits: IntakeLimits) -> Member:
    return Member(safe_name(in_unicode(name), limits), path.stat().st_size, lambda: open_regular(path))


def in_unicode(name: str) -> str:
    """A file's name, read as Windows of Western Europe wrote it where it is no UTF-8, as old programs unpack it."""
    raw = name.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def folder_members(folder: Path, limits: IntakeLimits) -> tuple[list[Member], list[str]]:
    """List a folder's regular files, and say in words what was passed over."""
    members, problems = [], []
    for path in walk(folder, limits.depth):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            problems.append(f"{name!r}: a link, pipe or device; left out")
            continue
        try:
            members.append(loose_member(name, path, limits))
        except (RefusalError, OSError) as error:
            problems.append(f"{name!r}: {error}; left out")
    return members, problems


def walk(folder: Path, depth: int) -> Iterator[Path]:
    """Yield what lies in a folder and its sub-folders, sorted, ignored names passed over."""
    pending, visited = [(folder, 0)], 0
    max_visited = 200_000  # entries of a folder looked at before giving up
    while pending:
        current, level = pending.pop()
        for path in sorted(current.iterdir()):
            visited += 1
            if visited > max_visited:
                raise RefusalError(f"has more than {max_visited} files")
            if is_ignored(path.name):
                continue
            if path.is_dir() and not path.is_symlink():
                if level < depth:
                    pending.append((path, level + 1))
            else:
                yield path


def neighbours(file: Path, limits: IntakeLimits) -> list[Member]:
    """List a notebook, the .py and checkpoint files beside it, the texts that it names, and the packages that it imports."""
    members = [loose_member(file.name, file, limits)]
    beside = [p for p in sorted(file.parent.iterdir()) if p != file and p.is_file() and not p.is_symlink()]
    own_text = file.read_bytes() if file.stat().st_size <= limits.notebook else b""
    for path in beside:
        member = loose_member(path.name, path, limits)
        if path.suffix in (".py", ".pt", ".pth") or (is_kept(member, limits) and path.name.encode() in own_text):
            members += [] if is_ignored(path.name) else [member]
    return within_size(members, limits) + imported_packages(file.parent, members, limits)


def within_size(members: list[Member], limits: IntakeLimits) -> list[Member]:
    """Leave out the largest strangers beside a notebook when all together are too much."""
    first, rest = members[:1], sorted(members[1:], key=lambda member: (member.size, member.name))
    while rest and (len(rest) >= limits.members or sum(m.size for m in first + rest) > limits.unpacked):
        rest.pop()
    return first + rest


def imported_packages(folder: Path, members: list[Member], limits: IntakeLimits) -> list[Member]:
    """List the .py files of sub-folders whose name the text of the members imports."""
    packages = [p for p in sorted(folder.iterdir()) if p.is_dir() and p.name.isidentifier() and not p.is_symlink()]
    found: list[Member] = []
    pending = [m for m in members if m.name.endswith((".ipynb", ".py")) and m.size <= limits.notebook]
    while pending and packages:
        with pending.pop().open() as file:
            text = file.read(limits.notebook)
        for package in [p for p in packages if imports(text, p.name)]:
            packages.remove(package)
            inside = [m for m in folder_members(package, limits)[0] if m.name.endswith(".py")]
            renamed = [Member(f"{package.name}/{m.name}", m.size, m.open) for m in inside]
            found += renamed
            pending += renamed
    return found[: limits.members]


def imports(text: bytes, package: str) -> bool:
    return re.search(rb"(?:from|import)\s+\.?" + package.encode() + rb"\b", text) is not None
