"""Functions that a course gives, called blocks: how their text is compared, and which texts the given files hold."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader import syntax
from grader.given.namespaces import imported
from grader.intake.reading.notebook import text as joined
from grader.intake.reading.parsing import SourcePlace, statements


@dataclass(frozen=True)
class BlockRules:
    """What an assignment says of the blocks that its course gives.

    Attributes:
        names: of all of them.
        trusted: those that pass unasked where a submission has left them as they were.
        students_own: functions of the student's that a block may call, whatever they do.
        numbers: names that stand for numbers of the student's choice.
        usual_imports: what a name stands for in a given file that does not import it, as a dotted path.
    """

    names: tuple[str, ...]
    trusted: tuple[str, ...]
    students_own: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    usual_imports: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GivenBlocks:
    """The texts of an assignment's blocks.

    Attributes:
        texts: for each block, by the digest of its text, what the names of libraries in it stand for. A course may
            have given a block in several editions.
    """

    rules: BlockRules
    texts: Mapping[str, Mapping[str, Mapping[str, str]]]


def given_blocks(files: Mapping[str, str], rules: BlockRules) -> GivenBlocks:
    """The blocks that given files hold.

    Args:
        files: name → text, of Python files, notebooks, and lists of digests (.sha256).
    """
    texts: dict[str, dict[str, Mapping[str, str]]] = {}
    for name, text in files.items():
        for block, found, imports in blocks_of(name, text, rules.names):
            texts.setdefault(block, {})[found] = imports
    return GivenBlocks(rules, texts)


def blocks_of(name: str, text: str, wanted: tuple[str, ...]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The blocks of one given file: name, digest of the text, and the imports that it rests on.

    Raises:
        SyntaxError, ValueError, KeyError, TypeError: it cannot be read.
    """
    if name.endswith(".sha256"):
        yield from ((block, found, {}) for found, block in listed(text, wanted))
        return
    body = _code(name, text)
    imports = {bound: path for node in body for bound, path in imported(node)}
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name in wanted:
            yield node.name, digest(node), imports


def listed(text: str, wanted: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The lines of a list of digests, ``<sha256>  <name of the block>``; ``#`` starts a comment.

    Raises:
        ValueError: a line has another form, or names no block.
    """
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            found, block = words if len(words) == 2 else ("", "")
            if block not in wanted or len(found) != 64:
                raise ValueError(f"expected `<sha256>  <name of a given block>`, got {line[:80]!r}")
            yield found, block


def _code(name: str, text: str) -> list[ast.stmt]:
    if not name.endswith(".ipynb"):
        return syntax.parse(text).body
    cells = json_cells(text)
    return [
        s.node
        for number, cell in enumerate(cells)
        for s in statements(cell, SourcePlace(name, number), is_main=True)[0]
    ]


def json_cells(text: str) -> list[str]:
    """The code cells of a notebook of version 4.

    Raises:
        ValueError: it is none.
    """
    notebook = json.loads(text)
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("expected a notebook of version 4, with a list of cells")
    return [joined(cell["source"]) for cell in notebook["cells"] if cell.get("cell_type") == "code"]


def digest(node: ast.AST) -> str:
    """SHA-256 of a piece of code without layout, comments, annotations and docstrings, the same in every Python.

    Raises:
        RecursionError, ValueError: it is nested too deep, or holds a number that cannot be written.
    """
    return hashlib.sha256(_written(node).encode("utf-8", "backslashreplace")).hexdigest()


def _written(node: Any) -> str:
    if isinstance(node, ast.AnnAssign):
        if node.value is None:
            return ""
        return _written(ast.Assign([node.target], node.value))
    if isinstance(node, ast.AST):
        pairs = ((name, value) for name, value in ast.iter_fields(node) if _counts(name, value))
        inside = ",".join(f"{name}={_written(_without_docstring(node, name, value))}" for name, value in pairs)
        return f"{type(node).__name__}({inside})"
    if isinstance(node, list):
        return f"[{','.join(filter(None, map(_written, node)))}]"
    return repr(node)


def _counts(name: str, value: Any) -> bool:
    """Whether a field belongs to the text; empty ones differ between versions of Python."""
    return name not in ("annotation", "returns", "ctx", "kind", "type_comment") and value is not None and value != []


def _without_docstring(node: ast.AST, name: str, value: Any) -> Any:
    documented = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if name == "body" and isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        return value[1:] or [ast.Pass()]
    return value
