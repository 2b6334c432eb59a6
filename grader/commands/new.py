"""``grade.py new NAME``: an assignment of one's own, small and whole, to be changed."""

import argparse

from grader.commands.arguments import given_path
from grader.publish import new


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write a folder with an assignment that works: reference, template, two checks, rubric, a seeded fault and a "
        "correct variant, README. Change it piece by piece; docs/second-assignment.md is the story."
    )
    parser.add_argument("folder", type=given_path, metavar="NAME", help="the folder; its name is the assignment's")


def run(given: argparse.Namespace) -> int:
    """Write the folder and say what to do with it."""
    for path in new.write(given.folder):
        print(path)
    name = given.folder
    print(f"\nNow: python grade.py --assignment {name} {name}/reference")
    print(f"     python grade.py audit --assignment {name}")
    return 0
