"""``train_classification_model_head_only``: a new head learns, and the ViT stays as it is.

The small sets are made so that learning from one is not learning from the other: about half of the test
items look like one class and are labelled as the next. A head that learned from the training items gets
these wrong; one that learned from the test items does not. How many exactly is drawn for each grade, far
enough from half of them, so that the accuracy is no number that can be known before, and not the error rate.
"""

from typing import Any

import numpy as np

from grader.assignments.vit.application.accuracy import expect_accuracy
from grader.assignments.vit.application.returned import (
    CLASSES,
    NAME,
    PER_CLASS,
    PROBE,
    TRAIN_ITEMS,
    Array,
    answer_of,
    arrays_of,
    counts_of,
    dict_of,
    head_of,
    logits_of,
    steps_of,
    text_of,
)
from grader.assignments.vit.settings import hyperparameter
from grader.evidence import Answer, Evidence, Probe, Question
from grader.judging import Criterion, Fail, Malformed, after, checks, dig, dig_as, word, words

EPOCHS = 3  # 2 of them are not all
AGREEING = 5  # classes whose test items are mostly labelled as the training items are; those of the others mostly not
PER_TEST_CLASS = 103  # as many of each label; more items in all than fit into one batch, the last of which is small
FEWEST, MOST = 26, 40  # items of each class that are labelled otherwise than the most of it: right heads get ±13-19 %
MIXED = 30  # items at the end, right and wrong in turns, so that no last batch has the accuracy of all
TOWARDS = 1.5  # right heads give 1.9 and more; those that learned from labels in random order 0.6 ± 0.3
OF_TEST_ITEMS = (
    0.4  # conflict over agreement that training on the test items gives at most: it gave -3 to 0.1, right heads 0.8
)
NARROW, TOWARDS_IF_NARROW = 16, 1.0  # few features lead less far: right heads give 1.5 where D is 8, 1.1 where it is 4


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    patterns = 255 * rng.integers(0, 2, (CLASSES, 7, 7))
    looks = rng.permutation(np.repeat(np.arange(CLASSES), PER_CLASS))
    test_looks, labels = _test_items(rng)
    width = _width(seen)
    args = {
        "train": {"images": _images(rng, patterns[looks]), "labels": looks},
        "test": {"images": _images(rng, patterns[test_looks]), "labels": labels},
        "vit": {
            "features.weight": (rng.standard_normal((width, 49)) / 7).astype(np.float32),
            "features.bias": (0.3 * rng.standard_normal(width)).astype(np.float32),
            "running_mean": rng.standard_normal(width).astype(np.float32),
        },
        "width": width,
        "num_epochs": EPOCHS,
        "own_head": seen.has("ClassificationHead") and seen.passed("vit.heads"),
        "own_vit": seen.has("ViT") and seen.passed("vit.model"),
        "seed": int(rng.integers(2**31)),
    }  # fmt: skip
    return Question(args, {"looks": looks, "test_labels": labels, "width": width})


def _test_items(rng: np.random.Generator) -> tuple[Array, Array]:
    """What the test items look like, and how they are labelled: first those that a right head gets wrong."""
    labels = np.repeat(np.arange(CLASSES), PER_TEST_CLASS)
    of_class = np.tile(np.arange(PER_TEST_CLASS), CLASSES)
    few = int(rng.integers(FEWEST, MOST + 1))
    conflict = labels >= AGREEING
    wrong = conflict & (of_class >= few) if rng.integers(2) else conflict | (of_class < few)
    looks = np.where(wrong, _taken_for(labels), labels)
    first, then = rng.permutation(np.flatnonzero(wrong)), rng.permutation(np.flatnonzero(~wrong))
    half = MIXED // 2
    order = np.concatenate([first[half:], then[half:], np.stack([first[:half], then[:half]], axis=1).ravel()])
    return looks[order], labels[order]


def _taken_for(labels: Array) -> Array:
    """What test items of a label look like, where they do not look like it."""
    return labels // AGREEING * AGREEING + (labels - 1) % AGREEING


def _images(rng: np.random.Generator, patterns: Array) -> Array:
    """(n, 28, 28) uint8 from (n, 7, 7) patterns, with a little noise."""
    large = patterns.repeat(4, axis=1).repeat(4, axis=2).astype(np.int16)
    return (large + rng.integers(-35, 36, large.shape, np.int16)).clip(0, 255).astype(np.uint8)


def _width(seen: Evidence) -> int:
    """The notebook's hidden size, which the student's head may be built with, or 64."""
    width = hyperparameter(seen, "hidden_size")
    return int(width) if width and 4 <= width <= 1024 and width == int(width) else 64


def result(seen: Evidence) -> None:
    """It returns a dict with "acc", "vit" and "classifier"."""
    facts = dig_as(dict, answer_of(seen).value, "result")
    if word(facts, "type") != "dict":
        items = f" of {facts.get('items')}" if facts.get("items") else ""
        raise Fail(
            f'expected a dict with "acc", "vit" and "classifier", got {text_of(facts.get("type"))}{items}',
            'Return {"acc": …, "vit": …, "classifier": …}.'
            if word(facts, "type") != "NoneType"
            else "Is there a return?",
        )
    keys = words(facts, "keys")
    absent = [name for name in ("acc", "vit", "classifier") if name not in keys]
    if absent:
        raise Fail(
            f"the returned dict has no {' and no '.join(map(repr, absent))}; it has {', '.join(repr(str(key)[:40]) for key in keys[:6])}"
        )


def vit_unchanged(seen: Evidence) -> None:
    """The given ViT keeps its weights and buffers, and is the one that comes back."""
    value = answer_of(seen).value
    before, later = arrays_of(dig(value, "vit", "before")), arrays_of(dig(value, "vit", "after"))
    changed = _changed(before, later)
    buffers = words(value, "vit", "buffers")
    weights = [name for name in changed if name not in buffers]
    if weights:
        raise Fail(
            f"the weights of the ViT changed, {', '.join(f'`{name[:60]}`' for name in weights[:3])} for instance",
            "Give the optimizer the parameters of the classification head alone.",
        )
    if changed:
        raise Fail(
            "the buffers of the ViT changed (running statistics, as those of a BatchNorm)",
            "In train mode a model updates its statistics and applies dropout, frozen or not: keep it in eval mode.",
        )
    returned = dict_of(seen).get("vit")
    if returned is None:
        raise Fail('expected the ViT or its state dict under "vit"')
    if _changed(before, arrays_of(returned)):
        raise Fail(
            "the ViT that comes back is not the one that was given: its weights differ",
            "Was a new ViT built, or a copy trained? The features are those of `vit_model`, which stays as it is.",
        )


def head_learned(seen: Evidence) -> None:
    """A new ClassificationHead learns from the training items, on the features of the given ViT."""
    answer, head = answer_of(seen), head_of(seen)
    if "raised" in head or not dig_as(dict, head, "logits"):
        raise Fail(
            'what comes back under "classifier" does not fit a ClassificationHead on the ViT\'s features',
            "Train a `ClassificationHead(hidden_size)`, and return it or its state dict.",
        )
    if head.get("moved") is False:
        raise Fail(
            f"the head that comes back was never trained: {steps_of(seen)} steps later its weights are as they were",
            "The optimizer steps, but not for this head: does it hold the parameters of the head that is returned?"
            if steps_of(seen) else "Is there a loss.backward() and an optimizer.step()?",
        )  # fmt: skip
    before, then = _measured(answer, head, "initial"), _measured(answer, head, "train")
    learned = then["loss"] < before["loss"] - 1e-7 or then["right"] > before["right"]
    conflict, agreeing = then["conflict"] - before["conflict"], then["agreeing"] - before["agreeing"]
    if (agreeing > 0).all() and conflict.mean() < OF_TEST_ITEMS * agreeing.mean():
        raise Fail(
            "the head learned from the test items", "Train on `train_dataset`; `test_dataset` is for measuring only."
        )
    if not learned or then["conflict"].mean() < before["conflict"].mean():
        raise Fail(
            "the head does not get better at the training items on the features of the given ViT: "
            f"loss {before['loss']:.3f} before, {then['loss']:.3f} after",
            SAME_ITEMS,
        )
    if _towards_labels(answer, head) < (TOWARDS if answer.known["width"] >= NARROW else TOWARDS_IF_NARROW):
        raise Fail("what the head learned does not lead from the training items to their labels", SAME_ITEMS)


SAME_ITEMS = "Are the features those of `vit_model`, in eval mode, and the labels those of the same items?"


def _towards_labels(answer: Answer, head: dict[str, Any]) -> float:
    """How far learning moved the logits of the right labels, in standard deviations of all that moved.

    A loss falls with labels in any order, since a head that knows nothing is often sure of something.
    """
    looks = answer.known["looks"]
    if "initial" not in head["logits"]:
        return float("inf")
    moved = logits_of(head, "train", len(looks)) - logits_of(head, "initial", len(looks))
    moved -= moved.mean(axis=1, keepdims=True)
    moved -= moved.mean(axis=0)  # what it learned of all items alike tells nothing
    return float(moved[np.arange(len(looks)), looks].mean() / max(float(moved.std()), 1e-12))


def epochs(seen: Evidence) -> None:
    """It goes through the training items num_epochs times."""
    rows = dig_as(int, head_of(seen), "rows")
    if rows and not _goes_through(head_of(seen), rows):  # without rows it was solved at once, or trained elsewhere
        raise Fail(
            f"called with num_epochs={EPOCHS} it learned from {rows} items, {rows / TRAIN_ITEMS:.3g} times the training set",
            "Loop over range(num_epochs), the function's own argument, and over the whole loader in each epoch.",
        )


def _goes_through(head: dict[str, Any], rows: int) -> bool:
    """Whether num_epochs passes give as many rows: some items may be held out, dropped or seen in several views."""
    items, batches = counts_of(head, "items"), counts_of(head, "batches")
    if len(items) != TRAIN_ITEMS:
        raise Malformed
    met, known = int((items > 0).sum()), int(items.sum())
    if rows >= (EPOCHS - 0.5) * TRAIN_ITEMS and _fits(dig_as(int, head, "reads") / TRAIN_ITEMS):
        return True
    if known < rows / 4:  # features that were changed on the way: nobody knows which items were held out
        return EPOCHS / 2 <= rows / TRAIN_ITEMS <= EPOCHS + 0.5
    a_pass = met
    if len(batches) and (batches == batches[0]).all():  # the last batch may have been dropped
        a_pass = met // batches[0] * batches[0] or met
    return met >= TRAIN_ITEMS / 2 and (_fits(known / a_pass) or _fits(rows / TRAIN_ITEMS))


def _fits(passes: float) -> bool:
    return abs(passes - EPOCHS) <= 0.5


def gradients(seen: Evidence) -> None:
    """Gradients are zeroed between steps."""
    value = answer_of(seen).value
    stale, steps = dig_as(int, value, "stale"), steps_of(seen)
    if steps > 2 and stale > 0.5 * (steps - 1):
        raise Fail(
            f"{stale} of {steps - 1} backward passes were added to the gradients of the step before",
            "Call optimizer.zero_grad() before loss.backward().",
        )


def accuracy(seen: Evidence) -> None:
    """The accuracy that comes back is that of the returned head on all test items."""
    after(vit_unchanged, seen)  # else the head was trained and measured on other features
    expect_accuracy(seen)


def _measured(answer: Answer, head: dict[str, Any], state: str) -> dict[str, Any]:
    """How good a head is at the training items, and by class: how much it prefers their labels.

    Where test items are labelled otherwise it is the preference to that other label, else to all labels.
    """
    looks = answer.known["looks"]
    if state not in dig_as(dict, head, "logits"):  # it was not made meanwhile: as one that knows nothing
        return {
            "loss": np.log(CLASSES),
            "right": 2 / CLASSES,
            "conflict": np.zeros(AGREEING),
            "agreeing": np.zeros(AGREEING),
        }
    logits, rows = logits_of(head, state, len(looks)), np.arange(len(looks))
    other = np.where(looks < AGREEING, logits.mean(1), logits[rows, _relabelled(looks)])
    preferred = np.array([(logits[rows, looks] - other)[looks == label].mean() for label in range(CLASSES)])
    return {
        "loss": _loss(logits, looks),
        "right": float((logits.argmax(1) == looks).mean()),
        "conflict": preferred[AGREEING:],
        "agreeing": preferred[:AGREEING],
    }


def _relabelled(looks: Array) -> Array:
    """How test items are labelled by what they look like."""
    return np.where(looks < AGREEING, looks, AGREEING + (looks + 1) % AGREEING)


def _loss(logits: Array, labels: Array) -> float:
    z = logits - logits.max(1, keepdims=True)
    return float((np.log(np.exp(z).sum(1)) - z[np.arange(len(labels)), labels]).mean())


def _changed(before: dict[str, Array], later: dict[str, Array]) -> list[str]:
    return [
        n for n in {**before, **later} if n not in later or n not in before or not np.array_equal(before[n], later[n])
    ]


PROBES = (
    Probe(
        PROBE,
        "transfer.run",
        _ask,
        lambda seen: seen.has(NAME),
        serves=("application.transfer",),
        needs=("vit.heads", "vit.model"),
    ),
)
CRITERIA = (
    Criterion(
        "application.transfer",
        checks(result, vit_unchanged, head_learned, epochs, gradients, accuracy),
        names=(NAME,),
    ),
)
