"""What is asked of the checkpoints: which images, in which order, as which tensors."""

import os
from typing import Any

import numpy as np

from grader.assignments.vit.thresholds import endings
from grader.assignments.vit.thresholds.claims import CLASSIFIER, EMBEDDINGS, LONGER, TRAINING, content
from grader.evidence import Evidence, Probe, Question
from grader.intake.reading.members import original_name
from grader.judging import Blocked

FILES = {CLASSIFIER: "vit_classifier.pt", EMBEDDINGS: "vit_embeds.pt"}
PER_CLASS = 500  # of the reference set: the first of each class, class by class, as the protected sampler takes them
UNSEEN = 2_000  # training images outside the reference set, for the audit: the same ones in every grade
SEEN = 1_000  # training images for the classifier's audit
ESTIMATED = 1_000  # test images for a Precision@1 that no criterion gives points for
AMONG = 125  # and of each class, reference images: a quarter of them costs a hundredth at most
CHANGED = 500  # test images that are also asked for moved and dimmed a little
DIMMED = 0.7  # of the grey levels
NOISE = 8.0  # grey levels, standard deviation
LONGER_BY = 0.01  # of the accuracy on held-out images, where they ended a training too soon
FIXED = 20_170_825  # a score is one number: what is drawn here never depends on the grade's seed


def reference_rows(labels: np.ndarray, per_class: int = PER_CLASS) -> np.ndarray:
    """(10 * per_class,) rows of the reference set among the training images."""
    return np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in range(10)])


def unseen_rows(labels: np.ndarray, count: int = UNSEEN) -> np.ndarray:
    """(count,) rows of training images outside the reference set."""
    outside = np.delete(np.arange(len(labels)), reference_rows(labels))
    return np.random.default_rng(FIXED).permutation(outside)[:count]


def moved(images: np.ndarray) -> np.ndarray:
    """(n, 28, 28) the images moved by one pixel, each in one of four directions, with a little noise.

    A model that computes from what it sees hardly notices; one that looks its answers up finds none of them.
    Black stays black: a LayerNorm over the pixels of a patch makes noise where nothing is as large as a garment.
    """
    rng = np.random.default_rng(FIXED + 1)
    shifts = [((-1, 0), (1, 0), (0, -1), (0, 1))[i % 4] for i in range(len(images))]
    rolled = np.stack([np.roll(image, shift, (0, 1)) for image, shift in zip(images, shifts, strict=True)])
    noisy = rolled + NOISE * rng.standard_normal(rolled.shape, dtype=np.float32) * (rolled > 0)
    return noisy.round().clip(0, 255).astype(np.uint8)


def dimmed(images: np.ndarray) -> np.ndarray:
    """(n, 28, 28) the images with seven tenths of their light, which hardly any honest model notices."""
    return (images * DIMMED).round().astype(np.uint8)


def changed(seen: Evidence) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The first test images, changed a little in two ways, as sets of a question; and their labels."""
    count = _sampled(seen, CHANGED)
    images, labels = seen.data.test_images[:count], seen.data.test_labels[:count]
    changes = {"moved": moved(images), "dimmed": dimmed(images)}
    return [{"name": n, "images": i, "rows": None} for n, i in changes.items()], dict.fromkeys(changes, labels)


def test_rows(seen: Evidence) -> np.ndarray | None:
    """Which test images are used: all, or the first of them in an audit."""
    return None if seen.options.get("sample") is None else np.arange(_sampled(seen, len(seen.data.test_labels)))


def _sampled(seen: Evidence, count: int, per_sample: float = 1.0) -> int:
    """How many of a set of images are used; fewer where the test set is sampled: it is for speed."""
    sample = seen.options.get("sample")
    return count if sample is None else min(count, max(1, int(sample * per_sample)))


def threads(seen: Evidence, beside: int = 1) -> int:
    """Torch's threads, where that many workers share the cores; more than four only use up the CPU seconds sooner."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(seen.options.get("threads") or min(available, 4)) // beside)


def _known(seen: Evidence) -> bool:
    try:
        return bool(endings.endings(seen))
    except Blocked:
        return False


def _ask_classifier(seen: Evidence, rng: np.random.Generator) -> Question:
    rows, train = test_rows(seen), unseen_rows(seen.data.train_labels, _sampled(seen, SEEN))
    changes, known = changed(seen)
    sets = [_test(rows), {"name": "train", "images": {"$shared": "train_images"}, "rows": train}, *changes]
    labels = {"test": _of(seen.data.test_labels, rows), "train": seen.data.train_labels[train], **known}
    return Question(_args(seen, CLASSIFIER, sets), {"labels": labels})


def _ask_embeddings(seen: Evidence, rng: np.random.Generator) -> Question:
    if not scored(seen):
        return _ask_estimate(seen)
    rows, labels = test_rows(seen), seen.data.train_labels
    changes, changed_labels = changed(seen)
    per_class, unseen = _sampled(seen, PER_CLASS, 0.25), _sampled(seen, UNSEEN)
    images = {"reference": reference_rows(labels, per_class), "unseen": unseen_rows(labels, unseen)}
    sets = [
        _test(rows),
        *({"name": n, "images": {"$shared": "train_images"}, "rows": r} for n, r in images.items()),
        *changes,
    ]
    known = {name: labels[r] for name, r in images.items()}
    known |= {"test": _of(seen.data.test_labels, rows), **changed_labels}
    return Question({**_args(seen, EMBEDDINGS, sets), "own": _own(seen)}, {"labels": known})


def _own(seen: Evidence) -> bool:
    """Whether the student's ``get_embeddings`` computes the embeddings."""
    return seen.has("get_embeddings") and seen.passed("contrastive.embeddings")


def scored(seen: Evidence) -> bool:
    """Whether Precision@1 is judged itself, not only the log beside it."""
    only = seen.options.get("only")
    return only is None or "contrastive.precision" in only


def _ask_estimate(seen: Evidence) -> Question:
    """Enough to hold a log against: its tolerance is four standard deviations of the estimate, and AMONG's hundredth."""
    rows = np.arange(_sampled(seen, ESTIMATED))
    reference = reference_rows(seen.data.train_labels, AMONG)
    sets = [_test(rows), {"name": "reference", "images": {"$shared": "train_images"}, "rows": reference}]
    known = {"test": seen.data.test_labels[rows], "reference": seen.data.train_labels[reference]}
    return Question({**_args(seen, EMBEDDINGS, sets), "own": _own(seen)}, {"labels": known})


def _ask_training(seen: Evidence, rng: np.random.Generator) -> Question:
    rows = test_rows(seen)
    changes, known = changed(seen)
    args = {
        "train_images": {"$shared": "train_images"},
        "train_labels": {"$shared": "train_labels"},
        "sets": [_test(rows), *changes],
        "pixels": next(iter(endings.endings(seen).values())),
        "threads": threads(seen),
        "target": seen.rubric.thresholds["accuracy"],
        "budget": float(seen.options.get("train_budget", 600.0)),
        "seed": FIXED,
    }
    return Question(args, {"labels": {"test": _of(seen.data.test_labels, rows), **known}})


def _ask_longer(seen: Evidence, rng: np.random.Generator) -> Question:
    """The same training; it goes on where the first one ended."""
    question = _ask_training(seen, rng)
    return Question({**question.args, "target": question.args["target"] + LONGER_BY}, question.known)


def _args(seen: Evidence, probe: str, sets: list[dict[str, Any]]) -> dict[str, Any]:
    path = str(seen.submission.files[FILES[probe]])
    pixels = endings.chosen(seen, probe)
    return {"path": path, "sets": sets, "pixels": pixels, "threads": threads(seen, len(FILES)), "seed": FIXED}


def _trial(probe: str, op: str, transform: str) -> Probe:
    """A short look at a checkpoint with the normalisation that one transform ends with, where they differ."""

    def ask(seen: Evidence, rng: np.random.Generator) -> Question:
        sets, labels = endings.tried_sets(seen.data.train_labels)
        args = {**_args(seen, probe, sets), "pixels": endings.endings(seen)[transform]}
        return Question(args | ({"own": False} if probe == EMBEDDINGS else {}), {"labels": labels})

    def when(seen: Evidence) -> bool:
        wanted = judges_checkpoint(seen) if probe == CLASSIFIER else _has(EMBEDDINGS, seen)
        return wanted and endings.differ(seen)

    serves = ("vit.accuracy",) if probe == CLASSIFIER else ("contrastive.precision", "contrastive.logs")
    return Probe(endings.trial(probe, transform), op, ask, when, 60.0, serves, COSTS, needs=(TENSORS,))


def _test(rows: np.ndarray | None) -> dict[str, Any]:
    return {"name": "test", "images": {"$shared": "test_images"}, "rows": rows}


def _of(labels: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    return labels if rows is None else labels[rows]


def _has(probe: str, seen: Evidence) -> bool:
    return FILES[probe] in seen.submission.files


def copy_read(seen: Evidence, probe: str) -> str:
    """Say that a checkpoint was read from a copy with another name, as browsers make them; empty where it was not."""
    name, files = FILES[probe], seen.submission.files
    read = files[name].name if name in files else name
    if read == name:
        return ""
    others = sorted(file for file in files if file not in (name, read) and original_name(file) == name)
    more = f"; {', '.join(others)} {'was' if len(others) == 1 else 'were'} not looked at" if others else ""
    return f"there is no {name}, so {read} was taken for it{more}"


def judges_checkpoint(seen: Evidence) -> bool:
    """Whether the accuracy is that of vit_classifier.pt."""
    return _has(CLASSIFIER, seen) and seen.options.get("train") != "always"


def trains(seen: Evidence) -> bool:
    """Whether the submitted ViT is to be trained, and there is one."""
    wanted = seen.options.get("train", "never") != "never" and not judges_checkpoint(seen)
    there = seen.has("ViT", "ClassificationHead") and seen.verdict("vit.model").status not in ("missing", "blocked")
    return wanted and there


def training(seen: Evidence) -> str:
    """The probe that trained the ViT last."""
    return LONGER if LONGER in seen.answers else TRAINING


def classifying(seen: Evidence) -> str:
    """The probe whose answer holds the predicted classes: of the checkpoint, or of the last training."""
    return CLASSIFIER if judges_checkpoint(seen) else training(seen)


def ended_too_soon(seen: Evidence) -> bool:
    """Whether the held-out images ended a training that the test images find wanting: no fault of the ViT's."""
    from grader.assignments.vit.thresholds.scores import accuracy, known

    if content(seen, TRAINING).get("stopped") != "target":
        return False
    score = known(accuracy, seen)
    return score is not None and score < seen.rubric.thresholds["accuracy"]


COSTS = ("path", "threads")  # no part of what is asked
TENSORS = "augmentation.tensors"  # how images become tensors: pixels are told by it

OPS = {CLASSIFIER: "checkpoint.classify", EMBEDDINGS: "checkpoint.embed"}

PROBES = (
    *(_trial(probe, op, transform) for probe, op in OPS.items() for transform in (endings.TRAIN, endings.TEST)),
    Probe(
        CLASSIFIER, "checkpoint.classify", _ask_classifier,
        lambda seen: judges_checkpoint(seen) and _known(seen), 900.0, ("vit.accuracy",), COSTS, 1.4, in_parallel=True,
        needs=(TENSORS,),
    ),
    Probe(
        EMBEDDINGS, "checkpoint.embed", _ask_embeddings,
        lambda seen: _has(EMBEDDINGS, seen) and _known(seen), 900.0,
        ("contrastive.precision", "contrastive.logs"), COSTS, 2.4, in_parallel=True,
        needs=(TENSORS, "contrastive.embeddings"),
    ),
)  # fmt: skip
TRAINED = (
    Probe(
        TRAINING, "classifier.train", _ask_training,
        lambda seen: trains(seen) and _known(seen), 1_500.0, ("vit.accuracy",), COSTS, typical_seconds=100.0,
        needs=(TENSORS, "vit.model"),
    ),
    Probe(
        LONGER, "classifier.train", _ask_longer, ended_too_soon, 1_500.0, ("vit.accuracy",), COSTS, typical_seconds=200.0,
        needs=(TENSORS, "vit.model"),
    ),
)  # fmt: skip
