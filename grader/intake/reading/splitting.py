"""The statements of a text that does not parse as a whole: those at fault, told apart from their neighbours.

A statement begins with a line that is not indented, outside the brackets, strings and backslashes of the one before.
Where it does not parse, its end is a guess, for a bracket or a string may have been left open. No definition and no
import can stand in brackets, so the next one begins a statement of its own. In a string it may be text: there it begins
one only if it parses.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .magics import scanned

CONTINUES = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")  # no statement begins like this
MARK = re.compile(r"(?:<{7}|={7}|>{7})(?:\s|$)")  # of a merge conflict
DEFINITION = re.compile(r"(?:async\s+)?(?:def|class)\s+(\w+)")
IN_NO_BRACKETS = re.compile(r"(?:async\s+def|def|class|import)\s+\w|from\s+[\w.]+\s+import\b|@\w|!\w")


@dataclass(frozen=True)
class TextPart:
    """Some lines of the text: a statement, or what cannot be read of one. Lines count from 0."""

    start: int
    stop: int
    parses: bool
    head: int = 0  # of one that does not parse: where the lines end that do by themselves; ``start`` for none


@dataclass
class Scan:
    """What the lines after the first of a statement are, as far as their brackets and strings tell."""

    stop: int = 0  # where the next statement begins
    is_open: bool = False  # a bracket or a string was not closed before that
    outside: list[int] = field(default_factory=list)  # lines that are neither in brackets nor in a string
    in_brackets: list[int] = field(default_factory=list)  # lines in brackets that are not indented
    in_strings: list[int] = field(default_factory=list)  # lines in strings that are not indented


def begins(line: str) -> bool:
    """Tell whether a statement may begin with a line."""
    return bool(line[:1].strip()) and line[0] != "#" and not CONTINUES.match(line)


def is_inside(lines: list[str], index: int) -> bool:
    """Tell whether a line is the mark of a merge conflict in the midst of a block: what comes next is indented."""
    following = (line for line in lines[index:] if line.strip() and not MARK.match(line))
    return bool(MARK.match(lines[index])) and next(following, "x")[0].isspace()


def scan(lines: list[str], start: int) -> Scan:
    """Look for the end of the statement that begins with a line; decorators belong to what they decorate."""
    found = Scan()
    state, depth, is_joined = "", 0, False
    is_decorated = lines[start].startswith("@")
    for index in range(start, len(lines)):
        line = lines[index]
        is_outside = not state and depth == 0 and not is_joined
        if index > start and line.strip() and not line.lstrip().startswith("#"):
            if state:
                found.in_strings += [index] if line[0].strip() else []
            elif is_decorated and (line[0] == "@" or DEFINITION.match(line)):
                is_decorated = line[0] == "@"
            elif is_outside and is_inside(lines, index):
                found.outside.append(index)
            elif IN_NO_BRACKETS.match(line) or (is_outside and begins(line)):
                break
            elif is_outside:
                found.outside.append(index)
            else:
                found.in_brackets += [index] if line[0].strip() else []
        state, depth = scanned(line, state, depth)
        is_joined = not state and line.endswith("\\") and not line.lstrip().startswith("#")
    else:
        index = len(lines)
    found.stop, found.is_open = index, bool(state) or depth > 0
    return found


class Splitter:
    """A text that does not parse, and how many characters of it were read so far.

    Args:
        parses: whether a text is Python.
    """

    max_read = 10_000_000  # characters, each as often as it is read; after either, the rest of the file is left out

    def __init__(self, text: str, parses: Callable[[str], bool]) -> None:
        self.lines, self.is_python, self.read = text.split("\n"), parses, 0

    def text(self, start: int, stop: int) -> str:
        return "\n".join(self.lines[start:stop])

    def parses(self, start: int, stop: int) -> bool:
        text = self.text(start, stop)
        self.read += len(text) + 1
        return self.read <= self.max_read and self.is_python(text)

    def scanned(self, start: int) -> Scan:
        found = scan(self.lines, start)
        self.read += sum(map(len, self.lines[start : found.stop])) + found.stop - start
        return found

    def parts(self) -> Iterator[TextPart]:
        """Yield the statements in order; a line that is indented for no reason may belong to the one before."""
        last: TextPart | None = None
        for part in self.statements():
            if last is not None and self.continues(last, part):
                last = TextPart(last.start, part.stop, False)
                continue
            if last is not None:
                yield last
            if part.head > part.start:
                yield TextPart(part.start, part.head, True)
                part = TextPart(part.head, part.stop, False)
            last = part
        if last is not None:
            yield last

    def statements(self) -> Iterator[TextPart]:
        start, count = self.next_code(0), 0
        max_parts = 3000
        while start < len(self.lines):
            count += 1
            if self.read > self.max_read or count > max_parts:
                yield TextPart(start, len(self.lines), False)
                return
            found = self.scanned(start)
            part = TextPart(start, found.stop, self.parses(start, found.stop), start)
            if not part.parses:
                part = TextPart(start, self.resumed(found), False, self.head(start, found))
            yield part
            start = self.next_code(part.stop)

    def next_code(self, start: int) -> int:
        """Return the first line from ``start`` on that is no comment, and no shell command after an open bracket."""
        for index in range(start, len(self.lines)):
            if self.lines[index].strip() and self.lines[index].lstrip()[0] not in "#!":
                return index
        return len(self.lines)

    def resumed(self, found: Scan) -> int:
        """Return where the next statement begins after one that does not parse."""
        if not found.is_open and (not found.in_strings or self.begins_well(found.stop)):
            return found.stop
        plain_statement = re.compile(r"\w+(?:\s*,\s*\w+)*\s*(?::[^=]*)?=(?!=)|(?:if|for|while|with|try)\b")
        for index in sorted([*found.in_strings, *(found.in_brackets if found.is_open else [])]):
            line = self.lines[index]
            is_plain = plain_statement.match(line) and not line.rstrip().endswith(",")
            if (is_plain or IN_NO_BRACKETS.match(line)) and self.begins_well(index):
                return index
        return found.stop

    def begins_well(self, start: int) -> bool:
        """Tell whether a statement that parses begins with a line, or nothing is left."""
        if start < len(self.lines) and self.read <= self.max_read:
            return self.parses(start, self.scanned(start).stop)
        return start == len(self.lines)

    def head(self, start: int, found: Scan) -> int:
        """Return where the lines end that parse by themselves: before an indent, an ``else`` or a bracket too many."""
        if any(MARK.match(self.lines[index]) for index in found.outside):
            return start
        for index in found.outside[:1]:
            if self.lines[index][0].isspace() and self.parses(start, index):
                return index
        has_parts = re.compile(r"(?:async|if|for|while|try)\b")  # statements that an ``else`` may belong to
        for index in (each for each in found.outside if CONTINUES.match(self.lines[each])):
            is_part = self.lines[index][0] not in ")]}" and has_parts.match(self.lines[start])
            return index if not is_part and self.parses(start, index) else start
        return start

    def continues(self, last: TextPart, part: TextPart) -> bool:
        """Tell whether lines that are indented for no reason belong to the part before, as its author meant them."""
        if part.parses or part.head == part.start or not self.lines[part.head][0].isspace():
            return False
        if last.parses:  # a line in the midst of a function lost its indent
            return bool(self.lines[part.start - 1].strip() and DEFINITION.match(self.lines[last.start]))
        code = [line for line in self.lines[last.start : last.stop] if line.strip()]
        return code[-1].rstrip().endswith(":")
