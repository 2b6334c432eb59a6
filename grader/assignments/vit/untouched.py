"""Whether a submission has left a given block as it is, told from its frozen text: nothing of it is executed here.

A block counts as left alone when its text is a given one, when that is its only definition, and when the names that
it uses stand for what the course meant: builtins, the libraries' own functions, other blocks that were left alone,
plain numbers. Whatever is not plain to see (a name that is bound twice, ``setattr``, a library's function that is
replaced) is no fault: the block is then judged by its behaviour.
"""

import ast
from collections.abc import Iterator, Mapping

from grader.assignments.vit import blocks
from grader.assignments.vit.names import HYPERPARAMETERS
from grader.assignments.vit.namespaces import Definition, Namespaces, top_level
from grader.intake.reading.names import dotted, root, uses, walk
from grader.records import Origin, Piece, Program

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
