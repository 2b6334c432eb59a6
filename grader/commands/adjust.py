"""``grade.py adjust``: the points that a person decides, on top of those that were computed."""

import argparse
from pathlib import Path

from grader.commands.arguments import given_path, shared
from grader.errors import GraderError
from grader.gradebook import tables
from grader.gradebook.deciding import Wish, decide
from grader.gradebook.ledger import WHOLE_SCORE, Decision, who
from grader.gradebook.reader import GradebookReader, look_again
from grader.reports.text import printable
from grader.sentences import number_of

DESCRIPTION = """Give a student points in place of those that were computed.

A decision is kept in the gradebook with who made it and when. It holds when the class is graded again, regraded, or
when the student hands in again; where what was computed beneath it has changed, it is listed for another look.
Without arguments, the decisions that stand are listed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = DESCRIPTION
    parser.add_argument("key", nargs="?", metavar="KEY", help="the student's, as the gradebook has it")
    parser.add_argument(
        "criterion", nargs="?", metavar="CRITERION",
        help=f"its id in the rubric; {WHOLE_SCORE}: the whole score of a submission that could not be graded",
    )  # fmt: skip
    parser.add_argument("points", nargs="?", metavar="POINTS", help="from 0 to the criterion's maximum")
    parser.add_argument("--why", default="", metavar="TEXT", help="the reason")
    parser.add_argument("--comment", default="", metavar="TEXT", help="what the student reads instead of the reason")
    parser.add_argument("--undo", action="store_true", help="take the decision back: what was computed counts again")
    parser.add_argument("--by", metavar="NAME", help="who decides (default: the name of this account)")
    parser.add_argument(
        "--file", type=given_path, metavar="CSV",
        help="many at once: columns key, criterion, points, why, and comment or undo (yes) where needed",
    )  # fmt: skip
    shared(parser, "--out", "--attempts")


def run(given: argparse.Namespace) -> int:
    """Keep the decisions, or list those that stand."""
    with GradebookReader(given.out, given.attempts) as reader:
        if given.file is None and given.key is None:
            return _list(reader)
        wishes = _of_arguments(given) if given.file is None else _of_file(given.file)
        made = decide(reader, wishes, who(given.by))
        for decision in made:
            print(_told(reader, decision))
        for line in reader.page_remarks() if made else []:
            print(printable(line))
        if len(made) < len(wishes):
            print(f"{len(wishes) - len(made)} of {len(wishes)} stood already; of these nothing was written")
    return 0


def _of_arguments(given: argparse.Namespace) -> list[Wish]:
    if given.criterion is None or (given.points is None and not given.undo):
        raise GraderError("grade.py adjust: give KEY CRITERION POINTS --why TEXT, or KEY CRITERION --undo; see --help")
    if given.undo and given.points is not None:
        raise GraderError("grade.py adjust: --undo takes a decision back and gives no points: leave POINTS out")
    points = None if given.undo else _points(given.points, f"{given.key}: {given.criterion}: ")
    return [Wish(given.key, given.criterion, points, given.why, given.comment)]


def _points(text: str, where: str = "") -> float:
    try:
        return float(text)
    except ValueError:
        raise GraderError(f"{where}expected points, got {text!r}") from None


def _of_file(path: Path) -> list[Wish]:
    columns = ("key", "criterion", "points", "why")
    return tables.decided(path, "decision", columns, lambda row, cells: _wish(path, row, cells))


def _wish(path: Path, row: int, cells: tables.Cells) -> Wish:
    undo = tables.yes(cells, "undo")
    if undo and cells.get("points"):
        raise ValueError("a row that takes a decision back gives no points")
    try:
        points = None if undo else float(cells.get("points", ""))
    except ValueError:
        raise ValueError(f"expected points, got {cells.get('points', '')!r}") from None
    where = f"{path}: row {row}: "
    criterion, why, comment = (cells.get(name, "") for name in ("criterion", "why", "comment"))
    return Wish(cells["key"], criterion, points, why, comment, where, confirms=False)


def _told(reader: GradebookReader, decision: Decision) -> str:
    """A decision and what it makes of the grade, in a line."""
    entry = reader.entry(decision.key)
    assert entry is not None  # it was there when the decision was made
    now = f"{entry.grade.total} of {entry.grade.max_score:g} points, {entry.grade.status.replace('_', ' ')}"
    did = "taken back" if decision.points is None else number_of(decision.points, "point")
    others = [key for key in entry.shared_by if key != decision.key]
    team = f", for {', '.join(others)} as well" if others else ""
    return printable(f"{decision.key}: {decision.criterion}: {did}{team}; now {now}")


def _list(reader: GradebookReader) -> int:
    again = look_again(reader)
    for line in again:
        print(printable(line))
    count = 0
    for entry in {entry.row.id: entry for entry in reader.entries()}.values():
        for each in entry.grade.adjustments:
            count += 1
            print(
                printable(
                    f"{entry.row.key}: {each.criterion}: {each.was:g} → {each.points:g} by {each.by}, {each.at}: {each.why}"
                )
            )
    print(f"{number_of(count, 'decision')} {'stands' if count == 1 else 'stand'}, {len(again)} to be looked at again")
    return 0
