"""``grade.py regrade``: a class's grades computed again from what was observed, and who moved."""

import argparse
import contextlib
from collections.abc import Sequence

from grader import finding
from grader.commands.arguments import shared
from grader.gradebook.regrade import RegradedSubmission, regrade_all, remember, remembered
from grader.gradebook.session import alone
from grader.gradebook.store import NAME, Gradebook
from grader.reports.text import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Grade a class again after a change of rubric, threshold or check, from what was observed: no student code "
        "runs, unless a probe is new; then that probe is asked, and nothing else."
    )
    shared(parser, "--out", "--rubric", "--given", "--data", "--assignment")


def run(given: argparse.Namespace) -> int:
    """Compute the grades again and tell who moved; 1 when something needs a person's look."""
    if not (given.out / NAME).is_file():
        Gradebook(given.out / NAME, must_exist=True)  # says what is missing
    with alone(given.out), contextlib.closing(Gradebook(given.out / NAME, must_exist=True)) as book:
        assignment = finding.find(given.assignment) if given.assignment else None
        options = remembered(book, given.rubric, given.data, given.given, assignment)
        moved = regrade_all(options, book)
        remember(book, options)
    _tell(moved)
    return int(any(each.after is None or each.after.status == "needs_review" for each in moved))


def _tell(moved: Sequence[RegradedSubmission]) -> None:
    for each in moved:
        if each.after is None:
            print(f"{printable(each.key)}: stays at {each.before.total}: {printable(each.why)}")
        elif each.by or each.changed or each.before.status != each.after.status:
            change = f"{each.before.total} → {each.after.total} ({each.by:+g})"
            print(f"{printable(each.key)}: {change}  {', '.join(each.changed)}".rstrip())
    others = sum(bool(each.by) for each in moved)
    print(f"{len(moved)} submissions, {others} with another score")
