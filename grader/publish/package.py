"""The grader as other systems take it in.

  gradescope    the zip to upload as an autograder
  classroom50   the folder to put at CLASSROOM/autograders/ASSIGNMENT
  source        the folder that pip installs, for a course's repository that workflows clone

Each holds the whole grader and no line of the solution: what runs beside student code, or lies on a public page, has
nothing to lose.
"""

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from grader import shipped
from grader.assignment import default
from grader.errors import GraderError
from grader.publish import release, solutions

ROOT = release.ROOT
PACKAGES = Path(__file__).resolve().parent / "packages"


def needs_checkout() -> None:
    """Refuse an installed copy.

    Raises:
        GraderError: this is one.
    """
    if not (ROOT / "reference").is_dir():
        raise GraderError(f"{ROOT}: packaging needs a checkout, an installed copy lacks what goes in")


def gradescope(out: Path, rubric: Path | None = None) -> None:
    """Write the zip: setup.sh and run_autograder at its root, the grader beside them."""
    with tempfile.TemporaryDirectory(prefix="vit-package-") as folder:
        tree = Path(folder, "source")
        source(tree, rubric)
        for path in sorted((PACKAGES / "gradescope").iterdir()):
            shutil.copy(path, tree / path.name)
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in tree.rglob("*") if path.is_file()):
                _add(archive, path, path.relative_to(tree).as_posix())


def classroom50(out: Path, rubric: Path | None = None) -> None:
    """Write the folder: autograder.py, and the grader in ``source``."""
    source(out / "source", rubric)
    shutil.copyfile(PACKAGES / "classroom50" / "autograder.py", out / "autograder.py")


def source(target: Path, rubric: Path | None = None) -> None:
    """Write the grader as a folder that pip installs, without the solution.

    Raises:
        GraderError: there is something already, or a file holds a line of the solution.
    """
    if target.exists() and any(target.iterdir()):
        raise GraderError(f"{target}: expected a new or empty folder; nothing was written")
    ignored = shutil.ignore_patterns("__pycache__", ".*", shipped.FOLDER, "corpus")
    shutil.copytree(shipped.PACKAGE, target / "grader", ignore=ignored)
    own = target / "grader" / shipped.FOLDER
    release.ship(own)
    if rubric is not None:
        shutil.copyfile(rubric, target / "grader" / default().rubric.relative_to(shipped.PACKAGE))
    beside = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
    for name in beside:
        shutil.copyfile(ROOT / name, target / name)
    solution = solutions.lines(ROOT / "reference")
    for path in sorted(path for path in target.rglob("*") if path.is_file()):
        if found := solutions.leaked(path.read_text(encoding="utf-8"), solution):
            raise GraderError(f"{path.relative_to(target)}: holds a line of the solution, {found[0]!r}")


SYSTEMS = {"gradescope": gradescope, "classroom50": classroom50, "source": source}


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    earliest = (1980, 1, 1, 0, 0, 0)  # of every file in a zip, so that the same grader makes the same bytes
    info = zipfile.ZipInfo(name, earliest)
    info.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, path.read_bytes())
