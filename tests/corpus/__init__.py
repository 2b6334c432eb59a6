"""The corpus: the reference with a fault seeded, or written another way.

Each ``faults_*.py`` holds ``FAULTS`` and ``VARIANTS``, lists of ``Case``.
"""

import importlib
import pkgutil

from tests.corpus import styles
from tests.corpus.case import Case
from tests.corpus.transplant import transplant

__all__ = ["load", "styles", "transplant"]


def load() -> tuple[list[Case], list[Case]]:
    """All faults and all correct variants."""
    names = [m.name for m in pkgutil.iter_modules(__path__) if m.name.startswith("faults_")]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in sorted(names)]
    return [c for m in modules for c in m.FAULTS], [c for m in modules for c in m.VARIANTS]
