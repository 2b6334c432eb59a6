"""The command line: what to grade, where the results go, and the exit status.

Exit status: 0 graded, whatever the score; 1 a score under ``--fail-under``, or a grade needs review; 2 nothing
could be graded, said in one line; 130 interrupted.
"""

import argparse
import dataclasses
import importlib
import importlib.metadata
import importlib.util
import io
import math
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader import firewall
from grader.arguments import Parser
from grader.errors import GraderError, not_installed
from grader.reports.text import printable, visible

if TYPE_CHECKING:
    from grader.intake import Found
    from grader.pipeline import Options
    from grader.records import Grade
    from grader.reports.html.pages import Pages

# torch and rich are imported where they are needed, so that --help and a mistyped path answer at once

COMMANDS = {  # "module:function", imported when it is asked for
    "export": "grader.exports.command:main",
    "package": "grader.publish.package:main",
    "regrade": "grader.gradebook.commands:regrade",
    "similar": "grader.gradebook.commands:similar",
    "release": "grader.publish.release:main",
}
WRITTEN = ("json", "md", "junit", "github", "gradescope", "classroom50")
DEBUG = firewall.SHOW


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and turn every exception into one line and an exit status."""
    for stream in (sys.stdout, sys.stderr):  # a terminal without UTF-8 shows a question mark, not an error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        if given and given[0] in COMMANDS:
            module, _, function = COMMANDS[given[0]].partition(":")
            return int(getattr(importlib.import_module(module), function)(given[1:]))
        return _run(parser().parse_args(given))
    except GraderError as error:
        return _complain(str(error))
    except KeyboardInterrupt as interrupt:
        _complain(str(interrupt) or "interrupted; nothing was written")
        return 130
    except Exception as error:
        if os.environ.get(DEBUG):
            traceback.print_exc()
        if isinstance(error, ModuleNotFoundError) and not (error.name or "grader").startswith("grader"):
            return _complain(str(not_installed(str(error.name))))
        return _complain(f"the grader itself failed: {type(error).__name__}: {error} ({DEBUG}=1 shows where)")


def parser() -> Parser:
    """The options, as ``--help`` shows them."""
    p = Parser(
        prog="grade.py",
        description="Grade submissions of the Vision Transformer assignment.",
        epilog=f"Exit status: 0 graded, 1 under --fail-under or a grade needs review, 2 nothing could be graded. "
        f"Other commands, each with a --help of its own: {', '.join(COMMANDS)}.",
    )
    p.add_argument(
        "submissions", nargs="*", type=Path, metavar="SUBMISSION",
        help="a notebook, a folder, a .zip or .tar.gz, or a folder full of submissions",
    )  # fmt: skip
    p.add_argument("--json", metavar="FILE", help='write the grade as JSON, a list for several; "-" is standard output')
    p.add_argument("--out", type=Path, metavar="DIR", help="what a run writes (default: ./grades)")
    p.add_argument(
        "--data", type=Path, metavar="DIR", help="torchvision root with FashionMNIST/raw (else $FASHION_MNIST_ROOT)"
    )
    p.add_argument("--seed", type=_seed, metavar="N", help="fixes every random input (default: fresh, always recorded)")
    p.add_argument(
        "--train", choices=("auto", "never", "always"), default="auto",
        help="train the submitted ViT for vit.accuracy (auto: where there is no vit_classifier.pt)",
    )  # fmt: skip
    p.add_argument(
        "--format", action="append", default=[], type=_format, metavar="FORMAT[=FILE]",
        help=f"write the grades as one of {', '.join(WRITTEN)} as well, to standard output where there is no FILE",
    )  # fmt: skip
    p.add_argument("--html", action="store_true", help="write a page for each submission into --out")
    p.add_argument("--fail-under", type=_points, metavar="X", help="exit 1 when a score is under X")
    p.add_argument("--jobs", type=_count, metavar="N", help="submissions at a time (default: by cores and memory)")
    p.add_argument(
        "--scheduler", metavar="ADDRESS", help="grade on the workers of a Dask cluster, tcp://host:8786 (extra: dask)"
    )
    p.add_argument("--resources", metavar="NAME=N", help="what a Dask worker must have for a submission, GPU=1")
    p.add_argument("--retry", action="store_true", help="grade again those of a class that need review")
    p.add_argument("--only", nargs="+", metavar="CRITERION", help="judge these criteria alone, such as vit.model")
    p.add_argument(
        "--rubric", type=Path, metavar="FILE", help="points and thresholds (default: the assignment's rubric.toml)"
    )
    p.add_argument(
        "--given", type=Path, metavar="DIR",
        help="the course's own given files, check_vit.py and given blocks (default: the project's)",
    )  # fmt: skip
    p.add_argument("--assignment", type=Path, metavar="FILE", help="another assignment, with its rubric.toml beside it")
    p.add_argument("--unconfined", action="store_true", help="run student code without a sandbox")
    p.add_argument(
        "--audit", nargs="?", const="", metavar="CASE",
        help="grade the seeded faults and correct variants (whose id holds CASE) and say which verdicts are wrong",
    )  # fmt: skip
    p.add_argument(
        "--mutate", nargs="?", const="", metavar="MODULE",
        help="with --audit: change the reference (MODULE of it, a variant, or pairs) in one place at a time, and list "
        "the changes that no criterion notices and no entry of equivalent.toml explains",
    )  # fmt: skip
    p.add_argument("--all", action="store_true", help="with --mutate: grade every mutant, not a sample")
    p.add_argument("--messages", action="store_true", help="with --audit: list every sentence that was said, once each")
    p.add_argument("--version", action="version", version=f"vit-grade {_version()}")
    return p


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to {2**32 - 1}, not {text!r}")
    return int(text)


def _format(text: str) -> tuple[str, str]:
    name, _, file = text.partition("=")
    if name not in WRITTEN:
        raise argparse.ArgumentTypeError(f"no such format: {name!r}; there are {', '.join(WRITTEN)}")
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
        import tomllib

        settings = Path(__file__).resolve().parent.parent / "pyproject.toml"
        return str(tomllib.loads(settings.read_text(encoding="utf-8"))["project"]["version"])


def _run(arguments: argparse.Namespace) -> int:
    if arguments.audit is not None and arguments.mutate is not None:
        from grader.reports import mutation

        return mutation.run(_options(arguments), arguments.mutate, arguments.all, arguments.messages)
    if arguments.mutate is not None or arguments.all:
        raise GraderError("--mutate and --all say what an audit changes: give --audit --mutate as well")
    if arguments.audit is not None:
        from grader.reports import audit_table

        return audit_table.run(_options(arguments), arguments.audit, arguments.messages)
    if arguments.messages:
        raise GraderError("--messages lists what an audit said: give --audit as well")
    if not arguments.submissions:
        raise GraderError("nothing to grade: give a notebook, a folder or an archive, or see --help")
    for path in arguments.submissions:
        if not path.exists():
            raise GraderError(f"{path}: no such file or folder")
    for option, file in [("--json", arguments.json or "-"), *(("--format", file) for _, file in arguments.format)]:
        if file != "-" and Path(file).is_dir():  # said now, not after an hour of grading
            raise GraderError(f"{file}: {option} needs a file, this is a folder")
    grades, remarks = grade_all(arguments)
    formats = [*arguments.format, *([("json", arguments.json)] if arguments.json is not None else [])]
    if len(grades) == 1 or "-" in [destination for _, destination in formats]:  # no table will say it
        for grade in grades:
            if grade.status == "rejected":
                path = grade.submission["path"]
                _complain(grade.reason if grade.reason.startswith(path) else f"{path}: {grade.reason}")
    _report(grades, formats, remarks)
    return exit_status(grades, arguments.fail_under)


def grade_all(arguments: argparse.Namespace) -> "tuple[list[Grade], list[str]]":
    """Grade what is found at the given paths: one submission here and now, a class with a gradebook.

    Returns:
        the grades, and lines to be said after them.

    Raises:
        GraderError: nothing can be graded (no data, no worker, a criterion that does not exist).
    """
    from grader.gradebook import inputs

    options = _options(arguments)
    if arguments.out is None and not _writable(options.out):
        options = dataclasses.replace(options, out=Path(tempfile.mkdtemp(prefix="vit-grade-out-")))
    found = inputs.find(arguments.submissions, options.out)
    if len(found) == 1 and found[0].id is None and arguments.scheduler is None:
        pages = _pages(options.out, False) if arguments.html else None
        grade = grade_one(found[0], options, arguments.only, pages)
        return [grade], [f"Page: {pages.target(grade)}", *pages.trouble.values()] if pages else []
    from grader.gradebook import session

    if options.out != _options(arguments).out:
        _complain(f"grades: nothing can be written there; the gradebook is in {options.out}")
    spread = session.Spread(arguments.jobs, arguments.scheduler, arguments.resources)
    done = session.grade_class(found, options, arguments.only, spread, arguments.retry)
    remarks = session.remarks(options)
    if arguments.html:
        remarks += session.write_pages(options, _pages(options.out, True))
    return [each.grade for each in done], remarks


def _writable(folder: Path) -> bool:
    if folder.exists():
        return folder.is_dir() and os.access(folder, os.W_OK)
    return os.access(folder.absolute().parent, os.W_OK)


def _options(arguments: argparse.Namespace) -> "Options":
    from grader import assignment as assignments
    from grader import given
    from grader.pipeline import Options

    file = arguments.assignment
    assignment = assignments.default() if file is None else assignments.load(file)
    beside = None if file is None else file.parent / assignments.RUBRIC
    return Options(
        data=arguments.data,
        out=arguments.out or Path("grades"),
        seed=arguments.seed,
        train=arguments.train,
        rubric=arguments.rubric or beside or assignment.rubric,
        assignment=assignment,
        assignment_file=file,
        given=None if arguments.given is None else given.replaced(arguments.given, assignment),
        unconfined=arguments.unconfined,
        pictures=arguments.html,
    )


def grade_one(
    found: "Found", options: "Options", only: Sequence[str] | None = None, pages: "Pages | None" = None
) -> "Grade":
    """Grade one submission.

    Raises:
        GraderError: it cannot be graded here.
    """
    from grader.pipeline import open_grader
    from grader.reports.progress import Progress

    with Progress() as progress:
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


def _report(grades: "Sequence[Grade]", formats: Sequence[tuple[str, str]], remarks: Sequence[str] = ()) -> None:
    from grader import exports
    from grader.exports.result import of_grade
    from grader.reports import record, terminal

    wall = firewall.Firewall()
    try:
        for name, destination in formats:
            exported, left_out = exports.written(name, [of_grade(grade) for grade in grades], wall)
            for line in left_out:
                _complain(line)
            if exported is not None:
                record.put(exported, destination)
        said = any(destination == "-" for _, destination in formats)
        if not said and [grade.status for grade in grades] != ["rejected"]:  # its line has said everything
            wall.attempt("the report in the terminal", lambda: terminal.show(grades), None)
            print("".join(f"{visible(line)}\n" for line in remarks), end="")
        for line in wall.lines:
            _complain(line)
        sys.stdout.flush()
    except BrokenPipeError:  # `grade.py … | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_status(grades: "Sequence[Grade]", fail_under: float | None) -> int:
    """0, 1 or 2, as the module says."""
    if all(grade.status == "rejected" for grade in grades):
        return 2
    least = -math.inf if fail_under is None else fail_under
    return int(any(grade.score < least or grade.status == "needs_review" for grade in grades))


def _complain(line: str) -> int:
    print(printable(line), file=sys.stderr)
    return 2
