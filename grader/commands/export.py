"""``grade.py export FORMAT``: a class's grades, from its gradebook, for another system."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.commands import returning
from grader.commands.arguments import destination, given_path, shared
from grader.errors import GraderError
from grader.exports import FORMATS, SHEETS, Format, SheetFormat, sound, written
from grader.exports.addresses import ADDRESS
from grader.exports.result import ExportedGrade, of_class
from grader.exports.sheets import Filling
from grader.firewall import Firewall
from grader.gradebook import moves
from grader.gradebook.basis import refuse_another
from grader.gradebook.reader import GradebookReader
from grader.reports import record
from grader.reports.text import complain, file_stem

if TYPE_CHECKING:
    from grader.assignment import Assignment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    formats: dict[str, Format | SheetFormat] = {**FORMATS, **SHEETS}
    listed = "\n".join(f"  {name:<11}  {each.said}" for name, each in formats.items())
    parser.description = f"""\
Hand on the grades of a class.

{listed}

  moodle-feedback  each student's page and annotated notebook, in the zip that
  canvas-feedback  the platform's bulk upload takes

Late points are taken off as [late] in the rubric says. Canvas and Moodle get no grade that needs review.
"""
    parser.add_argument("format", choices=(*formats, *ADDRESS), metavar="FORMAT", help="one of those above")
    shared(parser, "--out", "--attempts", "--rubric", "--roster", "--zone", "--assignment")
    parser.add_argument(
        "--to", type=destination, default="-", metavar="FILE",
        help="where to write, a folder for one file each (-: stdout)",
    )  # fmt: skip
    parser.add_argument(
        "--sheet", type=given_path, metavar="FILE", help="canvas, moodle: the downloaded file to fill in"
    )
    parser.add_argument("--column", metavar="NAME", help="canvas: the column, 'Assignment 3 (12345)' or a part of it")
    parser.add_argument(
        "--no-comments",
        action="store_true",
        help="moodle: leave the feedback comments as they are; canvas --push: send none",
    )
    returning.add_arguments(parser)


def run(given: argparse.Namespace) -> int:
    """Write the grades in the wanted form; 1 when something was left out."""
    returning.expect_options(given)
    assignment = _assignment(given.assignment) if given.assignment else None
    rubric = given.rubric or (assignment.rubric if assignment else None)
    for line in moves.taken(given.out, given.roster, given.zone, rubric, must_exist=True):
        complain(line)
    with GradebookReader(given.out, given.attempts, rubric) as reader:
        if assignment:
            refuse_another(reader.book, assignment)
        results = of_class(reader)
        for line in [] if rubric else reader.rubric_remarks():
            complain(line)
        for line in reader.roster_remarks() if given.roster else []:
            complain(line)
        for line in reader.late_remarks():
            raise GraderError(f"{line}; nothing was handed on")
        if not results:
            raise GraderError(f"{given.out}: the gradebook holds no grade")
        if given.format in ADDRESS:
            return returning.feedback(given, reader)
        if given.push:
            return returning.push(given, reader)
        status, handed_on = _handed_on(given, results)
        reader.ledger.note_exports(given.format, {result.key: result.total for result in handed_on})
    return status


def _assignment(named: str) -> "Assignment":
    from grader import finding  # noqa: PLC0415  slow to import, and few classes need it

    return finding.find(named)


def _handed_on(given: argparse.Namespace, results: Sequence[ExportedGrade]) -> tuple[int, Sequence[ExportedGrade]]:
    """Write the grades; the exit status, and those that were written."""
    if given.format in SHEETS:
        return _sheet(given, results)
    if given.sheet is not None:
        raise GraderError(f"--sheet: {given.format} fills no sheet, only {' and '.join(SHEETS)} do")
    if given.format != "md":  # a table has an empty cell for those who are excused, the others have no place for one
        results = [result for result in results if not result.excused]
    if FORMATS[given.format].name:
        return _each(given, results)
    wall = Firewall()
    text, left_out = written(given.format, results, wall)
    if text is not None:
        record.put(text, given.to)
    return _said([*left_out, *wall.lines]), results if text is not None else ()


def _said(lines: Sequence[str]) -> int:
    """Say what went wrong; the exit status."""
    for line in lines:
        complain(line)
    return int(bool(lines))


def _sheet(given: argparse.Namespace, results: Sequence[ExportedGrade]) -> tuple[int, list[ExportedGrade]]:
    wall = Firewall()
    wanted = Filling(given.sheet, given.column, not given.no_comments)  # the sheet is read afresh each time
    fill = SHEETS[given.format].fill
    filled, left_out = sound(f"the export {given.format}", lambda some: fill(some, wanted), results, wall)
    if filled is None:
        return _said(wall.lines), []
    record.put(filled.sheet.text(), given.to)
    for keys, why in (
        (filled.left, "left as it was: needs review (no score until a person has decided), or locked"),
        (filled.unknown, "not in the sheet"),
    ):
        for key in keys:
            complain(f"{key}: {why}")
    without = {*filled.left, *filled.unknown}
    return _said(left_out) or int(bool(without)), [result for result in results if result.key not in without]


def _each(given: argparse.Namespace, results: Sequence[ExportedGrade]) -> tuple[int, list[ExportedGrade]]:
    if given.to == "-" and len(results) > 1:
        raise GraderError(f"--to: {given.format} is a file for each of {len(results)} submissions: give a folder")
    waiting = [] if FORMATS[given.format].takes_open else [each.key for each in results if not each.may_be_handed_on]
    lines = [f"{key}: needs review: what is open counts for nothing there, until a person decides" for key in waiting]
    handed_on = []
    for result in results:
        wall, name = Firewall(), FORMATS[given.format].name
        target = given.to if given.to == "-" else str(Path(given.to) / file_stem(result.key) / name)
        text, _ = written(given.format, [result], wall)
        lines += [f"{result.key}: {line}" for line in wall.lines]
        if text is not None:
            record.put(text, target)
            handed_on.append(result)
    return _said(lines), handed_on
