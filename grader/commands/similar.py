"""``grade.py similar``: submissions of a class that are nearly the same."""

import argparse

from grader.commands.arguments import share, shared
from grader.gradebook.reader import GradebookReader
from grader.gradebook.similarity import MIN_SIMILARITY, similar
from grader.reports.text import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "List groups of submissions whose code or checkpoints are nearly the same, the largest first: for the "
        "instructor's eye, no points depend on it. What the template holds is left out; the score is 1 where nothing "
        "but layout, comments and names differs."
    )
    shared(parser, "--out", "--attempts")
    parser.add_argument(
        "--least",
        type=share,
        default=MIN_SIMILARITY,
        metavar="X",
        help=f"scores to show, from here to 1 ({MIN_SIMILARITY})",
    )


def run(given: argparse.Namespace) -> int:
    """Print the groups."""
    with GradebookReader(given.out, given.attempts) as reader:
        found = similar(reader.book, reader.entries(), given.least)
    for group in found:
        print(printable(str(group)))
    if not found:
        print(f"no two submissions are alike by {given.least:g} or more")
    return 0
