"""``ClassificationHead`` and ``LinearEmbeddingHead``."""

from typing import Any

import numpy as np

from grader.assignments.vit.model import drawn
from grader.assignments.vit.model.reading import (
    Array,
    Builds,
    build,
    call,
    expect_alone,
    expect_repeatable,
    expect_shape,
    expect_trained,
    normal,
    same,
)
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, after, checks

USUAL, OTHER = 0, 1  # builds: with the default number of outputs, with another
BATCH, AGAIN, SINGLE, ANOTHER, GRADIENTS, LINE, LARGE, MIXED = range(8)
D = 24
LENGTH = 30.0  # features so long that a right head gives logits far outside of what activations leave


def _ask_classification(seen: Evidence, rng: np.random.Generator) -> Question:
    batch = normal(rng, 6, D)
    return _question(rng, "ClassificationHead", batch, 10, [call(LENGTH * batch)], 7)


def _ask_embedding(seen: Evidence, rng: np.random.Generator) -> Question:
    a, b = normal(rng, 6, D), normal(rng, 6, D)
    of_a, of_b = rng.uniform(1, 3, 2).astype(np.float32) * [1, -1]
    mixed = (of_a * a + of_b * b).astype(np.float32)
    return _question(rng, "LinearEmbeddingHead", a, 64, [call(b), call(mixed)], 5, mix=(of_a, of_b))


def _question(
    rng: np.random.Generator, name: str, batch: Array, default: int, more: list[dict], outputs: int, **known: Any
) -> Question:
    alone = [call(batch[1:2]), call(batch[4:5])]  # two: the largest of a batch may be one's own
    line, weights = drawn.places(rng), normal(rng, 6, default)
    on_line = call(drawn.points(rng, batch[0], line))
    calls = [call(batch), call(batch, seed=1), *alone, call(batch, "gradients", weights=weights), on_line, *more]
    builds = [build(D, seed=1, calls=calls), build(8, outputs, seed=2, calls=[call(normal(rng, 2, 8))])]
    return Question({"name": name, "builds": builds, "stand_ins": []}, {"line": line, **known})


def _classification(seen: Evidence) -> Builds:
    return Builds(seen["heads.classification"], "ClassificationHead")


def _embedding(seen: Evidence) -> Builds:
    return Builds(seen["heads.embedding"], "LinearEmbeddingHead")


def classification_shape(seen: Evidence) -> None:
    """The classification head turns (B, D) into (B, num_classes), 10 by default."""
    _shape(_classification(seen), "num_classes", 10, 7)


def embedding_shape(seen: Evidence) -> None:
    """The embedding head turns (B, D) into (B, E), 64 by default."""
    _shape(_embedding(seen), "embed_size", 64, 5)


def _shape(answer: Builds, name: str, default: int, other: int) -> None:
    expect_shape(answer, USUAL, BATCH, (6, default), f"{name} is the number of outputs, and its default is {default}.")
    expect_shape(answer, USUAL, SINGLE, (1, default))
    expect_shape(answer, OTHER, 0, (2, other), f"The argument {name} must be the number of outputs.")


def classification_rows(seen: Evidence) -> None:
    """The classification head works on each row by itself, without chance."""
    _rows(_classification(seen), 10)


def embedding_rows(seen: Evidence) -> None:
    """The embedding head works on each row by itself, without chance."""
    _rows(_embedding(seen), 64)


def _rows(answer: Builds, outputs: int) -> None:
    batch = answer.output(USUAL, BATCH, (6, outputs))
    expect_repeatable(answer, batch, answer.output(USUAL, AGAIN, (6, outputs)), "features")
    if np.allclose(batch.sum(axis=0), 1, atol=1e-3) and (batch >= 0).all():
        raise Fail(
            "the outputs of all rows together add up to 1: a softmax over the batch sits inside the head",
            "nn.CrossEntropyLoss expects logits and applies the softmax itself.",
        )
    expect_alone(answer, USUAL, SINGLE, batch[1:2], "a row")
    expect_alone(answer, USUAL, ANOTHER, batch[4:5], "a row")


def logits(seen: Evidence) -> None:
    """The classification head gives logits, of any size and sign: no softmax, that is in the loss."""
    after(classification_rows, seen)
    answer = _classification(seen)
    _expect_no_activation(answer.output(USUAL, BATCH, (6, 10)), answer.output(USUAL, LARGE, (6, 10)))


def _expect_no_activation(usual: Array, large: Array) -> None:
    if np.allclose(large.sum(axis=1), 1, atol=1e-3) and (large >= 0).all():
        raise Fail(
            "the outputs of each row are probabilities that add up to 1: a softmax sits inside the head",
            "nn.CrossEntropyLoss expects logits and applies the softmax itself; twice slows the training down.",
        )
    with np.errstate(over="ignore"):
        logarithms = np.allclose(np.exp(usual).sum(axis=1), 1, atol=1e-3)
    if logarithms:
        raise Fail(
            "the outputs are logarithms of probabilities: a log_softmax sits inside the head",
            "nn.CrossEntropyLoss expects logits and applies the softmax itself.",
        )
    for holds, name in (
        (large.min() >= 0 and large.max() <= 1, "sigmoid"),
        (np.abs(large).max() <= 1, "tanh"),
        (large.min() >= 0 or (large.min() > -1 and large.max() > 5), "ReLU or GELU"),
    ):
        if holds:
            raise Fail(
                f"the outputs lie between {large.min():.3g} and {large.max():.3g}: an activation, such as {name}, "
                "follows the "
                "last layer",
                "Logits may have any size and sign.",
            )


def linear(seen: Evidence) -> None:
    """The embedding head is linear (a bias is allowed)."""
    after(embedding_rows, seen)
    answer = _embedding(seen)
    a, b, mixed = (answer.output(USUAL, which, (6, 64)) for which in (BATCH, LARGE, MIXED))
    of_a, of_b = answer.known["mix"]
    offset = of_a * a + of_b * b - mixed  # of an affine map it is a multiple of the bias, the same in every row
    if not same(offset, np.broadcast_to(offset[:1], offset.shape)):
        raise Fail(*_nonlinear(np.concatenate([a, b, mixed])))


def _nonlinear(out: Array) -> tuple[str, str]:
    if np.allclose(np.linalg.norm(out, axis=1), 1, atol=1e-3):
        return (
            "the outputs have length 1: the head normalises them, and is not linear",
            "Normalise where the embeddings are used, if at all.",
        )
    if np.allclose(out.sum(axis=1), 1, atol=1e-3) and (out >= 0).all():
        return (
            "the outputs of each row add up to 1: a softmax sits inside the head",
            "An embedding is no set of probabilities.",
        )
    if (out >= 0).all():
        return (
            "no output is negative: an activation, such as ReLU, follows the last layer",
            "The head is linear: one nn.Linear.",
        )
    return (
        "the output for a mixture of two inputs is not the same mixture of their outputs: the head is not linear",
        "One nn.Linear, without a hidden layer, an activation or a norm.",
    )


def classification_follows(seen: Evidence) -> None:
    """The logits follow the features: they change a little when the features change a little."""
    after(classification_rows, seen)
    drawn.expect_on_line(_classification(seen), USUAL, LINE, (10,))


def classification_trains(seen: Evidence) -> None:
    """Gradients reach every parameter of the classification head, and the features."""
    expect_trained(_classification(seen), USUAL, GRADIENTS)


def embedding_trains(seen: Evidence) -> None:
    """Gradients reach every parameter of the embedding head, and the features."""
    expect_trained(_embedding(seen), USUAL, GRADIENTS)


PROBES = (
    Probe("heads.classification", "module.run", _ask_classification),
    Probe("heads.embedding", "module.run", _ask_embedding),
)
CRITERIA = (
    Criterion(
        "vit.heads",
        checks(
            classification_shape, classification_rows, logits, classification_follows, classification_trains,
            embedding_shape, embedding_rows, linear, embedding_trains,
        ),
        ("ClassificationHead", "LinearEmbeddingHead"),
    ),
)  # fmt: skip
