"""Which modules of this package a part of it imports, read from their source."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader import shipped

ROOT = shipped.PACKAGE.parent


def modules(entries: Iterable[str], root: Path = ROOT) -> set[Path]:
    """The files of all modules that the entries import, at whatever depth.

    Args:
        entries: dotted names; one that names a package and ends in ".*" stands for all that lies in it.
        root: the folder that holds the package.
    """
    found: set[Path] = set()
    waiting = [name for entry in entries for name in _expanded(entry, root)]
    while waiting:
        name = waiting.pop()
        for path in _files(name, root):
            if path not in found:
                found.add(path)
                waiting += imported(path)
    return found


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, at the top or in a function; a name from a package may be a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _expanded(entry: str, root: Path) -> list[str]:
    if not entry.endswith(".*"):
        return [entry]
    folder = root.joinpath(*entry.removesuffix(".*").split("."))
    return [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(folder.rglob("*.py"))]


def _files(name: str, root: Path) -> Iterator[Path]:
    """The file of a module, and those of the packages around it."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:depth])
        yield from (path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file())
