"""The names that a statement seems to define which no parser reads, as far as its words tell."""

import re
from collections.abc import Iterator
from itertools import pairwise
from keyword import iskeyword

from .magics import logical_starts
from .splitting import DEFINITION

COMMENT = re.compile(r"#[^\n]*")


def lost_names(text: str) -> list[str]:
    """Return the names; those inside a function or class are none of them."""
    if text.startswith("@") or DEFINITION.match(text):
        return [match[1] for line in text.split("\n") if (match := DEFINITION.match(line))]
    names: dict[str, None] = {}
    passed_over: int | None = None  # lines with a larger indent are the body of a definition
    block_statement = re.compile(r"(?:async|if|for|while|with|try|else|elif|except|finally|match|case)\b")
    for line in logical_lines(text):
        code = line.lstrip()
        indent = len(line) - len(code)
        if passed_over is not None and indent > passed_over:
            continue
        found = list(bound(code))
        is_open = block_statement.match(code) or (found and not DEFINITION.match(code))
        passed_over = None if is_open else indent
        names |= dict.fromkeys(found)
    return [name for name in names if name.isidentifier() and not iskeyword(name)]


def logical_lines(text: str) -> Iterator[str]:
    """Yield the statements' lines, each with those that its brackets and strings go on in."""
    lines = text.split("\n")
    starts = [index for index in logical_starts(lines) if COMMENT.sub("", lines[index]).strip()]
    for start, stop in pairwise([*starts, len(lines)]):
        yield "\n".join(lines[start:stop])


def bound(code: str) -> Iterator[str]:
    """Yield what the first words of a statement bind."""
    assignment = re.compile(r"([^=!<>:+*/%&|^@-]+?)(?::[^=]*)?=(?!=)")
    imports = re.compile(r"(?:from\s+[\w.]+\s+)?import\b(.*)", re.DOTALL)
    if match := DEFINITION.match(code):
        yield match[1]
    elif match := imports.match(code):
        is_module = code.startswith("import")
        for alias in COMMENT.sub("", match[1]).replace("(", " ").replace(")", " ").split(","):
            words = alias.split()
            if len(words) == 1 or words[1:2] == ["as"]:
                yield words[-1].partition(".")[0] if is_module else words[-1]
    elif (match := assignment.match(code)) and match[1].count("(") == match[1].count(")") and "[" not in match[1]:
        yield from (target.strip(" ()") for target in match[1].split(","))
