"""How images become tensors: as one of the transforms does, which one told by the checkpoint where they differ.

Where the transforms end with different normalisations, the checkpoint was trained with one of them. The
difference has its own criterion, so a checkpoint is judged with the one that it does better with, on
training images.
"""

from typing import Any

import numpy as np

from grader.assignments.vit.thresholds.claims import content
from grader.evidence import Evidence
from grader.judging import Blocked

TRIED = 20  # training images of each class that are looked up
AGAINST = 50  # and those that they are looked up among
TRAIN, TEST = "tfm_train", "tfm_test"


def endings(seen: Evidence) -> dict[str, dict[str, Any]]:
    """By transform, how it makes tensors of images; one transform where nothing is wrong with either.

    Raises:
        Blocked: neither tells.
    """
    from grader.assignments.vit import augmentation

    right, lut = seen.passed("augmentation.tensors"), augmentation.lut(seen)
    if right:
        return {TEST: {"transform": TEST} if lut is None else {"lut": np.asarray(lut, dtype=np.float32)}}
    found: dict[str, dict[str, Any]] = {}
    line = augmentation.normalisation(seen)
    if line is not None:
        found[TRAIN] = {"scale": float(line[0]), "shift": float(line[1])}
    if lut is not None and (line is None or not _is_line(lut, *line)):
        found[TEST] = {"lut": np.asarray(lut, dtype=np.float32)}
    if not found:
        raise Blocked("augmentation.tensors", "neither `tfm_test` nor `tfm_train` tells how images become tensors")
    return found


def _is_line(lut: np.ndarray, scale: float, shift: float) -> bool:
    return bool(np.abs(np.arange(256) / 255 * scale + shift - lut).max() < 1e-3 * max(1e-6, abs(scale)))


def trial(probe: str, transform: str) -> str:
    """The probe that tries a checkpoint with the ending of one transform."""
    return f"{probe}.{transform}"


def chosen(seen: Evidence, probe: str) -> dict[str, Any]:
    """How a checkpoint's images become tensors; raises as ``endings`` does."""
    found = endings(seen)
    scores = {name: _score(seen, trial(probe, name)) for name in found}
    return found[max(found, key=lambda name: scores[name])]


def differ(seen: Evidence) -> bool:
    """Whether a checkpoint has to tell."""
    try:
        return len(endings(seen)) > 1
    except Blocked:
        return False


def tried_sets(labels: np.ndarray) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The images of a trial, and their labels."""
    of_class = [np.flatnonzero(labels == label) for label in range(10)]
    rows = {
        "reference": np.concatenate([r[:AGAINST] for r in of_class]),
        "test": np.concatenate([r[AGAINST : AGAINST + TRIED] for r in of_class]),
    }
    sets = [{"name": name, "images": {"$shared": "train_images"}, "rows": r} for name, r in rows.items()]
    return sets, {name: labels[r] for name, r in rows.items()}


def _score(seen: Evidence, probe: str) -> float:
    """The share of images named right, or looked up right; 0 where the answer tells nothing."""
    found = content(seen, probe).get("outputs")
    if not isinstance(found, dict):
        return 0.0
    labels = seen[probe].known["labels"]
    test, reference = (found.get(name) for name in ("test", "reference"))
    if not isinstance(test, dict) or not isinstance(reference, dict):
        return 0.0
    if "predicted" in test:
        return _share(test["predicted"], labels["test"])
    return _looked_up(test.get("embeddings"), reference.get("embeddings"), labels)


def _share(predicted: Any, labels: np.ndarray) -> float:
    right = isinstance(predicted, np.ndarray) and predicted.shape == labels.shape
    return float((predicted == labels).mean()) if right else 0.0


def _looked_up(query: Any, reference: Any, labels: dict[str, np.ndarray]) -> float:
    for array, own in ((query, labels["test"]), (reference, labels["reference"])):
        if not isinstance(array, np.ndarray) or array.ndim != 2 or len(array) != len(own):
            return 0.0
    if query.shape[1] != reference.shape[1] or query.dtype != np.float32 or not np.isfinite(query).all():
        return 0.0
    distances = ((query[:, None].astype(np.float64) - reference[None]) ** 2).sum(-1)
    return float((labels["reference"][distances.argmin(1)] == labels["test"]).mean())
