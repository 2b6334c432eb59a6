"""What is asked of the checkpoints: which images, in which order, as which tensors."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.assignments.vit.thresholds import pixel_transforms
from grader.assignments.vit.thresholds.pixel_transforms import TENSORS
from grader.assignments.vit.thresholds.sources import CLASSIFIER, EMBEDDINGS, FILES, has_file, judges_checkpoint
from grader.evidence import Evidence, Probe, Question
from grader.torchkit import image_sets, lookups

SCORE_SEED = 20_170_825  # a score is one number: what is drawn for it never depends on the grade's seed
COSTS = ("path", "threads")  # arguments that are no part of what is asked
OPS = {CLASSIFIER: "checkpoint.classify", EMBEDDINGS: "checkpoint.embed"}


@dataclass(frozen=True)
class Counts:
    """How many images of each kind are asked for.

    Attributes:
        per_class: reference images of each class: the first of each, as the protected sampler takes them.
        unseen: training images outside the reference set, for a warning: the same ones in every grade.
        seen: training images for the classifier's warning.
        changed: test images that are also asked for moved and dimmed a little.
        estimated: test images for a Precision@1 that no criterion gives points for …
        estimated_per_class: … and reference images of each class: a quarter of them costs a hundredth at most.
    """

    per_class: int = 500
    unseen: int = 2_000
    seen: int = 1_000
    changed: int = 500
    estimated: int = 1_000
    estimated_per_class: int = 125


COUNTS = Counts()


def reference_rows(labels: np.ndarray, per_class: int = COUNTS.per_class) -> np.ndarray:
    """(10 * per_class,) rows of the reference set among the training images, class by class."""
    return np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in range(10)])


def unseen_rows(labels: np.ndarray, count: int = COUNTS.unseen) -> np.ndarray:
    """(count,) rows of training images outside the reference set."""
    outside = np.delete(np.arange(len(labels)), reference_rows(labels))
    return np.random.default_rng(SCORE_SEED).permutation(outside)[:count]


def changed_sets(evidence: Evidence) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The first test images, changed a little in two ways, as sets of a question; and their labels.

    How they are moved is drawn anew in each class: what is known before can be looked up as well.
    """
    count = _sampled(evidence, COUNTS.changed)
    images, labels = evidence.data.test_images[:count], evidence.data.test_labels[:count]
    changes = {"moved": lookups.moved(images, evidence.class_rng("moved")), "dimmed": lookups.dimmed(images)}
    rows = np.arange(count)
    return [image_sets.asked(n, changed, rows) for n, changed in changes.items()], dict.fromkeys(changes, labels)


def test_rows(evidence: Evidence) -> np.ndarray:
    """Which test images are used: all, or the first of them in an audit."""
    return np.arange(_sampled(evidence, len(evidence.data.test_labels)))


def test_set(rows: np.ndarray) -> dict[str, Any]:
    """Test images as a set of a question."""
    return image_sets.asked("test", {"$shared": "test_images"}, rows)


def _training_set(name: str, rows: np.ndarray) -> dict[str, Any]:
    return image_sets.asked(name, {"$shared": "train_images"}, rows)


def _sampled(evidence: Evidence, count: int, per_sample: float = 1.0) -> int:
    """How many of a set of images are used; fewer where the test set is sampled: it is for speed."""
    sample = evidence.options.get("sample")
    return count if sample is None else min(count, max(1, int(sample * per_sample)))


def threads(evidence: Evidence, beside: int = 1) -> int:
    """Torch's threads, where that many workers share the cores; more than four only use up the CPU seconds sooner."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(evidence.options.get("threads") or min(available, 4)) // beside)


def _ask_classifier(evidence: Evidence, rng: np.random.Generator) -> Question:
    rows, train = test_rows(evidence), unseen_rows(evidence.data.train_labels, _sampled(evidence, COUNTS.seen))
    changes, labels = changed_sets(evidence)
    labels = {"test": evidence.data.test_labels[rows], "train": evidence.data.train_labels[train], **labels}
    return Question(
        _args(evidence, CLASSIFIER, [test_set(rows), _training_set("train", train), *changes]), {"labels": labels}
    )


def _ask_embeddings(evidence: Evidence, rng: np.random.Generator) -> Question:
    if not is_scored(evidence):
        return _ask_estimate(evidence)
    rows, labels = test_rows(evidence), evidence.data.train_labels
    changes, changed_labels = changed_sets(evidence)
    per_class, unseen = _sampled(evidence, COUNTS.per_class, 0.25), _sampled(evidence, COUNTS.unseen)
    of_training = {"reference": reference_rows(labels, per_class), "unseen": unseen_rows(labels, unseen)}
    sets = [test_set(rows), *(_training_set(name, r) for name, r in of_training.items()), *changes]
    known = {name: labels[r] for name, r in of_training.items()}
    known |= {"test": evidence.data.test_labels[rows], **changed_labels}
    return Question({**_args(evidence, EMBEDDINGS, sets), "own": _calls_own(evidence)}, {"labels": known})


def _calls_own(evidence: Evidence) -> bool:
    """Whether the student's ``get_embeddings`` computes the embeddings."""
    return evidence.has("get_embeddings") and evidence.passed("contrastive.embeddings")


def is_scored(evidence: Evidence) -> bool:
    """Whether Precision@1 is judged itself, not only the log beside it."""
    only = evidence.options.get("only")
    return only is None or "contrastive.precision" in only


def _ask_estimate(evidence: Evidence) -> Question:
    """Enough to hold a log against: its tolerance is four standard deviations of the estimate, and the hundredth that
    fewer reference images cost.
    """
    rows = np.arange(_sampled(evidence, COUNTS.estimated))
    reference = reference_rows(evidence.data.train_labels, COUNTS.estimated_per_class)
    sets = [test_set(rows), _training_set("reference", reference)]
    known = {"test": evidence.data.test_labels[rows], "reference": evidence.data.train_labels[reference]}
    return Question({**_args(evidence, EMBEDDINGS, sets), "own": _calls_own(evidence)}, {"labels": known})


def _args(evidence: Evidence, probe: str, sets: list[dict[str, Any]]) -> dict[str, Any]:
    path = str(evidence.submission.files[FILES[probe]])
    pixels = pixel_transforms.chosen(evidence, probe)
    return {"path": path, "sets": sets, "pixels": pixels, "threads": threads(evidence, len(FILES)), "seed": SCORE_SEED}


def _trial(probe: str, transform: str) -> Probe:
    """A short look at a checkpoint with the normalisation that one transform ends with, where they differ."""

    def ask(evidence: Evidence, rng: np.random.Generator) -> Question:
        sets, labels = pixel_transforms.tried_sets(evidence.data.train_labels)
        args = {**_args(evidence, probe, sets), "pixels": pixel_transforms.candidates(evidence)[transform]}
        return Question(args | ({"own": False} if probe == EMBEDDINGS else {}), {"labels": labels})

    def when(evidence: Evidence) -> bool:
        wanted = judges_checkpoint(evidence) if probe == CLASSIFIER else has_file(evidence, EMBEDDINGS)
        return wanted and pixel_transforms.differ(evidence)

    serves = ("vit.accuracy",) if probe == CLASSIFIER else ("contrastive.precision", "contrastive.logs")
    ident = pixel_transforms.trial(probe, transform)
    return Probe(ident, OPS[probe], ask, when, 60.0, serves, COSTS, needs=(TENSORS,), of_content=True)


PROBES = (
    *(_trial(probe, transform) for probe in OPS for transform in (pixel_transforms.TRAIN, pixel_transforms.TEST)),
    Probe(
        CLASSIFIER, OPS[CLASSIFIER], _ask_classifier,
        lambda evidence: judges_checkpoint(evidence) and pixel_transforms.are_known(evidence), 900.0, ("vit.accuracy",), COSTS,
        1.4, in_parallel=True, needs=(TENSORS,), of_content=True,
    ),
    Probe(
        EMBEDDINGS, OPS[EMBEDDINGS], _ask_embeddings,
        lambda evidence: has_file(evidence, EMBEDDINGS) and pixel_transforms.are_known(evidence), 900.0,
        ("contrastive.precision", "contrastive.logs"), COSTS, 2.4, in_parallel=True,
        needs=(TENSORS, "contrastive.embeddings"), of_content=True,
    ),
)  # fmt: skip
