"""The corpus: the reference with a fault seeded, or written another way.

Each ``faults_*.py`` and ``variants_*.py`` holds ``FAULTS`` or ``VARIANTS`` or both, lists of ``Case``.
A fault is the reference with one thing changed: ``costs`` are exactly the criteria that it must lose, and
``word`` is the part of the message that names the cause.
"""

import ast
import importlib
import json
import pkgutil
from collections.abc import Collection
from pathlib import Path

from grader import syntax
from grader.assignments.vit.corpus import styles
from grader.assignments.vit.corpus.transplant import transplant
from grader.audit import Case

__all__ = ["fit_checkpoints", "load", "same_answers", "styles", "transplant"]

MODEL = {"vit_model.py", "hyperparameters.py", "vit_classifier.pt", "vit_embeds.pt"}
UNTRAINED = ("vit.accuracy", "contrastive.precision")  # what a variant loses whose checkpoints nobody has trained
SCORES = ("checkpoint.classifier", "checkpoint.embeddings")  # the probes that take longest
PARTS = {  # by module, the probes that ask what it defines, and of the submission's other modules what it imports
    "augmentation": ("augmentation.test", "augmentation.train"),
    "vit_model": (
        "shapes", "patches", "positions", "transformer", "block", "heads.classification", "heads.embedding", "model",
    ),
    "contrastive": ("embeddings", "training"),
    "application": ("knn", "transfer"),
}  # fmt: skip


def load() -> tuple[list[Case], list[Case]]:
    """All faults and all correct variants."""
    names = [m.name for m in pkgutil.iter_modules(__path__) if m.name.startswith(("faults_", "variants_"))]
    modules = [vars(importlib.import_module(f"{__name__}.{name}")) for name in sorted(names)]
    return [c for m in modules for c in m.get("FAULTS", ())], [c for m in modules for c in m.get("VARIANTS", ())]


def fit_checkpoints(case: Case, submission: Path) -> tuple[str, ...]:
    """Give a variant of the model the reference's weights; what it costs, for not every variant can take them."""
    return UNTRAINED if "vit_model.py" in case.edits and not transplant(submission) else tuple(case.costs)


def same_answers(edits: Collection[str], submission: Path, reference: Path, parts: bool) -> tuple[str, ...]:
    """The probes whose answers must be the reference's: what they ask runs the same code on the same checkpoints.

    Args:
        parts: those of modules that are left alone as well.
    """
    changed = {name for name in edits if not _same_cells(submission / name, reference / name)}
    return *_same_scores(changed, submission, reference), *(_same_parts(changed, reference) if parts else ())


def _same_cells(path: Path, reference: Path) -> bool:
    """Whether two notebooks hold the same code, whatever they printed."""
    if path.suffix != ".ipynb" or not path.is_file():
        return False
    try:
        return _cells(path) == _cells(reference)
    except (ValueError, KeyError, TypeError):  # a fault that cannot be read
        return False


def _cells(path: Path) -> list[str]:
    cells = json.loads(path.read_bytes())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _same_scores(edits: Collection[str], submission: Path, reference: Path) -> tuple[str, ...]:
    if MODEL & set(edits):
        return ()
    try:
        same = _definition(submission, "get_embeddings") == _definition(reference, "get_embeddings")
    except SyntaxError:  # a fault that cannot be parsed
        same = False
    return SCORES if same else SCORES[:1]


def _same_parts(edits: Collection[str], reference: Path) -> tuple[str, ...]:
    """Those of each module that a case leaves alone, with all that it imports."""
    checkpoints = {"vit_classifier.pt", "vit_embeds.pt"}
    if not set(edits) <= checkpoints | {f"{module}.py" for module in PARTS}:
        return ()  # a cell may define any name anew, and hyperparameters stand in all
    reached = {module for module in PARTS if f"{module}.py" in edits}
    imports = {module: _imported(reference / f"{module}.py") for module in PARTS}
    for _ in PARTS:
        reached |= {module for module in PARTS if imports[module] & reached}
    return tuple(probe for module, probes in PARTS.items() if module not in reached for probe in probes)


def _imported(path: Path) -> set[str]:
    """The modules from which a file of the reference imports names."""
    tree = syntax.parse(path.read_bytes())
    return {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def _definition(folder: Path, name: str) -> str:
    """The text of all definitions of a name, and of what else runs when their module is imported."""
    tree = syntax.parse((folder / "contrastive.py").read_bytes())
    others = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name != name]
    return "\n".join(ast.dump(node) for node in tree.body if node not in others)
