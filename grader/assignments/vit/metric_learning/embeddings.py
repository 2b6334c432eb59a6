"""``get_embeddings``, on stand-ins whose answer is known.

Shapes: B batch, D hidden size, E embedding size.
"""

from typing import Any

import numpy as np

from grader.assignment import Topic
from grader.assignments.vit.metric_learning import expected
from grader.assignments.vit.metric_learning.embedding_answers import EmbeddingCall
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Skip, checks
from grader.observations import ArrayResult, RaisedResult, TensorResult
from grader.raised import raised_hint, raised_words
from grader.records import Raised
from grader.sentences import number_of, return_hint
from grader.torchkit.results import array_of, words_of

CALLS: dict[str, dict[str, Any]] = {  # rows of the images, and the mode in which the models are handed over
    "batch": {"rows": [0, 1, 2, 3, 4], "train": False},
    "batch in train mode": {"rows": [0, 1, 2, 3, 4], "train": True},
    "single image": {"rows": [5], "train": True},
    "reversed batch": {"rows": [4, 3, 2, 1, 0], "train": True},
    "large batch": {"rows": [n % 6 for n in range(260)], "train": False},  # larger than most that are trained on
}
# Of the largest expected value. Right code, under autocast to bfloat16 too, comes to a fifth of it at most; the
# nearest that is wrong differs by 13 times as much (python -m bench.structure_margins).
TOLERANCE = 0.03
FEATURES_HINT = "These are the features of the ViT: model_embedding was not applied to them."
EVAL_HINT = "Call .eval() on both models: otherwise dropout and batch statistics change the embeddings."


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    images = (2 * rng.standard_normal((6, 1, 7, 7))).repeat(4, axis=2).repeat(4, axis=3).astype(np.float32)
    given = expected.models(rng, *expected.sizes(evidence))
    right = expected.embeddings(images, given["vit"], given["head"])
    known = {name: right[call["rows"]] for name, call in CALLS.items()}
    own = evidence.has("ViT", "LinearEmbeddingHead")
    return Question({"images": images, **given, "calls": CALLS, "own": own}, known)


def _call(evidence: Evidence, name: str) -> EmbeddingCall:
    call = evidence["embeddings"].value[name]
    assert isinstance(call, EmbeddingCall)
    return call


def returned(evidence: Evidence, name: str) -> np.ndarray:
    """What a call returned, as float64.

    Raises:
        Fail: it raised, or returned no tensor of floats.
    """
    result, size = _call(evidence, name).result, len(CALLS[name]["rows"])
    if isinstance(result, RaisedResult):
        batch = f"on a batch of {number_of(size, 'image')}"
        raise Fail(f"{batch} it {raised_words(result.exception)}", _raised_hint(result.exception))
    if isinstance(result, ArrayResult):
        raise Fail(
            "expected a tensor on the CPU, got a NumPy array: the evaluation joins the batches by torch.cat, which "
            "takes tensors alone",
            "Leave out .numpy(): return the tensor, after .cpu().",
        )
    if not isinstance(result, TensorResult):
        got = words_of(result)
        hint = return_hint(got, "Return the embeddings of the whole batch as one tensor.")
        raise Fail(f"expected a tensor of shape (B, E), got {got}", hint)
    if result.array.dtype.kind != "f":
        raise Fail(f"expected floating-point embeddings, got {result.dtype}")
    return result.array.astype(np.float64)


def _raised_hint(raised: Raised) -> str:
    message = raised.message
    if "mat1 and mat2" in message:
        return "First the ViT turns images into features, then the head turns features into embeddings."
    if "requires grad" in message and "numpy" in message:
        return "Compute under torch.no_grad()."
    return raised_hint(raised)


def shape(evidence: Evidence) -> None:
    """`get_embeddings` turns (B, C, H, W) images into (B, E) embeddings, also for a single image."""
    for name in ("batch", "single image", "large batch"):
        got, wanted = returned(evidence, name).shape, _shape(evidence, name)
        if got != wanted:
            images = number_of(wanted[0], "image")
            raise Fail(
                f"expected output shape {wanted} for {images}, got {got}",
                _shape_hint(got, *wanted, evidence["embeddings"].question.args["vit"]["features.bias"].size),
            )


def _shape(evidence: Evidence, name: str) -> tuple[int, int]:
    """(B, E) of what a call should return."""
    right: tuple[int, int] = evidence["embeddings"].known[name].shape
    return right


def _shape_hint(got: tuple[int, ...], size: int, embed_size: int, hidden_size: int) -> str:
    if got == (size, hidden_size):
        return FEATURES_HINT
    if size == 1 and got == (embed_size,):
        return "The batch axis is gone: squeeze() without a dim removes it from a single image."
    if got[1:] == (embed_size,) and 1 < got[0] < size:
        return "Some images of a large batch are left out: each row of x has an embedding."
    if got in ((embed_size,), (1, embed_size)):
        return "One vector for the whole batch: look for a mean, a squeeze or an index over the batch axis."
    return "Apply the ViT to the images, then the head to its features, and return that."


def values(evidence: Evidence) -> None:
    """The embeddings are head(ViT(x)) in eval mode, normalised to length 1 or not; row i belongs to image i alone."""
    for name in CALLS:
        call, got = _call(evidence, name), _of_shape(evidence, name)
        right = _right(evidence, name)
        if _error(got, right) > TOLERANCE:
            raise Fail(
                *(_diagnosis(call, got, right) or _something_random(evidence) or _other_values(evidence, name, got))
            )
    if found := _something_random(evidence):
        raise Fail(*found)


def _right(evidence: Evidence, name: str) -> np.ndarray:
    """(B, E) head(ViT(x)) by the models that were handed over: stand-ins, or the student's own."""
    own = _call(evidence, name).own
    return np.asarray(evidence["embeddings"].known[name] if own is None else own.astype(np.float64))


def _something_random(evidence: Evidence) -> tuple[str, str] | None:
    """What is wrong where calls with the same images and weights differ; each has random numbers of its own."""
    first, again = (_of_shape(evidence, name) for name in ("batch", "batch in train mode"))
    max_difference = 1e-6  # of the largest embedding: two calls with the same images and weights
    if _distance(again, first) <= max_difference:
        return None
    return (
        "the same images get other embeddings when they are asked for again: something random is added to them",
        "Noise and random augmentation are for the training: embed the images as they come.",
    )


def _other_values(evidence: Evidence, name: str, got: np.ndarray) -> tuple[str, str]:
    """What is wrong where nothing else is known that makes the values."""
    asked = evidence["embeddings"].question.args
    features = expected.features(asked["images"][CALLS[name]["rows"]], asked["vit"])
    if features.shape == got.shape and _error(got, features) <= TOLERANCE:
        return "expected head(ViT(x)) with both models in eval mode, got other values", FEATURES_HINT
    if _call(evidence, name).changed:
        return (
            "the ViT is called with changed images, expected those of the batch as they come",
            "tfm_test has normalised them already. Leave out what changes x before the models; `x -= …` does it in place.",
        )
    return (
        "expected head(ViT(x)) with both models in eval mode, got other values",
        "Apply the ViT to the batch as it comes, then the head to its features, and nothing else.",
    )


def exact(evidence: Evidence) -> bool:
    """Whether neighbours can be told by the student's embeddings: bfloat16 would exchange some that lie close."""
    if not evidence.passed("contrastive.embeddings"):
        return False
    rounding = 1e-4  # of float32 in another order of operations
    return all(_error(returned(evidence, name), _right(evidence, name)) <= rounding for name in CALLS)


def _error(got: np.ndarray, right: np.ndarray) -> float:
    """How far embeddings lie from the right ones, normalised or not, relative to the largest of them."""
    return min(_distance(got, form) for form in expected.forms(right))


def _distance(got: np.ndarray, right: np.ndarray) -> float:
    if not np.isfinite(got).all():
        return float("inf")
    return float(np.abs(got - right).max() / np.abs(right).max())


def _of_shape(evidence: Evidence, name: str) -> np.ndarray:
    """What a call returned, where the check of the shape has nothing against it."""
    try:
        got = returned(evidence, name)
    except Fail:
        raise Skip from None
    if got.shape != _shape(evidence, name):
        raise Skip
    return got


def _diagnosis(call: EmbeddingCall, got: np.ndarray, right: np.ndarray) -> tuple[str, str] | None:
    """Say what the values are instead; None where nothing is known that makes them.

    Args:
        got, right: (B, E).
    """
    if not np.isfinite(got).all():
        single = ", even for a single image" if len(got) == 1 else ""
        return (
            f"the embeddings hold NaN or infinite values{single}",
            "Is something divided by a standard deviation over the batch, or by a length that can be 0?",
        )
    if wrong := _in_train_mode(call):
        return f"{wrong} computed in train mode", EVAL_HINT
    if np.allclose(got.sum(1), 1, atol=1e-3) and (got >= 0).all():
        return "the rows are probabilities that add up to 1: a softmax follows the head", "Return the head's output."
    if found := _moved_or_scaled(got, right):
        return found
    columns = right / np.linalg.norm(right, axis=0, keepdims=True)
    if min(_distance(got, columns), _distance(got, right / np.linalg.norm(right))) <= TOLERANCE:
        return (
            "each embedding depends on the other images of the batch: it was normalised along the batch axis",
            "Normalise along dim=1, the features of one image.",
        )
    if np.ptp(got, axis=0).max() < 1e-3 * np.abs(got).max() and len(got) > 1:
        return "all images get the same embedding", "Look for a mean over the batch axis."
    return None


def _moved_or_scaled(got: np.ndarray, right: np.ndarray) -> tuple[str, str] | None:
    """What is wrong where the rows are the right ones but for their length or their order."""
    unit, directions = expected.normalised(right), expected.normalised(got)
    if _distance(directions, unit) <= TOLERANCE:
        return "the embeddings have the right directions but other lengths", "Scale rows to length 1, or not at all."
    order = [int(np.abs(unit - row).max(1).argmin()) for row in directions]
    if _distance(directions, unit[order]) > TOLERANCE:
        return None
    all_there = all(np.abs(directions - row).max(1).min() <= TOLERANCE for row in unit)
    return (
        "the rows are in another order than the images" if all_there else "rows are repeated",
        "Row i must be the embedding of image i.",
    )


def _in_train_mode(call: EmbeddingCall) -> str:
    """The models that computed in train mode in one call, as the beginning of a sentence; "" for neither."""
    named = (("the ViT", call.vit), ("the head", call.head))
    return " and ".join(words for words, forwards in named if any(forward.training for forward in forwards))


def eval_mode(evidence: Evidence) -> None:
    """Both models that are handed over are used, and compute in eval mode, even when they come in train mode."""
    for name in CALLS:
        call = _call(evidence, name)
        if isinstance(call.result, RaisedResult) or array_of(call.result) is None:
            raise Skip
        if not call.vit or not call.head:
            raise Fail(
                "the embeddings were computed without a call of both models that are handed over",
                "head(ViT(x)): model_embedding(vit_model(x)).",
            )
    for name in ("batch in train mode", "single image"):
        _of_shape(evidence, name)
        if wrong := _in_train_mode(_call(evidence, name)):
            raise Fail(f"{wrong} computed in train mode", EVAL_HINT)


def no_gradient(evidence: Evidence) -> None:
    """The embeddings are on the CPU, without gradient."""
    for name in CALLS:
        result = _call(evidence, name).result
        if isinstance(result, RaisedResult) or array_of(result) is None:
            raise Skip
        if not isinstance(result, TensorResult):
            continue
        if result.requires_grad:
            raise Fail(
                "the embeddings still require a gradient (requires_grad is True)",
                "Compute under torch.no_grad(), or detach: else the graph of every batch is kept in memory.",
            )
        if result.device != "cpu":
            raise Fail(f"expected embeddings on the CPU, got device {result.device}", "Call .cpu().")


def training_goes_on(evidence: Evidence) -> None:
    """After the call the models can be trained on: it is called between the epochs."""
    for name in CALLS:
        call = _call(evidence, name)
        if not call.grad:
            raise Fail(
                "after the call PyTorch computes no gradients any more: the next epoch cannot learn",
                "torch.set_grad_enabled(False) stays in force: use `with torch.no_grad():`, which ends with its block.",
            )
        if call.frozen:
            raise Fail(
                "after the call the models' parameters require no gradient any more: the next epoch cannot learn",
                "Leave requires_grad as it is: `with torch.no_grad():` is all that is needed here.",
            )


TOPIC = Topic(
    probes=(Probe("embeddings", "embedding.get", _ask, serves=("contrastive.embeddings", "contrastive.protected")),),
    criteria=(
        Criterion(
            "contrastive.embeddings",
            checks(shape, values, eval_mode, no_gradient, training_goes_on),
            ("get_embeddings",),
        ),
    ),
)
