"""Text of a submission, made harmless: names, messages and printed output are written by others."""

import hashlib
import sys
import unicodedata
from typing import NamedTuple

from grader import patterns


class Sign(NamedTuple):
    """What stands beside a status: in a page or terminal, in a terminal that has ASCII alone, in Markdown."""

    text: str
    ascii: str
    emoji: str


SIGNS = {  # of criteria and checks, by status
    "passed": Sign("✓", "+", "✅"),
    "partial": Sign("◐", "~", "🟡"),
    "failed": Sign("✗", "x", "❌"),
    "missing": Sign("○", "-", "⬜"),
    "blocked": Sign("⊘", "/", "⏸️"),
    "error": Sign("!", "!", "⚠️"),
    "skipped": Sign("⊘", "/", "⏸️"),
}


def printable(text: str, limit: int = 2_000) -> str:
    r"""One line that shows every character: newlines and tabs become spaces, ESC becomes ``\x1b``."""
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(_shown(character) for character in " ".join(text.split()))


def complain(line: str) -> None:
    """Say on standard error, in one line, what is in the way."""
    print(printable(line), file=sys.stderr)


def visible(text: str) -> str:
    """The same for text that keeps its lines and spaces."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" else _shown(c) for c in text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    r"""The same for text that keeps its spaces and is one line: a newline becomes ``\n``."""
    return visible(text).replace("\n", r"\n")


def _shown(character: str) -> str:
    # Control, format (bidirectional overrides, zero widths), surrogate, private and unassigned characters; line and
    # paragraph separators. What is left cannot move the cursor, hide text or reorder it.
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return character.encode("unicode_escape").decode("ascii")
    return character


def todo(feedback: str) -> str:
    """The feedback of a criterion that a report already calls missing or blocked."""
    words = printable(feedback).removeprefix("still to do").removeprefix(":").strip()
    return words.replace("could not be judged because of", "by", 1)


def file_stem(name: str) -> str:
    """A file name for a student's key that every file system takes, and that no other key has."""
    longest = 80  # characters; the system's limit is 255 bytes, and an ending follows
    fit = patterns.compile(r"[^\pL\pN_.-]+|^\.+").sub("_", name)[:longest]
    if fit == name and fit.lower() != "index":
        return fit
    return f"{fit}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:6]}"
