"""``ClassificationHead`` and ``LinearEmbeddingHead``.

Shapes: B rows, D hidden size, E embedding size.
"""

import numpy as np

from grader.assignment import Topic
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, about, after, checks
from grader.torchkit.modules import lines
from grader.torchkit.modules.arrays import Array, same
from grader.torchkit.modules.asking import Call, build, call, normal
from grader.torchkit.modules.judging import (
    expect_alone,
    expect_learned,
    expect_repeatable,
    expect_shape,
    expect_trained,
)
from grader.torchkit.modules.run import ModuleRun

B, D = 6, 24


def _ask_classification(evidence: Evidence, rng: np.random.Generator) -> Question:
    batch = normal(rng, B, D)
    long = 30.0  # times usual features: so long that a right head gives logits far outside of what activations leave
    return _question(rng, "ClassificationHead", batch, 10, {"long": call(long * batch)}, 7)


def _ask_embedding(evidence: Evidence, rng: np.random.Generator) -> Question:
    batch, second = normal(rng, B, D), normal(rng, B, D)
    one, other = rng.uniform(1, 3, 2).astype(np.float32) * [1, -1]
    mixed = (one * batch + other * second).astype(np.float32)
    calls = {"second batch": call(second), "mixed": call(mixed)}
    return _question(rng, "LinearEmbeddingHead", batch, 64, calls, 5, mix=(one, other))


def _question(
    rng: np.random.Generator, name: str, batch: Array, default: int, more: dict[str, Call], outputs: int, **known: object
) -> Question:  # fmt: skip
    """Ask a head with its default number of outputs, and with another one."""
    line, weights = lines.places(rng), normal(rng, B, default)
    calls = {
        "batch": call(batch),
        "again": call(batch, seed=1),
        "row 1 alone": call(batch[1:2]),  # two rows: the largest of a batch may be one's own
        "row 4 alone": call(batch[4:5]),
        "gradients": call(batch, "gradients", weights=weights),
        "line": call(lines.points(rng, batch[0], line)),
    }
    builds = {
        "default": build(D, seed=1, calls=calls | more | {"in training": call(batch, "in training")}),
        "other": build(8, outputs, seed=2, calls={"batch": call(normal(rng, 2, 8))}),
        "zero": build(D, seed=1, fill="zero", calls={"batch": call(batch)}),
    }
    return Question({"name": name, "builds": builds}, {"line": line, **known})


def _of_classification(evidence: Evidence) -> ModuleRun:
    return ModuleRun(evidence["heads.classification"], "ClassificationHead")


def _of_embedding(evidence: Evidence) -> ModuleRun:
    return ModuleRun(evidence["heads.embedding"], "LinearEmbeddingHead")


def classification_shape(evidence: Evidence) -> None:
    """The classification head turns (B, D) into (B, num_classes), 10 by default."""
    _expect_shapes(_of_classification(evidence), "num_classes", 10, 7)


@about("LinearEmbeddingHead")
def embedding_shape(evidence: Evidence) -> None:
    """The embedding head turns (B, D) into (B, E), 64 by default."""
    _expect_shapes(_of_embedding(evidence), "embed_size", 64, 5)


def _expect_shapes(run: ModuleRun, name: str, default: int, other: int) -> None:
    hint = f"{name} is the number of outputs, and its default is {default}."
    expect_shape(run, "default", "batch", (B, default), hint)
    expect_shape(run, "default", "row 1 alone", (1, default))
    expect_shape(run, "other", "batch", (2, other), f"The argument {name} must be the number of outputs.")


def classification_rows(evidence: Evidence) -> None:
    """The classification head works on each row by itself, without chance."""
    _expect_rows(_of_classification(evidence), 10)


@about("LinearEmbeddingHead")
def embedding_rows(evidence: Evidence) -> None:
    """The embedding head works on each row by itself, without chance."""
    _expect_rows(_of_embedding(evidence), 64)


def _expect_rows(run: ModuleRun, outputs: int) -> None:
    batch = run.output("default", "batch", (B, outputs))
    expect_repeatable(batch, run.output("default", "again", (B, outputs)), "features", run.built("default"))
    if np.allclose(batch.sum(axis=0), 1, atol=1e-3) and (batch >= 0).all():
        raise Fail(
            "the outputs of all rows together add up to 1: a softmax over the batch sits inside the head", LOGITS_HINT
        )
    expect_alone(run, "default", "row 1 alone", batch[1:2], "a row")
    expect_alone(run, "default", "row 4 alone", batch[4:5], "a row")


LOGITS_HINT = "nn.CrossEntropyLoss expects logits and applies the softmax itself."


@after(classification_rows)
def logits(evidence: Evidence) -> None:
    """The classification head gives logits, of any size and sign: no softmax, that is in the loss."""
    run = _of_classification(evidence)
    usual, long = (run.output("default", call, (B, 10)) for call in ("batch", "long"))
    if np.allclose(long.sum(axis=1), 1, atol=1e-3) and (long >= 0).all():
        raise Fail(
            "the outputs of each row are probabilities that add up to 1: a softmax sits inside the head",
            "nn.CrossEntropyLoss expects logits and applies the softmax itself; a second one slows the training down.",
        )
    with np.errstate(over="ignore"):
        logarithms = np.allclose(np.exp(usual).sum(axis=1), 1, atol=1e-3)
    if logarithms:
        raise Fail("the outputs are logarithms of probabilities: a log_softmax sits inside the head", LOGITS_HINT)
    if activation := _activation(long):
        raise Fail(
            f"expected logits, which may have any size and sign; all outputs lie between {long.min():.3g} and "
            f"{long.max():.3g}: an activation, such as {activation}, follows the last layer",
            "End the head with its last nn.Linear.",
        )


def _activation(outputs: Array) -> str:
    """The activation that leaves no other numbers than these, "" where there is none."""
    if outputs.min() >= 0 and outputs.max() <= 1:
        return "sigmoid"
    if np.abs(outputs).max() <= 1:
        return "tanh"
    return "ReLU or GELU" if outputs.min() >= 0 or (outputs.min() > -1 and outputs.max() > 5) else ""


@after(embedding_rows)
@about("LinearEmbeddingHead")
def linear(evidence: Evidence) -> None:
    """The embedding head is linear (a bias is allowed)."""
    run = _of_embedding(evidence)
    batch, second, mixed = (run.output("default", call, (B, 64)) for call in ("batch", "second batch", "mixed"))
    one, other = run.known["mix"]
    offset = (
        one * batch + other * second - mixed
    )  # of an affine map it is a multiple of the bias, the same in every row
    if not same(offset, np.broadcast_to(offset[:1], offset.shape)):
        raise Fail(*_nonlinear_words(np.concatenate([batch, second, mixed])))


def _nonlinear_words(out: Array) -> tuple[str, str]:
    """What is not linear about outputs (n, E), and a hint."""
    if np.allclose(np.linalg.norm(out, axis=1), 1, atol=1e-3):
        return (
            "the outputs have length 1: the embedding head normalises them, and is not linear",
            "Normalise where the embeddings are used, if at all.",
        )
    if np.allclose(out.sum(axis=1), 1, atol=1e-3) and (out >= 0).all():
        return (
            "the outputs of each row add up to 1: a softmax sits inside the head",
            "End the head with its nn.Linear: an embedding is not a set of probabilities.",
        )
    if (out >= 0).all():
        return (
            "no output is negative: an activation, such as ReLU, follows the last layer",
            "The embedding head is linear: one nn.Linear.",
        )
    return (
        "the embedding head is not linear: the output for a * x + b * y is not a * (output for x) + b * (output for y), even "
        "when a bias is allowed for",
        "One nn.Linear, without a hidden layer, an activation or a norm.",
    )


@after(classification_rows)
def classification_follows(evidence: Evidence) -> None:
    """The logits follow the features: they change a little when the features change a little."""
    lines.expect_on_line(_of_classification(evidence), "default", "line", (10,))


@after(classification_rows)
def classification_trains(evidence: Evidence) -> None:
    """Gradients reach every parameter of the classification head, and the features."""
    expect_trained(_of_classification(evidence), "default", "gradients")
    expect_learned(_of_classification(evidence), "default", (B, 10))


@after(embedding_rows)
@about("LinearEmbeddingHead")
def embedding_trains(evidence: Evidence) -> None:
    """Gradients reach every parameter of the embedding head, and the features."""
    expect_trained(_of_embedding(evidence), "default", "gradients")
    expect_learned(_of_embedding(evidence), "default", (B, 64))


TOPIC = Topic(
    probes=(
        Probe("heads.classification", "module.run", _ask_classification),
        Probe("heads.embedding", "module.run", _ask_embedding),
    ),
    criteria=(
        Criterion(
            "vit.heads",
            checks(
                classification_shape, classification_rows, logits, classification_follows, classification_trains,
                embedding_shape, embedding_rows, linear, embedding_trains,
            ),
            ("ClassificationHead", "LinearEmbeddingHead"),
        ),
    ),
)  # fmt: skip
