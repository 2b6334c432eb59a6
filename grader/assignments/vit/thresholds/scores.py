"""The scores: predictions and embeddings that came back, against labels that never left."""

from typing import Any

import numpy as np

from grader.assignments.vit.thresholds import fitting
from grader.assignments.vit.thresholds.claims import CLASSIFIER, EMBEDDINGS
from grader.assignments.vit.thresholds.questions import classifying
from grader.evidence import Answer, Evidence, Unanswered
from grader.judging import Blocked, Fail, Malformed, Missing, dig, dig_as


def accuracy(seen: Evidence, images: str = "test") -> float:
    """The share of images whose class was predicted.

    Raises:
        Fail, Missing, Blocked, Unanswered: there are no predictions; why, in words.
    """
    predicted, labels = predictions(seen, images)
    return float((predicted == labels).mean())


def predictions(seen: Evidence, images: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Predicted and true classes."""
    probe = classifying(seen)
    found = fitting.outputs(seen, probe) if probe == CLASSIFIER else fitting.trained(seen)
    facts = dig(found, images)
    predicted, labels = dig(facts, "predicted"), seen[probe].known["labels"][images]
    if not isinstance(predicted, np.ndarray) or predicted.shape != labels.shape or predicted.dtype != np.uint8:
        raise Malformed
    not_finite = dig_as(int, facts, "not_finite")
    if not_finite:
        raise Fail(*_not_finite(not_finite, len(labels), "logits"))
    return predicted, labels


def precision(seen: Evidence, queries: str = "test") -> float:
    """Precision@1 of one set of queries against the reference set.

    Raises:
        Fail, Missing, Blocked, Unanswered: there are no sound embeddings; why, in words.
    """
    found = fitting.outputs(seen, EMBEDDINGS)
    return float(seen.once(f"score {EMBEDDINGS} {queries}", lambda: _precision(seen, found, queries), code=__name__))


def _precision(seen: Evidence, found: dict[str, Any], queries: str) -> float:
    answer = seen[EMBEDDINGS]
    reference, query = embeddings(found, answer, "reference"), embeddings(found, answer, queries)
    if reference.shape[1] != query.shape[1]:
        raise Malformed
    labels = answer.known["labels"]
    return precision_at_1(query, labels[queries], reference, labels["reference"])


def named(seen: Evidence, probe: str) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the classes that test images were given, by prediction or by the nearest reference image, and the true ones.

    Raises:
        Fail, Missing, Blocked, Unanswered: as ``accuracy`` and ``precision`` do.
    """
    if probe == CLASSIFIER:
        return predictions(seen)
    found, answer = fitting.outputs(seen, EMBEDDINGS), seen[EMBEDDINGS]
    labels = answer.known["labels"]
    nearest = nearest_rows(embeddings(found, answer, "test"), embeddings(found, answer, "reference"))
    return labels["reference"][nearest], labels["test"]


def embeddings(found: dict[str, Any], answer: Answer, images: str) -> np.ndarray:
    """The (n, E) embeddings of a set of images, finite and not all the same."""
    facts, count = dig(found, images), len(answer.known["labels"][images])
    array = facts.get("embeddings") if isinstance(facts, dict) else None
    if array is None:
        raise Fail(f"an embedding has {dig(facts, 'width')} numbers, far more than any `embed_size` of this assignment")
    if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.ndim != 2 or len(array) != count:
        raise Malformed
    bad = int((~np.isfinite(array).all(1)).sum())
    if bad:
        raise Fail(*_not_finite(bad, count, "embeddings"))
    if array.shape[1] == 0 or np.ptp(array, axis=0).max() <= 1e-6 * max(1e-6, float(np.abs(array).max())):
        raise Fail(
            f"all {count} images get the same embedding",
            "The embedding has collapsed: the triplet loss stays at its margin then. Look at learning rate and miner.",
        )
    return array


def precision_at_1(query: np.ndarray, labels: np.ndarray, reference: np.ndarray, reference_labels: np.ndarray) -> float:
    """Precision@1: how many queries have the class of their nearest reference, by Euclidean distance.

    It is the number that pytorch-metric-learning's ``AccuracyCalculator`` gives, from the search that it uses,
    without the seconds that importing it takes.
    """
    return float((reference_labels[nearest_rows(query, reference)] == labels).mean())


def nearest_rows(query: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(Q,) the row of ``reference`` that is nearest to each query, by Euclidean distance."""
    import faiss

    faiss.omp_set_num_threads(1)  # 0.1 s
    _, nearest = faiss.knn(np.ascontiguousarray(query), np.ascontiguousarray(reference), 1)  # (Q, 1)
    rows: np.ndarray = nearest[:, 0]
    return rows


def known(score: Any, seen: Evidence, images: str = "test") -> float | None:
    """A score, or None where there is none; for measures, warnings and the log's checks."""
    try:
        return float(score(seen, images))
    except (Fail, Missing, Blocked, Unanswered):
        return None


def _not_finite(bad: int, count: int, what: str) -> tuple[str, str]:
    return (
        f"the {what} of {bad} of {count} images are NaN or infinite",
        "Training has diverged, or a layer divides by zero: do the weights in the checkpoint hold NaN?",
    )
