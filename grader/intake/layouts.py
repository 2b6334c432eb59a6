"""The names that Canvas and Moodle give to what they collect, and trees of names to look for them in."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader import patterns
from grader.intake.reading.members import ARCHIVES, is_ignored

_CANVAS = patterns.compile(r"(?P<who>.+?)(?P<late>_LATE)?_(?P<id>\d+)_(?P<attempt>\d+)_(?P<original>.+)$", dot_all=True)
# Students name their files, and no more: what the system wrote is the first that fits in the name of a file, and the
# last in that of a folder, where nothing comes after it.
_OF_MOODLE = r"_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)_?"
_MOODLE_FILE = patterns.compile(rf"(?P<who>.+?){_OF_MOODLE}(?P<original>.*)$", dot_all=True)
_MOODLE_FOLDER = patterns.compile(rf"(?P<who>.+){_OF_MOODLE}(?P<original>)$", dot_all=True)
NOTEBOOKS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # the latter as browsers save them

Tree = dict[str, "Tree | None"]  # a folder: its files are None
Named = list[tuple[str, patterns.Match]]  # names, and what a pattern found in them


def moodle_name(name: str, folder: bool) -> patterns.Match | None:
    """The parts of a name that Moodle gave: who, id, kind, original; None where it gave none.

    Args:
        folder: it is a folder's, not a file's.
    """
    return (_MOODLE_FOLDER.match(name) if folder else None) or _MOODLE_FILE.match(name)


def canvas_name(name: str) -> patterns.Match | None:
    """The parts of a file's name that Canvas gave: who, late, id, attempt, original; None where it gave none."""
    return _CANVAS.match(name)


def names_given(tree: Tree) -> tuple[Named, Named]:
    """The names in a folder that Moodle gave, and those that Canvas gave.

    A student may give a file a name that looks as if the other system had given it: what fits both is of the system of
    the others, and of the one whose number comes first where there are none.
    """
    moodle = {name: match for name in sorted(tree) if (match := moodle_name(name, tree[name] is not None))}
    canvas = {name: match for name in sorted(tree) if tree[name] is None and (match := canvas_name(name))}
    lead = len(moodle.keys() - canvas.keys()) - len(canvas.keys() - moodle.keys())
    for name in moodle.keys() & canvas.keys():
        by_moodle = lead > 0 or (lead == 0 and len(moodle[name]["who"]) < len(canvas[name]["who"]))
        del (canvas if by_moodle else moodle)[name]
    return list(moodle.items()), list(canvas.items())


def tree_of_names(names: Iterable[str]) -> Tree:
    """Arrange the members of an archive in folders."""
    top: Tree = {}
    for name in names:
        if is_ignored(name):
            continue
        folder = top
        *folders, file = PurePosixPath(name).parts
        for part in folders:
            inner = folder.setdefault(part, {})
            if inner is None:
                break
            folder = inner
        else:
            folder.setdefault(file, None)
    return top


def tree_of_folder(path: Path, depth: int = 5) -> Tree:
    """Arrange a folder's files likewise; links are not followed."""
    tree: Tree = {}
    for inner in _inside(path):
        if inner.is_symlink():
            continue
        if inner.is_dir():
            tree[inner.name] = tree_of_folder(inner, depth - 1) if depth else {}
        elif inner.is_file():
            tree[inner.name] = None
    return tree


def trees_of_links(path: Path) -> dict[str, Tree]:
    """Arrange likewise, by name, the folders that a folder has links to."""
    return {link.name: tree_of_folder(link) for link in _inside(path) if link.is_symlink() and link.is_dir()}


def _inside(path: Path) -> list[Path]:
    """What lies in a folder and is not passed over; nothing of one that cannot be read."""
    found = sorted(path.iterdir()) if os.access(path, os.R_OK | os.X_OK) else []
    return [inner for inner in found if not is_ignored(inner.name)]


@dataclass(frozen=True)
class Contents:
    """What lies at the top of a folder, by kind."""

    notebooks: list[str]
    modules: list[str]
    checkpoints: list[str]
    archives: list[str]
    folders: list[str]  # those that hold any file, data folders aside
    empty: list[str]  # the others


def contents(tree: Tree) -> Contents:
    files = [name for name, inner in tree.items() if inner is None]
    folders = sorted(
        n for n, inner in tree.items() if inner is not None and n.lower() not in {"data", "datasets", "grades"}
    )
    filled = [name for name in folders if any(True for _ in files_in(tree[name] or {}))]
    return Contents(
        notebooks=ending(files, *NOTEBOOKS),
        modules=ending(files, ".py"),
        checkpoints=ending(files, ".pt", ".pth"),
        archives=ending(files, *ARCHIVES, ".rar", ".7z"),
        folders=filled,
        empty=[name for name in folders if name not in filled],
    )


def ending(names: Iterable[str], *suffixes: str) -> list[str]:
    return sorted(name for name in names if name.lower().endswith(suffixes))


def files_in(tree: Tree) -> Iterator[str]:
    """Yield the names of all files, folders left out."""
    for name, inner in tree.items():
        if inner is None:
            yield name
        else:
            yield from files_in(inner)


def holds_notebook(tree: Tree | None) -> bool:
    return bool(ending(files_in(tree or {}), *NOTEBOOKS))


def holds_code(tree: Tree | None) -> bool:
    """Whether a folder holds a notebook, a module or an archive, however deep."""
    return bool(ending(files_in(tree or {}), *NOTEBOOKS, ".py", *ARCHIVES))
