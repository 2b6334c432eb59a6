"""``get_embeddings``, on stand-ins whose answer is known.

Shapes: B batch, D hidden size, E embedding size.
"""

from typing import Any

import numpy as np

from grader.assignments.vit.metric_learning import expected
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Malformed, Skip, checks, dig, dig_as, raised_hint, raised_words, word
from grader.sandbox.outside.replies import raised_from

IMAGES, D, E = 6, 24, 16
BATCH, TRAIN_MODE, SINGLE, REVERSED = range(4)
CALLS: tuple[dict[str, Any], ...] = (
    {"rows": [0, 1, 2, 3, 4], "train": False},
    {"rows": [0, 1, 2, 3, 4], "train": True},
    {"rows": [5], "train": True},
    {"rows": [4, 3, 2, 1, 0], "train": True},
)
# Of the largest expected value. Right code, under autocast to bfloat16 too, comes to a fifth of it at most; the
# nearest that is wrong differs by 13 times as much (python -m bench.structure_margins).
TOLERANCE = 0.03

ROUNDING = 1e-4  # of float32 in another order of operations


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    images = (2 * rng.standard_normal((IMAGES, 1, 7, 7))).repeat(4, axis=2).repeat(4, axis=3).astype(np.float32)
    given = expected.models(rng, D, E)
    features = expected.features(images, given["vit"])
    right = expected.embeddings(images, given["vit"], given["head"])
    return Question({"images": images, **given, "calls": list(CALLS)}, known={"right": right, "features": features})


def returned(seen: Evidence, which: int) -> np.ndarray:
    """The values of one call, a float array of finite numbers; anything else fails or skips the check."""
    facts = dig(seen["embeddings"].value, which)
    if isinstance(facts, dict) and "raised" in facts:
        raised = raised_from(facts["raised"])
        if raised is None:
            raise Malformed
        size = len(CALLS[which]["rows"])
        raise Fail(f"on a batch of {size} images it {raised_words(raised)}", _raised_hint(raised.message))
    described = dig(facts, "result")
    array = expected.as_array(described)
    if array is not None and word(described, "kind") == "ndarray":
        raise Fail(
            "expected a tensor on the CPU, got a NumPy array: the evaluation joins the batches by torch.cat, which takes "
            "tensors alone",
            "Leave out .numpy(): return the tensor, after .cpu().",
        )
    if array is None or word(described, "kind") != "tensor":
        what = word(described, "type") or word(described, "kind")
        raise Fail(
            f"expected a tensor of shape (B, E), got {'None' if what == 'NoneType' else what or 'something else'}",
            "Return the embeddings of the whole batch as one tensor.",
        )
    if array.dtype.kind != "f":
        raise Fail(f"expected floating-point embeddings, got {word(described, 'dtype')}")
    return array.astype(np.float64)


def _raised_hint(message: str) -> str:
    if "mat1 and mat2" in message:
        return "First the ViT turns images into features, then the head turns features into embeddings."
    if "requires grad" in message and "numpy" in message:
        return "Compute under torch.no_grad()."
    return raised_hint(None)


def shape(seen: Evidence) -> None:
    """`get_embeddings` turns (B, C, H, W) images into (B, E) embeddings, also for a single image."""
    for which, size in ((BATCH, 5), (SINGLE, 1)):
        got = returned(seen, which).shape
        if got != (size, E):
            raise Fail(f"expected output shape ({size}, {E}) for {size} images, got {got}", _shape_hint(got, size))


def _shape_hint(got: tuple[int, ...], size: int) -> str:
    if got == (size, D):
        return "These are the features of the ViT: model_embedding was not applied to them."
    if got in ((E,), (1, E)):
        return "One vector for the whole batch: look for a mean, a squeeze or an index over the batch axis."
    return "Apply the ViT to the images, then the head to its features, and return that."


def values(seen: Evidence) -> None:
    """The embeddings are head(ViT(x)) in eval mode, normalised to length 1 or not; row i belongs to image i alone."""
    known = seen["embeddings"].known
    for which, call in enumerate(CALLS):
        got, right = _of_shape(seen, which), known["right"][call["rows"]]
        if _off(got, right) <= TOLERANCE:
            continue
        raise Fail(*_diagnosis(seen, which, got, right))


def exact(seen: Evidence) -> bool:
    """Whether neighbours can be told by the student's embeddings: bfloat16 would exchange some that lie close."""
    if not seen.passed("contrastive.embeddings"):
        return False
    right = [seen["embeddings"].known["right"][call["rows"]] for call in CALLS]
    return all(_off(returned(seen, which), x) <= ROUNDING for which, x in enumerate(right))


def _off(got: np.ndarray, right: np.ndarray) -> float:
    """How far embeddings lie from the right ones, normalised or not."""
    return min(_distance(got, form) for form in expected.forms(right))


def _of_shape(seen: Evidence, which: int) -> np.ndarray:
    try:
        got = returned(seen, which)
    except Malformed:
        raise
    except Fail:
        raise Skip from None
    if got.shape != (len(CALLS[which]["rows"]), E):
        raise Skip
    return got


def _distance(got: np.ndarray, right: np.ndarray) -> float:
    if not np.isfinite(got).all():
        return float("inf")
    return float(np.abs(got - right).max() / np.abs(right).max())


def _diagnosis(seen: Evidence, which: int, got: np.ndarray, right: np.ndarray) -> tuple[str, str]:
    """Say what the values are instead."""
    if not np.isfinite(got).all():
        single = ", even for a single image" if which == SINGLE else ""
        return f"the embeddings hold NaN or infinite values{single}", "Is something divided by its own spread?"
    wrong = " and ".join(modes(seen, which))
    if wrong:
        return (
            f"{wrong} computed in train mode",
            "Call .eval() on both models: otherwise dropout and batch statistics change the embeddings.",
        )
    if np.allclose(got.sum(1), 1, atol=1e-3) and (got >= 0).all():
        return "the rows are probabilities that add up to 1: a softmax follows the head", "Return the head's output."
    unit = expected.normalised(right)
    if _distance(expected.normalised(got), unit) <= TOLERANCE:
        return "the embeddings have the right directions but other lengths", "Scale rows to length 1, or not at all."
    order = [int(np.abs(unit - row).max(1).argmin()) for row in expected.normalised(got)]
    if _distance(expected.normalised(got), unit[order]) <= TOLERANCE:
        return (
            "the rows are in another order than the images" if len(set(order)) == len(order) else "rows are repeated",
            "Row i must be the embedding of image i.",
        )
    columns = right / np.linalg.norm(right, axis=0, keepdims=True)
    if _distance(got, columns) <= TOLERANCE or _distance(got, right / np.linalg.norm(right)) <= TOLERANCE:
        return (
            "each embedding depends on the other images of the batch: it was normalised along the batch axis",
            "Normalise along dim=1, the features of one image.",
        )
    if np.ptp(got, axis=0).max() < 1e-3 * np.abs(got).max() and len(got) > 1:
        return "all images get the same embedding", "Look for a mean over the batch axis."
    return "the values are not head(ViT(x)) in eval mode", "Apply both models to the batch, and nothing else after."


def modes(seen: Evidence, which: int) -> list[str]:
    """The models that computed in train mode in one call."""
    facts = dig(seen["embeddings"].value, which)
    names = (("vit", "the ViT"), ("head", "the head"))
    return [words for name, words in names if any(dig(call, "training") is True for call in _calls(facts, name))]


def _calls(facts: Any, name: str) -> list[Any]:
    calls = dig(facts, name)
    if not isinstance(calls, list):
        raise Malformed
    return calls


def eval_mode(seen: Evidence) -> None:
    """Both models that are handed over are used, and compute in eval mode, even when they come in train mode."""
    for which in range(len(CALLS)):
        facts = dig(seen["embeddings"].value, which)
        if expected.as_array(facts.get("result") if isinstance(facts, dict) else None) is None:
            raise Skip
        if not _calls(facts, "vit") or not _calls(facts, "head"):
            raise Fail(
                "the embeddings were computed without a call of both models that are handed over",
                "head(ViT(x)): model_embedding(vit_model(x)).",
            )
    for which in (TRAIN_MODE, SINGLE):
        _of_shape(seen, which)
        wrong = modes(seen, which)
        if wrong:
            raise Fail(
                f"{' and '.join(wrong)} computed in train mode",
                "Call .eval() on both models: otherwise dropout and batch statistics change the embeddings.",
            )


def no_gradient(seen: Evidence) -> None:
    """The embeddings are on the CPU, without gradient."""
    for which in range(len(CALLS)):
        returned_here = dig(seen["embeddings"].value, which)
        described = returned_here.get("result") if isinstance(returned_here, dict) else None
        if expected.as_array(described) is None:
            raise Skip
        if word(described, "kind") == "tensor" and dig(described, "requires_grad") is not False:
            raise Fail(
                "the embeddings still require a gradient (requires_grad is True)",
                "Compute under torch.no_grad(), or detach: else the graph of every batch is kept in memory.",
            )
        if word(described, "kind") == "tensor" and word(described, "device") != "cpu":
            raise Fail(f"expected embeddings on the CPU, got device {dig(described, 'device')}", "Call .cpu().")


def training_goes_on(seen: Evidence) -> None:
    """After the call the models can be trained on: it is called between the epochs."""
    for which in range(len(CALLS)):
        facts = dig(seen["embeddings"].value, which)
        if dig(facts, "grad") is not True:
            raise Fail(
                "after the call PyTorch computes no gradients any more: the next epoch cannot learn",
                "torch.set_grad_enabled(False) stays in force: use `with torch.no_grad():`, which ends with its block.",
            )
        if dig_as(int, facts, "frozen"):
            raise Fail(
                "after the call the models' parameters require no gradient any more: the next epoch cannot learn",
                "Leave requires_grad as it is: `with torch.no_grad():` is all that is needed here.",
            )


PROBES = (Probe("embeddings", "embedding.get", _ask, serves=("contrastive.embeddings", "contrastive.protected")),)
CRITERIA = (
    Criterion(
        "contrastive.embeddings", checks(shape, values, eval_mode, no_gradient, training_goes_on), ("get_embeddings",)
    ),
)
WARNINGS = ()
