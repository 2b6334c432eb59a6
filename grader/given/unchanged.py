"""Whether a submission has left a given block as it is, told from its frozen text: nothing of it is executed here.

A block counts as unchanged when its text is a given one, when that is its only definition, and when the names that
it uses stand for what the course meant: builtins, the libraries' own functions, other unchanged blocks, plain numbers.
What the text does not plainly tell (a name that is bound twice, ``setattr``, a library's function that is replaced) is
no fault: the block is then judged by its behaviour.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.given.blocks import GivenBlocks, digest
from grader.given.namespaces import UNREADABLE, Definition, Namespaces, top_level
from grader.intake.reading.names import dotted, root, uses, walk
from grader.records import Origin, Piece, Program

# Ways to change what a name stands for that do not name it, and ways to reach these: as names of their own or of what
# is imported, and as attributes, which often have harmless namesakes (model.eval(), model.modules()).
INDIRECT_NAMES = frozenset({
    "globals", "locals", "vars", "exec", "eval", "compile", "setattr", "delattr", "builtins", "gc", "ctypes", "inspect",
    "importlib", "runpy", "types", "mock", "monkeypatch", "update_wrapper", "wraps", "attrgetter", "methodcaller",
    "pickle", "marshal", "dill", "cloudpickle", "shelve", "TorchFunctionMode", "TorchDispatchMode",
    "timeit", "cProfile", "profile", "pdb", "bdb", "trace", "doctest", "code", "codeop", "unsafe_load",
})  # fmt: skip
INDIRECT_ATTRIBUTES = frozenset({
    "meta_path", "f_globals", "f_builtins", "f_locals", "settrace", "setprofile", "update_wrapper", "wraps",
    "attrgetter", "methodcaller", "TorchFunctionMode", "TorchDispatchMode",
})  # fmt: skip


@dataclass(frozen=True)
class Replaced:
    """A name in an unchanged block that does not stand for what the course meant.

    Attributes:
        name: as it stands in the block.
        meant: what it should be: "a given block", "a number", or a dotted path, ``torch.utils.data.Subset``.
        by_way_of: the block that uses it, where that is another one that the block calls.
    """

    name: str
    meant: str
    by_way_of: str = ""


def unchanged_blocks(spaces: Namespaces, given: GivenBlocks) -> frozenset[str]:
    """The trusted blocks that a submission has left as they were given."""
    try:
        if not spaces.readable or _changes_indirectly(spaces, given):
            return frozenset()
        texts = _given_texts(spaces, given)
        kept = set(texts)
        while wrong := {name for name in kept if any(_replaced_in(spaces, texts[name], given, kept))}:
            kept -= wrong
        return frozenset(kept)
    except UNREADABLE:
        return frozenset()


def replaced_names(spaces: Namespaces, given: GivenBlocks, name: str) -> list[Replaced]:
    """The names in a block of a given text, and in the blocks that it calls, that stand for something else.

    Returns:
        those of the block itself first; empty where the text does not tell.
    """
    try:
        texts = _given_texts(spaces, given)
        found, waiting, met = [], [name], {name}
        while waiting:
            block = waiting.pop(0)
            if block not in texts:
                continue
            way = "" if block == name else block
            found += [Replaced(n, m, way) for n, m in sorted(_replaced_in(spaces, texts[block], given, set(texts)))]
            called = sorted(_used(texts[block][0].node) & set(texts) - met)
            waiting, met = [*waiting, *called], met | set(called)
        return found
    except UNREADABLE:
        return []


def changed_texts(program: Program, given: GivenBlocks) -> tuple[str, ...]:
    """The blocks whose text differs from every given one."""
    defined = [name for name in given.rules.names if name in program.names and given.texts.get(name)]
    return tuple(name for name in defined if _text_of(program, name) not in given.texts[name])


def still_to_write(spaces: Namespaces, name: str) -> bool:
    """Whether a function does nothing but raise NotImplementedError, as a template has it."""
    if name not in spaces.program.names:
        return False
    found = spaces.definition(_home(spaces, name), name)
    body = found.node.body if found is not None and isinstance(found.node, ast.FunctionDef) else []
    last = body[-1] if body and len(body) <= 1 + _is_text(body[0]) else None
    raised = last.exc if isinstance(last, ast.Raise) else None
    raised = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _home(spaces: Namespaces, name: str) -> str | None:
    return spaces.program.names[name].module


def _text_of(program: Program, name: str) -> str:
    """The digest of the definition that counts, empty where it cannot be told."""
    origin = program.names[name]
    everywhere = (*program.main, *(piece for pieces in program.modules.values() for piece in pieces))
    found = [piece for piece in everywhere if _stands_at(piece, origin)]
    try:
        return digest(_named_by(top_level(found[-1])[0], everywhere))
    except (*UNREADABLE, IndexError):
        return ""


def _named_by(node: ast.stmt, everywhere: Iterable[Piece]) -> ast.stmt:
    """The function that ``evaluate = metric.evaluate`` names, where only one is called so; another statement as it is."""
    chain = dotted(node.value) if isinstance(node, ast.Assign) else None
    if chain is None:
        return node
    statements = (statement for piece in everywhere for statement in top_level(piece))
    functions = [s for s in statements if isinstance(s, ast.FunctionDef) and s.name == chain.rpartition(".")[2]]
    return functions[0] if len(functions) == 1 else node


def _stands_at(piece: Piece, origin: Origin) -> bool:
    """Whether a piece is the definition at some place."""
    return (piece.file, piece.cell, piece.line) == (origin.file, origin.cell, origin.line)


Text = tuple[Definition, Mapping[str, str]]  # the definition of a block, and the imports that its text rests on


def _given_texts(spaces: Namespaces, given: GivenBlocks) -> dict[str, Text]:
    """The trusted blocks whose text is a given one, by name."""
    found = ((name, _given_text(spaces, name, given)) for name in given.rules.trusted)
    return {name: text for name, text in found if text is not None}


def _given_text(spaces: Namespaces, name: str, given: GivenBlocks) -> Text | None:
    if name not in spaces.program.names or name in spaces.made_global:
        return None
    found = spaces.definition(_home(spaces, name), name)
    if found is None or not isinstance(found.node, ast.FunctionDef):
        return None
    imports = given.texts.get(name, {}).get(digest(found.node))
    return None if imports is None else (found, imports)


def _used(function: ast.stmt) -> set[str]:
    """The names outside of a function that calling it looks up."""
    return {chain.partition(".")[0] for chain in uses(function).later}


def _replaced_in(spaces: Namespaces, text: Text, given: GivenBlocks, kept: set[str]) -> Iterator[tuple[str, str]]:
    """The names in a block that stand for something else, each with what the course meant.

    Args:
        kept: the blocks that are taken for unchanged.
    """
    found, imports = text
    for name in _used(found.node):
        meant = _meant(name, imports, given)
        if not _stands_for(spaces, found.module, name, meant, kept):
            yield name, meant


def _meant(name: str, imports: Mapping[str, str], given: GivenBlocks) -> str:
    rules = given.rules
    if name in rules.trusted:
        return A_BLOCK
    if name in rules.students_own:
        return STUDENTS_OWN
    if name in rules.numbers:
        return A_NUMBER
    return imports.get(name) or rules.usual_imports.get(name) or f"builtins.{name}"


A_BLOCK, STUDENTS_OWN, A_NUMBER = "a given block", "a function of the student's", "a number"


def _stands_for(spaces: Namespaces, module: str | None, name: str, meant: str, kept: set[str]) -> bool:
    if name in spaces.made_global:
        return False
    if meant == A_BLOCK:
        there = spaces.definition(module, name)
        return name in kept and there == spaces.definition(_home(spaces, name), name)
    if meant == STUDENTS_OWN:
        return bool(spaces.binders.get((module, name))) or _is_defined_nowhere(spaces, name)
    if meant == A_NUMBER:
        return spaces.number(module, name)
    return spaces.library(module, name) == meant


def _is_defined_nowhere(spaces: Namespaces, name: str) -> bool:
    """Whether statements only import a name: its definition is missing, which costs a criterion of its own."""
    binding = (node for (_, bound), nodes in spaces.binders.items() if bound == name for node in nodes)
    return all(isinstance(node, ast.Import | ast.ImportFrom) for node in binding)


def _changes_indirectly(spaces: Namespaces, given: GivenBlocks) -> bool:
    """Whether anything in the program may replace what a block or a name in it stands for."""
    relevant = _names_in_blocks(spaces, given)
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


def _names_in_blocks(spaces: Namespaces, given: GivenBlocks) -> set[str]:
    """The blocks, the names that they look up, and all attributes in them."""
    found: set[str] = set(given.rules.trusted)
    for name in given.rules.trusted:
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
    return _is_dunder(word) and word not in {
        "__init__", "__name__", "__main__", "__class__", "__len__", "__getitem__", "__call__", "__version__", "__doc__",
        "__file__", "__repr__", "__str__", "__future__",
    }  # fmt: skip


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
