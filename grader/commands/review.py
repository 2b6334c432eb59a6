"""``grade.py review``: the desk at which a person looks at submissions and decides."""

import argparse

from grader.commands import extras
from grader.commands.arguments import shared
from grader.gradebook.ledger import who


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Serve the class to a browser on this machine, and to nobody else: what a person should look at first, each "
        "submission with its code, verdicts, evidence and pictures side by side, and keys to give points with a "
        "reason. Decisions are those of grade.py adjust."
    )
    parser.add_argument("--list", action="store_true", help="print what to look at first, and serve nothing")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="to listen to (default: any free one)")
    parser.add_argument("--by", metavar="NAME", help="who decides (default: the name of this account)")
    shared(parser, "--out", "--attempts", "--rubric", "--data")


def run(given: argparse.Namespace) -> int:
    """Serve the desk, or print its list."""
    extras.need("review", "review", "flask", "waitress")
    extras.need("review", "report", "matplotlib", "nh3")
    from grader.desk import listing, serving  # noqa: PLC0415  libraries of an extra
    from grader.desk.desk import DeskOptions  # noqa: PLC0415  as above

    options = DeskOptions(given.out, who(given.by), given.attempts, given.rubric, given.data)
    if given.list:
        listing.show(options)
    else:
        serving.serve(options, given.port)
    return 0
