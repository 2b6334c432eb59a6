"""The blocks that a course gives: how their text is compared, and which texts the given files hold."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from grader import syntax
from grader.errors import GraderError
from grader.given import GivenFiles
from grader.intake.reading.notebook import text as joined
from grader.intake.reading.parsing import Place, statements

PROTECTED = ("sample_balanced_subset", "evaluate_at_end_epoch")
JUDGED = ("sample_balanced_subset", "get_embeddings_over_dataset", "test_embedding_model", "evaluate_at_end_epoch")
CLASSIFIER_LOOPS = ("train_classification_model", "test_classification_model")  # judged by no criterion
BLOCKS = (*JUDGED, *CLASSIFIER_LOOPS)
CHECK_VIT = "check_vit.py"
# What a name means in a given file that does not import it: the names that notebooks of the field use.
USUAL_IMPORTS = {
    "torch": "torch",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "np": "numpy",
    "tqdm": "tqdm",
    "Subset": "torch.utils.data.Subset",
    "DataLoader": "torch.utils.data.DataLoader",
}
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Given:
    """What the given files hold.

    Attributes:
        texts: for each block, by the digest of its text, what the names of libraries in it stand for.
        check_vit: digests of the texts of ``check_vit.py``.
        check_vit_names: what the given ``check_vit.py`` defines, so that a changed copy of it is recognised.
    """

    texts: Mapping[str, Mapping[str, Mapping[str, str]]]
    check_vit: str
    check_vit_names: frozenset[str]


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


def known(files: GivenFiles) -> Given:
    """What the given files hold; read once for all submissions."""
    return _known(files.digest, tuple(sorted(files.texts.items())))


@lru_cache(maxsize=8)
def _known(_: str, files: tuple[tuple[str, str], ...]) -> Given:
    texts: dict[str, dict[str, dict[str, str]]] = {}
    for name, text in files:
        for block, found, imports in _blocks(name, text):
            texts.setdefault(block, {})[found] = imports
    check_vit = dict(files).get(CHECK_VIT)
    tree = syntax.parse(check_vit) if check_vit is not None else ast.Module([], [])
    return Given(texts, digest(tree) if check_vit is not None else "", frozenset(defined(tree)) - {"main"})


def defined(tree: ast.Module) -> Iterator[str]:
    """The functions, classes and variables that a file defines at its top level."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _blocks(name: str, text: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The blocks of one given file: name, digest of the text, and the imports that it rests on."""
    if name.endswith(".sha256"):
        yield from ((block, found, {}) for found, block in _listed(text))
        return
    body = _code(name, text)
    imports = {bound: path for node in body for bound, path in imported(node)}
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name in BLOCKS:
            yield node.name, digest(node), imports


def _listed(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a list of digests, ``<sha256>  <name of the block>``; ``#`` starts a comment."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            found, block = words if len(words) == 2 else ("", "")
            if block not in BLOCKS or len(found) != 64:
                raise ValueError(f"expected `<sha256>  <name of a given block>`, got {line[:80]!r}")
            yield found, block


def _code(name: str, text: str) -> list[ast.stmt]:
    if not name.endswith(".ipynb"):
        return syntax.parse(text).body
    cells = json_cells(text)
    return [s.node for number, cell in enumerate(cells) for s in statements(cell, Place(name, number), is_main=True)[0]]


def json_cells(text: str) -> list[str]:
    """The code cells of a notebook of version 4.

    Raises:
        ValueError: it is none.
    """
    notebook = json.loads(text)
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("expected a notebook of version 4, with a list of cells")
    return [joined(cell["source"]) for cell in notebook["cells"] if cell.get("cell_type") == "code"]


def imported(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with the dotted path of what it stands for; none for ``import *``."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (
                alias.asname or alias.name.partition(".")[0],
                alias.name if alias.asname else alias.name.partition(".")[0],
            )
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def check_given(texts: Mapping[str, str], where: str) -> None:
    """Refuse given files that hold nothing of the assignment's, or that cannot be read.

    Raises:
        GraderError: which file, and why.
    """
    found = [name for name in texts if name == CHECK_VIT]
    for name, text in texts.items():
        try:
            found += [block for block, _, _ in _blocks(name, text)]
        except (*UNREADABLE, KeyError, TypeError, AttributeError) as error:
            raise GraderError(f"{where}: {name} cannot be read: {error}; nothing was graded") from None
    if not found:
        raise GraderError(
            f"{where}: expected {CHECK_VIT}, or .py or .ipynb files that define one of {', '.join(BLOCKS)}; "
            "found none of them"
        )
