"""The corpus: the reference with a fault seeded, or written another way.

Each ``faults_*.py`` and ``variants_*.py`` holds ``FAULTS`` or ``VARIANTS`` or both, lists of ``Case``.
A fault is the reference with one thing changed: ``costs`` are exactly the criteria that it must lose, and
``word`` is the part of the message that names the cause.
"""

import ast
import importlib
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


def load() -> tuple[list[Case], list[Case]]:
    """All faults and all correct variants."""
    names = [m.name for m in pkgutil.iter_modules(__path__) if m.name.startswith(("faults_", "variants_"))]
    modules = [vars(importlib.import_module(f"{__name__}.{name}")) for name in sorted(names)]
    return [c for m in modules for c in m.get("FAULTS", ())], [c for m in modules for c in m.get("VARIANTS", ())]


def fit_checkpoints(case: Case, submission: Path) -> tuple[str, ...]:
    """Give a variant of the model the reference's weights; what it costs, for not every variant can take them."""
    return UNTRAINED if "vit_model.py" in case.edits and not transplant(submission) else tuple(case.costs)


def same_answers(edits: Collection[str], submission: Path, reference: Path) -> tuple[str, ...]:
    """The slow probes whose answers must be the reference's: same models, same checkpoints, same function."""
    if MODEL & set(edits):
        return ()
    try:
        same = _definition(submission, "get_embeddings") == _definition(reference, "get_embeddings")
    except SyntaxError:  # a fault that cannot be parsed
        same = False
    return SCORES if same else SCORES[:1]


def _definition(folder: Path, name: str) -> str:
    """The text of all definitions of a name, and of what else runs when their module is imported."""
    tree = syntax.parse((folder / "contrastive.py").read_bytes())
    others = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name != name]
    return "\n".join(ast.dump(node) for node in tree.body if node not in others)
