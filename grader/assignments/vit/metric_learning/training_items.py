"""Which images the embedding is trained on: the first 500 of each class, and no others.

It is a check of ``contrastive.protected``, for the rule is the sampler's. It is judged by what happened in the run of
``train_embedding_model`` on a small set of 700 images of each class: which of them its loaders hand out, and which
were learned from.
"""

import numpy as np

from grader.assignments.vit.inside.lookalike import CLASSES, labels
from grader.assignments.vit.metric_learning.watched_runs import TrainingRun, counted
from grader.evidence import Evidence, Unanswered
from grader.judging import Blocked, Fail
from grader.sentences import number_of

PER_CLASS = 500  # images of each class that are trained on
MAX_UNEVEN = 0.02  # share by which numbers of images may differ that are called the same


def training_items(evidence: Evidence) -> str | None:
    """The embedding is trained on the first 500 images of each class, and on nothing else."""
    unseen = "Which images the embedding is trained on was not seen: the training does not come so far."
    if not evidence.has("train_embedding_model"):
        return None
    try:
        run = counted(evidence)
    except (Blocked, Unanswered, Fail):  # contrastive.training tells
        return unseen
    used = run.items.learned | run.items.could
    of = labels(evidence["training"].question.args["seed"], run.per_class)
    rule = (
        "Train on sample_balanced_subset(train_dataset, 500), the first 500 images of each class, and on nothing else: "
        "either call the function with that subset, or sample it inside the function."
    )
    if used.shape == of.shape and (problem := _problem(run, used, of)):
        raise Fail(f"the embedding is trained on {problem}", rule)
    return unseen if run.raised is not None and not used.any() else None


def first_of_each(of: np.ndarray) -> np.ndarray:
    """(n,) bool: the first 500 items of each class, by their labels."""
    chosen = np.zeros(len(of), dtype=bool)
    for label in range(CLASSES):
        chosen[np.flatnonzero(of == label)[:PER_CLASS]] = True
    return chosen


def _problem(run: TrainingRun, used: np.ndarray, of: np.ndarray) -> str:
    """What is wrong with the items, in terms of the real data; empty where nothing is.

    Args:
        used: (n,) bool, of the small set's items.
        of: (n,) their labels.
    """
    items, right = run.items, first_of_each(of)
    if run.total("test_batches"):
        return f"images of the test set: {run.total('test_batches')} of {run.total('backwards')} batches hold some"
    if items.tested:
        return "images of the test set, which its loader hands out, too"
    if run.per_class < PER_CLASS or not (used.any() or items.unknown):
        return ""  # a small set, or nothing was learned
    outside = int((used & ~right).sum())
    if items.unknown and items.whole:
        return _of_unknown(run, used, outside)
    missing = int((right & ~items.could).sum()) if items.whole and items.could.any() else 0
    if missing and not outside and _too_few(run, int(right.sum())):
        return _amount(run, used, of, outside)
    sampled = run.samples and all(count == PER_CLASS for count in run.samples)
    spared = 0.2 if sampled else MAX_UNEVEN  # a loader that draws with replacement does not meet each of them
    if not outside and missing <= max(items.batch, spared * right.sum()):
        return ""
    return _amount(run, used, of, outside)


def _too_few(run: TrainingRun, right: int) -> bool:
    """Whether fewer items are sampled than the right number: a loader may leave out some of those that are."""
    offered = run.items.offered or (CLASSES * run.samples[0] if run.samples else right)
    return offered < right


def _of_unknown(run: TrainingRun, used: np.ndarray, outside: int) -> str:
    """Where a data set of the student's own hands out copies: their number is known, and which some of them are.

    Args:
        outside: how many of those that are known are not among the first of their class.
    """
    count, right = run.items.indices, CLASSES * PER_CLASS
    fits = abs(count - right) <= max(run.items.batch, MAX_UNEVEN * right)
    if fits and outside:
        return _not_the_first(count)
    several_of_each = count > right and used.any() and not outside  # such as copies that were changed in advance
    if fits or several_of_each or run.items.could.any():
        return ""
    return _all(run) if count == CLASSES * run.per_class else f"{number_of(count, 'image')} instead of {right:,}"


def _amount(run: TrainingRun, used: np.ndarray, of: np.ndarray, outside: int) -> str:
    """How many images of which classes are used, as the real data set has them."""
    number, counts = int(used.sum()), np.bincount(of[used], minlength=CLASSES)
    asked = [count for count in run.samples if count != PER_CLASS]
    if used.all() and (run.items.direct or not asked or asked[0] >= 6_000):
        return _all(run)
    nearly_all = 0.9 * len(used)  # drawn with replacement, or anew in each epoch
    if not asked and number > nearly_all:
        return f"images of the whole training set (60,000), not on the first {PER_CLASS} of each class alone"
    if outside and not used.all() and abs(number / CLASSES - PER_CLASS) <= MAX_UNEVEN * PER_CLASS:
        return _not_the_first(number)
    of_used = counts[counts > 0]  # by class, of the classes that are used
    per_class = asked[0] if asked else round(number / max(1, len(of_used)))
    if not asked and len(of_used) and np.ptp(of_used) > max(run.items.batch, 0.2 * per_class):
        between = f"{counts.min()} to {counts.max()} of a class"
        return f"{number_of(number, 'image')}, {between}, instead of {PER_CLASS} of each"
    if len(of_used) < CLASSES:
        some = PER_CLASS if abs(number - len(of_used) * PER_CLASS) <= run.items.batch else per_class
        return (
            f"{number_of(some, 'image')} of each of {number_of(len(of_used), 'class', 'classes')} and none of the others, "
            f"instead of {PER_CLASS} of each of the {CLASSES}"
        )
    return f"{number_of(per_class, 'image')} of each class instead of {PER_CLASS}"


def _not_the_first(number: int) -> str:
    return f"{number_of(number, 'image')}, but not all of them are among the first {PER_CLASS} of their class"


def _all(run: TrainingRun) -> str:
    return "all 60,000 images" + (" of the training set: nothing is sampled" if run.items.direct else "")
