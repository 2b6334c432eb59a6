"""``explain CRITERION``: what a criterion asks for, where to read about it, and what the last run of pytest saw."""

import argparse
import textwrap
from collections.abc import Iterator
from pathlib import Path

from grader import finding, rubric
from grader.assignment import Assignment
from grader.errors import GraderError
from grader.reports.text import visible
from grader.rubric import RubricCriterion
from grader.sentences import did_you_mean
from grader.students import last_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The criterion to explain; all are listed where none is named."""
    parser.add_argument(
        "criterion", nargs="?", metavar="CRITERION", help="its id in the rubric; without one, all are listed"
    )
    parser.add_argument(
        "--assignment",
        metavar="NAME",
        default="",
        help="an installed one, or a folder with assignment.py (default: as pytest here)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation."""
    assignment = finding.find(arguments.assignment or finding.of_folder(Path.cwd()))
    for line in explained(assignment, arguments.criterion, Path.cwd()):
        print(visible(line))
    return 0


def explained(assignment: Assignment, criterion: str | None, root: Path) -> list[str]:
    """Explain a criterion in lines; list all of them where none is named.

    Args:
        assignment: the one that has the criterion.
        criterion: its id.
        root: the folder in which pytest was run, which keeps what the last run saw.

    Raises:
        GraderError: there is no such criterion.
    """
    loaded = rubric.load(assignment.rubric, assignment.check_names, assignment.thresholds)
    entries = {entry.id: entry for entry in loaded.criteria}
    if criterion is None:
        return [f"{entry.id}  {entry.title}, {_points(entry)}" for entry in entries.values()]
    if criterion not in entries:
        meant = did_you_mean(criterion, entries, f"; there are {', '.join(entries)}")
        raise GraderError(f"explain: there is no criterion {criterion!r}{meant}")
    return [*_asked(assignment, entries[criterion]), *_seen(root, criterion), f"Run it alone: pytest -k {criterion}"]


def _points(entry: RubricCriterion) -> str:
    return f"{entry.points:g} {'point' if entry.points == 1 else 'points'}"


def _asked(assignment: Assignment, entry: RubricCriterion) -> Iterator[str]:
    criterion = assignment.criteria[entry.id]
    yield f"{entry.id}: {entry.title} (part {entry.part}, {_points(entry)})"
    if criterion.names:
        yield f"You write: {', '.join(criterion.names)}"
    yield "What is checked:"
    for check in criterion.checks:
        earned = f" ({entry.checks[check.name]:g} of the points)" if check.name in entry.checks else ""
        yield textwrap.fill(f"{check.sentence}{earned}", 100, initial_indent="  - ", subsequent_indent="    ")
    if entry.id in assignment.official:
        yield textwrap.fill(assignment.official[entry.id], 100)
    if entry.id in assignment.reading:
        yield textwrap.fill(f"Read: {assignment.reading[entry.id]}", 100, subsequent_indent="    ")


def _seen(root: Path, criterion: str) -> Iterator[str]:
    known = last_run.seen(root, criterion)
    if known is None:
        yield "Not run here yet."
        return
    told = "" if known["status"] == "passed" else f": {known['feedback']}"
    yield textwrap.fill(f"Last run, {known['at']}: {known['status']}{told}", 100, subsequent_indent="    ")
