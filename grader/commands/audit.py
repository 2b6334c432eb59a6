"""``grade.py audit``: whether every seeded fault costs what it should, and every correct variant nothing."""

import argparse

from grader.commands.arguments import GRADING, shared
from grader.errors import GraderError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Grade the reference, the template, the seeded faults and the correct variants, and say which verdicts are "
        "wrong. An instructor does that after a change of the rubric or of a check. `grade.py --audit` is the same."
    )
    parser.add_argument("case", nargs="?", default="", metavar="CASE", help="only the cases whose id holds this")
    parser.add_argument(
        "--mutate", nargs="?", const="", metavar="MODULE",
        help="change the reference (MODULE of it, a variant, or pairs) in one place at a time instead, and list the "
        "changes that no criterion notices and no entry of equivalent.toml explains",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="with --mutate: grade every mutant, not a sample")
    parser.add_argument("--messages", action="store_true", help="list every sentence that was said, once each")
    shared(parser, "--out", "--data", "--seed", *GRADING)


def run(given: argparse.Namespace) -> int:
    """Audit; 1 when a verdict is not as it should be."""
    if given.all and given.mutate is None:
        raise GraderError("--all says how many mutants are graded: give --mutate as well")
    from grader.commands.options import grading_options  # noqa: PLC0415  slow to import, and --help needs none of it
    from grader.reports import audit_table, mutation  # noqa: PLC0415  as above

    options = grading_options(given)
    if given.mutate is not None:
        return mutation.run(options, given.mutate, given.all, given.messages)
    return audit_table.run(options, given.case, given.messages)
