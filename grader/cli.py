"""The command line: which command is meant, and every exception as one line and an exit status.

Exit status: 0 done; 1 a score under ``--fail-under``, or something that a person should look at; 2 nothing could be
done, said in one line; 130 interrupted. The commands stand in ``grader/commands/``.
"""

import errno
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from grader import firewall, interrupts
from grader.commands import COMMANDS, DEFAULT
from grader.commands.arguments import Parser
from grader.errors import GraderError, GraderErrors, not_installed
from grader.reports.text import complain
from grader.sentences import did_you_mean

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR)  # by a file system, to whoever asks


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and turn every exception into one line and an exit status."""
    _make_writable()
    given = None
    try:
        with interrupts.after_imports():
            command, rest = chosen(list(sys.argv[1:] if arguments is None else arguments))
            given = parser(command).parse_args(rest)
            status = int(given.run(given))
            sys.stdout.flush()
        return status
    except BrokenPipeError:  # `grade.py explain | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as interrupt:
        complain(str(interrupt) or "interrupted; nothing was written")
        return 130
    except GraderErrors as errors:
        for line in errors.lines:
            complain(line)
        return 2
    except Exception as error:
        complain(_words(error, getattr(given, "out", None)))
        return 2


def _make_writable() -> None:
    """Let any text be written to any terminal, to a file, or to nothing."""
    for name in ("COLUMNS", "LINES"):
        if os.environ.get(name) == "0":  # not known, as in a container; rich would write nothing into it
            del os.environ[name]
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by `>&-`, as cron may
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (to the end of the process)
    for stream in (sys.stdout, sys.stderr):  # a terminal without UTF-8 shows a question mark, not an error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def chosen(given: Sequence[str]) -> tuple[str, list[str]]:
    """Tell which command is meant, and its arguments; without one, submissions are graded.

    Raises:
        GraderError: the first word is no command and there is no such file or folder, but it resembles a command.
    """
    first = given[0] if given else ""
    there = bool(first) and Path(first).exists()
    if first == "help" and not there:
        return next((word for word in given[1:] if word in COMMANDS), DEFAULT), ["--help"]
    if first in COMMANDS:
        if there:
            complain(f"{first}: taken as the command; what lies there is graded as ./{first}")
        return first, list(given[1:])
    if any(word.partition("=")[0] == "--audit" for word in given):
        return "audit", _without_alias(given)
    if any(word.partition("=")[0] in ("--mutate", "--all", "--messages") for word in given):
        raise GraderError(
            "--mutate, --all and --messages belong to an audit: give --audit --mutate, or --audit as well"
        )
    meant = did_you_mean(first, COMMANDS) if first.isalpha() else ""
    if meant and not there:
        raise GraderError(f"{first}: no such command, file or folder{meant}")
    return DEFAULT, list(given)


def _without_alias(given: Sequence[str]) -> list[str]:
    """The arguments of ``audit``, where ``--audit`` or ``--audit=CASE`` stood among them."""
    words = (word.removeprefix("--audit=") for word in given)
    return [word for word in words if word != "--audit"]


def parser(command: str) -> Parser:
    """The parser of one command; its module alone is imported, so that each starts at once."""
    name, words = COMMANDS[command]
    module = importlib.import_module(name)
    made = Parser(
        prog="grade.py" if command == DEFAULT else f"grade.py {command}", description=f"{words[0].upper()}{words[1:]}."
    )
    module.add_arguments(made)
    made.set_defaults(run=module.run)
    return made


def _words(error: Exception, out: Path | None) -> str:
    """An exception in one line.

    Args:
        out: the folder with the gradebook, where there is one.
    """
    if isinstance(error, GraderError):
        return str(error)
    if os.environ.get(firewall.TRACEBACK_VARIABLE):
        traceback.print_exception(error)
    if isinstance(error, ModuleNotFoundError) and not (error.name or "grader").startswith("grader"):
        return str(not_installed(str(error.name)))
    if type(error).__module__ == "sqlite3":
        from grader.gradebook import refusals  # noqa: PLC0415  slow to import, and most commands have no gradebook

        if said := refusals.words(error):
            return f"{'the gradebook' if out is None else f'the gradebook in {out}'}: {said}"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{error.filename or 'the output'}: {error.strerror}; make room there, and start again"
    if isinstance(error, OSError) and error.filename and error.errno in REFUSED:
        return f"{error.filename}: {error.strerror}; look who may read and write there"
    return f"the grader itself failed: {type(error).__name__}: {error} ({firewall.TRACEBACK_VARIABLE}=1 shows where)"
