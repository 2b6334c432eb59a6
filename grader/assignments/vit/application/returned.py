"""What came back of a ``train_classification_model_head_only``.

Shapes: n items, K classes, S states of the head in which it was evaluated.
"""

import numpy as np

from grader.assignments.vit.application.answers import HeadTraining, ReturnedDict, ReturnedHead
from grader.assignments.vit.application.small_sets import CLASSES, Array
from grader.evidence import Evidence
from grader.judging import Fail, Skip
from grader.sentences import type_words
from grader.torchkit.accuracy import StateEvaluation


def training_of(evidence: Evidence) -> HeadTraining:
    """What was seen of the run."""
    training = evidence["transfer"].value
    assert isinstance(training, HeadTraining)
    return training


def dict_of(evidence: Evidence) -> ReturnedDict:
    """The returned dict.

    Raises:
        Skip: there is none, as the first check says.
    """
    result = training_of(evidence).result
    if not isinstance(result, ReturnedDict):
        raise Skip
    return result


def head_of(evidence: Evidence) -> ReturnedHead:
    """The returned head.

    Raises:
        Skip: there is none, as the first check says.
        Fail: something else stands in its place.
    """
    returned, head = dict_of(evidence), training_of(evidence).head
    if "classifier" not in returned.keys:
        raise Skip
    if head is None:
        raise Fail(
            f'expected a ClassificationHead or its state dict under "classifier", got {type_words(returned.classifier_type)}'
        )
    return head


def logits_of(head: ReturnedHead, of: str) -> Array:
    """(n, K) float64; what the returned head makes of the features: ``of`` is train, test or initial.

    Raises:
        Fail: there are not as many logits as classes, or some are not finite.
    """
    logits: Array = getattr(head.logits, of)
    if logits.shape[1] != CLASSES:
        raise Fail(
            f"expected a head with {CLASSES} outputs, one logit for each class, got one with {logits.shape[1]}",
            "The data set has 10 classes: ClassificationHead(hidden_size) makes a head for them.",
        )
    wrong = int((~np.isfinite(logits)).any(axis=1).sum())
    if wrong:
        raise Fail(
            f"the returned head gives NaN or infinite logits for {wrong} of {len(logits)} images",
            "Its weights are NaN, or grew too large: is the learning rate too high?",
        )
    return logits.astype(np.float64)


def evaluations_of(head: ReturnedHead, labels: Array) -> tuple[list[Array], list[StateEvaluation]]:
    """How a head was evaluated.

    Args:
        labels: (n,) of the test items.

    Returns:
        for each of the S states, (n,) which test items it was right about, and the batches that it predicted.
    """
    states = [] if head.evaluated is None else [predicted == labels for predicted in head.evaluated]
    if head.calls is None:
        return states, []
    sizes = head.calls.size.astype(np.int64)
    batches = np.split(head.calls.item, np.cumsum(sizes)[:-1]) if len(sizes) else []
    pairs = list(zip(head.calls.state, batches, strict=True))
    calls = [_evaluated_in(right, [b for index, b in pairs if index == n]) for n, right in enumerate(states)]
    return states, calls


def _evaluated_in(right: Array, batches: list[Array]) -> StateEvaluation:
    return StateEvaluation([right[b] for b in batches], len(np.unique(np.concatenate(batches))) if batches else 0)
