"""``grade.py template``: an assignment's template from its reference, and what is generated from it besides."""

import argparse

from grader import finding
from grader.commands.arguments import shared
from grader.publish import template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write the template that students begin with: the reference without what stands between the marks "
        "### BEGIN SOLUTION and ### END SOLUTION."
    )
    shared(parser, "--assignment")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the template is another")


def run(given: argparse.Namespace) -> int:
    """Write the template, or compare it with what is there."""
    assignment = finding.find(given.assignment)
    drifted = template.drifted(assignment)
    if not given.check:
        template.write(assignment)
    elif drifted:
        named = f" --assignment {given.assignment}" if given.assignment else ""
        differ = "differs" if len(drifted) == 1 else "differ"
        print(f"{', '.join(drifted)} {differ} from the reference; run python grade.py template{named}")
    return int(given.check and bool(drifted))
