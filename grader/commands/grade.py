"""``grade.py SUBMISSION``: what to grade, where the results go, and the exit status.

Exit status: 0 graded, whatever the score; 1 a score under ``--fail-under``, or a grade needs review; 2 nothing
could be graded.
"""

import argparse
import dataclasses
import importlib.metadata
import importlib.util
import math
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader import firewall
from grader.commands import COMMANDS
from grader.commands.arguments import grading_options, shared
from grader.errors import GraderError
from grader.reports.text import complain, visible

if TYPE_CHECKING:
    from grader.exports.result import ExportedGrade
    from grader.gradebook.lines import Telling
    from grader.intake import Found
    from grader.pipeline import Options
    from grader.records import Grade
    from grader.reports.html.pages import Pages

# torch and rich are imported where they are needed, so that --help and a mistyped path answer at once


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = "Grade submissions of an assignment by what they do when they are run."
    listed = "".join(f"\n  {name:<12}{words}" for name, (_, words) in COMMANDS.items())
    parser.epilog = (
        "Exit status: 0 graded, 1 under --fail-under or a grade needs review, 2 nothing could be graded.\n\n"
        f"commands, each with a --help of its own:{listed}"
    )
    parser.add_argument(
        "submissions", nargs="*", type=Path, metavar="SUBMISSION",
        help="a notebook, a folder, a .zip or .tar.gz, or a folder full of submissions",
    )  # fmt: skip
    parser.add_argument(
        "--json", metavar="FILE", help='write the grade as JSON, a list for several; "-" is standard output'
    )
    shared(parser, "--out", "--data", "--seed")
    parser.add_argument(
        "--train", choices=("auto", "never", "always"), default="auto",
        help="train the submitted model, where the assignment asks for one (auto: where its checkpoint is missing)",
    )  # fmt: skip
    parser.add_argument(
        "--format", action="append", default=[], type=_format, metavar="FORMAT[=FILE]",
        help="write the grades in a format of the command export as well, to standard output where there is no FILE",
    )  # fmt: skip
    parser.add_argument(
        "--metadata", type=Path, metavar="FILE",
        help="with --format gradescope: its submission_metadata.json, who handed in, when, and what before",
    )  # fmt: skip
    parser.add_argument("--html", action="store_true", help="write a page for each submission into --out")
    parser.add_argument("--fail-under", type=_points, metavar="X", help="exit 1 when a score is under X")
    parser.add_argument("--jobs", type=_count, metavar="N", help="submissions at a time (default: by cores and memory)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="grade on the workers of a Dask cluster, tcp://host:8786 (extra: dask)"
    )
    parser.add_argument(
        "--resources", metavar="NAME=N", help="what a Dask worker must have for a submission, such as MEMORY=8"
    )
    telling = parser.add_mutually_exclusive_group()
    for option, value, words in (
        (("-v", "--verbose"), "verbose", "a line on standard error for all that is begun, done, or kept from before"),
        (("-q", "--quiet"), "quiet", "no such lines, and no progress on a terminal"),
        (("--log-json",), "json", "these lines as one JSON object each, for a job's log"),
    ):
        telling.add_argument(*option, dest="telling", action="store_const", const=value, default="auto", help=words)
    parser.add_argument("--retry", action="store_true", help="grade again those of a class that need review")
    parser.add_argument("--only", nargs="+", metavar="CRITERION", help="judge these criteria of the rubric alone")
    shared(parser, "--rubric", "--roster", "--zone", "--given", "--assignment", "--unconfined")
    parser.add_argument("--version", action="version", version=f"vit-grade {_version()}")


def _format(text: str) -> tuple[str, str]:
    from grader.exports import FORMATS  # slow to import, and most commands name no format

    name, _, file = text.partition("=")
    if name not in FORMATS:
        raise argparse.ArgumentTypeError(f"no such format: {name!r}; there are {', '.join(FORMATS)}")
    return name, file or "-"


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, not {text!r}")
    return int(text)


def _points(text: str) -> float:
    try:
        if math.isfinite(points := float(text)):
            return points
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected points, got {text!r}")


def _version() -> str:
    try:
        return importlib.metadata.version("vit-grade")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that was not installed
        settings = Path(__file__).resolve().parents[2] / "pyproject.toml"
        return str(tomllib.loads(settings.read_text(encoding="utf-8"))["project"]["version"])


def run(given: argparse.Namespace) -> int:
    """Grade, report, and tell the exit status."""
    if not given.submissions:
        raise GraderError("nothing to grade: give a notebook, a folder or an archive, or see --help")
    for path in given.submissions:
        if not path.exists():
            raise GraderError(f"{path}: no such file or folder{_put_first(str(path))}")
    for option, file in [("--json", given.json or "-"), *(("--format", file) for _, file in given.format)]:
        if file != "-" and Path(file).is_dir():  # said now, not after an hour of grading
            raise GraderError(f"{file}: {option} needs a file, this is a folder")
    if given.metadata is not None and len(given.submissions) > 1:
        raise GraderError(f"--metadata: {given.metadata} tells of one submission, here are {len(given.submissions)}")
    grades, remarks = grade_all(given)
    formats = [*given.format, *([("json", given.json)] if given.json is not None else [])]
    if len(grades) == 1 or "-" in [destination for _, destination in formats]:  # no table will say it
        for grade in grades:
            if grade.status == "rejected":
                path = grade.submission["path"]
                complain(grade.reason if grade.reason.startswith(path) else f"{path}: {grade.reason}")
    report(exported(given, grades), formats, remarks)
    return exit_status(grades, given.fail_under)


def _put_first(word: str) -> str:
    return f"; a command comes first: grade.py {word}" if word in COMMANDS else ""


def grade_all(given: argparse.Namespace) -> "tuple[list[Grade], list[str]]":
    """Grade what is found at the given paths: one submission here and now, a class with a gradebook.

    Returns:
        the grades, and lines to be said after them.

    Raises:
        GraderError: nothing can be graded (no data, no worker, a criterion that does not exist).
    """
    from grader.gradebook import inputs

    options = grading_options(given, train=given.train, pictures=given.html)
    if given.out == Path("grades") and not _writable(given.out):  # where nothing else was said
        options = dataclasses.replace(options, out=Path(tempfile.mkdtemp(prefix="vit-grade-out-")))
    found = inputs.find(given.submissions, options.out)
    if len(found) == 1 and found[0].id is None and given.scheduler is None:
        if given.roster is not None or given.zone is not None:
            raise GraderError("--roster and --zone are for a class, and there is one submission of no class here")
        pages = _pages(options.out, False) if given.html else None
        quiet = given.telling != "auto"
        grade = _told(found[0], given.telling, lambda: grade_one(found[0], options, given.only, pages, quiet))
        return [grade], [f"Page: {pages.target(grade)}", *pages.trouble.values()] if pages else []
    from grader.gradebook import moves, session

    if options.out != given.out:
        complain(f"grades: nothing can be written there; the gradebook is in {options.out}")
    moved = moves.taken(options.out, given.roster, given.zone, options.rubric_file)
    spread = session.Spread(given.jobs, given.scheduler, given.resources)
    done = session.grade_class(found, options, given.only, spread, given.retry, given.telling)
    remarks = [*moved, *session.remarks(options)]
    if given.html:
        remarks += session.write_pages(options, _pages(options.out, True))
    return [each.grade for each in done], remarks


def _writable(folder: Path) -> bool:
    if folder.exists():
        return folder.is_dir() and os.access(folder, os.W_OK)
    return os.access(folder.absolute().parent, os.W_OK)


def _told(found: "Found", telling: "Telling", grade: "Callable[[], Grade]") -> "Grade":
    """The grade of one submission, told in lines as those of a class are where they were asked for."""
    if telling not in ("verbose", "json"):
        return grade()
    from grader.gradebook.lines import shown
    from grader.gradebook.run import Done
    from grader.gradebook.task import Task

    with shown(1, telling) as lines:
        task = Task(0, found, 0)
        lines.began(task)
        done = Done(task, grade(), "graded")
        lines.done(done)
    return done.grade


def grade_one(
    found: "Found", options: "Options", only: Sequence[str] | None = None, pages: "Pages | None" = None,
    quiet: bool = False,
) -> "Grade":  # fmt: skip
    """Grade one submission.

    Raises:
        GraderError: it cannot be graded here.
    """
    from grader.pipeline import open_grader
    from grader.reports.progress import Progress

    with Progress(quiet) as progress:
        grader = open_grader(options)
        try:
            grader.rubric = grader.rubric.narrowed(only)
            progress.begin(found.key, 1, 1)
            graded = grader.graded(
                found.path, grader.seed(), found.key, found.files or None, only, progress.step,
                *([pages.look] if pages else []),
            )  # fmt: skip
            if pages is not None:
                pages.add(graded)
            return graded.grade
        finally:
            grader.close()
            if pages is not None:
                pages.close()


def _pages(out: Path, several: bool) -> "Pages":
    for name in ("matplotlib", "nbconvert", "nh3"):
        _needed(name, "--html", "report")
    from grader.reports.html.pages import Pages

    return Pages(out, several)


def _needed(name: str, option: str, extra: str) -> None:
    try:
        found = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise GraderError(f"{option} needs {name}: pip install 'vit-grade[{extra}]'")


def exported(given: argparse.Namespace, grades: "Sequence[Grade]") -> "list[ExportedGrade]":
    """The grades on their way out, with what Gradescope knows of the submission."""
    from grader.exports import handed_in
    from grader.exports.result import of_grade, with_lateness
    from grader.gradebook import late
    from grader.judging import sentences

    options = grading_options(given)
    results = [of_grade(grade, sentences(options.assignment.criteria)) for grade in grades]
    if given.metadata is None:
        return results
    try:
        known, policy = handed_in.read(given.metadata), late.load(options.rubric_file)
    except GraderError as problem:  # the grade is there, and what is told with it costs none
        complain(f"{problem}; the grade says nothing of lateness and earlier submissions")
        return results
    return [with_lateness(result, known, policy) for result in results]


def report(results: "Sequence[ExportedGrade]", formats: Sequence[tuple[str, str]], remarks: Sequence[str] = ()) -> None:
    """Write the grades in the wanted forms, and show them where none of these is standard output.

    Args:
        results: what to report.
        formats: by name, and where to.
        remarks: lines to be said after the grades.
    """
    from grader import exports
    from grader.reports import record, terminal

    grades = [result.grade for result in results]
    wall = firewall.Firewall()
    try:
        for name, destination in formats:
            text, left_out = exports.written(name, results, wall)
            for line in left_out:
                complain(line)
            if text is not None:
                record.put(text, destination)
        said = any(destination == "-" for _, destination in formats)
        if not said and [grade.status for grade in grades] != ["rejected"]:  # its line has said everything
            wall.attempt("the report in the terminal", lambda: terminal.show(grades), None)
            print("".join(f"{visible(line)}\n" for line in remarks), end="")
        for line in wall.lines:
            complain(line)
        sys.stdout.flush()
    except BrokenPipeError:  # `grade.py … | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_status(grades: "Sequence[Grade]", fail_under: float | None) -> int:
    """0, 1 or 2, as the module says."""
    if all(grade.status == "rejected" for grade in grades):
        return 2
    least = -math.inf if fail_under is None else fail_under
    return int(any(grade.score < least or grade.status == "needs_review" for grade in grades))
