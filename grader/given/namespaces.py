"""What the names of a submission's modules stand for, as its frozen text binds them: nothing of it is executed here."""

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from grader import syntax
from grader.intake.reading.names import bound, declared_global, walk
from grader.records import Piece, Program

UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # raised by parsing, and by walking what was parsed


@dataclass(frozen=True)
class Definition:
    """A definition that counts, and the module whose names it uses; None is the notebook."""

    module: str | None
    node: ast.stmt


@dataclass
class Namespaces:
    """The names of a submission's modules, as its text binds them.

    Attributes:
        statements: the top-level statements, by module; None is the notebook.
        readable: whether all of it could be parsed, and was short enough to be.
    """

    program: Program
    statements: dict[str | None, list[ast.stmt]] = field(default_factory=dict)
    readable: bool = True

    def __post_init__(self) -> None:
        everything = (self.program.main, *self.program.modules.values())
        max_characters = (
            200_000  # of code that is read here, ten times as much as a solution has: more would hold up a class
        )
        self.readable = sum(len(piece.source) for pieces in everything for piece in pieces) <= max_characters
        if not self.readable:
            return
        for module, pieces in ((None, self.program.main), *self.program.modules.items()):
            self.statements[module] = [node for piece in pieces for node in self._parsed(piece)]

    def _parsed(self, piece: Piece) -> list[ast.stmt]:
        try:
            return top_level(piece)
        except UNREADABLE:
            self.readable = False
            return []

    @cached_property
    def binders(self) -> dict[tuple[str | None, str], list[ast.stmt]]:
        """By module and name, the top-level statements that bind the name."""
        found: dict[tuple[str | None, str], list[ast.stmt]] = defaultdict(list)
        for module, statements in self.statements.items():
            for node in statements:
                for name in bound([node]):
                    found[module, name].append(node)
        return found

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of all statements, function bodies included."""
        return [node for statements in self.statements.values() for each in statements for node in walk(each)]

    @cached_property
    def imports(self) -> set[str]:
        """The names that any import binds."""
        found = (node for node in self.nodes if isinstance(node, ast.Import | ast.ImportFrom))
        return {alias.asname or alias.name.partition(".")[0] for node in found for alias in node.names}

    @cached_property
    def made_global(self) -> set[str]:
        """Names that a function may bind in its module."""
        return declared_global([each for statements in self.statements.values() for each in statements])

    @cached_property
    def stars(self) -> set[str | None]:
        """Modules that take all names of a library: nobody knows which."""
        return {m for m, statements in self.statements.items() if any("*" in _taken(node) for node in statements)}

    def definition(self, module: str | None, name: str) -> Definition | None:
        """The only statement that defines a name, followed through imports of the submission's own modules."""
        for _ in range(len(self.statements) + 1):
            found = self.binders.get((module, name), [])
            if len(found) != 1:
                return None
            (node,) = found
            link = self._link(node, name)
            if link is None:
                return Definition(module, node)
            module, name = link
        return None

    def library(self, module: str | None, name: str, depth: int = 0) -> str | None:
        """The dotted path of what a name stands for, ``torch.utils.data.Subset``; None where the text does not tell."""
        found = self.binders.get((module, name), [])
        if not found:
            is_builtin = module not in self.stars and hasattr(builtins, name)
            return f"builtins.{name}" if is_builtin else None
        paths = {self._path(node, name, depth) for node in found}
        return paths.pop() if len(paths) == 1 else None

    def _path(self, node: ast.stmt, name: str, depth: int) -> str | None:
        link = self._link(node, name)
        if link is not None:
            return self.library(*link, depth + 1) if depth <= len(self.statements) and link in self.binders else None
        path = dict(imported(node)).get(name)
        return None if path is None or self._is_own(path.partition(".")[0]) else path

    def _link(self, node: ast.stmt, name: str) -> tuple[str, str] | None:
        """The module of the submission, and the name in it, that an import takes."""
        if not isinstance(node, ast.ImportFrom) or node.level or node.module not in self.program.modules:
            return None
        return next(((node.module, alias.name) for alias in node.names if name == (alias.asname or alias.name)), None)

    def _is_own(self, top: str) -> bool:
        return any(name.partition(".")[0] == top for name in self.program.modules)

    def number(self, module: str | None, name: str) -> bool:
        """Whether a name stands for a plain number."""
        found = self.definition(module, name)
        value = _assigned(found.node, name) if found is not None else None
        return value is not None and _is_number(value)


def imported(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with the dotted path of what it stands for; none for ``import *``."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def top_level(piece: Piece) -> list[ast.stmt]:
    """The statements of a piece, without the line that intake put around them."""
    body = syntax.parse(piece.source).body
    if len(body) == 1 and isinstance(body[0], ast.If) and not body[0].orelse and _is_true(body[0].test):
        body = body[0].body
    return body


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _assigned(node: ast.stmt, name: str) -> ast.expr | None:
    """The value that an assignment gives a name, also in ``a, b = 1, 2``."""
    if isinstance(node, ast.AnnAssign):
        return node.value
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return None
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        pairs = zip(target.elts, value.elts, strict=True)
        return next((right for left, right in pairs if isinstance(left, ast.Name) and left.id == name), None)
    return value if isinstance(target, ast.Name) else None


def _taken(node: ast.stmt) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)
