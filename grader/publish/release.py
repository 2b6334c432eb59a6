"""The folder that students get.

It holds the template, the given files, the student-facing suites with settings, a README, and as much of the
grader as the suites import, so that verdicts are those of the official grade without anything to install but
libraries. The reference, the corpus of faults, the command line and what is an instructor's stay behind.
"""

import ast
import hashlib
import importlib.metadata
import pkgutil
import re
import shutil
import tomllib
from collections.abc import Callable, Iterable
from modulefinder import ModuleFinder
from pathlib import Path

from grader import finding, shipped
from grader.assignment import Assignment
from grader.errors import GraderError
from grader.publish import solutions, template
from grader.publish.whole_folder import whole_folder

ROOT = shipped.PACKAGE.parent
MANIFEST = "MANIFEST.sha256"
COPIED = ("conftest.py", "LICENSE", "constraints.txt")
KEPT_APART = {
    "audit.py",
    "cli.py",
    "commands",
    "desk",
    "gradebook",
    "exports",
    "publish",
    "corpus",
}  # what must never be among them


def release(
    out: Path, checked: Callable[[], None], max_mb: int | None = None, assignment: Assignment | None = None
) -> list[str]:
    """Make the folder, whole or not at all.

    Args:
        out: a folder that is new or empty.
        checked: raises GraderError when the verdicts are not right.
        max_mb: the most that students may hand in, in MB; what settings.toml says where there is none.
        assignment: what students are to solve; the default where there is none.

    Raises:
        GraderError: why nothing was released.
    """
    assignment = assignment or finding.default()
    needed = [assignment.readme, *(shipped.HOME / name for name in COPIED)]
    if any(path is None or not path.is_file() for path in needed):
        raise GraderError(f"{assignment.name}: a release needs a README for students, and a checkout of the grader")
    solution = solutions.lines(template.reference_of(assignment))
    with whole_folder(out) as made:
        checked()
        fill(made, assignment, max_mb)
        paths = sorted(path for path in made.rglob("*") if path.is_file())
        solutions.refuse(made, without_engine(paths, made, assignment), solution)
        files = [path.relative_to(made).as_posix() for path in paths]
        (made / MANIFEST).write_text("".join(f"{_digest(made / name)}  {name}\n" for name in files), encoding="utf-8")
    return files


def without_engine(paths: Iterable[Path], made: Path, assignment: Assignment) -> list[Path]:
    """Leave out the grader's own files where an assignment comes from elsewhere: none was written with its solution."""
    if finding.is_shipped(assignment.folder):
        return list(paths)
    engine = {path.relative_to(ROOT) for path in shipped.PACKAGE.rglob("*")}
    return [path for path in paths if path.relative_to(made) not in engine]


def fill(out: Path, assignment: Assignment, max_mb: int | None = None) -> None:
    """Write everything but the manifest."""
    (out / "student").mkdir(parents=True)
    for name, text in template.generate(template.reference_of(assignment)).items():
        (out / "student" / name).write_text(text, encoding="utf-8")
    for path in (*(shipped.HOME / name for name in COPIED), *_beside(assignment)):
        shutil.copyfile(path, out / path.name)
    assert assignment.readme is not None
    shutil.copyfile(assignment.readme, out / "README.md")
    (out / "tests" / "student").mkdir(parents=True)
    for part, title in assignment.parts.items():
        (out / "tests" / "student" / f"part{part}.md").write_text(
            SUITE.format(part=part, title=title), encoding="utf-8"
        )
    libraries = _grader(out / "grader", assignment)
    if max_mb is not None:
        set_max_mb(out / "grader" / "settings.toml", max_mb)
    (out / "pyproject.toml").write_text(settings(libraries, assignment), encoding="utf-8")
    (out / ".gitignore").write_text(".venv/\n__pycache__/\n.pytest_cache/\n*.egg-info/\ndata/\n", encoding="utf-8")


def set_max_mb(settings: Path, max_mb: int) -> None:
    """Write how much students may hand in, in MB, into a copy of the settings."""
    lines = settings.read_text(encoding="utf-8").splitlines()
    changed = [f"max_mb = {max_mb}" if line.startswith("max_mb =") else line for line in lines]
    settings.write_text("\n".join(changed) + "\n", encoding="utf-8")


def imports(entries: Iterable[str], root: Path = ROOT) -> tuple[list[Path], set[str]]:
    """Find what modules import, at whatever depth, at the top or in a function.

    Args:
        entries: dotted names; one that ends in ".*" stands for all modules of a package.
        root: the folder that holds the package.

    Returns:
        The files below ``root``, those of the entries among them, and the names of all packages elsewhere.
    """
    finder = ModuleFinder([str(root)])
    for entry in entries:
        name = entry.removesuffix(".*")
        finder.import_hook(name)
        if name != entry:
            for module in pkgutil.iter_modules([str(root.joinpath(*name.split(".")))]):
                finder.import_hook(f"{name}.{module.name}")
    found = (getattr(module, "__file__", None) for module in finder.modules.values())
    return sorted(Path(file) for file in found if file), {name.partition(".")[0] for name in finder.badmodules}


def ship(target: Path, assignment: Assignment) -> None:
    """Write the files that go with the grader, without the reference."""
    target.mkdir(parents=True)
    for path in _beside(assignment):
        shutil.copyfile(path, target / path.name)


def _beside(assignment: Assignment) -> list[Path]:
    """The given files that lie elsewhere than the assignment's code."""
    return [path for path in assignment.given if not path.is_relative_to(assignment.folder)]


def put(assignment: Assignment, package: Path) -> Path:
    """Make an assignment the default of a copy of the grader, and copy its code there where it is no part of it.

    Returns:
        where its code is in the copy.
    """
    target = package / "assignments" / re.sub(r"\W", "_", assignment.folder.name)
    if not finding.is_shipped(assignment.folder):
        students = [path.name for path in (assignment.reference, assignment.template) if path is not None]
        left_out = shutil.ignore_patterns("__pycache__", ".*", "corpus", "corpus.py", "tests", *students)
        shutil.copytree(assignment.folder, target, ignore=left_out)
        for folder in {path.parent for path in target.rglob("*.py")}:
            (folder / "__init__.py").touch()  # pip installs no folder without it
    settings = package / finding.SETTINGS.name
    was = f'default_assignment = "{finding.default_name()}"'
    text = settings.read_text(encoding="utf-8").replace(was, f'default_assignment = "{target.name}"')
    settings.write_text(text, encoding="utf-8")
    return target


def _grader(target: Path, assignment: Assignment) -> set[str]:
    """Copy what the suites import, and the files that it reads; returns the packages elsewhere that it imports."""
    target.mkdir()
    shutil.copyfile(finding.SETTINGS, target / finding.SETTINGS.name)
    own = put(assignment, target)
    inside = finding.is_shipped(assignment.folder)
    # What students run, and what it starts as programs of their own.
    suites = (
        "grader.students", "grader.students.plugin", "grader.students.notebook", "grader.students.commands", "grader.__main__",
        "grader.sandbox.inside.*", "grader.intake.reading.*", "grader.assignments",
    )  # fmt: skip
    ops = (op for op in assignment.ops if not op.endswith(".py"))
    mine = (f"grader.assignments.{own.name}.assignment", *assignment.figures) if inside else _imported_by(own)
    modules, libraries = imports((*suites, *ops, *mine))
    read = (
        path for path in (assignment.rubric, *assignment.given) if inside and path.is_relative_to(assignment.folder)
    )
    for path in (*modules, shipped.PACKAGE / "grade.schema.json", *read):
        place = path.relative_to(shipped.PACKAGE)
        if KEPT_APART & set(place.parts):
            raise GraderError(f"grader/{place}: the suites import what students must not get; nothing was released")
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / place)
    ship(target / shipped.FOLDER, assignment)
    return libraries


def _imported_by(folder: Path) -> list[str]:
    """The modules of the grader that the files of a folder import."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    named = {f"{node.module}.{alias.name}" for node in froms for alias in node.names}
    found = plain | named | {str(node.module) for node in froms}
    return sorted(name for name in found if name.startswith("grader.") and _is_module(name))


def _is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def settings(libraries: Iterable[str], assignment: Assignment) -> str:
    """The release's pyproject.toml: what it needs, from this project's own, and pytest's settings."""
    project = tomllib.loads((shipped.HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = [*project["dependencies"], *project["optional-dependencies"]["report"]]
    by_module = importlib.metadata.packages_distributions()
    written_with = {*assignment.libraries, "pytest"}
    used = {_canonical(name) for library in libraries for name in by_module.get(library, ())} | written_with
    names = [_canonical(re.split(r"[<>=!~ \[]", each)[0]) for each in known]
    needed = [each for each, name in zip(known, names, strict=True) if name in used]
    needed += sorted(written_with - set(names))
    return SETTINGS.format(
        name=_canonical(assignment.name.replace(" ", "-")), version=project["version"],
        python=project["requires-python"], needed="".join(f'    "{n}",\n' for n in needed),
    )  # fmt: skip


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


SUITE = """\
# Part {part}: {title}

`pytest -k part{part}` runs the checks of this part on `student/`, one test each.
"""
SETTINGS = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}-assignment"
version = "{version}"
requires-python = "{python}"
dependencies = [
{needed}]

[project.entry-points.pytest11]
"grader.students" = "grader.students"

[tool.setuptools]
packages.find.include = ["grader*"]
package-data.grader = ["*.json", "*.toml", "assignments/**/*", "_shipped/*"]

[tool.pytest.ini_options]
testpaths = ["tests/student"]
addopts = "--no-header"
"""
