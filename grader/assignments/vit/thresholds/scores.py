"""The scores: predictions and embeddings that came back, against labels that never left."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from grader.assignments.vit.thresholds import fitting
from grader.assignments.vit.thresholds.sources import CLASSIFIER, EMBEDDINGS, classifying
from grader.evidence import Evidence, Unanswered
from grader.judging import Blocked, Fail, Missing
from grader.torchkit.nearest import nearest_rows

T = TypeVar("T")
Score = Callable[..., float]  # of evidence, and of a set of images by its name


def accuracy(evidence: Evidence, images: str = "test") -> float:
    """The share of images whose class was predicted.

    Raises:
        Fail, Missing, Blocked, Unanswered: there are no predictions; why, in words.
    """
    predicted, labels = predictions(evidence, images)
    return float((predicted == labels).mean())


def predictions(evidence: Evidence, images: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """(n,) predicted and (n,) true classes of a set of images; raises as ``accuracy`` does."""
    probe = classifying(evidence)
    found = _of(fitting.classified(evidence) if probe == CLASSIFIER else fitting.trained(evidence), images)
    if found.not_finite:
        raise _not_finite(found.not_finite, len(found.predicted), "logits")
    return found.predicted, _labels(evidence, probe, images)


def precision(evidence: Evidence, queries: str = "test") -> float:
    """Precision@1 of one set of queries against the reference set.

    Raises:
        Fail, Missing, Blocked, Unanswered: there are no sound embeddings; why, in words.
    """
    fitting.embedded(evidence)
    return float(evidence.once(f"score {EMBEDDINGS} {queries}", lambda: _precision(evidence, queries), code=__name__))


def _precision(evidence: Evidence, queries: str) -> float:
    found, labels = _by_nearest(evidence, queries)
    return float((found == labels).mean())


def _by_nearest(evidence: Evidence, queries: str) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the class of the reference image that is nearest to each query, and the true one; raises as ``precision`` does."""
    nearest: np.ndarray = evidence.once(
        f"nearest {EMBEDDINGS} {queries}",
        lambda: nearest_rows(embeddings(evidence, queries), embeddings(evidence, "reference")).astype(np.int32),
        of=(EMBEDDINGS,),
    )
    labels, reference_labels = (_labels(evidence, EMBEDDINGS, name) for name in (queries, "reference"))
    return reference_labels[nearest], labels


def computed_precision(evidence: Evidence) -> float | None:
    """Precision@1 of the embedding model on the test images; None when it could not be computed."""
    return or_none(precision, evidence)


def named(evidence: Evidence, probe: str) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the classes that test images were given, by prediction or by the nearest reference image, and the true ones.

    Raises:
        Fail, Missing, Blocked, Unanswered: as ``accuracy`` and ``precision`` do.
    """
    if probe == CLASSIFIER:
        return predictions(evidence)
    return _by_nearest(evidence, "test")


def embeddings(evidence: Evidence, images: str) -> np.ndarray:
    """(n, E) float32 embeddings of a set of images, finite and not all the same; raises as ``precision`` does."""
    found = _of(fitting.embedded(evidence), images)
    array = found.embeddings
    if array is None:
        raise Fail(f"an embedding has {found.width} numbers, far more than any `embed_size` of this assignment")
    bad = int((~np.isfinite(array).all(1)).sum())
    if bad:
        raise _not_finite(bad, len(array), "embeddings")
    if array.shape[1] == 0 or np.ptp(array, axis=0).max() <= 1e-6 * max(1e-6, float(np.abs(array).max())):
        raise Fail(
            f"all {len(array)} images get the same embedding",
            "The embedding has collapsed: the triplet loss stays at its margin then. Look at learning rate and miner.",
        )
    return array


def or_none(score: Score, evidence: Evidence, images: str = "test") -> float | None:
    """A score, or None where there is none; for measures, warnings and the log's checks."""
    try:
        return float(score(evidence, images))
    except (Fail, Missing, Blocked, Unanswered):
        return None


def _of(sets: dict[str, T], images: str) -> T:
    """What was answered about one set of images.

    Raises:
        Missing: it was not asked for, as only a part is where the score itself is not judged.
    """
    if images not in sets:
        raise Missing(f"the set of images {images!r} was not asked for")
    return sets[images]


def _labels(evidence: Evidence, probe: str, images: str) -> np.ndarray:
    """(n,) the true classes of a set of images."""
    labels: np.ndarray = evidence[probe].known["labels"][images]
    return labels


def _not_finite(bad: int, count: int, what: str) -> Fail:
    return Fail(
        f"the {what} of {bad} of {count} images are NaN or infinite",
        "Training has diverged, or a layer divides by zero: do the weights in the checkpoint hold NaN?",
    )
