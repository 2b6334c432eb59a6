"""Ask which newer Python could parse what this one cannot: see ``newer_python.py``, the process that is asked.

LibCST is a large library with a parser in Rust: it is imported only where a statement cannot be parsed, and a text
that brings its process down is one that no Python parses.
"""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .lost_names import lost_names
from .parsing import Broken, SourcePlace


class NewerPython:
    """The process that is asked, started with the first question."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.crashes = 0

    def needed(self, texts: list[str]) -> tuple[int, str] | None:
        """Return the first text that a newer Python parses, as its number, and that version; None without one."""
        max_chars = 200_000  # of one text
        asked = [text for text in texts if len(text) <= max_chars and may_be_newer(text)]
        max_crashes = 2  # after which nothing is asked any more
        if not asked or self.crashes >= max_crashes:
            return None
        try:
            number, version = json.loads(self.answer(json.dumps(asked)))
        except (OSError, ValueError):  # it crashed over these texts
            self.crashes += 1
            self.close()
        except TypeError:  # null: there is none
            pass
        else:
            return texts.index(asked[number]), version
        return None

    def answer(self, question: str) -> str:
        if self.process is None:
            pipe = subprocess.PIPE
            command = [sys.executable, "-I", str(Path(__file__).with_name("newer_python.py"))]
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def close(self) -> None:
        """End the process; the next question starts another."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            for stream in filter(None, (process.stdin, process.stdout)):
                with suppress(OSError):
                    stream.close()
            process.wait()


def may_be_newer(text: str) -> bool:
    """Tell whether a text has any sign of what came with Python 3.12 or later: the process takes a second to start."""
    lower = text.lower()
    signs = ('f"', "f'", 't"', "t'", 'r"', "r'", "type ", "except")  # prefixes of strings may be two letters
    return any(sign in lower for sign in signs) or ("[" in lower and ("def " in lower or "class " in lower))


def with_versions(broken: list[Broken]) -> list[Broken]:
    """Add to statements the version of Python that they need, where it is only a newer one that parses them."""
    asking, found = NewerPython(), list[Broken]()
    max_asked = 50  # statements of one submission
    try:
        place: SourcePlace | None = None
        last = 0  # where a statement that a newer Python parses stands, and its last line
        for each in broken[:max_asked]:
            if each.place == place and each.first <= last:  # a part of the statement before
                continue
            answer = asking.needed(list(each.texts))
            if answer is not None:
                text, version = each.texts[answer[0]], answer[1]
                place, last = each.place, each.first + text.count("\n")
                each = replace(each, python=version, names=tuple(lost_names(text)))
            found.append(each)
    finally:
        asking.close()
    return found + broken[max_asked:]
