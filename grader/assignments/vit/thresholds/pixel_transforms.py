"""How images become tensors: as one of the transforms does, which one told by the checkpoint where they differ.

Where the transforms end with different normalisations, the checkpoints were trained with one of them. The
difference has its own criterion, so they are judged with the one that they do better with, on training images.
"""

from typing import Any

import numpy as np

from grader.assignments.vit import augmentation
from grader.assignments.vit.thresholds.answers import ClassifierAnswer, EmbeddingAnswer
from grader.assignments.vit.thresholds.sources import CLASSIFIER
from grader.evidence import Evidence
from grader.judging import Blocked
from grader.torchkit import image_sets
from grader.torchkit.image_sets import EmbeddedSets, PredictedSets

TRAIN, TEST = "tfm_train", "tfm_test"
TENSORS = "augmentation.tensors"  # the criterion whose verdict tells whether the transforms agree
Pixels = dict[str, Any]  # the arguments of ``inside.image_sets.pixels_of``


def candidates(evidence: Evidence) -> dict[str, Pixels]:
    """By transform, how it makes tensors of images; one transform where nothing is wrong with either.

    Raises:
        Blocked: neither tells.
    """
    right, lut = evidence.passed(TENSORS), augmentation.lut(evidence)
    if right:
        return {TEST: {"transform": TEST} if lut is None else {"lut": np.asarray(lut, dtype=np.float32)}}
    found: dict[str, Pixels] = {}
    line = augmentation.normalisation(evidence)
    if line is not None:
        found[TRAIN] = {"scale": float(line[0]), "shift": float(line[1])}
    if lut is not None and (line is None or not _is_line(lut, *line)):
        found[TEST] = {"lut": np.asarray(lut, dtype=np.float32)}
    if not found:
        raise Blocked(TENSORS, "neither `tfm_test` nor `tfm_train` tells how images become tensors")
    return found


def _is_line(lut: np.ndarray, scale: float, shift: float) -> bool:
    """Whether a table of grey levels is scale * level / 255 + shift."""
    return bool(np.abs(np.arange(256) / 255 * scale + shift - lut).max() < 1e-3 * max(1e-6, abs(scale)))


def trial(probe: str, transform: str) -> str:
    """The probe that tries a checkpoint with the pixel values of one transform."""
    return f"{probe}.{transform}"


def chosen(evidence: Evidence, probe: str) -> Pixels:
    """How a checkpoint's images become tensors, for the embeddings as for the classifier; raises as ``candidates`` does."""
    found = candidates(evidence)
    scores = {name: sum(_score(evidence, trial(each, name)) for each in {CLASSIFIER, probe}) for name in found}
    return found[max(found, key=lambda name: scores[name])]


def differ(evidence: Evidence) -> bool:
    """Whether a checkpoint has to tell."""
    try:
        return len(candidates(evidence)) > 1
    except Blocked:
        return False


def are_known(evidence: Evidence) -> bool:
    """Whether it can be told how images become tensors."""
    try:
        return bool(candidates(evidence))
    except Blocked:
        return False


def tried_sets(labels: np.ndarray) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The images of a trial, and their labels: of each class 20 training images, and 50 to look them up among."""
    of_class = [np.flatnonzero(labels == label) for label in range(10)]
    rows = {
        "reference": np.concatenate([r[:50] for r in of_class]),
        "test": np.concatenate([r[50:70] for r in of_class]),
    }
    sets = [image_sets.asked(name, {"$shared": "train_images"}, r) for name, r in rows.items()]
    return sets, {name: labels[r] for name, r in rows.items()}


def _score(evidence: Evidence, probe: str) -> float:
    """The share of images named right, or looked up right; 0 where the answer tells nothing."""
    if not evidence[probe].ok:
        return 0.0
    answer: ClassifierAnswer | EmbeddingAnswer = evidence[probe].value
    labels = evidence[probe].known["labels"]
    if isinstance(answer.outputs, PredictedSets):
        return float((answer.outputs.sets["test"].predicted == labels["test"]).mean())
    if not isinstance(answer.outputs, EmbeddedSets):
        return 0.0
    query, reference = (answer.outputs.sets[name].embeddings for name in ("test", "reference"))
    if query is None or reference is None or not np.isfinite(query).all():
        return 0.0
    distances = ((query[:, None].astype(np.float64) - reference[None]) ** 2).sum(-1)
    return float((labels["reference"][distances.argmin(1)] == labels["test"]).mean())
