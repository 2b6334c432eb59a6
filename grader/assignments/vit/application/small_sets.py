"""The two small data sets that ``train_classification_model_head_only`` is run on.

They are made so that learning from one is not learning from the other: about half of the test items look like one
class and are labelled as the next. A head that learned from the training items gets these wrong; one that learned from
the test items does not. How many exactly is drawn for each grade, far enough from half of them, so that the accuracy
is no number that can be known before, and not the error rate.

Shapes: n items of a data set, D hidden size.
"""

import numpy as np

from grader.assignments.vit.settings import size
from grader.evidence import Evidence, Question

Array = np.ndarray
EPOCHS = 3  # 2 of them are not all
CLASSES, PER_CLASS = 10, 110  # more items to train on than fit into a batch of 1024
TRAIN_ITEMS = CLASSES * PER_CLASS
AGREEING = 5  # classes whose test items are mostly labelled as the training items are; those of the others mostly not


def ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    """Both sets and a frozen ViT.

    What stays here: what the first training items look like, and the labels of the test items.
    """
    patterns = 255 * rng.integers(0, 2, (CLASSES, 7, 7))
    looks = rng.permutation(np.repeat(np.arange(CLASSES), PER_CLASS))
    test_looks, labels = _test_items(rng)
    width = size(evidence, "hidden_size", 64)
    told = 250  # training items, about 25 of each class in no order, whose logits come back: as telling as those of all
    args = {
        "train": {"images": _images(rng, patterns[looks]), "labels": looks},
        "test": {"images": _images(rng, patterns[test_looks]), "labels": labels},
        "vit": {
            # To the nearest 64th: it comes back and is kept, and takes a fourth of the room, once compressed.
            "features.weight": (np.round(64 * rng.standard_normal((width, 49)) / 7) / 64).astype(np.float32),
            "features.bias": (0.3 * rng.standard_normal(width)).astype(np.float32),
            "running_mean": rng.standard_normal(width).astype(np.float32),
        },
        "width": width,
        "num_epochs": EPOCHS,
        "told": told,
        "own_head": evidence.has("ClassificationHead") and evidence.passed("vit.heads"),
        "seed": int(rng.integers(2**31)),
    }  # fmt: skip
    return Question(args, {"looks": looks[:told], "test_labels": labels, "width": width})


def _test_items(rng: np.random.Generator) -> tuple[Array, Array]:
    """What the test items look like, and how they are labelled: first those that a right head gets wrong."""
    per_test_class = 103  # as many of each label; more items in all than fit into one batch, the last of which is small
    labels = np.repeat(np.arange(CLASSES), per_test_class)
    of_class = np.tile(np.arange(per_test_class), CLASSES)
    few = int(rng.integers(26, 41))  # of each class are labelled otherwise than most of it: right heads get ±13-19 %
    conflict = labels >= AGREEING
    wrong = conflict & (of_class >= few) if rng.integers(2) else conflict | (of_class < few)
    looks = np.where(wrong, _taken_for(labels), labels)
    first, then = rng.permutation(np.flatnonzero(wrong)), rng.permutation(np.flatnonzero(~wrong))
    half = 15  # of the 30 last, which are right and wrong in turns, so that no last batch has the accuracy of all
    order = np.concatenate([first[half:], then[half:], np.stack([first[:half], then[:half]], axis=1).ravel()])
    return looks[order], labels[order]


def _taken_for(labels: Array) -> Array:
    """What test items of a label look like, where they do not look like it."""
    return labels // AGREEING * AGREEING + (labels - 1) % AGREEING


def relabelled(looks: Array) -> Array:
    """How test items are labelled by what they look like."""
    return np.where(looks < AGREEING, looks, AGREEING + (looks + 1) % AGREEING)


def _images(rng: np.random.Generator, patterns: Array) -> Array:
    """(n, 28, 28) uint8 from (n, 7, 7) patterns, with a little noise."""
    large = patterns.repeat(4, axis=1).repeat(4, axis=2).astype(np.int16)
    return (large + rng.integers(-35, 36, large.shape, np.int16)).clip(0, 255).astype(np.uint8)
