"""A checkpoint's models on many images: predicted classes or embeddings, never a score."""

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from grader.assignments.vit.inside import checkpoints
from grader.assignments.vit.inside import trainer as trainer  # registers its operation with these
from grader.assignments.vit.inside.modules import seed_everything
from grader.assignments.vit.inside.running import Reduce, Run, outputs, predicted
from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student

WIDEST = 1_024  # of an embedding that is sent back


@op("checkpoint.classify")
def classify(student: Student, path: str, **asked: Any) -> dict[str, Any]:
    """Predicted classes of the classifier in a checkpoint, for several sets of images."""
    return _through(student, path, "acc", checkpoints.CLASSIFIER, _chain, predicted, asked)


@op("checkpoint.embed")
def embed(student: Student, path: str, own: bool, **asked: Any) -> dict[str, Any]:
    """Embeddings by the model in a checkpoint, for several sets of images.

    Args:
        own: whether the student's ``get_embeddings`` computes them, or head(ViT(x)).
    """

    def run(vit: nn.Module, head: nn.Module) -> Run:
        return (lambda x: student.get("get_embeddings")(x, vit, head)) if own else _chain(vit, head)

    return _through(student, path, "precision@1", checkpoints.EMBEDDING, run, _embedded, asked)


def _chain(vit: nn.Module, head: nn.Module) -> Run:
    return lambda x: head(vit(x))


def _through(
    student: Student, path: str, claim: str, part: checkpoints.Part,
    run: Callable[[nn.Module, nn.Module], Run], reduce: Reduce, asked: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Open, build, load, run; what was learned until something failed comes back in any case."""
    content, facts = checkpoints.facts(path, claim)
    report: dict[str, Any] = {"checkpoint": facts, "claim": facts.get("claim"), "models": {}}
    values = checkpoints.settings(student)
    report["undefined"] = [n for n in checkpoints.VIT.arguments if isinstance(n, str) and n not in values]
    if not content or report["undefined"]:
        return report
    modules = []
    for model in (checkpoints.VIT, part):
        seed_everything(0)
        report["models"][model.key], module = _loaded(student, model, values, content)
        modules.append(module)
    if all(m.get("fits") for m in report["models"].values()):
        report["outputs"] = outputs(student, run(*modules), modules, reduce, **asked)
    return report


def _loaded(
    student: Student, part: checkpoints.Part, values: dict[str, Any], content: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    if not student.has(part.name):
        return {"undefined": part.name}, None
    if part.key not in content:
        return {"absent": part.key}, None
    try:
        module = checkpoints.built(student, part, values)
        return checkpoints.fitted(module, content[part.key]), module
    except Exception as error:
        return {"raised": describe.exception(error)}, None


def _embedded(embeddings: np.ndarray) -> dict[str, Any]:
    if embeddings.shape[1] > WIDEST:
        return {"width": embeddings.shape[1]}
    return {"embeddings": embeddings, "width": embeddings.shape[1]}
