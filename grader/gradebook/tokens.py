"""What of a kept submission is compared with others: its program's own tokens, and the checksums of its tensors."""

import builtins
import io
import json
import keyword
import tokenize
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from grader import syntax

KNOWN_NAMES = {*keyword.kwlist, *dir(builtins), "self"}


def program_of(data: bytes) -> list[str]:
    """The statements of a kept submission, for comparison with others."""
    program = json.loads(zlib.decompress(data))["program"]
    return [piece["source"] for pieces in (program["main"], *program["modules"].values()) for piece in pieces]


def weights_of(data: bytes) -> dict[str, frozenset[str]]:
    """By checkpoint of a kept submission, the checksums of its tensors."""
    kept = json.loads(zlib.decompress(data)).get("weights", {})
    return {name: frozenset(sums) for name, sums in kept.items() if sums}


def tokens_of(statements: Sequence[str], template: Path | None = None) -> tuple[str, ...]:
    """The tokens of a program that are its author's; definitions by their names, so that their order says nothing.

    Args:
        statements: the program's.
        template: the folder that everybody began with.
    """
    given = _lines_of(template)
    lines: list[tuple[str, ...]] = []
    for statement in sorted(statements, key=_name):
        lines += [line for line in _lines(statement) if line not in given]
    max_tokens = 20_000  # … of which so many are compared
    return tuple(token for line in lines for token in line)[:max_tokens]


def _name(statement: str) -> str:
    try:
        first = syntax.parse(statement).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return ""
    name = getattr(first, "name", "")
    return name if isinstance(name, str) else ""  # that of `type X = int` is a node


def _lines(source: str) -> Iterator[tuple[str, ...]]:
    """The lines of a program as tokens, names of variables all the same."""
    line: list[str] = []
    before = ""
    without_meaning = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
    }  # fmt: skip
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE and line:
                yield tuple(line)
                line = []
            if token.type in without_meaning:
                continue
            line.append(_plain(token, before))
            before = token.string
    except (tokenize.TokenError, SyntaxError):  # not to be read to its end
        pass
    if line:
        yield tuple(line)


def _plain(token: tokenize.TokenInfo, before: str) -> str:
    if token.type == tokenize.STRING:
        return '""'
    if token.type == tokenize.NAME and before != "." and token.string not in KNOWN_NAMES:
        return "name"
    return token.string


@cache
def _lines_of(template: Path | None) -> frozenset[tuple[str, ...]]:
    """The lines that everybody was given; none where the template is not there."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(template.glob("*.py"))] if template else []
    return frozenset(line for source in sources for line in _lines(source))
