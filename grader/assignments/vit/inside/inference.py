"""A checkpoint's models on many images: predicted classes or embeddings, never a score."""

from collections.abc import Callable
from typing import Any

from torch import nn

from grader.assignments.vit.inside import checkpoints
from grader.assignments.vit.inside import trainer as trainer  # registers its operation with these
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import building, image_sets, state_dicts
from grader.torchkit.inside.building import ModelPart
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.image_sets import Reduce, Run


@op("checkpoint.classify")
def classify(student: Student, path: str, **asked: Any) -> dict[str, Any]:
    """Predicted classes of the classifier in a checkpoint, for several sets of images."""
    return _through(student, path, "acc", checkpoints.CLASSIFIER, _chain, image_sets.predicted, asked)


@op("checkpoint.embed")
def embed(student: Student, path: str, own: bool, **asked: Any) -> dict[str, Any]:
    """Embeddings by the model in a checkpoint, for several sets of images.

    Args:
        own: whether the student's ``get_embeddings`` computes them, or head(ViT(x)).
    """

    def run(vit: nn.Module, head: nn.Module) -> Run:
        return (lambda x: student.get("get_embeddings")(x, vit, head)) if own else _chain(vit, head)

    return _through(student, path, "precision@1", checkpoints.EMBEDDING, run, image_sets.embedded, asked)


def _chain(vit: nn.Module, head: nn.Module) -> Run:
    return lambda x: head(vit(x))


def _through(
    student: Student, path: str, score: str, part: ModelPart,
    run: Callable[[nn.Module, nn.Module], Run], reduce: Reduce, asked: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Open, build, load, run; what was learned until something failed comes back in any case.

    Args:
        score: the key under which the checkpoint records one.
        part: the model behind the ViT.
        asked: further arguments of ``image_sets.outputs``.
    """
    content, opening = state_dicts.opened(path, score)
    values = checkpoints.settings(student)
    undefined = building.undefined(checkpoints.VIT, values)
    answer: dict[str, Any] = {"opening": opening, "undefined": undefined, "models": {}, "outputs": None}
    if content is None or undefined:
        return answer
    modules = []
    for model in (checkpoints.VIT, part):
        seed_everything(0)
        answer["models"][model.key], module = building.loaded(student, model, values, content, checkpoints.PARTS, "ViT")
        modules.append(module)
    if all(loading["kind"] == "loaded" for loading in answer["models"].values()):
        answer["outputs"] = image_sets.outputs(student, run(*modules), modules, reduce, **asked)
    return answer
