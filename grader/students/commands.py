"""``python -m grader`` in the folder that students get: ``pack`` and ``explain``."""

import argparse
import io
import sys
from collections.abc import Sequence

from grader.errors import GraderError
from grader.reports.text import complain
from grader.students import explain, pack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        the exit status: 0 done, 2 not done, for a reason said in one line, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal without UTF-8 shows a question mark, not an error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="python -m grader", description="Commands beside pytest.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module, line in (
        ("pack", pack, "make the zip to hand in, with what counts for the grade and nothing else"),
        ("explain", explain, "say what a criterion asks for, where to read about it, and what was seen last time"),
    ):
        command = commands.add_parser(name, help=line, description=f"{line[:1].upper()}{line[1:]}.")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    given = parser.parse_args(arguments)
    try:
        return int(given.run(given))
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except GraderError as error:
        complain(str(error))
        return 2
