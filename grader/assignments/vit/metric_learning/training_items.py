"""Which images the embedding is trained on: the first 500 of each class, and no others.

It is a check of ``contrastive.protected``, for the rule is the sampler's. It is judged by what happened in the run of
``train_embedding_model`` on a small set of 700 images of each class: which of them its loaders hand out, and which
were learned from.
"""

import numpy as np

from grader.assignments.vit.inside.lookalike import CLASSES, labels
from grader.assignments.vit.metric_learning.watched_runs import Data, Run, counted
from grader.evidence import Evidence, Unanswered
from grader.judging import Blocked, Fail

PER_CLASS, REAL = 500, 6_000  # images of each class that are trained on, and that FashionMNIST has
RULE = (
    "Train on sample_balanced_subset(train_dataset, 500), the first 500 images of each class, and on nothing else: "
    "either the notebook hands it over, or the function samples it."
)
DRAWN = 0.2  # share of the right images that a loader over all of them may leave to chance
EVEN = 0.02  # by how much the numbers of classes may differ that are called the same


def training_items(seen: Evidence) -> None:
    """The embedding is trained on the first 500 images of each class, and on nothing else."""
    if not seen.has("train_embedding_model"):
        return
    try:
        run = counted(seen)
    except (Blocked, Unanswered, Fail):  # contrastive.training tells
        return
    used = run.data.learned | run.data.could
    right = first_of_each(labels(seen["training"].question.args["seed"], run.data.per_class))
    if used.shape == right.shape and (problem := _problem(run, used, right)):
        raise Fail(f"the embedding is trained on {problem}", RULE)


def first_of_each(of: np.ndarray) -> np.ndarray:
    """(n,) bool: the first 500 items of each class, by their labels."""
    chosen = np.zeros(len(of), dtype=bool)
    for label in range(CLASSES):
        chosen[np.flatnonzero(of == label)[:PER_CLASS]] = True
    return chosen


def _problem(run: Run, used: np.ndarray, right: np.ndarray) -> str:
    """What is wrong with the items, in terms of the real data; empty where nothing is."""
    data = run.data
    if run.total("test_batches"):
        return f"images of the test set: {run.total('test_batches')} of {run.total('backwards')} batches hold some"
    if data.tested:
        return "images of the test set, which its loader hands out, too"
    if data.per_class < PER_CLASS or not (used.any() or data.unknown):
        return ""  # a small set, or nothing was learned
    if data.unknown and data.whole:
        return _of_unknown(data, used)
    outside = int((used & ~right).sum())
    missing = int((right & ~data.could).sum()) if data.whole and data.could.any() else 0
    sampled = run.samples and all(count == PER_CLASS for count in run.samples)
    spared = DRAWN if sampled else EVEN  # a loader that draws with replacement does not meet each of them
    if not outside and missing <= max(data.batch, spared * right.sum()):
        return ""
    return _amount(run, used, outside)


def _of_unknown(data: Data, used: np.ndarray) -> str:
    """Only the number of items is known, where a data set of the student's own hands out changed copies."""
    wrong = abs(data.indices - CLASSES * PER_CLASS) > max(data.batch, EVEN * CLASSES * PER_CLASS)
    if not wrong or used.any():
        return ""
    return _all(data) if data.indices == CLASSES * data.per_class else f"{data.indices:,} images instead of 5,000"


def _amount(run: Run, used: np.ndarray, outside: int) -> str:
    """How many images of each class are used, as the real data set has them."""
    data, number = run.data, int(used.sum())
    asked = [count for count in run.samples if count != PER_CLASS]
    if used.all():
        return _all(data) if data.direct or not asked or asked[0] >= REAL else f"{asked[0]:,} of each class"
    per_class = number / CLASSES
    if abs(per_class - PER_CLASS) <= EVEN * PER_CLASS:
        return f"{number:,} images, but {outside:,} of them are not among the first 500 of their class"
    return f"{asked[0] if asked else round(per_class):,} of each class, {number:,} images"


def _all(data: Data) -> str:
    return "all 60,000 images of the training set: nothing is sampled" if data.direct else "all 60,000 images"
