"""``ClassificationHead`` and ``LinearEmbeddingHead``."""

import numpy as np

from grader.checking import Criterion, Fail, checks, dig
from grader.evidence import Evidence, Probe, Question
from grader.vit.model.reading import Builds, build, call, expect_shape, normal, same

USUAL, OTHER = 0, 1  # builds: with the default number of outputs, with another
BATCH, SINGLE, LARGE, GRADIENTS = range(4)
D = 24


def _ask_classification(seen: Evidence, rng: np.random.Generator) -> Question:
    batch = normal(rng, 6, D)
    calls = [call(batch), call(batch[1:2]), call(30 * batch), call(batch, "gradients", weights=normal(rng, 6, 10))]
    builds = [build(D, seed=1, calls=calls), build(8, 7, seed=2, calls=[call(normal(rng, 2, 8))])]
    return Question({"name": "ClassificationHead", "builds": builds, "stand_ins": []})


def _ask_embedding(seen: Evidence, rng: np.random.Generator) -> Question:
    a, b = normal(rng, 6, D), normal(rng, 6, D)
    calls = [call(a), call(a[1:2]), call(b), call(a, "gradients", weights=normal(rng, 6, 64)), call(2 * a - 3 * b)]
    builds = [build(D, seed=1, calls=calls), build(8, 5, seed=2, calls=[call(normal(rng, 2, 8))])]
    return Question({"name": "LinearEmbeddingHead", "builds": builds, "stand_ins": []})


def _classification(seen: Evidence) -> Builds:
    return Builds(seen["heads.classification"], "ClassificationHead")


def _embedding(seen: Evidence) -> Builds:
    return Builds(seen["heads.embedding"], "LinearEmbeddingHead")


def classification_shape(seen: Evidence) -> None:
    """The classification head turns (B, D) into (B, num_classes), 10 by default."""
    answer = _classification(seen)
    expect_shape(answer, USUAL, BATCH, (6, 10))
    expect_shape(answer, USUAL, SINGLE, (1, 10))
    expect_shape(answer, OTHER, 0, (2, 7), "The argument num_classes must be the number of outputs.")


def logits(seen: Evidence) -> None:
    """The classification head gives logits, of any size and sign: no softmax, that is in the loss."""
    answer = _classification(seen)
    for which in (BATCH, LARGE):
        out = answer.output(USUAL, which, (6, 10))
        if np.allclose(out.sum(axis=1), 1, atol=1e-3) and (out >= 0).all():
            raise Fail(
                "the outputs of each row are probabilities that add up to 1: a softmax sits inside the head",
                "nn.CrossEntropyLoss expects logits and applies the softmax itself; twice slows the training down.",
            )
        if np.allclose(np.exp(out).sum(axis=1), 1, atol=1e-3):
            raise Fail("the outputs are logarithms of probabilities: a log_softmax sits inside the head")
    large = answer.output(USUAL, LARGE, (6, 10))
    if (large >= 0).all() or (large <= 0).all():
        raise Fail("all outputs have the same sign: an activation follows the last layer", "Logits may have any sign.")
    if np.abs(large).max() <= 1.0:
        raise Fail("all outputs lie between -1 and 1: an activation follows the last layer", "Logits are unbounded.")


def classification_trains(seen: Evidence) -> None:
    """The classification head works on each row by itself, and every parameter of it gets a gradient."""
    _trains(_classification(seen), 10)


def embedding_shape(seen: Evidence) -> None:
    """The embedding head turns (B, D) into (B, E), 64 by default."""
    answer = _embedding(seen)
    expect_shape(answer, USUAL, BATCH, (6, 64))
    expect_shape(answer, USUAL, SINGLE, (1, 64))
    expect_shape(answer, OTHER, 0, (2, 5), "The argument embed_size must be the number of outputs.")


def linear(seen: Evidence) -> None:
    """The embedding head is linear (a bias is allowed)."""
    answer = _embedding(seen)
    a, b, mixed = (answer.output(USUAL, which, (6, 64)) for which in (BATCH, LARGE, 4))
    if np.allclose(np.linalg.norm(a, axis=1), 1, atol=1e-3):
        raise Fail(
            "the outputs have length 1: the head normalises them, and is not linear",
            "Normalise where the embeddings are used, if at all.",
        )
    offset = 2 * a - 3 * b - mixed  # of an affine map it is -2 times the bias, in every row
    if not same(offset, np.broadcast_to(offset[:1], offset.shape), tolerance=1e-3):
        raise Fail("head(2a - 3b) is not what a linear map gives", "One nn.Linear, without an activation or a norm.")


def embedding_trains(seen: Evidence) -> None:
    """The embedding head works on each row by itself, and every parameter of it gets a gradient."""
    _trains(_embedding(seen), 64)


def _trains(answer: Builds, outputs: int) -> None:
    batch = answer.output(USUAL, BATCH, (6, outputs))
    if not same(answer.output(USUAL, SINGLE, (1, outputs)), batch[1:2]):
        raise Fail(f"a row's output of `{answer.name}` depends on the other rows of the batch")
    gradients = dig(answer.raw(USUAL, GRADIENTS), "parameters")
    if not any(p["trainable"] for p in answer.parameters(USUAL)) or not any(gradients.values()):
        raise Fail(f"`{answer.name}` has no parameter that a gradient reaches", "Make the layer in __init__.")


PROBES = (
    Probe("heads.classification", "module.run", _ask_classification),
    Probe("heads.embedding", "module.run", _ask_embedding),
)
CRITERIA = (
    Criterion(
        "vit.heads",
        checks(classification_shape, logits, classification_trains, embedding_shape, linear, embedding_trains),
        ("ClassificationHead", "LinearEmbeddingHead"),
    ),
)
