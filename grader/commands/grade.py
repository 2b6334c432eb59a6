"""``grade.py SUBMISSION``: what to grade, where the results go, and the exit status.

Exit status: 0 graded, whatever the score; 1 a score under ``--fail-under``, or a grade needs review; 2 nothing
could be graded.
"""

import argparse
import importlib.metadata
import math
import os
import tomllib
from pathlib import Path

from grader.commands import COMMANDS
from grader.commands.arguments import GRADING, destination, given_path, shared
from grader.errors import GraderError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = "Grade submissions of an assignment by what they do when they are run."
    listed = "".join(f"\n  {name:<12}{words}" for name, (_, words) in COMMANDS.items())
    parser.epilog = (
        "Exit status: 0 graded, 1 under --fail-under or a grade needs review, 2 nothing could be graded.\n\n"
        f"commands, each with a --help of its own:{listed}"
    )
    parser.add_argument(
        "submissions", nargs="*", type=given_path, metavar="SUBMISSION",
        help="a notebook, a folder, a .zip or .tar.gz, or a folder full of submissions",
    )  # fmt: skip
    parser.add_argument(
        "--json",
        type=destination,
        metavar="FILE",
        help='write the grade as JSON, a list for several; "-" is standard output',
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
        "--metadata", type=given_path, metavar="FILE",
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
    shared(parser, "--roster", "--zone", *GRADING)
    parser.add_argument("--version", action="version", version=f"vit-grade {_version()}")


def _format(text: str) -> tuple[str, str]:
    from grader.exports import FORMATS  # noqa: PLC0415  slow to import, and most commands name no format

    name, _, file = text.partition("=")
    if name not in FORMATS:
        raise argparse.ArgumentTypeError(f"no such format: {name!r}; there are {', '.join(FORMATS)}")
    return name, destination(file or "-")


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
    """Look whether all that was named is there, then grade, report, and tell the exit status."""
    if not given.submissions:
        first = "; put it before --only, which takes all that follows" if given.only else ", or see --help"
        raise GraderError(f"nothing to grade: give a notebook, a folder or an archive{first}")
    for path in given.submissions:
        if not path.exists():
            raise GraderError(f"{path}: no such file or folder{_put_first(str(path))}")
    for option, file in [("--json", given.json or "-"), *(("--format", file) for _, file in given.format)]:
        if file != "-":
            _expect_writable(option, Path(file))  # said now, not after an hour of grading
    if given.resources is not None and given.scheduler is None:
        raise GraderError("--resources is for the workers of a cluster: give --scheduler as well")
    if given.metadata is not None and len(given.submissions) > 1:
        raise GraderError(f"--metadata: {given.metadata} tells of one submission, here are {len(given.submissions)}")
    from grader.commands import grading  # noqa: PLC0415  slow to import, and --help and a mistyped path need none of it

    return grading.run(given)


def _expect_writable(option: str, file: Path) -> None:
    """See that a file can be written.

    Raises:
        GraderError: it cannot.
    """
    if file.is_dir():
        raise GraderError(f"{file}: {option} needs a file, this is a folder")
    parent = file.absolute().parent
    to_replace = file.is_file() or not file.exists()  # and no device or pipe, which is written to as it is
    if to_replace and parent.is_dir() and not os.access(parent, os.W_OK):
        raise GraderError(f"{file}: {option} cannot be written there")


def _put_first(word: str) -> str:
    return f"; a command comes first: grade.py {word}" if word in COMMANDS else ""
