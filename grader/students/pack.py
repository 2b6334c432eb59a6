"""``pack``: the zip to hand in, with what counts for the grade and nothing else."""

import argparse
import contextlib
import os
import tempfile
import tomllib
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

from grader import finding
from grader.assignment import Assignment
from grader.errors import GraderError
from grader.intake import open_submission
from grader.intake.opening import key_of
from grader.intake.reading.limits import MB
from grader.intake.reading.members import is_ignored
from grader.records import Submission
from grader.reports.text import printable, visible
from grader.sentences import for_students, number_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to pack, and where to."""
    parser.add_argument(
        "submission", nargs="?", type=Path, default=Path("student"), metavar="SUBMISSION",
        help="a folder or a notebook (default: student)",
    )  # fmt: skip
    parser.add_argument("--to", type=Path, metavar="FILE", help="the zip (default: named after the submission, here)")
    parser.add_argument(
        "--assignment",
        metavar="NAME",
        default="",
        help="an installed one, or a folder with assignment.py (default: as pytest here)",
    )
    parser.add_argument(
        "--skip-models", action="store_true", help="do not look whether the checkpoints fit the code (20 s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the zip, and say what is in it, what is not, and what is to be looked at."""
    path = arguments.submission
    target = arguments.to or Path(f"{key_of(path)}.zip")
    if target.suffix.lower() != ".zip":
        raise GraderError(f"--to {target}: expected a name that ends in .zip; nothing was packed")
    assignment = finding.find(arguments.assignment or finding.of_folder(Path.cwd()))
    with _opened(path, assignment) as submission:
        files = packed_files(submission)
        write(submission, files, target)
        count = number_of(len(files), "file")
        said = [f"{target}: {count}, {target.stat().st_size / MB:.1f} MB", *(f"  {name}" for name in files)]
        said += list(left_out(path, files))
        said += [f"Look at this: {problem}" for problem in (*submission.problems, *submission.left_out)]
        said += list(_too_large(target))
    with _opened(target, assignment) as again:
        if again.sha256 != submission.sha256:
            raise GraderError(f"{target}: holds something else than {path}; do not hand it in, and tell your course")
    said += [] if arguments.skip_models else list(_models(target, assignment))
    said.append(f"SHA-256 of the submission, which its grade will name: {submission.sha256}")
    for line in said:
        print(visible(line))
    return 0


@contextlib.contextmanager
def _opened(path: Path, assignment: Assignment) -> Iterator[Submission]:
    with tempfile.TemporaryDirectory(prefix="vit-grade-pack-") as workspace:
        a = assignment
        yield open_submission(
            path, Path(workspace), a.wanted, a.provided, a.never_called, traced=a.traced, modules=a.modules
        )


def packed_files(submission: Submission) -> list[str]:
    """The names of a submission's files: what intake kept of it, sorted."""
    root = submission.root
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def write(submission: Submission, files: Collection[str], target: Path) -> None:
    """Write the zip, whole or not at all; nothing in it tells of this machine or of the time.

    Raises:
        GraderError: the file cannot be written.
    """
    part = target.with_name(f".{target.name}.part")
    earliest = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold: the zip tells nothing of when it was made
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in files:
                # one folder lies around all: without it, a folder that all files share would be taken off when it is opened
                info = zipfile.ZipInfo(f"submission/{name}", earliest)
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                packed.writestr(info, (submission.root / name).read_bytes())
        part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        why = error.strerror or error
        raise GraderError(f"{target}: could not be written ({why}); name another place with --to") from None


def left_out(path: Path, files: Collection[str]) -> Iterator[str]:
    """Name what lies in a folder and stays out; a folder of which nothing is in is named as one."""
    top = _folder_of(path, files)
    if top is None:
        return
    inside = {top / name for name in files}
    folders = {parent for file in inside for parent in file.parents}
    for folder, names, loose in os.walk(path):
        here = Path(folder)
        outside = sorted(name for name in names if here / name not in folders)
        names[:] = sorted(set(names) - set(outside))
        for name in (*outside, *sorted(name for name in loose if here / name not in inside)):
            shown = (here / name).relative_to(path).as_posix() + "/" * (name in outside)
            yield f"Left out: {printable(shown)} ({_why(name)})"


def _folder_of(path: Path, files: Collection[str]) -> Path | None:
    """The folder in which the files lie under their names: intake takes a folder around all of them off the names.

    None where they lie in no folder: a notebook was packed, or they come out of an archive.
    """
    for folder, names, _ in os.walk(path):
        names[:] = sorted(name for name in names if not is_ignored(name))
        if all(Path(folder, name).is_file() for name in files):
            return Path(folder)
    return None


def _why(name: str) -> str:
    if is_ignored(name):
        return "made by a tool or a system"
    return "no notebook, .py file, checkpoint or small text"


def _too_large(target: Path) -> Iterator[str]:
    most = tomllib.loads(finding.SETTINGS.read_text(encoding="utf-8"))["max_mb"]
    if target.stat().st_size > most * MB:
        yield f"Look at this: the zip is larger than the {most:g} MB that the course takes"


def _models(target: Path, assignment: Assignment) -> Iterator[str]:
    """Say of each trained model whether it is there and fits the code."""
    from grader.pipeline import Options, open_grader  # noqa: PLC0415  slow to import, and --skip-models needs none of it

    grader = open_grader(Options(train="never", unconfined=True, assignment=assignment))
    try:
        grade = grader.grade(target, only=assignment.trained)
    finally:
        grader.close()
    yield from (f"Look at this: {each.message}" for each in for_students(grade.warnings))
    for result in grade.criteria:
        if result.id in assignment.trained and result.status != "passed":
            yield f"Look at this: {result.id}: {result.feedback}"
