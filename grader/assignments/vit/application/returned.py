"""What came back of a ``train_classification_model_head_only``, held to its form."""

from typing import Any

import numpy as np

from grader.evidence import Answer, Evidence
from grader.judging import Fail, Malformed, Skip, dig, word, words

PROBE, NAME = "transfer", "train_classification_model_head_only"
CLASSES, PER_CLASS = 10, 110  # more items to train on than fit into a batch of 1024
TRAIN_ITEMS = CLASSES * PER_CLASS

Array = np.ndarray


def answer_of(seen: Evidence) -> Answer:
    answer = seen[PROBE]
    if not isinstance(answer.value, dict):
        raise Malformed
    return answer


def dict_of(seen: Evidence) -> dict[str, Any]:
    """The returned dict; its absence is told by the first check."""
    facts = dig(answer_of(seen).value, "result")
    if not isinstance(facts, dict) or word(facts, "type") != "dict":
        raise Skip
    return facts


def head_of(seen: Evidence) -> dict[str, Any]:
    dict_of(seen)
    if "classifier" not in words(answer_of(seen).value, "result", "keys"):
        raise Skip
    head = dig(answer_of(seen).value, "head")
    if head is None:
        kind = dig(dict_of(seen), "kinds", "classifier")
        raise Fail(f'expected a ClassificationHead or its state dict under "classifier", got {text_of(kind)}')
    if not isinstance(head, dict):
        raise Malformed
    return head


def logits_of(head: dict[str, Any], name: str, count: int) -> Array:
    logits = dig(head, "logits", name)
    if not isinstance(logits, np.ndarray) or logits.ndim != 2 or len(logits) != count or logits.dtype.kind != "f":
        raise Malformed
    if logits.shape[1] != CLASSES:
        raise Fail(
            f"expected a head with {CLASSES} outputs, one logit for each class, got one with {logits.shape[1]}",
            "The data set has 10 classes: ClassificationHead(hidden_size) makes a head for them.",
        )
    wrong = int((~np.isfinite(logits)).any(axis=1).sum())
    if wrong:
        raise Fail(
            f"the returned head gives NaN or infinite logits for {wrong} of {count} images",
            "Its weights are NaN, or grew too large: is the learning rate too high?",
        )
    return logits.astype(np.float64)


def counts_of(value: Any, *path: str) -> Array:
    """Whole numbers from 0, in a row."""
    found = dig(value, *path)
    if not isinstance(found, np.ndarray) or found.ndim != 1 or found.dtype.kind not in "iu" or (found < 0).any():
        raise Malformed
    return found.astype(np.int64)


def arrays_of(value: Any) -> dict[str, Array]:
    if not isinstance(value, dict) or not all(isinstance(array, np.ndarray) for array in value.values()):
        raise Malformed
    return value


def steps_of(seen: Evidence) -> int:
    steps = dig(answer_of(seen).value, "steps")
    return steps if isinstance(steps, int) else 0


def text_of(value: Any) -> str:
    return str(value)[:60]
