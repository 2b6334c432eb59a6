"""Whether a submission has left a given block as it is, told from its frozen text: nothing of it is executed here.

A block counts as left alone when its text is a given one, when that is its only definition, and when the names that
it uses stand for what the course meant: builtins, the libraries' own functions, other blocks that were left alone,
plain numbers. Whatever is not plain to see (a name that is bound twice, ``setattr``, a library's function that is
replaced) is no fault: the block is then judged by its behaviour.
"""

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from grader import syntax
from grader.intake.reading.names import bound, declared_global, dotted, root, uses, walk
from grader.records import Origin, Piece, Program
from grader.vit import blocks
from grader.vit.names import HYPERPARAMETERS

MAX_CHARACTERS = 200_000  # of code that is read here, ten times as much as a solution has: more would hold up a class
STUDENTS_OWN = ("get_embeddings",)  # a given block may call it, whatever it does: it has a criterion of its own
# Ways to change what a name stands for that do not name it, and ways to reach these: as names of their own or of what
# is imported, and as attributes, which often have harmless namesakes (model.eval(), model.modules()).
INDIRECT_NAMES = frozenset({
    "globals", "locals", "vars", "exec", "eval", "compile", "setattr", "delattr", "builtins", "gc", "ctypes", "inspect",
    "importlib", "runpy", "types", "mock", "monkeypatch", "update_wrapper", "wraps", "attrgetter", "methodcaller",
    "pickle", "marshal", "dill", "cloudpickle", "TorchFunctionMode", "TorchDispatchMode",
})  # fmt: skip
INDIRECT_ATTRIBUTES = frozenset({
    "meta_path", "f_globals", "f_builtins", "f_locals", "settrace", "setprofile", "update_wrapper", "wraps",
    "attrgetter", "methodcaller", "TorchFunctionMode", "TorchDispatchMode",
})  # fmt: skip
HARMLESS_DUNDERS = frozenset({
    "__init__", "__name__", "__main__", "__class__", "__len__", "__getitem__", "__call__", "__version__", "__doc__",
    "__file__", "__repr__", "__str__", "__future__",
})  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """A definition that counts, and the module whose names it uses; None is the notebook."""

    module: str | None
    node: ast.stmt


@dataclass
class Namespaces:
    """The names of a submission's modules, as its text binds them."""

    program: Program
    statements: dict[str | None, list[ast.stmt]] = field(default_factory=dict)
    readable: bool = True

    def __post_init__(self) -> None:
        everything = (self.program.main, *self.program.modules.values())
        self.readable = sum(len(piece.source) for pieces in everything for piece in pieces) <= MAX_CHARACTERS
        if not self.readable:
            return
        for module, pieces in ((None, self.program.main), *self.program.modules.items()):
            self.statements[module] = [node for piece in pieces for node in self._parsed(piece)]

    def _parsed(self, piece: Piece) -> list[ast.stmt]:
        try:
            return top_level(piece)
        except blocks.UNREADABLE:
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
        """The dotted path of what a name stands for, ``torch.utils.data.Subset``; None where that is not sure."""
        found = self.binders.get((module, name), [])
        if not found:
            sure = module not in self.stars and hasattr(builtins, name)
            return f"builtins.{name}" if sure else None
        paths = {self._path(node, name, depth) for node in found}
        return paths.pop() if len(paths) == 1 else None

    def _path(self, node: ast.stmt, name: str, depth: int) -> str | None:
        link = self._link(node, name)
        if link is not None:
            return self.library(*link, depth + 1) if depth <= len(self.statements) and link in self.binders else None
        path = dict(blocks.imported(node)).get(name)
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


def top_level(piece: Piece) -> list[ast.stmt]:
    """The statements of a piece, without the lines that intake put around them."""
    body = syntax.parse(piece.source).body
    if body and isinstance(body[0], ast.ImportFrom) and body[0].module == "__future__":
        body = body[1:]
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


def left_alone(program: Program, given: blocks.Given) -> frozenset[str]:
    """The judged blocks that a submission has left as they were given."""
    spaces = Namespaces(program)
    try:
        if not spaces.readable or _changes_indirectly(spaces):
            return frozenset()
        alone = {name: found for name in blocks.JUDGED if (found := _given_text(spaces, name, given))}
        kept: set[str] = set(alone)
        while wrong := {name for name in kept if not _means_the_same(spaces, *alone[name], kept)}:
            kept -= wrong
        return frozenset(kept)
    except blocks.UNREADABLE:
        return frozenset()


def other_meanings(program: Program, given: blocks.Given, name: str) -> list[str]:
    """The names in a block of a given text that do not stand for what the course meant; empty where that is not seen."""
    spaces = Namespaces(program)
    try:
        texts = {each: text for each in blocks.JUDGED if (text := _given_text(spaces, each, given))}
        if name not in texts:
            return []
        block, imports = texts[name]
        used = sorted(_used(block.node))
        return [u for u in used if not _name_means_the_same(spaces, block.module, u, imports, set(texts))]
    except blocks.UNREADABLE:
        return []


def still_to_do(program: Program, name: str) -> bool:
    """Whether a function does nothing but raise NotImplementedError, as the template has it."""
    if name not in program.names:
        return False
    spaces = Namespaces(program)
    found = spaces.definition(_home(spaces, name), name)
    body = found.node.body if found is not None and isinstance(found.node, ast.FunctionDef) else []
    last = body[-1] if body and len(body) <= 1 + _is_text(body[0]) else None
    raised = last.exc if isinstance(last, ast.Raise) else None
    raised = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def changed(program: Program, given: blocks.Given) -> tuple[str, ...]:
    """The blocks whose text differs from every given one."""
    defined = [name for name in blocks.BLOCKS if name in program.names and given.texts.get(name)]
    return tuple(name for name in defined if _text_of(program, name) not in given.texts[name])


def _home(spaces: Namespaces, name: str) -> str | None:
    return spaces.program.names[name].module


def _text_of(program: Program, name: str) -> str:
    """The digest of the definition that counts, empty where it cannot be told."""
    origin = program.names[name]
    everywhere = (*program.main, *(piece for pieces in program.modules.values() for piece in pieces))
    found = [piece for piece in everywhere if _stands_at(piece, origin)]
    try:
        return blocks.digest(top_level(found[-1])[0])
    except (*blocks.UNREADABLE, IndexError):
        return ""


def _stands_at(piece: Piece, origin: Origin) -> bool:
    """Whether a piece is the definition at some place: intake puts a line before those with postponed annotations."""
    line = piece.line + piece.source.startswith("from __future__ import annotations\n")
    return (piece.file, piece.cell, line) == (origin.file, origin.cell, origin.line)


def _given_text(spaces: Namespaces, name: str, given: blocks.Given) -> tuple[Definition, Mapping[str, str]] | None:
    """The definition of a block whose text is a given one, and the imports that this text rests on."""
    if name not in spaces.program.names or name in spaces.made_global:
        return None
    found = spaces.definition(_home(spaces, name), name)
    if found is None or not isinstance(found.node, ast.FunctionDef):
        return None
    imports = given.texts.get(name, {}).get(blocks.digest(found.node))
    return None if imports is None else (found, imports)


def _means_the_same(spaces: Namespaces, found: Definition, imports: Mapping[str, str], kept: set[str]) -> bool:
    return all(_name_means_the_same(spaces, found.module, name, imports, kept) for name in _used(found.node))


def _used(function: ast.stmt) -> set[str]:
    """The names outside of a function that calling it looks up."""
    return {chain.partition(".")[0] for chain in uses(function).later}


def _name_means_the_same(
    spaces: Namespaces, module: str | None, name: str, imports: Mapping[str, str], kept: set[str]
) -> bool:
    if name in spaces.made_global:
        return False
    if name in blocks.JUDGED:
        there = spaces.definition(module, name)
        return name in kept and there == spaces.definition(_home(spaces, name), name)
    if name in STUDENTS_OWN:
        return bool(spaces.binders.get((module, name)))
    if name in HYPERPARAMETERS:
        return spaces.number(module, name)
    expected = imports.get(name) or blocks.USUAL_IMPORTS.get(name) or f"builtins.{name}"
    return spaces.library(module, name) == expected


def _changes_indirectly(spaces: Namespaces) -> bool:
    """Whether anything in the program may replace what a block or a name in it stands for."""
    relevant = _names_in_blocks(spaces)
    return any(_is_indirect(node, relevant) for node in spaces.nodes) or _takes_apart(spaces)


def _takes_apart(spaces: Namespaces) -> bool:
    """Whether ``sys.modules`` or what ``torch.load`` unpickles may be used to replace something."""
    called = {id(node.func) for node in spaces.nodes if isinstance(node, ast.Call)}
    for node in spaces.nodes:
        if isinstance(node, ast.Attribute) and node.attr == "modules" and id(node) not in called:
            return True
        if isinstance(node, ast.Attribute) and node.attr in ("load", "loads") and root(node) in spaces.imports:
            return True
    return False


def _names_in_blocks(spaces: Namespaces) -> set[str]:
    """The blocks, the names that they look up, and all attributes in them."""
    found: set[str] = set(blocks.JUDGED)
    for name in blocks.JUDGED:
        if name in spaces.program.names and (there := spaces.definition(_home(spaces, name), name)) is not None:
            found |= _used(there.node) | {node.attr for node in walk(there.node) if isinstance(node, ast.Attribute)}
    return found


def _is_indirect(node: ast.AST, relevant: set[str]) -> bool:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        setting = (dotted(node) or "").startswith("torch.backends.")
        return not (own or setting) or node.attr in relevant or _is_dunder(node.attr)
    if isinstance(node, ast.Attribute):
        return node.attr in INDIRECT_ATTRIBUTES or _is_strange(node.attr)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        return len(node.args) < 2 or not _is_plain_text(node.args[1])
    return any(word in INDIRECT_NAMES or _is_strange(word) for word in _words(node))


def _is_plain_text(node: ast.expr) -> bool:
    """Whether ``getattr`` is asked for an attribute that anybody may read and that is seen in the text."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    return not (node.value in INDIRECT_NAMES | INDIRECT_ATTRIBUTES | {"modules"} or _is_strange(node.value))


def _is_strange(word: str) -> bool:
    return _is_dunder(word) and word not in HARMLESS_DUNDERS


def _is_dunder(word: str) -> bool:
    return word.startswith("__") and word.endswith("__")


def _words(node: ast.AST) -> Iterator[str]:
    """The names that a node itself holds, those in imports included."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.alias):
        yield from node.name.split(".")
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from node.module.split(".")
