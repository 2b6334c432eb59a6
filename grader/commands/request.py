"""``grade.py request``: what students ask to be looked at again."""

import argparse
from pathlib import Path

from grader.commands.arguments import given_path, shared
from grader.errors import GraderError
from grader.gradebook import tables
from grader.gradebook.reader import GradebookReader
from grader.gradebook.requests import Requests, StudentRequest
from grader.reports.text import printable
from grader.sentences import number_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Take in requests of students for another look: the review desk lists them first, until they are answered "
        "there. Without arguments, the open ones are listed."
    )
    parser.add_argument("key", nargs="?", metavar="KEY", help="the student's, as the gradebook has it")
    parser.add_argument("--text", default="", metavar="TEXT", help="the request, in the student's words")
    parser.add_argument("--file", type=given_path, metavar="CSV", help="many at once: columns key and text")
    shared(parser, "--out")


def run(given: argparse.Namespace) -> int:
    """Keep requests, or list the open ones."""
    if given.key is not None and given.file is not None:
        raise GraderError("grade.py request: give a KEY with --text, or --file, not both")
    with GradebookReader(given.out) as reader:
        requests = Requests(reader.book)
        if given.key is None and given.file is None:
            for each in requests.open():
                print(printable(f"{each.key}: {each.text}"))
            print(number_of(len(requests.open()), "open request"))
            return 0
        asked = [StudentRequest(given.key, given.text)] if given.file is None else _of_file(given.file)
        new = requests.add(asked)
    there = f", {len(asked) - len(new)} were there already" if len(new) < len(asked) else ""
    print(f"{len(new)} taken in{there}; grade.py review lists them first")
    return 0


def _of_file(path: Path) -> list[StudentRequest]:
    return tables.decided(path, "request", ("key", "text"), lambda row, cells: _request(path, row, cells))


def _request(path: Path, row: int, cells: tables.Cells) -> StudentRequest:
    return StudentRequest(cells["key"], cells.get("text", ""), where=f"{path}: row {row}: ")
