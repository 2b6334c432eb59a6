"""The two scores that are really computed: accuracy and Precision@1 on the 10,000 test images."""

from grader.assignments.vit.thresholds import plausibility, questions, training
from grader.assignments.vit.thresholds.answers import FORMS
from grader.assignments.vit.thresholds.claims import recorded_precision
from grader.assignments.vit.thresholds.criteria import CRITERIA
from grader.assignments.vit.thresholds.origin import other_code
from grader.assignments.vit.thresholds.scores import accuracy, computed_precision, or_none, precision
from grader.assignments.vit.thresholds.sources import EMBEDDINGS

__all__ = [
    "CRITERIA", "EMBEDDINGS", "FORMS", "MEASURES", "PROBES", "TRAINED", "WARNINGS", "computed_precision", "other_code",
    "recorded_precision",
]  # fmt: skip
PROBES, TRAINED, WARNINGS = questions.PROBES, training.PROBES, plausibility.WARNINGS
MEASURES = {
    "accuracy": lambda evidence: or_none(accuracy, evidence),
    "precision_at_1": lambda evidence: or_none(precision, evidence) if questions.is_scored(evidence) else None,
    "precision_at_1_unseen_train": lambda evidence: or_none(precision, evidence, "unseen"),
}
