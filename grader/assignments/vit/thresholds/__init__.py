"""The two scores that are really computed: accuracy and Precision@1 on the 10,000 test images."""

from grader.assignment import Topic
from grader.assignments.vit.thresholds import answers, criteria, plausibility, questions
from grader.assignments.vit.thresholds.claims import recorded_precision
from grader.assignments.vit.thresholds.origin import other_code
from grader.assignments.vit.thresholds.scores import accuracy, computed_precision, or_none, precision
from grader.assignments.vit.thresholds.sources import EMBEDDINGS

__all__ = [
    "EMBEDDINGS", "TOPIC", "computed_precision", "other_code", "recorded_precision",
]  # fmt: skip
TOPIC = Topic(
    questions.PROBES,
    criteria.CRITERIA,
    (
        plausibility.leaks, plausibility.looked_up, plausibility.classifier_leak, plausibility.claims,
        plausibility.truncated,
    ),
    {
        "accuracy": lambda evidence: or_none(accuracy, evidence),
        "precision_at_1": lambda evidence: or_none(precision, evidence) if questions.is_scored(evidence) else None,
        "precision_at_1_unseen_train": lambda evidence: or_none(precision, evidence, "unseen"),
    },
    answers.FORMS,
)  # fmt: skip
