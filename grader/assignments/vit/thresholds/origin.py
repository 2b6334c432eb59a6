"""Whether a checkpoint comes from the code that it was handed in with.

Where a class is wrong and the checkpoint does worse in it than it records, it was trained with another: what is
computed tells nothing then, and costs nothing besides the class.
"""

from grader.assignments.vit.thresholds import fitting
from grader.assignments.vit.thresholds.claims import recorded
from grader.assignments.vit.thresholds.scores import or_none
from grader.assignments.vit.thresholds.suspicion import SCORES
from grader.evidence import Evidence

MAX_LOSS_OF_SAME_CODE = 0.03
"""Recorded minus computed: augmented reference images explain 0.006 (python -m bench.margins)."""


def other_code(evidence: Evidence, probe: str) -> str | None:
    """The criterion whose fault explains that a checkpoint does worse than it records."""
    by = fitting.broken(evidence, *fitting.MODEL, "augmentation.tensors")
    if by is None:
        return None
    claim, score = recorded(evidence, probe), or_none(SCORES[probe], evidence)
    return by if score is None or (claim is not None and claim - score > MAX_LOSS_OF_SAME_CODE) else None
