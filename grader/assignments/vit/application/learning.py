"""How much a head learned from the training items: its logits before and after.

Shapes: n training items that are told of, K classes.
"""

from dataclasses import dataclass

import numpy as np

from grader.assignments.vit.application.answers import HeadLogits, ReturnedHead
from grader.assignments.vit.application.returned import logits_of
from grader.assignments.vit.application.small_sets import AGREEING, CLASSES, Array, relabelled


@dataclass(frozen=True)
class Fit:
    """How good a head is at the training items.

    Attributes:
        loss: cross-entropy.
        right: share of the items.
        conflict: for each class whose test items are mostly labelled otherwise, how much the head prefers its label to
            that other one.
        agreeing: for each of the others, how much the head prefers its label to the mean of all.
    """

    loss: float
    right: float
    conflict: Array
    agreeing: Array


def fit_before(head: ReturnedHead, looks: Array) -> Fit:
    """How good the head was when it was made; one that was made elsewhere is taken to have known nothing."""
    if not isinstance(head.logits, HeadLogits) or head.logits.initial is None:
        return Fit(float(np.log(CLASSES)), 2 / CLASSES, np.zeros(CLASSES - AGREEING), np.zeros(AGREEING))
    return _fit(logits_of(head, "initial"), looks)


def fit_after(head: ReturnedHead, looks: Array) -> Fit:
    """How good the head is that came back."""
    return _fit(logits_of(head, "train"), looks)


def _fit(logits: Array, looks: Array) -> Fit:
    rows = np.arange(len(looks))
    other = np.where(looks < AGREEING, logits.mean(1), logits[rows, relabelled(looks)])
    preferred = np.array([(logits[rows, looks] - other)[looks == label].mean() for label in range(CLASSES)])
    right = float((logits.argmax(1) == looks).mean())
    return Fit(float(_losses(logits, looks).mean()), right, preferred[AGREEING:], preferred[:AGREEING])


def _losses(logits: Array, labels: Array) -> Array:
    """(n,) the cross-entropy of each item."""
    z = logits - logits.max(1, keepdims=True)
    return np.asarray(np.log(np.exp(z).sum(1)) - z[np.arange(len(labels)), labels])


def towards_labels(head: ReturnedHead, looks: Array) -> float:
    """How far learning moved the logits of the right labels, in standard deviations of all that moved.

    A loss falls with labels in any order, since a head that knows nothing is often sure of something. Items whose label
    it was sure of before, as weights that begin large may be by chance, move nothing and are left out.
    """
    if not isinstance(head.logits, HeadLogits) or head.logits.initial is None:
        return float("inf")
    before = logits_of(head, "initial")
    sure = np.exp(-_losses(before, looks)) > 0.9
    if sure.all():
        return float("inf")
    moved, looks = (logits_of(head, "train") - before)[~sure], looks[~sure]
    moved -= moved.mean(axis=1, keepdims=True)
    moved -= moved.mean(axis=0)  # what it learned of all items alike tells nothing
    return float(moved[np.arange(len(looks)), looks].mean() / max(float(moved.std()), 1e-12))
