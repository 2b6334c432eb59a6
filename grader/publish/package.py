"""The grader as other systems take it in.

  gradescope    the zip to upload as an autograder
  classroom50   the folder to put at CLASSROOM/autograders/ASSIGNMENT
  source        the folder that pip installs, for a course's repository that workflows clone

Each holds the whole grader and no line of the solution: what runs beside student code, or lies on a public page, has
nothing to lose.
"""

import os
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from grader import finding, shipped
from grader.assignment import Assignment
from grader.errors import GraderError, writing
from grader.publish import release, solutions, template
from grader.publish.whole_folder import whole_folder
from grader.rubric import load

PACKAGES = Path(__file__).resolve().parent / "packages"


def gradescope(out: Path, rubric: Path | None = None, assignment: Assignment | None = None) -> None:
    """Write the zip: setup.sh and run_autograder at its root, the grader beside them.

    Raises:
        GraderError: its name is no zip's, or it cannot be written.
    """
    if out.suffix.lower() != ".zip":
        raise GraderError(f"--out {out}: expected a name that ends in .zip; nothing was written")
    with tempfile.TemporaryDirectory(prefix="vit-grade-package-") as folder:
        tree = Path(folder, "source")
        source(tree, rubric, assignment)
        for path in sorted((PACKAGES / "gradescope").iterdir()):
            shutil.copy(path, tree / path.name)
        with writing(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(path for path in tree.rglob("*") if path.is_file()):
                    _add(archive, path, path.relative_to(tree).as_posix())


def classroom50(out: Path, rubric: Path | None = None, assignment: Assignment | None = None) -> None:
    """Write the folder: autograder.py, and the grader in ``source``."""
    with whole_folder(out) as made:
        source(made / "source", rubric, assignment)
        shutil.copyfile(PACKAGES / "classroom50" / "autograder.py", made / "autograder.py")


def source(target: Path, rubric: Path | None = None, assignment: Assignment | None = None) -> None:
    """Write the grader as a folder that pip installs, without any solution.

    Args:
        target: a folder that is new or empty.
        rubric: points and thresholds in place of the assignment's own.
        assignment: what it grades where nothing else is said; the default where there is none.

    Raises:
        GraderError: there is something already, or a file holds a line of the solution.
    """
    assignment = assignment or finding.default()
    if rubric is not None:
        load(
            rubric, assignment.check_names, assignment.thresholds, assignment.threshold_names
        )  # says what is wrong with it
    beside = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
    if not all((shipped.HOME / name).is_file() for name in beside):
        raise GraderError(f"{shipped.HOME}: packaging needs a checkout, this copy lacks what goes in")
    solution = solutions.lines(template.reference_of(assignment))
    with whole_folder(target) as made:
        _fill(made, rubric, assignment)
        for name in beside:
            shutil.copyfile(shipped.HOME / name, made / name)
        public = made / "grader" / "publish" / "skeleton"  # of a new assignment, whose solution everybody may read
        files = (path for path in made.rglob("*") if path.is_file() and not path.is_relative_to(public))
        solutions.refuse(made, release.without_engine(files, made, assignment), solution)


def _fill(made: Path, rubric: Path | None, assignment: Assignment) -> None:
    """Write the grader's own folder."""
    package = made / "grader"
    shutil.copytree(shipped.PACKAGE, package, ignore=_left_out)
    release.put(assignment, package)
    release.ship(package / shipped.FOLDER, assignment)
    if rubric is not None:
        name = re.sub(r"\W", "_", assignment.folder.name)
        shutil.copyfile(rubric, package / "assignments" / name / assignment.rubric.name)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What stays out of a package: of each assignment its solution, its template and its corpus."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", shipped.FOLDER)(folder, names)
    own = {"corpus", "reference", "student"} if finding.is_shipped(Path(folder)) else set()
    return {*ignored, *own} & set(names)


SYSTEMS = {"gradescope": gradescope, "classroom50": classroom50, "source": source}


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    earliest = (1980, 1, 1, 0, 0, 0)  # of every file in a zip, so that the same grader makes the same bytes
    info = zipfile.ZipInfo(name, earliest)
    info.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, path.read_bytes())
