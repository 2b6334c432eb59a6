"""``grade.py log KEY``: what became of a student's grade, in order."""

import argparse
from datetime import UTC, datetime

from grader.commands.arguments import shared
from grader.errors import GraderError
from grader.gradebook.history import events
from grader.gradebook.reader import GradebookReader
from grader.reports.text import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Tell what became of a student's grade, in order: submitted, graded, regraded, adjusted, exported."
    )
    parser.add_argument("key", metavar="KEY", help="the student's, as the gradebook has it")
    shared(parser, "--out")


def run(given: argparse.Namespace) -> int:
    """Print a line for each thing that happened."""
    with GradebookReader(given.out) as reader:
        found = events(reader, given.key)
        if not found:
            raise GraderError(f"{given.key}: nothing of this student is in {reader.book.path}")
    for event in found:
        at = datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        print(f"{at}  {event.what:<12}  {printable(event.said)}")
    return 0
