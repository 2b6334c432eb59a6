"""The commands in the documentation: found, run in order, and compared with what stands there.

``python -m tests.docs.blocks`` runs the walkthroughs and writes what came out into them.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests import warm_commands

BLOCK = re.compile(
    r"(?:<!-- (?:not run: (?P<reason>[^>]+?)|(?P<may_fail>may fail): [^>]+?) -->\n)?"
    r"```(?P<kind>sh|console)\n(?P<body>.*?)```",
    re.DOTALL,
)
LEFT_OUT = "…"


@dataclass
class Step:
    """A command and the lines that are shown below it."""

    command: str
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """A fenced block of commands.

    Attributes:
        reason: why it is not run, "" where it is.
        may_fail: whether its commands may end with another status than 0.
    """

    kind: str
    steps: tuple[Step, ...]
    reason: str
    may_fail: bool


def blocks(text: str) -> Iterator[Block]:
    """All fenced blocks of commands in a document."""
    for found in BLOCK.finditer(text):
        parse = _console if found["kind"] == "console" else _sh
        yield Block(found["kind"], tuple(parse(found["body"])), found["reason"] or "", bool(found["may_fail"]))


def _sh(body: str) -> Iterator[Step]:
    yield from (Step(line) for line in body.splitlines() if line.strip())


def _console(body: str) -> list[Step]:
    """``$ command`` and its output; a here-document goes on to its END."""
    steps: list[Step] = []
    inside = False
    for line in body.splitlines():
        if inside:
            steps[-1].command += f"\n{line}"
            inside = line != "END"
        elif line.startswith("$ "):
            steps.append(Step(line[2:]))
            inside = line.endswith("<<'END'")
        else:
            steps[-1].shown.append(line)
    return steps


class Shell:
    """Runs commands one after the other in a folder, as somebody does who has activated the environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own = {
            "PYTHONPATH": str(folder),
            "COLUMNS": "100",
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "",  # the next command finds the grader compiled
        }
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.variables = warm_commands.environment({**os.environ, **own, "PATH": path})

    def run(self, command: str) -> tuple[int, str]:
        """The exit status, and what was printed."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.variables, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=500, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout


def same(line: str) -> str:
    """A line without what differs from run to run: numbers, and how they are aligned."""
    seconds = re.sub(r"(\d+\.\d+ ?|… )s\b( \(.*?\))?", "# s", line)
    return re.sub(r"[\s=]+", " ", re.sub(r"\d+(\.\d+)?|\[[^]]*%\]", "#", seconds)).strip()


def differs(shown: list[str], printed: str) -> str:
    """The first shown line that was not printed in its turn, "" where all were."""
    rest = iter([same(line) for line in printed.splitlines()])
    return next((line for line in shown if line.strip() not in ("", LEFT_OUT) and same(line) not in rest), "")


def recorded(text: str, shell: Shell) -> str:
    """A document whose console blocks show what their commands print now."""

    def block(found: re.Match[str]) -> str:
        if found["kind"] != "console" or found["reason"]:
            return found[0]
        steps = [(step.command, shell.run(step.command)[1]) for step in _console(found["body"])]
        return "```console\n" + "".join(f"$ {command}\n{_tidy(printed)}" for command, printed in steps) + "```"

    return BLOCK.sub(block, text)


def _tidy(printed: str) -> str:
    """Without spaces at the end, and without seconds, which are of the machine that it was recorded on."""
    lines = [re.sub(r"\b\d+\.\d+ ?s\b( \(.*?\))?", "… s", line.rstrip()) for line in printed.splitlines()]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    from tests.docs.places import PLACES, ROOT

    for name in sys.argv[1:] or ("docs/walkthrough-student.md", "docs/walkthrough-instructor.md"):
        with tempfile.TemporaryDirectory() as place:
            folder = PLACES[name](Path(place))
            (ROOT / name).write_text(recorded((ROOT / name).read_text(), Shell(folder)))
