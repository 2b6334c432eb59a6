"""Six correct submissions that look least like the reference: their mutants show checks that fit its style alone."""

import ast
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from grader.audit import Case

Apply = Callable[[dict[str, Any], Path, Path], None]
CASES = (
    "vit.right_block_fused_qkv",  # attention by hand
    "vit.right_block_sequence_first",
    "vit.right_model_monolith_by_hand",  # functional, in one class
    "contrastive.variant_classes_of_its_own",  # a trainer with helpers
)
# Two cases each, written into one notebook and into the real course's shape
ONE_NOTEBOOK = ("vit.right_positions_embedding_layer", "contrastive.variant_accumulation")
COURSE = ("vit.right_encoder_torch_layers_sequence_first", "contrastive.variant_two_optimizers")
MODULES = ("hyperparameters", "augmentation", "vit_model", "contrastive", "application")


def build(folder: Path, cases: Iterable[Case], apply: Apply, reference: Path) -> dict[str, Path]:
    """Write the submissions, a folder each.

    Args:
        folder: where to.
        cases: the variants of the corpus.
        apply: makes a copy of the reference with edits.
        reference: the submission that variants are edits of.
    """
    edits = {case.id: case.edits for case in cases}
    made = {}
    for ident in CASES:
        made[ident] = folder / ident
        apply(edits[ident], reference, made[ident])
    for ident, parts, beside in (("style.one_notebook", ONE_NOTEBOOK, ()), ("style.course", COURSE, ("vit_model",))):
        made[ident] = folder / ident
        apply({name: edit for part in parts for name, edit in edits[part].items()}, reference, made[ident])
        _into_notebook(made[ident], [module for module in MODULES if module not in beside])
    return made


def _into_notebook(folder: Path, modules: list[str]) -> None:
    """Move modules into cells of the notebook, after its first one."""
    (path,) = folder.glob("*.ipynb")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    texts = [(folder / f"{module}.py").read_text(encoding="utf-8") for module in modules]
    cells: list[Any] = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": t} for t in texts
    ]
    first = next(index for index, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code")
    notebook["cells"][first + 1 : first + 1] = cells
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = _without_imports("".join(cell["source"]), modules)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    for module in modules:
        (folder / f"{module}.py").unlink()


def _without_imports(text: str, modules: list[str]) -> str:
    lines = text.splitlines(keepends=True)
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            del lines[node.lineno - 1 : node.end_lineno]
    return "".join(lines)
