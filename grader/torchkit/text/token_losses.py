"""The cross-entropy over the tokens of a text, and which mistake gives another number.

Shapes: B texts, T tokens, V size of the vocabulary.
"""

import numpy as np

from grader.torchkit.modules.arrays import Array

IGNORED_TARGET = -100  # a target that is not to be predicted


def surprise(logits: Array, targets: Array) -> Array:
    """(B, T) the cross-entropy of each token; 0 where its target is ignored."""
    z = logits - logits.max(-1, keepdims=True)
    right = np.take_along_axis(z, np.maximum(targets, 0)[..., None], -1)[..., 0]
    found: Array = np.where(targets == IGNORED_TARGET, 0.0, np.log(np.exp(z).sum(-1)) - right)
    return found


def mean_cross_entropy(logits: Array, targets: Array) -> float:
    return float(surprise(logits, targets).sum() / max(1, (targets != IGNORED_TARGET).sum()))


def why_other_loss(got: float, logits: Array, targets: Array) -> str:
    """The mistake that gives this loss; "" where none is known."""
    each, kept = surprise(logits, targets), targets != IGNORED_TARGET
    last = np.where(np.arange(logits.shape[1]) == logits.shape[1] - 1, targets, IGNORED_TARGET)
    mistakes = {
        "This is the sum: take the mean.": each.sum(),
        "This is divided by all tokens, those of -100 as well: divide by the number of the others.": each.sum()
        / each.size,
        "The targets are shifted once more: the caller has shifted them, target t belongs to the logits of token t.": (
            mean_cross_entropy(logits[:, :-1], targets[:, 1:])
        ),
        "Here the logits are shifted against the targets: target t belongs to the logits of token t.": (
            mean_cross_entropy(logits[:, 1:], targets[:, :-1])
        ),
        "This is the loss of the last token alone.": mean_cross_entropy(logits, last),
        "F.cross_entropy takes the logits as they are: it applies the softmax itself.": mean_cross_entropy(
            np.exp(logits) / np.exp(logits).sum(-1, keepdims=True), targets
        ),
        "-100 stands for no class: give F.cross_entropy ignore_index=-100, and do not replace it by an id.": (
            mean_cross_entropy(logits, np.where(kept, targets, 0))
        ),
        "This is a mean over the texts' means: all targets count the same.": (
            (each.sum(1) / np.maximum(1, kept.sum(1))).mean()
        ),
    }
    return next((words for words, loss in mistakes.items() if abs(got - loss) < 1e-3), "")
