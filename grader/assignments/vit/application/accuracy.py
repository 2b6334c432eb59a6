"""The accuracy that ``train_classification_model_head_only`` returns, and what else a number may be."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.assignments.vit.application.returned import (
    TRAIN_ITEMS,
    Array,
    answer_of,
    counts_of,
    dict_of,
    head_of,
    logits_of,
    text_of,
)
from grader.evidence import Evidence
from grader.judging import Fail, Malformed, Skip, dig_as

NEAR = 0.01  # of the returned head's accuracy, or the best one seen: half precision, rounding
EXACT = 0.0006  # of the mean over batches, in any state that was seen: rounding to three digits


@dataclass(frozen=True)
class Evaluated:
    """How a head was evaluated in one state.

    Args:
        hits: for each batch, which of its items were right.
        items: how many test items there were among them.
    """

    hits: list[Array]
    items: int


def expect_accuracy(seen: Evidence) -> None:
    """Fail unless the accuracy that comes back is that of the returned head on all test items."""
    answer, head, acc = answer_of(seen), head_of(seen), dict_of(seen).get("acc")
    if not isinstance(acc, int | float) or isinstance(acc, bool):
        raise Fail(f'expected a number under "acc", got {text_of(acc)}')
    if "raised" in head or not dig_as(dict, head, "logits"):
        raise Skip
    share = acc / 100 if acc > 1 else float(acc)
    right = logits_of(head, "test", len(answer.known["test_labels"])).argmax(1) == answer.known["test_labels"]
    states = [predicted == answer.known["test_labels"] for predicted in _evaluated(head, len(right))]
    whole, calls = [float(state.mean()) for state in states], _calls(head, states)
    averaged = [float(np.mean([hits.mean() for hits in c.hits])) for c in calls if c.items == len(right)]
    if any(abs(share - found) <= NEAR for found in (right.mean(), max(whole, default=right.mean()))):
        return
    if any(abs(share - found) <= EXACT for found in averaged):
        return
    trained = float((logits_of(head, "train", TRAIN_ITEMS).argmax(1) == answer.known["looks"]).mean())
    returned = f"{acc:.3f}" if acc <= 1 else f"{acc:g}"
    raise Fail(
        f"the accuracy that comes back is {returned}, the returned head has {right.mean():.3f} on the test items",
        _why(float(acc), right, trained, whole, calls[-1] if calls else Evaluated([], 0)),
    )


def _why(acc: float, right: Array, trained: float, whole: list[float], last: Evaluated) -> str:
    """The fault that gives this accuracy.

    Args:
        right: which test items the returned head is right about.
        trained: its accuracy on the training items.
        whole: the accuracies in all states that were seen.
        last: how it was evaluated last.
    """
    batches = last.hits
    share, hits = acc / 100 if acc > 1 else acc, int(right.sum())
    places = len(batches) * max(map(len, batches), default=0)
    if abs(acc - hits) < 0.5:
        return "This is how many are right: divide by the size of the test set."
    if abs(share - (1 - right.mean())) < 0.002:
        return "This is the error rate, one minus the accuracy: count the right ones, `==`, not the wrong ones."
    if abs(share - hits / TRAIN_ITEMS) < 0.002:
        return "This is divided by the size of the training set: divide by that of the test set."
    if abs(share - trained) < 0.02:
        return "This is the accuracy on the training items: measure on `test_dataset`."
    if batches and last.items < len(right) and abs(share - np.concatenate(batches).mean()) < 0.002:
        part = f"This is the accuracy on {last.items} of {len(right)} test items"
        return f"{part}: go through the whole test set. Does a break or a return stand inside the loop?"
    if batches and abs(share - batches[-1].mean()) < 0.002:
        return "This is the accuracy of the last batch: add up over all batches, then divide."
    if places > len(right) and abs(share - hits / places) < 0.002:
        return "Divide by the size of the test set: its last batch is smaller than the others."
    if len(whole) > 1 and min(abs(acc - sum(whole)), abs(acc / 100 - sum(whole))) < 0.01:
        return "The count goes on from epoch to epoch: set it to 0 before each measurement."
    return "Count the right ones over all batches of the test set, and divide by its size."


def _calls(head: dict[str, Any], states: list[Array]) -> list[Evaluated]:
    """How the head was evaluated, in each state that was."""
    if head.get("calls") is None:
        return []
    of_state, sizes, items = (counts_of(head, "calls", name) for name in ("state", "size", "item"))
    inside = len(of_state) == len(sizes) and sizes.sum() == len(items) and (sizes > 0).all()
    if not inside or (of_state >= len(states)).any() or any((items >= len(state)).any() for state in states):
        raise Malformed
    batches = np.split(items, np.cumsum(sizes)[:-1]) if len(sizes) else []
    pairs = list(zip(of_state, batches, strict=True))
    return [_evaluated_in(state, [b for index, b in pairs if index == n]) for n, state in enumerate(states)]


def _evaluated_in(state: Array, batches: list[Array]) -> Evaluated:
    return Evaluated([state[b] for b in batches], len(np.unique(np.concatenate(batches))) if batches else 0)


def _evaluated(head: dict[str, Any], count: int) -> list[Array]:
    """What the head predicted whenever it was evaluated: the best epoch's accuracy may come back."""
    rows = head.get("evaluated")
    if rows is None:
        return []
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != count:
        raise Malformed
    return list(rows)
