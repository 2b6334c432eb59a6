"""One submission or a class of them: whose files are whose, told from the names outside.

A Canvas or Moodle name at the top of a folder decides: that is a class, and what lies beside such names (a notebook or
an archive that came by mail, a folder with code) is one submission more, each. Where there is none:

========================================  ======================================================
at the top of the folder                  taken for
========================================  ======================================================
one notebook, whatever else               one submission (a zip beside it is the same again),
                                          unless there are two archives or sub-folders with
                                          notebooks or more, or two students' sub-folders with a
                                          module of the same name, and no .py and no checkpoint
several notebooks, no .py, no checkpoint  a class, one notebook each, and one archive each
several notebooks with .py or checkpoint  one submission; intake chooses the notebook
.py files, no notebook                    one submission, unless two sub-folders hold notebooks
archives only, two or more                a class, one each
one archive only                          what is in it
sub-folders only, two or more             a class, one each, unless only one of them holds a
                                          notebook and the others only code (``src``, ``notebooks``),
                                          of which no two hold a module of the same name
one sub-folder only                       what is in it, under the name of the outer folder; a
                                          class in it keeps its own names
========================================  ======================================================

So a class of one is taken for one submission, with the same grade. A sub-folder of a class that holds
no code, or nothing, is still somebody's: opening it says that it is no submission. ``data`` and ``grades`` are
nobody's. A student's key is never read from inside a file of theirs.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path

from grader import patterns
from grader.errors import GraderError, Rejected
from grader.intake.layouts import (
    Contents,
    Named,
    Tree,
    contents,
    ending,
    files_in,
    holds_code,
    holds_notebook,
    names_given,
    tree_of_folder,
    tree_of_names,
    trees_of_links,
)
from grader.intake.opening import ask, key_of, prepare
from grader.intake.reading.limits import CLASS_LIMITS
from grader.intake.reading.members import MAX_NAME_BYTES, is_archive, without_code

LINK = "expected a folder, found a link, which is not followed: put the folder itself there"
UNPACKED_NOTE = ".unpacked.json"  # beside the students' folders; hidden files of theirs are never unpacked


@dataclass(frozen=True)
class Found:
    """One submission, as yet unopened."""

    key: str  # the student, unique within the class
    path: Path  # to open; of loose files, the first
    late: bool | None = None  # None where the layout does not say
    attempt: str | None = None  # Canvas: the submission id
    id: str | None = None  # Canvas: the user id; Moodle: the participant number
    files: dict[str, Path] = field(default_factory=dict)  # original name -> file, for loose files
    refused: str = ""  # why it is rejected unopened: what the archive of the class holds of it is not safe


def find_submissions(path: Path, workspace: Path | None = None) -> list[Found]:
    """Tell whether a path holds one submission or a class, and list what is to be opened.

    Args:
        path: a notebook, an archive or a folder.
        workspace: an empty or new folder in which the archive of a whole class is unpacked.

    Raises:
        GraderError: there is nothing at ``path``, or a class in an archive has no workspace.
    """
    if not path.exists():
        raise GraderError(f"{path}: expected a submission, found no such file or folder")
    if path.is_dir():
        return found_in_folder(path)
    if not is_archive(path.name):
        return [single(path)]
    return found_in_archive(path, workspace)


def found_in_folder(path: Path) -> list[Found]:
    """Return the class in a folder; a student whose work is only linked to there is rejected, and so is said."""
    linked = {name: tree for name, tree in trees_of_links(path).items() if holds_notebook(tree)}
    found = found_in(path, {**tree_of_folder(path), **linked})
    links = {path / name for name in linked} if len(found) > 1 else set()
    return [replace(each, key=each.path.name, refused=LINK) if each.path in links else each for each in found]


def single(path: Path) -> Found:
    return Found(key_of(path), path)


def found_in_archive(path: Path, workspace: Path | None) -> list[Found]:
    try:
        listed = ask(path, CLASS_LIMITS, do="list")
    except Rejected:
        return [single(path)]  # opening it says what is wrong with it
    tree = tree_of_names([*listed["files"], *listed["refused"]])
    found = split(path, tree)
    owners = by_top_name(found, path)
    if not found or any(not owner_of(name, owners) for name in listed["refused"]):
        return [single(path)]
    if workspace is None:
        raise GraderError(f"{path}: expected one submission, found a class; unpack it into a folder first")
    prepare(workspace)
    refused = ask(path, CLASS_LIMITS, do="unpack", workspace=str(workspace.resolve()))
    remember(workspace, listed["files"], refused)
    return found_in_unpacked(workspace)


def by_top_name(found: list[Found], path: Path) -> dict[str, str]:
    """Return the key of a student by each file or folder of theirs in the archive at ``path``."""
    return {file.relative_to(path).as_posix(): each.key for each in found for file in (each.path, *each.files.values())}


def owner_of(name: str, owners: dict[str, str]) -> str:
    """Return the key of the student whose member of an archive it is; nobody's is one that leaves the archive: ""."""
    if name.startswith("/") or name.split("/")[0] == ".." or name[1:2] == ":":
        return ""
    folders = accumulate(name.split("/"), "{}/{}".format)
    return next((owners[folder] for folder in folders if folder in owners), "")


def remember(workspace: Path, files: list[str], refused: dict[str, str]) -> None:
    """Note what an archive held, for a folder that was unpacked once is looked into again and again."""
    text = json.dumps({"files": files, "refused": refused})
    (workspace / UNPACKED_NOTE).write_text(text, encoding="utf-8")


def found_in_unpacked(workspace: Path) -> list[Found]:
    """Return the class whose archive was unpacked into a folder; who had a member refused is rejected for it."""
    if not (workspace / UNPACKED_NOTE).is_file():  # unpacked by an older version
        return found_in(workspace, tree_of_folder(workspace))
    note = json.loads((workspace / UNPACKED_NOTE).read_text(encoding="utf-8"))
    found = split(workspace, tree_of_names([*note["files"], *note["refused"]]))
    owners, whys = by_top_name(found, workspace), dict[str, str]()
    for name, why in note["refused"].items():
        whys.setdefault(owner_of(name, owners), why)
    told = (replace(each, refused=whys.get(each.key) or nothing_there(each)) for each in found)
    return [with_short_names(each) if each.refused else each for each in told]


def nothing_there(found: Found) -> str:
    """Return why a submission is rejected unopened of which nothing was worth unpacking; else nothing."""
    return "" if is_there(found) else without_code(found.files)


def with_short_names(found: Found) -> Found:
    """Return a submission that is never opened with paths that a file system can be asked about: its own may be too long."""
    path = Path(*(part.encode()[:MAX_NAME_BYTES].decode(errors="ignore") for part in found.path.parts))
    files = {name: file for name, file in found.files.items() if len(file.name.encode()) <= MAX_NAME_BYTES}
    return replace(found, path=path, files=files)


def is_there(found: Found) -> bool:
    """Tell whether anything of a submission was worth unpacking; over a name that no disk takes ``Path`` would raise."""
    return any(os.path.exists(path) for path in (found.path, *found.files.values()))  # noqa: PTH110  as said


def found_in(path: Path, tree: Tree) -> list[Found]:
    return split(path, tree) or [single(path)]


def split(path: Path, tree: Tree) -> list[Found]:
    """Return the submissions of a class, or nothing where the folder is one submission."""
    if collected := collected_by(path, tree):
        return unique(collected)
    inside = contents(tree)
    if nothing_but_one_folder(tree, inside):
        name = inside.folders[0]
        return split(path / name, tree[name] or {})
    if is_one(tree, inside):
        return []
    folders = (*inside.folders, *(inside.empty if len(inside.folders) > 1 else ()))
    return unique(each_alone(path, folders, [*inside.notebooks, *inside.archives]))


def each_alone(path: Path, folders: Iterable[str], files: Iterable[str]) -> list[Found]:
    """A submission of each folder and of each file, in the order of their names."""
    found = [single(path / name) for name in folders]
    found += [Found(key_of(path / name), path / name, files=loose_file(path, name)) for name in files]
    return sorted(found, key=lambda each: (each.key, each.path))


def loose_file(path: Path, name: str) -> dict[str, Path]:
    """Name a notebook as its own only file, so that files of others beside it are not taken for its own."""
    return {} if is_archive(name) else {name: path / name}


def nothing_but_one_folder(tree: Tree, inside: Contents) -> bool:
    return len(inside.folders) == 1 and not (inside.notebooks or inside.modules or inside.archives)


def is_one(tree: Tree, inside: Contents) -> bool:
    """Decide by the table above."""
    with_notebook = [name for name in inside.folders if holds_notebook(tree[name])]
    if len(inside.notebooks) == 1:
        others = len(inside.archives) + len(with_notebook)
        return bool(inside.modules or inside.checkpoints) or (others < 2 and not hold_the_same(tree, inside))
    if inside.notebooks:
        return bool(inside.modules or inside.checkpoints)
    if inside.modules:
        return len(with_notebook) < 2
    if inside.archives:
        return len(inside.archives) + len(inside.folders) == 1
    return len(inside.folders) < 2 or (
        only_code_beside(tree, inside, with_notebook) and not hold_the_same(tree, inside)
    )


def hold_the_same(tree: Tree, inside: Contents) -> bool:
    """Whether two folders with code alone hold a module of the same name, as those of two students do.

    Folders and modules that many a student has more than once do not tell.
    """
    of_one = {"src", "code", "lib", "old", "backup", "archive", "test", "tests", "scripts", "utils", "models"}
    common = {"__init__.py", "__main__.py", "main.py", "setup.py", "config.py", "utils.py", "helpers.py"}
    students = [name for name in inside.folders if name.lower() not in of_one and not holds_notebook(tree[name])]
    modules = [name for each in students for name in set(ending(files_in(tree[each] or {}), ".py")) - common]
    return len(modules) > len(set(modules))


def only_code_beside(tree: Tree, inside: Contents, with_notebook: list[str]) -> bool:
    """Tell ``src`` + ``notebooks`` from two students."""
    others = [tree[name] for name in inside.folders if name not in with_notebook]
    plain = [contents(other or {}) for other in others]
    return len(with_notebook) == 1 and all((c.modules or c.checkpoints) and not c.archives for c in plain)


def collected_by(path: Path, tree: Tree) -> list[Found]:
    """Return what Canvas or Moodle collected, files of one student together, and what was put beside it."""
    moodle, canvas = names_given(tree)
    found = [moodle_student(path, tree, key, group) for key, group in grouped(moodle)]
    rest = {name: inner for name, inner in tree.items() if name not in dict(moodle)}
    beside = contents({name: rest[name] for name in rest.keys() - dict(canvas).keys()})
    if not found and (beside.modules or beside.checkpoints):
        return []  # one student's own, some of whose files are named as Canvas might: best_12_88_run.pt
    found += [canvas_student(path, key, group) for key, group in grouped(canvas)]
    with_code = [name for name in beside.folders if holds_code(rest[name])]
    folders = beside.folders if len(with_code) > 1 else with_code  # of students, or what a course keeps there
    return [*found, *each_alone(path, folders, [*beside.notebooks, *beside.archives])] if found else []


def grouped(named: Named) -> Iterable[tuple[tuple[str, str], Named]]:
    groups: dict[tuple[str, str], Named] = {}
    for name, match in named:
        groups.setdefault((match["who"], match["id"]), []).append((name, match))
    return groups.items()


def canvas_student(path: Path, key: tuple[str, str], group: Named) -> Found:
    late = any(match["late"] for _, match in group)
    attempt = max((match["attempt"] for _, match in group), key=lambda number: (len(number), number))
    return loose(path, key, {name: match["original"] for name, match in group}, late=late, attempt=attempt)


def moodle_student(path: Path, tree: Tree, key: tuple[str, str], group: Named) -> Found:
    """What a student handed in; a text typed into Moodle's page, which nobody can grade, where there is nothing else."""
    handed_in = [pair for pair in group if pair[1]["kind"] == "file"] or group
    folders = [name for name, _ in handed_in if tree[name] is not None]
    if folders:
        return Found(key[0], path / folders[0], id=key[1])
    return loose(path, key, {name: match["original"] for name, match in handed_in})


def loose(path: Path, key: tuple[str, str], named: dict[str, str], **more: bool | str) -> Found:
    """Join a student's files under their original names; one archive alone is opened as it is."""
    if len(named) == 1 and is_archive(name := next(iter(named))):
        found = Found(key[0], path / name, id=key[1])
    else:
        files = originals(path, named)
        found = Found(key[0], next(iter(files.values())), id=key[1], files=files)
    return replace(found, **more)  # type: ignore[arg-type]


def originals(path: Path, named: dict[str, str]) -> dict[str, Path]:
    """Return files by original name, Canvas's counters taken off; the highest counter wins."""
    files: dict[str, Path] = {}
    counter = patterns.compile(r"-\d+(\.[^.]+)$")  # model-1.py is the second model.py handed in
    for name, original in sorted(named.items(), key=lambda pair: (len(pair[1]), pair[1])):
        files[counter.sub(lambda found: str(found[1]), original)] = path / name
    return dict(sorted(files.items()))


def unique(found: list[Found]) -> list[Found]:
    """Tell students of one name apart, by their id where there is one."""
    keys = [each.key for each in found]
    told = [each if keys.count(each.key) == 1 else replace(each, key=longer_key(each)) for each in found]
    seen: dict[str, int] = {}
    numbered = []
    for each in told:
        seen[each.key] = number = seen.get(each.key, 0) + 1
        numbered.append(each if number == 1 else replace(each, key=f"{each.key} ({number})"))
    return numbered


def longer_key(found: Found) -> str:
    return f"{found.key}_{found.id}" if found.id else found.path.name
