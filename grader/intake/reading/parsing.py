"""Source text as top-level statements, each with the text that a worker executes.

A statement that does not parse is left out and said; its neighbours stay. The body of a notebook's
``if __name__ == "__main__":`` is top level, for there the condition is true; a module's is left out.
"""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .magics import python_lines

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
JOINED_WORDS = ("else", "elif", "except", "finally")
TRIED_CHUNKS = 30  # how many chunks a statement may span when a broken file is read piecewise
TRIED_IN_ALL = 3000  # after that, the rest of the file is left out


@dataclass(frozen=True)
class Place:
    """Where a text stands: what a ``Piece`` says of it."""

    file: str
    cell: int | None

    def __str__(self) -> str:
        return self.file if self.cell is None else f"cell {self.cell}"


@dataclass(frozen=True)
class Broken:
    """A statement that this Python cannot parse."""

    place: Place
    first: int  # its first line, 1-based
    line: int  # where Python stopped
    message: str  # what Python says of it
    names: tuple[str, ...]  # that it seems to define
    texts: tuple[str, ...] = ()  # the statement, by every line at which it may end
    python: str = ""  # the version that can parse it, where it is a newer one

    def __str__(self) -> str:
        version = f"needs Python {self.python} or newer" if self.python else "this statement was left out"
        return f"{self.place}, line {self.line}: {self.message}; {version}"


@dataclass(frozen=True)
class Statement:
    """One top-level statement."""

    node: ast.stmt
    source: str
    place: Place
    line: int  # of the first line of ``source``, 1-based

    def __str__(self) -> str:
        return f"{self.place}, line {self.line}"


def statements(source: str, place: Place, *, is_main: bool) -> tuple[list[Statement], list[Broken]]:
    """Split a cell or a module into statements, and say what could not be read."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    broken: list[Broken] = []
    found: list[Statement] = []
    for text, first in readable(source, place, broken):
        part = Text(text.split("\n"), place, first)
        for node in parsed(text).body:
            found += opened(node, part, is_main) if is_main_guard(node) else [cut(node, part)]
    return found, broken


@dataclass(frozen=True)
class Text:
    """A text that parses: its nodes count lines from 1, its first line is number ``first``."""

    lines: list[str]
    place: Place
    first: int


def parsed(text: str) -> ast.Module:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree: ast.Module = compile(text, "<submission>", "exec", flags, dont_inherit=True)
    return tree


def parses(text: str) -> bool:
    try:
        parsed(text)
    except UNPARSABLE:
        return False
    return True


def readable(source: str, place: Place, found: list[Broken]) -> Iterator[tuple[str, int]]:
    """Yield texts that parse, with their first lines: the whole where that can be, else what can."""
    for text in (source, python_lines(source), unindented(python_lines(source))):
        if parses(text):
            yield text, 1
            return
    text = unindented(python_lines(source))
    yield from readable_chunks(text, place, found)
    if not found:
        found.append(broken(place, text, 1))


def unindented(source: str) -> str:
    """Take from every line the indent of the first, as IPython does."""
    first = next((line for line in source.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in source.split("\n")) if indent else source


def readable_chunks(text: str, place: Place, found: list[Broken]) -> Iterator[tuple[str, int]]:
    """Yield runs of lines that parse by themselves, and note those that never do."""
    chunks = Chunks(text)
    index = tried = 0
    while index < len(chunks) and tried < TRIED_IN_ALL:
        for stop in chunks.stops(index):
            tried += 1
            chunk = chunks.joined(index, stop)
            if parses(chunk):
                yield chunk, chunks.bounds[index] + 1
                index = stop
                break
        else:
            found.append(chunks.broken(index, place))
            if parses(first := chunks.lines[chunks.bounds[index]]):  # what follows is indented for no reason
                yield first, chunks.bounds[index] + 1
            index += 1
    if index < len(chunks):
        found.append(broken(place, chunks.joined(index, len(chunks)), chunks.bounds[index] + 1))


class Chunks:
    """The lines of a text that does not parse, split where a statement may begin."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.starts = [number for number, line in enumerate(self.lines) if starts_statement(line)]
        self.bounds = [*self.starts, len(self.lines)]

    def __len__(self) -> int:
        return len(self.starts)

    def stops(self, index: int) -> range:
        """Return where a statement that begins with a chunk may end."""
        return range(index + 1, min(index + 1 + TRIED_CHUNKS, len(self.bounds)))

    def joined(self, index: int, stop: int) -> str:
        return "\n".join(self.lines[self.bounds[index] : self.bounds[stop]])

    def broken(self, index: int, place: Place) -> Broken:
        """Describe the statement that begins with a chunk; its decorators are part of it."""
        stops = self.stops(index)
        stop = next((stop for stop in stops if not self.lines[self.bounds[stop - 1]].startswith("@")), index + 1)
        longer = tuple(self.joined(index, each) for each in stops if each >= stop)
        found = broken(place, self.joined(index, stop), self.bounds[index] + 1)
        return replace(found, texts=longer if found.texts else ())


def broken(place: Place, text: str, first: int) -> Broken:
    """Describe a text that does not parse and begins at line ``first``."""
    line, message = 1, "cannot be read"
    texts: tuple[str, ...] = (text,)
    try:
        parsed(text)
    except SyntaxError as error:
        line, message = error.lineno or 1, error.msg
    except (ValueError, RecursionError, MemoryError) as error:
        message, texts = str(error) or "nested too deep", ()  # not to be tried by any other parser
    printable = "".join(char if char.isprintable() else " " for char in message)
    return Broken(place, first, first - 1 + line, printable, tuple(defined_names(text)), texts)


def defined_names(text: str) -> list[str]:
    """Return the names that a statement seems to define, as far as words tell that: those in a function are not."""
    names: dict[str, None] = {}
    in_definition = False
    for line in text.split("\n"):
        if in_definition and line[:1] in ("", " ", "\t"):
            continue
        words = line.replace("(", " ").replace(":", " ").replace("[", " ").split()
        words = words[1:] if words[:1] == ["async"] else words
        in_definition = words[:1] in (["class"], ["def"]) and line[:1] not in (" ", "\t")
        if words[:1] in (["class"], ["def"]):
            names |= dict.fromkeys(words[1:2])
        elif "=" in line and (targets := line.split("=")[0].split(":")[0].strip(" (")):
            names |= dict.fromkeys(each.strip(" ()") for each in targets.split(","))
    return [name for name in names if name.isidentifier()]


def starts_statement(line: str) -> bool:
    word = line.split("(")[0].split(":")[0].split(" ")[0].strip()
    return bool(word) and (line[0] == "@" or line[0] == "_" or line[0].isalpha()) and word not in JOINED_WORDS


def first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])


def cut(node: ast.stmt, text: Text) -> Statement:
    """Cut one statement out of its text."""
    start = first_line(node)
    lines = text.lines[start - 1 : node.end_lineno]
    lines[-1] = lines[-1].encode()[: node.end_col_offset].decode()
    if start == node.lineno:
        lines[0] = lines[0].encode()[node.col_offset :].decode()
    return Statement(node, "\n".join(lines), text.place, text.first + start - 1)


def opened(guard: ast.stmt, text: Text, is_main: bool) -> list[Statement]:
    """Return what stands under ``if __name__ == "__main__":`` in a notebook, nothing in a module."""
    body = guard.body if isinstance(guard, ast.If) and is_main else []
    return [cut(child, text) if child.lineno == guard.lineno else cut_inner(child, text) for child in body]


def cut_inner(child: ast.stmt, text: Text) -> Statement:
    """Cut a statement out of a block: indented as it is, under an ``if True:`` in the line before."""
    start = first_line(child)
    lines = text.lines[start - 1 : child.end_lineno]
    lines[-1] = lines[-1].encode()[: child.end_col_offset].decode()
    return Statement(child, "\n".join(["if True:", *lines]), text.place, text.first + start - 2)


def is_main_guard(node: ast.stmt) -> bool:
    """Tell ``if __name__ == "__main__":``, either way round."""
    if not (isinstance(node, ast.If) and isinstance(node.test, ast.Compare)):
        return False
    test = node.test
    if len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, test.comparators[0]]
    named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return named and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
