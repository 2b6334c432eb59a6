"""``get_embeddings``, the sampler and the evaluation, exercised on stand-ins whose weights are given.

Shapes: B batch, D hidden size, E embedding size, n items of a data set.
"""

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torch.utils.data import Subset

from grader.assignments.vit.inside import standins
from grader.assignments.vit.inside.datasets import Garments
from grader.sandbox.inside import describe, faults
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student

CHECKPOINT = Path("vit_embeds.pt")
Weights = dict[str, np.ndarray]


def models(vit: Weights, head: Weights) -> tuple[standins.ViT, standins.LinearEmbeddingHead]:
    """Stand-ins of the sizes that the weights have."""
    width, size = vit["features.weight"].shape[0], head["linear.weight"].shape[0]
    return (
        standins.filled(standins.ViT(hidden_size=width), vit),
        standins.filled(standins.LinearEmbeddingHead(width, size), head),
    )


@op("embedding.get")
def get(
    student: Student, images: np.ndarray, vit: Weights, head: Weights, calls: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Call ``get_embeddings`` on rows of the images, on fresh stand-ins each time.

    A call is {"rows": [int], "train": bool}: the mode in which the models are handed over.
    """
    function = student.get("get_embeddings")
    x = torch.from_numpy(np.array(images))
    found = []
    for call in calls:
        torch.manual_seed(0)
        torch.set_grad_enabled(True)
        vit_model, model_embedding = models(vit, head)
        vit_model.train(call["train"]), model_embedding.train(call["train"])
        rows = x[torch.tensor(call["rows"])]
        facts = guarded(lambda r=rows, v=vit_model, m=model_embedding: function(r, v, m))  # type: ignore[misc]
        held = [p.requires_grad for model in (vit_model, model_embedding) for p in model.parameters()]
        left = {"grad": torch.is_grad_enabled(), "frozen": held.count(False)}
        found.append({**facts, **left, "vit": vit_model.calls[:50], "head": model_embedding.calls[:50]})
    return found


@op("embedding.sample")
def sample(student: Student, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Call ``sample_balanced_subset``; which items are read of its result tells which they are.

    A call is {"labels": (n,), "arguments": {name: value}}.
    """
    function = student.get("sample_balanced_subset")
    return [_sampled(function, call["labels"], call["arguments"]) for call in calls]


def _sampled(function: Callable[..., Any], labels: np.ndarray, arguments: dict[str, Any]) -> dict[str, Any]:
    dataset = Garments(np.zeros((len(labels), 28, 28), np.uint8), labels)
    try:
        result = function(dataset, **arguments)
        dataset.reads.clear()
        for index in range(min(len(result), 2 * len(labels))):
            result[index]
        return {"subset": isinstance(result, Subset), "type": type(result).__name__[:100], "rows": dataset.reads[:]}
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": describe.exception(error)}


@op("embedding.evaluate")
def evaluate(
    student: Student, vit: Weights, head: Weights, reference: dict[str, np.ndarray], query: dict[str, np.ndarray],
    many: dict[str, np.ndarray], own_embeddings: bool, best: list[float],
) -> dict[str, Any]:  # fmt: skip
    """Call the three functions that evaluate: the first on ``many`` items, the last once with each of ``best``.

    ``get_embeddings`` is the student's own, where that is wanted and goes together with them, or a stand-in.
    ``reference``, ``query`` and ``many`` are {"images": (n, 28, 28) uint8, "labels": (n,)}.
    """
    if own_embeddings:
        facts = _evaluate(student, vit, head, reference, query, many, best, {})
        if not any("raised" in part for part in (facts["over"], facts["precision"], *facts["end"])):
            return facts
    stand_in = {"get_embeddings": standins.get_embeddings}
    return _evaluate(student, vit, head, reference, query, many, best, stand_in)


def _evaluate(
    student: Student, vit: Weights, head: Weights, reference: dict[str, np.ndarray], query: dict[str, np.ndarray],
    many: dict[str, np.ndarray], best: list[float], names: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    over, test = student.get("get_embeddings_over_dataset"), student.get("test_embedding_model")
    end = student.get("evaluate_at_end_epoch")
    vit_model, model_embedding = models(vit, head)
    bank = Garments(reference["images"], reference["labels"])
    whole = Garments(many["images"], many["labels"], train=False)
    tested = Garments(query["images"], query["labels"], train=False)
    sets: tuple[Any, Any] = (Subset(bank, range(len(bank))), tested)
    calculator = AccuracyCalculator(include=("precision_at_1",), k=1)
    with student.overriding(**names), tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return {
            "over": guarded(lambda: over(whole, vit_model, model_embedding)),
            "precision": guarded(lambda: test(vit_model, model_embedding, calculator, *sets)),
            "end": [_end(lambda b=b: end(vit_model, model_embedding, calculator, b, *sets), b) for b in best],  # type: ignore[misc]
            "state": {"vit": _state(vit_model.state_dict()), "embedding_head": _state(model_embedding.state_dict())},
        }


def _end(call: Callable[[], Any], best: float) -> dict[str, Any]:
    CHECKPOINT.unlink(missing_ok=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        facts = guarded(call)
    print(printed.getvalue(), end="")
    return {**facts, "best": best, "printed": printed.getvalue()[:2_000], "file": _checkpoint()}


def _checkpoint() -> dict[str, Any] | None:
    """What was written, None for nothing."""
    if not CHECKPOINT.is_file():
        return None
    try:
        content = torch.load(CHECKPOINT, map_location="cpu", weights_only=False)  # written here, by this process
        found = [name for name in ("vit", "embedding_head") if isinstance(content.get(name), dict)]
        facts: dict[str, Any] = {name: _state(content[name]) for name in found}
        keys = [str(key)[:100] for key in list(content)[:20]]
        return {**facts, "keys": keys, "precision": describe.result(content.get("precision@1"))}
    except Exception as error:
        return {"raised": describe.exception(error)}


def _state(state: dict[str, Any]) -> dict[str, np.ndarray]:
    return {str(key)[:200]: describe.plain(value) for key, value in state.items() if isinstance(value, torch.Tensor)}


def guarded(call: Callable[[], Any]) -> dict[str, Any]:
    """What a call returned, or the exception that it raised; what is still to do passes through."""
    faults.step()
    try:
        return {"result": describe.result(call())}
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": describe.exception(error)}
