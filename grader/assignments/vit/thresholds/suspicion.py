"""Scores that seem to be looked up: the signs of ``torchkit.lookups`` in a submission's answers."""

import numpy as np

from grader.assignments.vit.thresholds.scores import Score, accuracy, named, or_none, precision
from grader.assignments.vit.thresholds.sources import CLASSIFIER, EMBEDDINGS, classifying
from grader.evidence import Evidence
from grader.torchkit.lookups import CHANGES, Bounds, LookUpSigns, easy_errors, suspicion

# What honest models and look-ups have stands in docs/verdicts.md, measured by python -m bench.lookups.
# The best published classifiers reach 0.97.
BOUNDS = {
    CLASSIFIER: Bounds(min_kept={"moved": 0.75, "dimmed": 0.90}, max_easy_errors=0.5, max_score=0.975),
    EMBEDDINGS: Bounds(min_kept={"moved": 0.65, "dimmed": 0.80}, max_easy_errors=0.7, max_score=0.95),
}
WORDS = {CLASSIFIER: "the accuracy", EMBEDDINGS: "Precision@1"}
SCORES: dict[str, Score] = {CLASSIFIER: accuracy, EMBEDDINGS: precision}


def looked_up(evidence: Evidence, probe: str) -> str:
    """Why a person has to look at a submission's score, in words; empty where nothing is suspicious, or no score."""
    return str(evidence.once(f"suspicion {probe}", lambda: _looked_up(evidence, probe)))


def _looked_up(evidence: Evidence, probe: str) -> str:
    score = or_none(SCORES[probe], evidence)
    return "" if score is None else suspicion(WORDS[probe], _signs(evidence, probe, score), BOUNDS[probe])


def _signs(evidence: Evidence, probe: str, score: float) -> LookUpSigns:
    predicted, labels = named(evidence, probe)
    right = predicted == labels
    kept = {change: share for change in CHANGES if (share := _kept(evidence, probe, change, right)) is not None}
    return LookUpSigns(score, kept, easy_errors(~right, evidence.data.easy_test_images[: len(labels)]))


def _kept(evidence: Evidence, probe: str, change: str, right: np.ndarray) -> float | None:
    """The score on changed images over that on the same ones; they are the first of the test images.

    Args:
        right: (n,) which test images were named right.
    """
    changed = or_none(SCORES[probe], evidence, change)
    if changed is None:
        return None
    asked = classifying(evidence) if probe == CLASSIFIER else probe
    still = right[: len(evidence[asked].known["labels"][change])].mean()
    return float(changed / still) if still > 0 else None
