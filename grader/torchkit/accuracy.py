"""An accuracy that was computed wrongly: which mistake gives this number.

Shapes: n test items.
"""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class StateEvaluation:
    """How a classifier was evaluated in one state.

    Attributes:
        hits: for each batch, which of its items it was right about.
        items: how many test items there were among them.
    """

    hits: list[Array]
    items: int


@dataclass(frozen=True)
class ObservedAccuracy:
    """What a classifier was seen to be right about.

    Attributes:
        right: (n,) which test items it is right about now.
        train_items: how many items it was trained on.
        train_accuracy: on these.
        states: its accuracy on all test items in each state in which it was evaluated.
        last: how it was evaluated last.
    """

    right: Array
    train_items: int
    train_accuracy: float
    states: list[float]
    last: StateEvaluation


def wrong_accuracy_hint(acc: float, of: ObservedAccuracy) -> str:
    """The mistake that gives this accuracy, which may be a share, a percentage or a count."""
    share, hits = acc / 100 if acc > 1 else acc, int(of.right.sum())
    if abs(acc - hits) < 0.5:
        return "This is how many are right: divide by the size of the test set."
    if abs(share - (1 - of.right.mean())) < 0.002:
        return "This is the error rate, one minus the accuracy: count the right ones, `==`, not the wrong ones."
    if abs(share - hits / of.train_items) < 0.002:
        return "This is divided by the size of the training set: divide by that of the test set."
    if abs(share - of.train_accuracy) < 0.02:
        return "This is the accuracy on the training items: measure on `test_dataset`."
    if hint := _batches_hint(share, of):
        return hint
    if len(of.states) > 1 and min(abs(acc - sum(of.states)), abs(acc / 100 - sum(of.states))) < 0.01:
        return "The count goes on from epoch to epoch: set it to 0 before each measurement."
    return "Count the right ones over all batches of the test set, and divide by its size."


def _batches_hint(share: float, of: ObservedAccuracy) -> str:
    """The mistake in adding up batches that gives this share; "" where there is none."""
    batches, count = of.last.hits, len(of.right)
    places = len(batches) * max(map(len, batches), default=0)
    if batches and of.last.items < count and abs(share - np.concatenate(batches).mean()) < 0.002:
        part = f"This is the accuracy on {of.last.items} of {count} test items"
        return f"{part}: go through the whole test set. Does a break or a return stand inside the loop?"
    if batches and abs(share - batches[-1].mean()) < 0.002:
        return "This is the accuracy of the last batch: add up over all batches, then divide."
    if places > count and abs(share - int(of.right.sum()) / places) < 0.002:
        return "Divide by the size of the test set: its last batch is smaller than the others."
    return ""
