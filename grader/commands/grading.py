"""``grade.py SUBMISSION`` once its arguments are read: grade, report, and tell the exit status."""

import argparse
import dataclasses
import math
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader import exports, firewall
from grader.commands import extras
from grader.commands.options import grading_options
from grader.errors import GraderError, writing
from grader.exports import handed_in
from grader.exports.result import ExportedGrade, of_grade, with_lateness
from grader.gradebook import inputs, late
from grader.intake import Found
from grader.judging import sentences
from grader.pipeline import Options, open_grader
from grader.records import Grade
from grader.reports import record, terminal
from grader.reports.progress import Progress
from grader.reports.text import complain, printable, visible_line

if TYPE_CHECKING:
    from grader.gradebook.lines import Telling
    from grader.reports.html.pages import Pages


def run(given: argparse.Namespace) -> int:
    """Grade, report, and tell the exit status."""
    formats = [*given.format, *([("json", given.json)] if given.json is not None else [])]
    if len(said := [name for name, destination in formats if destination == "-"]) > 1:
        raise GraderError(
            f"{' and '.join(said)}: only one of them can go to standard output: name a file for the others"
        )
    grades, remarks = grade_all(given)
    if len(grades) == 1 or "-" in [destination for _, destination in formats]:  # no table will say it
        for grade in grades:
            if grade.status == "rejected":
                path = grade.submission["path"]
                complain(grade.reason if grade.reason.startswith(path) else f"{path}: {grade.reason}")
    report(exported(given, grades), formats, remarks)
    if under := [grade for grade in grades if given.fail_under is not None and grade.score < given.fail_under]:
        complain(f"under --fail-under {given.fail_under:g}: {', '.join(_with_score(grade) for grade in under)}")
    return exit_status(grades, given.fail_under)


def _with_score(grade: Grade) -> str:
    return f"{printable(grade.submission['name'], 60)} ({grade.total})"


def grade_all(given: argparse.Namespace) -> tuple[list[Grade], list[str]]:
    """Grade what is found at the given paths: one submission here and now, a class with a gradebook.

    Returns:
        the grades, and lines to be said after them.

    Raises:
        GraderError: nothing can be graded (no data, no worker, a criterion that does not exist).
    """
    options = grading_options(given, train=given.train, pictures=given.html)
    if given.out == Path("grades") and not _writable(given.out):  # where nothing else was said
        options = dataclasses.replace(options, out=Path(tempfile.mkdtemp(prefix="vit-grade-out-")))
    if given.html:
        with writing(f"--out {options.out}"):  # said now, not after an hour of grading
            options.out.mkdir(parents=True, exist_ok=True)
    found = inputs.find(given.submissions, options.out)
    if given.metadata is not None and len(found) > 1:
        raise GraderError(f"--metadata: {given.metadata} tells of one submission, here are {len(found)}")
    if len(found) == 1 and found[0].id is None and given.scheduler is None:
        if given.roster is not None or given.zone is not None:
            raise GraderError("--roster and --zone are for a class, and there is one submission of no class here")
        pages = _pages(options.out, False) if given.html else None
        quiet = given.telling != "auto"
        grade = _told(found[0], given.telling, lambda: grade_one(found[0], options, given.only, pages, quiet))
        return [grade], [f"Page: {pages.target(grade)}", *pages.trouble.values()] if pages else []
    from grader.gradebook import moves, session  # noqa: PLC0415  one submission needs neither, nor what only Linux has
    from grader.gradebook.remembering import as_before  # noqa: PLC0415  as above

    named, options = options.rubric, as_before(options)
    if options.rubric != named:
        complain(f"{options.out}: graded by {options.rubric}, as before; --rubric names another")
    if options.out != given.out:
        complain(f"grades: nothing can be written there; the gradebook is in {options.out}")
    moved = moves.taken(options.out, given.roster, given.zone, options.rubric_file)
    spread = session.Spread(given.jobs, given.scheduler, given.resources)
    done = session.grade_class(found, options, given.only, spread, given.retry, given.telling)
    remarks = [*moved, *inputs.documents_beside(found), *session.remarks(options)]
    if given.html:
        remarks += session.write_pages(options, _pages(options.out, True))
    return [each.grade for each in done], remarks


def _writable(folder: Path) -> bool:
    if folder.exists():
        return folder.is_dir() and os.access(folder, os.W_OK)
    return os.access(folder.absolute().parent, os.W_OK)


def _told(found: Found, telling: "Telling", grade: Callable[[], Grade]) -> Grade:
    """The grade of one submission, told in lines as those of a class are where they were asked for."""
    if telling not in ("verbose", "json"):
        return grade()
    from grader.gradebook import lines  # noqa: PLC0415  where nothing is told, 10 ms for nothing

    return lines.told(found, telling, grade)


def grade_one(
    found: Found, options: Options, only: Sequence[str] | None = None, pages: "Pages | None" = None,
    quiet: bool = False,
) -> Grade:  # fmt: skip
    """Grade one submission.

    Raises:
        GraderError: it cannot be graded here.
    """
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
    extras.need("--html", "report", "matplotlib", "nbconvert", "nh3")
    from grader.reports.html.pages import Pages  # noqa: PLC0415  libraries of an extra, and half a second

    return Pages(out, several)


def exported(given: argparse.Namespace, grades: Sequence[Grade]) -> list[ExportedGrade]:
    """The grades on their way out, with what Gradescope knows of the submission."""
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


def report(results: Sequence[ExportedGrade], formats: Sequence[tuple[str, str]], remarks: Sequence[str] = ()) -> None:
    """Write the grades in the wanted forms, and show them where none of these is standard output.

    Args:
        results: what to report.
        formats: by name, and where to.
        remarks: lines to be said after the grades.
    """
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
            print("".join(f"{visible_line(line)}\n" for line in remarks), end="")
        for line in wall.lines:
            complain(line)
        sys.stdout.flush()
    except BrokenPipeError:  # `grade.py … | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_status(grades: Sequence[Grade], fail_under: float | None) -> int:
    """0, 1 or 2, as the module of the command says."""
    if all(grade.status == "rejected" for grade in grades):
        return 2
    least = -math.inf if fail_under is None else fail_under
    return int(any(grade.score < least or grade.status == "needs_review" for grade in grades))
