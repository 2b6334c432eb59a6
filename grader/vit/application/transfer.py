"""``train_classification_model_head_only``: a new head learns, and the ViT stays as it is.

The small sets are made so that learning from one is not learning from the other: half of the test items
look like one class and are labelled as the next. A head that learned from the training items gets these
wrong; one that learned from the test items does not.
"""

from typing import Any

import numpy as np

from grader.checking import Criterion, Fail, Malformed, Skip, after, checks, dig, dig_as, word, words
from grader.evidence import Answer, Evidence, Probe, Question
from grader.vit.settings import hyperparameter

PROBE, NAME = "transfer", "train_classification_model_head_only"
CLASSES, PER_CLASS, EPOCHS = 10, 110, 3  # more items than a batch of 1024; 2 of 3 epochs are not all of them
ITEMS = CLASSES * PER_CLASS
AGREEING = 5  # classes whose test items are labelled as the training items are
PER_TEST_CLASS = 56  # more items in all than fit into one batch
NEAR = 0.02  # of the returned head's accuracy, or the best one seen: half precision, rounding
EXACT = 0.001  # of any other accuracy seen: the mean of batches, an epoch in between
TOWARDS = 1.5  # right heads give 1.9 and more; those that learned from labels in random order 0.6 ± 0.3
NARROW, TOWARDS_IF_NARROW = 16, 1.0  # few features lead less far: right heads give 1.5 where D is 8, 1.1 where it is 4

Array = np.ndarray


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    patterns = 255 * rng.integers(0, 2, (CLASSES, 7, 7))
    looks = rng.permutation(np.repeat(np.arange(CLASSES), PER_CLASS))
    test_looks = _test_looks(rng)
    labels = _relabelled(test_looks)
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
    return Question(args, {"looks": looks, "test_looks": test_looks, "test_labels": labels, "width": width})


def _test_looks(rng: np.random.Generator) -> Array:
    """What the test items look like: mostly the relabelled ones first, so that no batch has the accuracy of all."""
    agreeing, conflict = (
        rng.permutation(np.repeat(np.arange(start, start + AGREEING), PER_TEST_CLASS)) for start in (0, AGREEING)
    )
    last = rng.permutation(np.concatenate([agreeing[:12], conflict[:4]]))
    return np.concatenate([conflict[4:], agreeing[12:], last])


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
    facts = dig_as(dict, _answer(seen).value, "result")
    if word(facts, "type") != "dict":
        items = f" of {facts.get('items')}" if facts.get("items") else ""
        raise Fail(
            f'expected a dict with "acc", "vit" and "classifier", got {_word(facts.get("type"))}{items}',
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
    value = _answer(seen).value
    before, after = _arrays(dig(value, "vit", "before")), _arrays(dig(value, "vit", "after"))
    changed = _changed(before, after)
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
    returned = _dict_of(seen).get("vit")
    if returned is None:
        raise Fail('expected the ViT or its state dict under "vit"')
    if _changed(before, _arrays(returned)):
        raise Fail(
            "the ViT that comes back is not the one that was given: its weights differ",
            "Was a new ViT built, or a copy trained? The features are those of `vit_model`, which stays as it is.",
        )


def head_learned(seen: Evidence) -> None:
    """A new ClassificationHead learns from the training items, on the features of the given ViT."""
    answer, head = _answer(seen), _head(seen)
    if "raised" in head or not dig_as(dict, head, "logits"):
        raise Fail(
            'what comes back under "classifier" does not fit a ClassificationHead on the ViT\'s features',
            "Train a `ClassificationHead(hidden_size)`, and return it or its state dict.",
        )
    if head.get("moved") is False:
        raise Fail(
            f"the head that comes back was never trained: {_steps(seen)} steps later its weights are as they were",
            "The optimizer steps, but not for this head: does it hold the parameters of the head that is returned?"
            if _steps(seen) else "Is there a loss.backward() and an optimizer.step()?",
        )  # fmt: skip
    before, after = _measured(answer, head, "initial"), _measured(answer, head, "train")
    learned = after["loss"] < before["loss"] - 1e-7 or after["right"] > before["right"]
    fell, rose = after["conflict"] < before["conflict"], after["agreeing"] > before["agreeing"]
    if fell.all() and rose.all():
        raise Fail(
            "the head learned from the test items", "Train on `train_dataset`; `test_dataset` is for measuring only."
        )
    if not learned or after["conflict"].mean() < before["conflict"].mean():
        raise Fail(
            "the head does not get better at the training items on the features of the given ViT: "
            f"loss {before['loss']:.3f} before, {after['loss']:.3f} after",
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
    moved = _logits(head, "train", len(looks)) - _logits(head, "initial", len(looks))
    moved -= moved.mean(axis=1, keepdims=True)
    moved -= moved.mean(axis=0)  # what it learned of all items alike tells nothing
    return float(moved[np.arange(len(looks)), looks].mean() / max(float(moved.std()), 1e-12))


def epochs(seen: Evidence) -> None:
    """It goes through the training items num_epochs times."""
    rows = dig_as(int, _head(seen), "rows")
    if rows and not _goes_through(_head(seen), rows):  # without rows it was solved at once, or trained elsewhere
        raise Fail(
            f"called with num_epochs={EPOCHS} it learned from {rows} items, {rows / ITEMS:.3g} times the training set",
            "Loop over range(num_epochs), the function's own argument, and over the whole loader in each epoch.",
        )


def _goes_through(head: dict[str, Any], rows: int) -> bool:
    """Whether num_epochs passes give as many rows: some items may be held out, dropped or seen in several views."""
    items, batches = _counts(head, "items"), _counts(head, "batches")
    if len(items) != ITEMS:
        raise Malformed
    met, known = int((items > 0).sum()), int(items.sum())
    if rows >= (EPOCHS - 0.5) * ITEMS and _fits(dig_as(int, head, "reads") / ITEMS):
        return True
    if known < rows / 4:  # features that were changed on the way: nobody knows which items were held out
        return EPOCHS / 2 <= rows / ITEMS <= EPOCHS + 0.5
    a_pass = met
    if len(batches) and (batches == batches[0]).all():  # the last batch may have been dropped
        a_pass = met // batches[0] * batches[0] or met
    return met >= ITEMS / 2 and (_fits(known / a_pass) or _fits(rows / ITEMS))


def _fits(passes: float) -> bool:
    return abs(passes - EPOCHS) <= 0.5


def _counts(value: Any, *path: str) -> Array:
    """Whole numbers from 0, in a row."""
    found = dig(value, *path)
    if not isinstance(found, np.ndarray) or found.ndim != 1 or found.dtype.kind not in "iu" or (found < 0).any():
        raise Malformed
    return found.astype(np.int64)


def gradients(seen: Evidence) -> None:
    """Gradients are zeroed between steps."""
    value = _answer(seen).value
    stale, steps = dig_as(int, value, "stale"), _steps(seen)
    if steps > 2 and stale > 0.5 * (steps - 1):
        raise Fail(
            f"{stale} of {steps - 1} backward passes were added to the gradients of the step before",
            "Call optimizer.zero_grad() before loss.backward().",
        )


def accuracy(seen: Evidence) -> None:
    """The accuracy that comes back is that of the returned head on all test items."""
    answer, head, acc = _answer(seen), _head(seen), _dict_of(seen).get("acc")
    if not isinstance(acc, int | float) or isinstance(acc, bool):
        raise Fail(f'expected a number under "acc", got {_word(acc)}')
    if "raised" in head or not dig_as(dict, head, "logits"):
        raise Skip
    after(vit_unchanged, seen)  # else the head was trained and measured on other features
    share = acc / 100 if acc > 1 else float(acc)
    right = _logits(head, "test", len(answer.known["test_labels"])).argmax(1) == answer.known["test_labels"]
    states = [predicted == answer.known["test_labels"] for predicted in _evaluated(head, len(right))]
    whole, calls = [float(state.mean()) for state in states], _calls(head, states)
    averaged = [float(np.mean([hits.mean() for hits in of_state])) for of_state in calls if of_state]
    if any(abs(share - found) <= NEAR for found in (right.mean(), max(whole, default=right.mean()))):
        return
    if any(abs(share - found) <= EXACT for found in (*whole, *averaged)):
        return
    trained = float((_logits(head, "train", ITEMS).argmax(1) == answer.known["looks"]).mean())
    returned = f"{acc:.3f}" if acc <= 1 else f"{acc:g}"
    raise Fail(
        f"the accuracy that comes back is {returned}, the returned head has {right.mean():.3f} on the test items",
        _why_accuracy(float(acc), right, trained, whole, calls[-1] if calls else []),
    )


def _why_accuracy(acc: float, right: Array, trained: float, whole: list[float], batches: list[Array]) -> str:
    """The fault that gives this accuracy.

    Args:
        right: which test items the returned head is right about.
        trained: its accuracy on the training items.
        whole: the accuracies in all states that were seen.
        batches: which items of each batch were right when it was evaluated last.
    """
    share, hits = acc / 100 if acc > 1 else acc, int(right.sum())
    places = len(batches) * max(map(len, batches), default=0)
    if abs(acc - hits) < 0.5:
        return "This is how many are right: divide by the size of the test set."
    if abs(share - hits / ITEMS) < 0.002:
        return "This is divided by the size of the training set: divide by that of the test set."
    if abs(share - trained) < 0.02:
        return "This is the accuracy on the training items: measure on `test_dataset`."
    if batches and abs(share - batches[-1].mean()) < 0.002:
        return "This is the accuracy of the last batch: add up over all batches, then divide."
    if places > len(right) and abs(share - hits / places) < 0.002:
        return "Divide by the size of the test set: its last batch is smaller than the others."
    if len(whole) > 1 and min(abs(acc - sum(whole)), abs(acc / 100 - sum(whole))) < 0.01:
        return "The count goes on from epoch to epoch: set it to 0 before each measurement."
    return "Count the right ones over all batches of the test set, and divide by its size."


def _calls(head: dict[str, Any], states: list[Array]) -> list[list[Array]]:
    """Which test items were right in each batch, for each state that was evaluated."""
    if head.get("calls") is None:
        return []
    of_state, sizes, items = (_counts(head, "calls", name) for name in ("state", "size", "item"))
    inside = len(of_state) == len(sizes) and sizes.sum() == len(items) and (sizes > 0).all()
    if not inside or (of_state >= len(states)).any() or any((items >= len(state)).any() for state in states):
        raise Malformed
    batches = np.split(items, np.cumsum(sizes)[:-1]) if len(sizes) else []
    pairs = list(zip(of_state, batches, strict=True))
    return [[state[batch] for index, batch in pairs if index == number] for number, state in enumerate(states)]


def _answer(seen: Evidence) -> Answer:
    answer = seen[PROBE]
    if not isinstance(answer.value, dict):
        raise Malformed
    return answer


def _dict_of(seen: Evidence) -> dict[str, Any]:
    """The returned dict; its absence is told by the first check."""
    facts = dig(_answer(seen).value, "result")
    if not isinstance(facts, dict) or word(facts, "type") != "dict":
        raise Skip
    return facts


def _head(seen: Evidence) -> dict[str, Any]:
    _dict_of(seen)
    if "classifier" not in words(_answer(seen).value, "result", "keys"):
        raise Skip
    head = dig(_answer(seen).value, "head")
    if head is None:
        kind = dig(_dict_of(seen), "kinds", "classifier")
        raise Fail(f'expected a ClassificationHead or its state dict under "classifier", got {_word(kind)}')
    if not isinstance(head, dict):
        raise Malformed
    return head


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
    logits, rows = _logits(head, state, len(looks)), np.arange(len(looks))
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


def _logits(head: dict[str, Any], name: str, count: int) -> Array:
    logits = dig(head, "logits", name)
    if not isinstance(logits, np.ndarray) or logits.ndim != 2 or len(logits) != count or logits.dtype.kind != "f":
        raise Malformed
    if logits.shape[1] != CLASSES or not np.isfinite(logits).all():
        raise Fail(
            f"expected {CLASSES} finite logits of the returned head, got {logits.shape[1]} numbers, some of them NaN"
        )
    return logits.astype(np.float64)


def _evaluated(head: dict[str, Any], count: int) -> list[Array]:
    """What the head predicted whenever it was evaluated: the best epoch's accuracy may come back."""
    rows = head.get("evaluated")
    if rows is None:
        return []
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != count:
        raise Malformed
    return list(rows)


def _arrays(value: Any) -> dict[str, Array]:
    if not isinstance(value, dict) or not all(isinstance(array, np.ndarray) for array in value.values()):
        raise Malformed
    return value


def _changed(before: dict[str, Array], after: dict[str, Array]) -> list[str]:
    return [
        n for n in {**before, **after} if n not in after or n not in before or not np.array_equal(before[n], after[n])
    ]


def _steps(seen: Evidence) -> int:
    steps = dig(_answer(seen).value, "steps")
    return steps if isinstance(steps, int) else 0


def _word(value: Any) -> str:
    return str(value)[:60]


PROBES = (Probe(PROBE, "transfer.run", _ask, lambda seen: seen.has(NAME), serves=("application.transfer",)),)
CRITERIA = (
    Criterion(
        "application.transfer",
        checks(result, vit_unchanged, head_learned, epochs, gradients, accuracy),
        names=(NAME,),
    ),
)
