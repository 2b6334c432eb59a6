"""What the commands have in common: mistakes in one line, and the options that several of them take."""

import argparse
import math
from pathlib import Path
from typing import Any, NoReturn

from grader.errors import GraderError
from grader.sentences import did_you_mean


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        raise GraderError(f"{self.prog}: {message}{self._meant(message)}; see --help")

    def _meant(self, message: str) -> str:
        """The option that a misspelt one resembles."""
        unknown = message.removeprefix("unrecognized arguments: ") if message.startswith("unrecognized") else ""
        word = unknown.split(" ")[0].partition("=")[0]
        return did_you_mean(word, self._option_string_actions) if word.startswith("--") else ""


def given_path(text: str) -> Path:
    """Read a path.

    Raises:
        argparse.ArgumentTypeError: it is empty, as a variable of a script that is not set.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a file or a folder, got an empty text")
    return Path(text)


def destination(text: str) -> str:
    """Read where something is to be written: "-" is standard output, by whatever name."""
    return "-" if text in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1") else text


def seed(text: str) -> int:
    """Read a seed.

    Raises:
        argparse.ArgumentTypeError: it is none that NumPy takes.
    """
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to {2**32 - 1}, not {text!r}")
    return int(text)


def share(text: str) -> float:
    """Read a number from 0 to 1.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return number


SHARED: dict[str, dict[str, Any]] = {
    "--out": {
        "type": given_path, "default": Path("grades"), "metavar": "DIR",
        "help": "the gradebook, reports and whatever else a run writes (default: ./grades)",
    },
    "--data": {
        "type": given_path, "metavar": "DIR",
        "help": "the folder with the data (default: where the assignment looks for it, as its README says)",
    },
    "--seed": {
        "type": seed, "metavar": "N", "help": "fixes every random input (default: fresh, always recorded)",
    },
    "--rubric": {
        "type": given_path, "metavar": "FILE",
        "help": "points, thresholds, late days (default: the assignment's, or what the class was graded by)",
    },
    "--given": {
        "type": given_path, "metavar": "DIR",
        "help": "the course's own given files (default: the assignment's, or what the class was graded by)",
    },
    "--assignment": {
        "metavar": "NAME", "default": "",
        "help": "an installed assignment, or a folder with assignment.py (default: as the class had, or settings.toml)",
    },
    "--attempts": {
        "choices": ("latest", "best"), "default": "latest", "help": "which of a student's submissions counts",
    },
    "--roster": {
        "type": given_path, "metavar": "CSV",
        "help": "who belongs to the class: extensions, teams, late days, excused (default: the last that was given)",
    },
    "--zone": {
        "metavar": "NAME", "help": 'of times that have none, "America/Edmonton" (default: that of [late], or the last given)',
    },
    "--unconfined": {"action": "store_true", "help": "run student code without a sandbox"},
}  # fmt: skip
GRADING = ("--rubric", "--given", "--assignment", "--unconfined")  # how to grade, whatever is graded


def shared(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add options that several commands take, such as "--out"."""
    for name in names:
        parser.add_argument(name, **SHARED[name])
