"""``grade.py package``: the grader as other systems take it in."""

import argparse

from grader import finding
from grader.commands.arguments import given_path, shared
from grader.publish.package import SYSTEMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = """\
Pack the grader as another system takes it in.

  gradescope    the zip to upload as an autograder
  classroom50   the folder to put at CLASSROOM/autograders/ASSIGNMENT
  source        the folder that pip installs, for a course's repository that workflows clone

Each holds the whole grader and no line of the solution.
"""
    parser.add_argument("system", choices=tuple(SYSTEMS), metavar="SYSTEM", help="one of those above")
    parser.add_argument(
        "--out", type=given_path, required=True, metavar="PATH", help="the zip, or a new or empty folder"
    )
    shared(parser, "--rubric", "--assignment")


def run(given: argparse.Namespace) -> int:
    """Write the package."""
    SYSTEMS[given.system](given.out, given.rubric, finding.find(given.assignment))
    print(f"{given.out}: {given.system} package, without the solution")
    return 0
