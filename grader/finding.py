"""Where assignments are found: by an installed name, or in a folder.

An installed name is that of a folder in ``grader/assignments/``, or of an entry point in the group
``grader.assignments`` whose value is "module:ASSIGNMENT". Which assignment is meant where none is named stands in
``settings.toml``.
"""

import hashlib
import importlib
import importlib.metadata
import pkgutil
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType

from grader import shipped
from grader.assignment import Assignment
from grader.errors import GraderError
from grader.firewall import words
from grader.mistakes import mistakes
from grader.sentences import did_you_mean

FILE = "assignment.py"  # of a folder with an assignment
SHIPPED_ASSIGNMENTS = shipped.PACKAGE / "assignments"
SETTINGS = shipped.PACKAGE / "settings.toml"


def names() -> dict[str, str]:
    """The installed assignments: by name, "module" or "module:object"."""
    others = {each.name: each.value for each in importlib.metadata.entry_points(group="grader.assignments")}
    own = {
        path.parent.name: f"grader.assignments.{path.parent.name}.assignment"
        for path in sorted(SHIPPED_ASSIGNMENTS.glob(f"*/{FILE}"))
    }
    return others | own


def default_name() -> str:
    """The name of the assignment that is meant where none is named."""
    name: str = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))["default_assignment"]
    return name


@cache
def default() -> Assignment:
    """The assignment that is meant where none is named."""
    return find(default_name())


def find(text: str) -> Assignment:
    """Find an assignment; the default where the text is empty.

    Args:
        text: an installed name, a folder with ``assignment.py``, or that file.

    Raises:
        GraderError: there is none, or it cannot be imported.
    """
    if not text:
        return default()
    installed = names()
    if text in installed:
        module, _, name = installed[text].partition(":")
        found = _imported(module, text)
        if not name:
            return _only(found, text)
        try:
            assignment = pkgutil.resolve_name(f"{module}:{name}")
        except AttributeError as error:
            raise GraderError(f"{text}: {installed[text]}: {error}") from None
        if not isinstance(assignment, Assignment):
            raise GraderError(f"{text}: {installed[text]}: expected an Assignment, got {type(assignment).__name__}")
        return _checked(assignment, text)
    if Path(text).exists():
        return load(Path(text))
    meant = did_you_mean(text, installed, f"; installed are {', '.join(sorted(installed))}")
    raise GraderError(f"{text}: expected a folder with {FILE}, or an installed assignment{meant}")


def of_folder(folder: Path) -> str:
    """What pytest's settings in a folder name as its assignment, as ``find`` takes it; empty where they name none."""
    try:
        settings = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        named = str(settings["tool"]["pytest"]["ini_options"]["assignment"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(folder / named) if named and (folder / named).is_dir() else named


def load(path: Path) -> Assignment:
    """Import an assignment from its folder, or from the file in it. Its modules may import each other as ``from . import``.

    Raises:
        GraderError: there is none.
    """
    file = (path / FILE if path.is_dir() else path).resolve()
    if not file.is_file() or file.suffix != ".py":
        raise GraderError(f"{path}: expected a folder with {FILE}, or that file")
    folder = file.parent
    if is_shipped(folder):
        return find(folder.name)
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    package = f"assignment_{re.sub(r'[^0-9A-Za-z]', '_', folder.name)}_{digest}"
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]  # as it was when it was loaded before
    importlib.invalidate_caches()
    sys.modules[package] = ModuleType(package)
    sys.modules[package].__path__ = [str(folder)]
    return _only(_imported(f"{package}.{file.stem}", str(path)), str(path))


def is_shipped(folder: Path) -> bool:
    """Whether the folder of an assignment is one of the grader's own."""
    return folder.parent == SHIPPED_ASSIGNMENTS


def source_of(assignment: Assignment) -> str:
    """What ``find`` finds an assignment by: its installed name, or its folder."""
    if is_shipped(assignment.folder):
        return assignment.folder.name
    if assignment.name in names() and find(assignment.name).folder == assignment.folder:
        return assignment.name
    return str(assignment.folder)


def _imported(module: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise GraderError(f"{where}: the assignment cannot be imported: {words(error)}") from error


def _only(module: ModuleType, where: str) -> Assignment:
    """The assignment that a module defines, whatever it calls it."""
    found = {id(each): each for each in vars(module).values() if isinstance(each, Assignment)}
    if len(found) != 1:
        raise GraderError(f"{where}: expected it to define one grader.assignment.Assignment, found {len(found)}")
    return _checked(next(iter(found.values())), where)


def _checked(assignment: Assignment, where: str) -> Assignment:
    """An assignment that its author has made no mistake in that can be told here."""
    for mistake in mistakes(assignment):
        raise GraderError(f"{where}: {mistake}")
    return assignment
