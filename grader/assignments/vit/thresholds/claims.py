"""What the checkpoints record of themselves, and what was computed from them."""

import math
from typing import Any

from grader.evidence import Evidence

CLASSIFIER, EMBEDDINGS = "checkpoint.classifier", "checkpoint.embeddings"
TRAINING, LONGER = "classifier.training", "classifier.training.longer"


def recorded_precision(seen: Evidence) -> float | None:
    """The Precision@1 that vit_embeds.pt records, from 0 to 1; None when it records none."""
    return recorded(seen, EMBEDDINGS)


def computed_precision(seen: Evidence) -> float | None:
    """Precision@1 of the embedding model on the test images; None when it could not be computed."""
    from grader.assignments.vit.thresholds.scores import known, precision

    return known(precision, seen)


def recorded(seen: Evidence, probe: str) -> float | None:
    """The score that a checkpoint records, from 0 to 1; percent are understood."""
    claim = content(seen, probe).get("claim")
    if not isinstance(claim, int | float) or isinstance(claim, bool) or not math.isfinite(claim):
        return None
    share = claim / 100 if 1 < claim <= 100 else float(claim)
    return share if 0 <= share <= 1 else None


def content(seen: Evidence, probe: str) -> dict[str, Any]:
    """What a probe brought back; empty when it brought nothing."""
    answer = seen[probe]
    return answer.observation.value if answer.ok and isinstance(answer.observation.value, dict) else {}
