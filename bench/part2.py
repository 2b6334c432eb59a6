"""The Part 2 checks where another grader runs the notebook: the same probes and checks, asked in its kernel."""

from collections.abc import Sequence
from functools import cache

from grader.assignments.vit.model import TOPIC
from tests import harness

CRITERIA = tuple(criterion.id for criterion in TOPIC.criteria)


def passed(criterion: str, cells: Sequence[str]) -> bool:
    """Whether the classes defined in a notebook's cells (``In``) pass a criterion."""
    return _verdicts(next(cell for cell in cells if "class ViT(" in cell))[criterion]


@cache
def _verdicts(source: str) -> dict[str, bool]:
    found = harness.verdicts({"vit_model": source}, [TOPIC])
    return {ident: verdict.status == "passed" for ident, verdict in found.items()}
