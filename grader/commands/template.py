"""``grade.py template``: ``student/`` from ``reference/``, and what is generated from it besides."""

import argparse

from grader.publish import template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write the template that students begin with: the reference without what stands between the marks "
        "### BEGIN SOLUTION and ### END SOLUTION."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the template is another")


def run(given: argparse.Namespace) -> int:
    """Write the template, or compare it with what is there."""
    drifted = template.drifted()
    if not given.check:
        template.write()
    elif drifted:
        print(f"{', '.join(drifted)} differ from reference/; run python grade.py template")
    return int(given.check and bool(drifted))
