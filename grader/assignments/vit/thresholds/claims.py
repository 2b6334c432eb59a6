"""The scores that the checkpoints record of themselves."""

from grader.assignments.vit.thresholds.answers import CheckpointAnswer
from grader.assignments.vit.thresholds.sources import EMBEDDINGS
from grader.evidence import Evidence
from grader.torchkit import checkpoints


def recorded(evidence: Evidence, probe: str) -> float | None:
    """The score that a checkpoint records, from 0 to 1; percent are understood. None when it records none."""
    answer = evidence[probe]
    found: CheckpointAnswer | None = answer.value if answer.ok else None
    return None if found is None else checkpoints.share(found.recorded)


def recorded_precision(evidence: Evidence) -> float | None:
    """The Precision@1 that vit_embeds.pt records, from 0 to 1; None when it records none."""
    return recorded(evidence, EMBEDDINGS)
