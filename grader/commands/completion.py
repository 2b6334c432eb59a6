"""``grade.py completion SHELL``: what makes the tab key complete commands, options and files."""

import argparse
import importlib
from pathlib import Path

from grader.commands import COMMANDS, DEFAULT
from grader.errors import GraderError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print a script for a shell, after which the tab key completes the commands and options of an installed "
        "vit-grade, and the files that they take. Needs the extra: pip install 'vit-grade[completion]'."
    )
    parser.epilog = "In bash: vit-grade completion bash > ~/.local/share/bash-completion/completions/vit-grade"
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell that reads it")


def run(given: argparse.Namespace) -> int:
    """Print the script.

    Raises:
        GraderError: shtab is not installed.
    """
    try:
        import shtab  # noqa: PLC0415  of an extra
    except ModuleNotFoundError:
        raise GraderError("completion needs shtab: pip install 'vit-grade[completion]'") from None
    print(shtab.complete(whole(), given.shell))
    return 0


def whole() -> argparse.ArgumentParser:
    """All commands and options in one parser; ``grade.py`` itself makes the parser of one command at a time."""
    made = argparse.ArgumentParser(prog="vit-grade")
    below = made.add_subparsers()  # before the submissions, so that the first word may be a command
    _expect_files(_with_arguments(made, DEFAULT))
    for name, (_, words) in COMMANDS.items():
        if name != DEFAULT:
            _expect_files(_with_arguments(below.add_parser(name, help=words), name))
    return made


def _with_arguments(parser: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    importlib.import_module(COMMANDS[command][0]).add_arguments(parser)
    return parser


def _expect_files(parser: argparse.ArgumentParser) -> None:
    """Have the shell offer files where an option takes a path."""
    import shtab  # noqa: PLC0415  of an extra

    for action in parser._actions:
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
