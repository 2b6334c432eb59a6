"""The corpus: the reference with a fault seeded, or written another way.

Each ``faults_*.py`` holds ``FAULTS``, each ``variants_*.py`` holds ``VARIANTS``, lists of ``Case``.
"""

import importlib
import pkgutil
from pathlib import Path

from grader.assignments.adder.corpus.transplant import transplant
from grader.audit import Case

__all__ = ["fit_checkpoints", "load"]


def load() -> tuple[list[Case], list[Case]]:
    """All faults and all correct variants."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    faults, variants = ([c for m in modules for c in getattr(m, kind, [])] for kind in ("FAULTS", "VARIANTS"))
    return faults, variants


def fit_checkpoints(case: Case, submission: Path) -> tuple[str, ...]:
    """Give a variant of the model the reference's weights; what it costs, for not every variant can take them."""
    if case.edits.get("model.py") is None or transplant(submission):
        return tuple(case.costs)
    return ("training.accuracy",)
