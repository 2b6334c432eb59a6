"""Patterns for text that students write, matched by RE2: in time that grows with the text, whatever stands in it.

Python's own ``re`` tries one way after another, and 300 kB of blank lines can keep it busy for minutes. What RE2
lacks is all that needs that: no look-around, no back references. In a pattern, ``\\w``, ``\\d``, ``\\s`` and ``\\b``
mean ASCII; ``[\\pL\\pN_]`` is a letter, digit or underscore of any script.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import re2

Match = Any  # a match as ``re`` gives it: text by number or name, ``start()``, ``span()``


class Pattern:
    """A compiled pattern; methods are those of ``re.Pattern``.

    Args:
        pattern: in RE2's syntax.
        ignore_case: upper and lower case are the same.
        lines: ``^`` and ``$`` stand at the ends of every line.
        dot_all: a dot is a line break as well.
    """

    def __init__(self, pattern: str, *, ignore_case: bool = False, lines: bool = False, dot_all: bool = False) -> None:
        flags = "".join(flag for flag, wanted in (("i", ignore_case), ("m", lines), ("s", dot_all)) if wanted)
        options = re2.Options()
        # A text that takes it much memory is matched more slowly, and nobody need hear of it.
        options.log_errors = False
        self.compiled = re2.compile(f"(?{flags})(?:{pattern})" if flags else pattern, options)

    def search(self, text: str) -> Match | None:
        return self.compiled.search(_encodable(text))

    def match(self, text: str) -> Match | None:
        return self.compiled.match(_encodable(text))

    def fullmatch(self, text: str) -> Match | None:
        return self.compiled.fullmatch(_encodable(text))

    def finditer(self, text: str) -> Iterator[Match]:
        return iter(self.compiled.finditer(_encodable(text)))

    def findall(self, text: str) -> list[Any]:
        return list(self.compiled.findall(_encodable(text)))

    def split(self, text: str) -> list[str]:
        return list(self.compiled.split(_encodable(text)))

    def sub(self, new: str | Callable[[Match], str], text: str) -> str:
        """Replace all matches; text without any is given back as it is, halves of surrogate pairs included."""
        if self.search(text) is None:
            return text
        return str(self.compiled.sub(new if callable(new) else lambda found: new, _encodable(text)))


@lru_cache(maxsize=512)
def compile(pattern: str, **options: bool) -> Pattern:
    """Compile a pattern, once for all that ask for the same; see ``Pattern``."""
    return Pattern(pattern, **options)


def escape(text: str) -> str:
    """A pattern that matches just this text."""
    return str(re2.escape(_encodable(text)))


def _encodable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair: RE2 reads UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
