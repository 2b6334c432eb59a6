"""Source text as top-level statements, each with the text that a worker executes.

A statement that does not parse is left out and said; its neighbours stay. The body of a notebook's
``if __name__ == "__main__":`` is top level, for there the condition is true; a module's is left out.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from .lost_names import lost_names
from .magics import python_lines
from .splitting import MARK, Splitter, begins


@dataclass(frozen=True)
class SourcePlace:
    """Where a text stands: what a ``Piece`` says of it."""

    file: str
    cell: int | None
    is_run: bool = False  # of a notebook that the one that counts runs

    def __str__(self) -> str:
        if self.cell is None:
            return self.file
        return f"{self.file}, cell {self.cell}" if self.is_run else f"cell {self.cell}"


@dataclass(frozen=True)
class Broken:
    """A statement that this Python cannot parse."""

    place: SourcePlace
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
    place: SourcePlace
    line: int  # of the first line of ``source``, 1-based

    def __str__(self) -> str:
        return f"{self.place}, line {self.line}"


LONG_NUMBER = re.compile(r"0[xX][0-9a-fA-F_]{3000}|0[oO][0-7_]{3000}|0[bB][01_]{3000}")  # of which Python makes no text
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
OTHER_FORMATS = {  # by how it begins, what a file is that only seems to be a module
    r"{\\rtf": "it is a document of a word processor (RTF)",
    "PK\x03\x04": "it is a zip file or a document of an office program",
    r"%PDF-": "it is a PDF",
    r"\s*<(?:!doctype|html)\b": "it is a web page",
    r'\s*{\s*"(?:cells|metadata|nbformat)"': "it is a notebook",
}


def statements(source: str, place: SourcePlace, *, is_main: bool) -> tuple[list[Statement], list[Broken]]:
    """Split a cell or a module into statements, and say what could not be read."""
    for begins_like, what in OTHER_FORMATS.items():
        if not is_main and re.match(begins_like, source, re.IGNORECASE):
            names = dict.fromkeys(re.findall(r"\b(?:class|def)\s+(\w+)", source))
            return [], [Broken(place, 1, 1, f"{what}, not plain text: save the code in it as a .py file", tuple(names))]
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    broken: list[Broken] = []
    found: list[Statement] = []
    for text, first in readable(source, place, broken):
        part = Text(text.split("\n"), place, first)
        for node in parsed(text).body:
            if isinstance(node, ast.Return):
                lost = found.pop() if found and isinstance(found[-1].node, DEFINITIONS) else None
                broken.append(outside(node, part, lost))
                continue
            found += opened(node, part, is_main) if is_main_guard(node) else [cut(node, part)]
    return found, broken if is_main else [without_guarded(each) for each in broken]


def without_guarded(broken: Broken) -> Broken:
    """A statement of a module loses no names where they stand under ``if __name__ == "__main__":``."""
    guard = re.compile(r"if\s*\(?\s*__name__\b")
    return replace(broken, names=()) if broken.texts and guard.match(broken.texts[0]) else broken


@dataclass(frozen=True)
class Text:
    """A text that parses: its nodes count lines from 1, its first line is number ``first``."""

    lines: list[str]
    place: SourcePlace
    first: int


def outside(node: ast.Return, text: Text, lost: Statement | None) -> Broken:
    """A ``return`` that lost its indent, which Python's compiler refuses; it was meant for the definition before it."""
    line = text.first + node.lineno - 1
    names = (lost.node.name,) if lost is not None and isinstance(lost.node, DEFINITIONS) else ()
    return Broken(text.place, lost.line if lost else line, line, "'return' outside function", names)


def parsed(text: str) -> ast.Module:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree: ast.Module = compile(text, "<submission>", "exec", flags, dont_inherit=True)
    if LONG_NUMBER.search(text):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, int):
                str(node.value)  # raises ValueError, as Python does over one that is written with ten digits
    return tree


def as_text(node: ast.AST) -> str:
    """The text of a node; "" where it has none: a text inside an f-string may need a backslash, which Python 3.11 forbids."""
    try:
        return ast.unparse(node)
    except ValueError:
        return ""


def parses(text: str) -> bool:
    unparsable = (SyntaxError, ValueError, RecursionError, MemoryError)
    try:
        parsed(text)
    except unparsable:
        return False
    return True


def readable(source: str, place: SourcePlace, found: list[Broken]) -> Iterator[tuple[str, int]]:
    """Yield texts that parse, with their first lines: the whole where that can be, else what can."""
    for text in (source, python_lines(source), unindented(python_lines(source))):
        if parses(text):
            yield text, 1
            return
    text = unindented(python_lines(source))
    yield from readable_parts(text, place, found)
    if not found:  # a comment is at fault
        found.append(replace(broken(place, (text,), 1), names=()))


def unindented(source: str) -> str:
    """Take from every line the indent of the first, as IPython does."""
    first = next((line for line in source.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in source.split("\n")) if indent else source


def readable_parts(text: str, place: SourcePlace, found: list[Broken]) -> Iterator[tuple[str, int]]:
    """Yield the statements that parse by themselves, and note those that do not."""
    splitter = Splitter(text, parses)
    max_longer = 30  # texts that a statement which does not parse may be
    for part in splitter.parts():
        if part.parses:
            yield splitter.text(part.start, part.stop), part.start + 1
        else:
            later = (stop for stop in range(part.stop + 1, len(splitter.lines)) if begins(splitter.lines[stop]))
            stops = [part.stop, *islice(later, max_longer)]
            texts = tuple(splitter.text(part.start, stop) for stop in stops)
            found.append(broken(place, texts, part.start + 1))


def broken(place: SourcePlace, texts: tuple[str, ...], first: int) -> Broken:
    """Describe a text that does not parse and begins at line ``first``; the other texts are longer ones."""
    line, message = first, "cannot be read"
    named_line = re.compile(r"(?<= on line )\d+$")
    detected = re.compile(r" \(detected at line \d+\)$")  # the end of the text: of no use to its author
    try:
        parsed(texts[0])
    except SyntaxError as error:
        line = first - 1 + (error.lineno or 1)
        message = named_line.sub(lambda found: str(first - 1 + int(found[0])), detected.sub("", error.msg))
        marks = [number for number, text in enumerate(texts[0].split("\n")) if MARK.match(text)]
        if marks:
            line, message = first + marks[0], "a mark of a merge conflict is left in"
    except (ValueError, RecursionError, MemoryError) as error:
        message, texts = str(error) or "nested too deep", texts[:1]
        return Broken(place, first, line, printable(message), tuple(lost_names(texts[0])))
    return Broken(place, first, line, printable(message), tuple(lost_names(texts[0])), texts)


def printable(message: str) -> str:
    return "".join(char if char.isprintable() else " " for char in message)


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
    """Return what stands under ``if __name__ == "__main__":`` in a notebook, and under its ``else`` in a module."""
    branch = (guard.body if is_main else guard.orelse) if isinstance(guard, ast.If) else []
    return [opened_one(child, text) for child in branch]


def opened_one(child: ast.stmt, text: Text) -> Statement:
    before, after = split_at(text.lines[child.lineno - 1], child.col_offset)
    if isinstance(child, ast.If) and after.startswith("elif"):
        whole = cut(child, text)
        return replace(whole, source=whole.source.removeprefix("el"))
    return cut(child, text) if before.strip() else cut_inner(child, text)


def split_at(line: str, column: int) -> tuple[str, str]:
    """Split a line where a node begins, whose column counts bytes."""
    return line.encode()[:column].decode(), line.encode()[column:].decode()


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
