"""The folder that students get.

It holds the template, ``check_vit.py``, the student-facing suites with settings, a README, and as much of the
grader as the suites import, so that verdicts are those of the official grade without anything to install but
libraries. The reference, the corpus of faults, the command line and what is an instructor's stay behind.
"""

import hashlib
import importlib.metadata
import pkgutil
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Sequence
from modulefinder import ModuleFinder
from pathlib import Path

from grader import shipped
from grader.assignment import default, default_name
from grader.errors import GraderError
from grader.publish import solutions

ROOT = shipped.PACKAGE.parent
MANIFEST = "MANIFEST.sha256"
COPIED = ("check_vit.py", "conftest.py", "LICENSE", "constraints.txt")
KEPT_APART = {
    "audit.py",
    "cli.py",
    "commands",
    "gradebook",
    "exports",
    "publish",
    "corpus",
}  # what must never be among them


def release(out: Path, checked: Callable[[], None], max_mb: int | None = None) -> list[str]:
    """Make the folder, whole or not at all.

    Args:
        out: a folder that is new or empty.
        checked: raises GraderError when the verdicts are not right.
        max_mb: the most that students may hand in, in MB; what settings.toml says where there is none.

    Raises:
        GraderError: why nothing was released.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise GraderError(f"{out}: expected a new or empty folder; nothing was released")
    if not (ROOT / "reference").is_dir() or not (ROOT / "docs" / "student.md").is_file():
        raise GraderError(f"{ROOT}: a release needs a checkout with reference/ and docs/, an installed copy has none")
    checked()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".release-", dir=out.parent) as folder:
        made = Path(folder, "release")
        fill(made, max_mb)
        files = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
        _refuse_solutions(made, files)
        (made / MANIFEST).write_text("".join(f"{_digest(made / name)}  {name}\n" for name in files), encoding="utf-8")
        if out.exists():
            out.rmdir()
        made.rename(out)
    return files


def fill(out: Path, max_mb: int | None = None) -> None:
    """Write everything but the manifest."""
    _template(out / "student")
    for name in COPIED:
        shutil.copyfile(ROOT / name, out / name)
    shutil.copytree(ROOT / "tests" / "student", out / "tests" / "student", ignore=shutil.ignore_patterns("__*", ".*"))
    shutil.copyfile(ROOT / "docs" / "student.md", out / "README.md")
    own = default()
    # What students run, and what it starts as programs of their own.
    entries = (
        "grader.students",
        "grader.students.notebook",
        "grader.students.commands",
        "grader.__main__",
        "grader.sandbox.inside.*",
        "grader.intake.reading.*",
    )
    modules, libraries = imports((*entries, default_name().partition(":")[0], *own.ops, *own.figures))
    _grader(out / "grader", modules)
    if max_mb is not None:
        set_max_mb(out / "grader" / "settings.toml", max_mb)
    (out / "pyproject.toml").write_text(settings(libraries), encoding="utf-8")
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


def ship(target: Path) -> None:
    """Write the files that go with the grader, without the reference."""
    target.mkdir(parents=True)
    for path in default().given:
        if not path.is_relative_to(shipped.PACKAGE):
            shutil.copyfile(path, target / path.name)


def _template(student: Path) -> None:
    from grader.publish import template

    student.mkdir(parents=True)
    for name, text in template.generate(ROOT / "reference").items():
        (student / name).write_text(text, encoding="utf-8")


def _grader(target: Path, modules: Sequence[Path]) -> None:
    """Copy the modules, and beside them the files that they read."""
    own = (path for path in (default().rubric, *default().given) if path.is_relative_to(shipped.PACKAGE))
    data = ("grade.schema.json", "settings.toml")
    for path in (*modules, *(shipped.PACKAGE / name for name in data), *own):
        inside = path.relative_to(shipped.PACKAGE)
        if KEPT_APART & set(inside.parts):
            raise GraderError(f"grader/{inside}: the suites import what students must not get; nothing was released")
        (target / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / inside)
    ship(target / shipped.FOLDER)


def settings(libraries: Iterable[str]) -> str:
    """The release's pyproject.toml: what it needs, from this project's own, and pytest's settings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = [*project["dependencies"], *project["optional-dependencies"]["report"]]
    by_module = importlib.metadata.packages_distributions()
    students_own = (
        "torch",
        "torchvision",
        "pytorch-metric-learning",
        "einops",
        "pytest",
    )  # what students need themselves
    used = {_canonical(name) for library in libraries for name in by_module.get(library, ())} | set(students_own)
    needed = [each for each in known if _canonical(re.split(r"[<>=!~ \[]", each)[0]) in used]
    return SETTINGS.format(
        version=project["version"], python=project["requires-python"], needed="".join(f'    "{n}",\n' for n in needed)
    )


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _refuse_solutions(made: Path, files: Sequence[str]) -> None:
    solution = solutions.lines(ROOT / "reference")
    for name in files:
        found = solutions.leaked((made / name).read_text(encoding="utf-8"), solution)
        if found:
            raise GraderError(f"{name}: holds a line of the solution, {found[0]!r}; nothing was released")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


SETTINGS = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "vit-assignment"
version = "{version}"
requires-python = "{python}"
dependencies = [
{needed}]

[project.entry-points.pytest11]
"grader.students" = "grader.students"

[tool.setuptools]
packages.find.include = ["grader*"]
package-data.grader = ["*.json", "*.toml", "assignments/*/rubric.toml", "assignments/*/given/*", "_shipped/*"]

[tool.pytest.ini_options]
testpaths = ["tests/student"]
addopts = "--no-header"
"""
