"""What a module of this package rests on: itself and all that it imports, read from the sources."""

import ast
import hashlib
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from grader import syntax

CODE = Path(__file__).resolve().parent.parent


@cache
def digest(*modules: str) -> str:
    """Another one whenever the source of one of the modules, or of what they import, is another, or Python is."""
    found = hashlib.sha256(platform.python_version().encode())
    for path in sorted(closure(modules)):
        found.update(f"{path.relative_to(CODE)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def closure(modules: Iterable[str]) -> frozenset[Path]:
    """The files of modules and of all of this package that they import, directly or not.

    Of a package that an imported module lies in, ``__init__.py`` itself is one of them, but not what that imports.
    """
    found: set[Path] = set()
    todo = [path for name in modules for path in _files(name)]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imported(path)
    packages = {parent / "__init__.py" for path in found for parent in path.parents if parent.is_relative_to(CODE)}
    return frozenset(found | {path for path in packages if path.is_file()})


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    """The files that one imports, anywhere in it."""
    package = (CODE.name, *path.relative_to(CODE).parts[:-1])
    names = [name for node in ast.walk(syntax.parse(path.read_bytes())) for name in _named(node, package)]
    return tuple(found for name in names for found in _files(name))


def _named(node: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    """The modules that a statement may import: of ``from a import b``, b may be one or a name in a."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) + 1 - node.level] if node.level else ()
        source = ".".join([*above, *([node.module] if node.module else [])])
        yield source
        yield from (f"{source}.{alias.name}" for alias in node.names)


def _files(name: str) -> list[Path]:
    """The file of a module of this package; none of another name."""
    first, *rest = name.split(".")
    base = CODE.joinpath(*rest)
    candidates = (base / "__init__.py", base.with_suffix(".py")) if first == CODE.name else ()
    return [path for path in candidates if path.is_file()]
