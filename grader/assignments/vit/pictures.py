"""What is asked for pictures alone: asked where pages are wanted, and judged by nobody."""

from typing import Any

import numpy as np

from grader.assignment import Topic
from grader.assignments.vit.thresholds import questions, sources
from grader.evidence import Evidence, Probe, Question
from grader.observations import Answered, Floats, Misfit, Record

MODELS = (sources.CLASSIFIER, sources.EMBEDDINGS)  # the first that ran is shown


class AttentionSeen(Record, frozen=True):
    """How much the last layer's [CLS] takes from each patch.

    Attributes:
        weights: (n, N) for n images of N patches; None where attention is computed in a way that is not seen.
    """

    weights: Floats | None


def shown(evidence: Evidence) -> np.ndarray:
    """(6,) rows of the test images that are shown."""
    labels = (0, 1, 3, 5, 8, 9)  # garments that differ much
    return np.array([int(np.flatnonzero(evidence.data.test_labels == label)[0]) for label in labels])


def _ask_attention(evidence: Evidence, rng: np.random.Generator) -> Question:
    probe = next(probe for probe in MODELS if evidence[probe].ok)
    asked = evidence[probe].question.args
    images = evidence.data.test_images[shown(evidence)]
    return Question({"path": asked["path"], "images": images, "pixels": asked["pixels"], "seed": questions.SCORE_SEED})


def _weights_agree(args: dict[str, Any], answer: AttentionSeen) -> None:
    """There are weights for each image."""
    weights, count = answer.weights, len(args["images"])
    if weights is not None and (weights.ndim != 2 or len(weights) != count):
        raise Misfit(f"Expected weights of shape ({count}, any), got {weights.shape}")


def _wanted(evidence: Evidence) -> bool:
    asked = bool(evidence.options.get("pictures")) and any(evidence[probe].ok for probe in MODELS)
    return asked and evidence.passed("vit.model")


TOPIC = Topic(
    probes=(
        Probe(
            "pictures.attention",
            "checkpoint.attention",
            _ask_attention,
            _wanted,
            60.0,
            ("none",),
            ("path",),
            needs=("vit.model",),
        ),
    ),
    forms={"checkpoint.attention": Answered(AttentionSeen, _weights_agree)},
)
