"""``grade.py export FORMAT``: a class's grades, from its gradebook, for another system."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from grader.arguments import Parser
from grader.errors import GraderError
from grader.exports import FORMATS, ONE_EACH, canvas, moodle, sheets, sound, written
from grader.exports.canvas import Filled
from grader.exports.result import ExportedGrade, of_entry
from grader.firewall import Firewall
from grader.gradebook.reader import GradebookReader
from grader.reports import record
from grader.reports.text import file_stem, printable

DESCRIPTION = """Hand on the grades of a class.

  json         the grades as --json writes them
  md           Markdown for a job summary
  junit        JUnit XML
  github       annotations for GitHub Actions
  gradescope   results.json, in a folder each
  classroom50  result.json, in a folder each
  canvas       the gradebook CSV that Canvas imports
  moodle       the offline grading worksheet that Moodle takes

Late points are taken off as [late] in the rubric says. Canvas and Moodle get no grade that needs review.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    given = parser().parse_args(arguments)
    with GradebookReader(given.out, given.attempts, given.rubric) as reader:
        results = [of_entry(entry) for entry in reader.entries()]
        _said(reader.late_remarks())
    if not results:
        raise GraderError(f"{given.out}: the gradebook holds no grade")
    if given.format in ("canvas", "moodle"):
        return _sheet(given, results)
    if given.sheet is not None:
        raise GraderError(f"--sheet: {given.format} fills no sheet, only canvas and moodle do")
    if given.format in ONE_EACH:
        return _each(given, results)
    wall = Firewall()
    text, left_out = written(given.format, results, wall)
    if text is not None:
        record.put(text, given.to)
    return _said([*left_out, *wall.lines])


def _said(lines: Sequence[str]) -> int:
    """Say what went wrong; the exit status."""
    for line in lines:
        print(printable(line), file=sys.stderr)
    return int(bool(lines))


def parser() -> Parser:
    p = Parser(prog="grade.py export", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("format", choices=(*FORMATS, "canvas", "moodle"), metavar="FORMAT", help="one of those above")
    p.add_argument("--out", type=Path, default=Path("grades"), metavar="DIR", help="with the gradebook (./grades)")
    p.add_argument("--to", default="-", metavar="FILE", help="where to write, a folder for one file each (-: stdout)")
    p.add_argument("--attempts", choices=("latest", "best"), default="latest", help="which of a student's counts")
    p.add_argument("--rubric", type=Path, metavar="FILE", help="whose [late] holds (default: as the class had)")
    p.add_argument("--sheet", type=Path, metavar="FILE", help="canvas, moodle: the downloaded file to fill in")
    p.add_argument("--assignment", metavar="NAME", help="canvas: the column, 'Assignment 3 (12345)' or a part of it")
    p.add_argument("--no-comments", action="store_true", help="moodle: leave the feedback comments as they are")
    return p


def _sheet(given: argparse.Namespace, results: Sequence[ExportedGrade]) -> int:
    wall = Firewall()
    filled, left_out = sound(f"the export {given.format}", partial(_filled, given), results, wall)
    if filled is None:
        return _said(wall.lines)
    record.put(filled.sheet.text(), given.to)
    for keys, why in (
        (filled.left, "left as it was: needs review (no score until a person has decided), or locked"),
        (filled.unknown, "not in the sheet"),
    ):
        for key in keys:
            print(f"{printable(key)}: {why}", file=sys.stderr)
    return _said(left_out) or int(bool(filled.left or filled.unknown))


def _filled(given: argparse.Namespace, results: Sequence[ExportedGrade]) -> Filled:
    """The sheet of a learning platform, read afresh and filled in."""
    if given.format == "canvas":
        sheet = sheets.read(given.sheet, "Student", "ID") if given.sheet else None
        return canvas.fill(results, sheet, given.assignment)
    sheet = sheets.read(given.sheet, *moodle.NEEDED) if given.sheet else None
    return moodle.fill(results, sheet, not given.no_comments)


def _each(given: argparse.Namespace, results: Sequence[ExportedGrade]) -> int:
    if given.to == "-" and len(results) > 1:
        raise GraderError(f"--to: {given.format} is a file for each of {len(results)} submissions: give a folder")
    lines = []
    for result in results:
        wall, name = Firewall(), ONE_EACH[given.format]
        target = given.to if given.to == "-" else str(Path(given.to) / file_stem(result.key) / name)
        text, _ = written(given.format, [result], wall)
        lines += [f"{result.key}: {line}" for line in wall.lines]
        if text is not None:
            record.put(text, target)
    return _said(lines)
