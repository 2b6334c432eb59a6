"""A submission as one self-contained notebook, made of a folder with modules: a cell a definition."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

MODULES = ("hyperparameters", "augmentation", "vit_model", "contrastive", "application")  # each before its users
OURS = re.compile(rf"^from (?:{'|'.join(MODULES)}) import (?:\([^)]*\)|.*)\n?", re.MULTILINE)


def inlined(folder: Path) -> None:
    """Put the modules of a submission into its notebook and delete them."""
    path = folder / "submission.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    first = notebook["cells"][0], _without_imports(notebook["cells"][1])
    rest = [_without_imports(cell) for cell in notebook["cells"][2:]]
    notebook["cells"] = [*first, *_cells(folder), *rest]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    for name in MODULES:
        (folder / f"{name}.py").unlink()


def _cells(folder: Path) -> Iterator[dict]:
    for name in MODULES:
        yield {"cell_type": "markdown", "metadata": {}, "source": f"## `{name}`"}
        source = (folder / f"{name}.py").read_text(encoding="utf-8")
        source = re.sub(r"^### .*\n|^# >.*\n", "", OURS.sub("", source), flags=re.MULTILINE)
        for text in _pieces(source):
            yield {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": text}


def _pieces(source: str) -> Iterator[str]:
    """Definitions, each alone, and what stands between them."""
    lines, between = source.splitlines(keepends=True), ""
    for node in ast.parse(source).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        text = "".join(lines[first - 1 : node.end_lineno])
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield from filter(None, [between.strip(), text.strip()])
            between = ""
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            between += text if text.endswith("\n") else text + "\n"
    if between.strip():
        yield between.strip()


def _without_imports(cell: dict) -> dict:
    return {**cell, "source": OURS.sub("", "".join(cell["source"]))}
