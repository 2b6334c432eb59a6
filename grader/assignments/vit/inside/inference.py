"""A checkpoint's models on many images: predicted classes or embeddings, never a score."""

import contextlib
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from grader.assignments.vit.inside import checkpoints
from grader.assignments.vit.inside import trainer as trainer  # registers its operation with these
from grader.assignments.vit.inside.returned_form import HeadOfOutput
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import building, image_sets, state_dicts
from grader.torchkit.inside.building import ModelPart
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.image_sets import Reduce, Run

TRAINED_BY = {checkpoints.CLASSIFIER: "train_classification_model", checkpoints.EMBEDDING: "train_embedding_model"}


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
        return (lambda x: _own_embeddings(student, x, vit, head)) if own else _chain(vit, head)

    return _through(student, path, "precision@1", checkpoints.EMBEDDING, run, image_sets.embedded, asked)


def _own_embeddings(student: Student, x: Tensor, vit: nn.Module, head: nn.Module) -> Any:
    with student.as_it_was_for("get_embeddings"):
        return student.get("get_embeddings")(x, vit, head)


def _chain(vit: nn.Module, head: nn.Module) -> Run:
    of_output = HeadOfOutput(head)
    return lambda x: of_output(vit(x))


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
    undefined = building.undefined(checkpoints.VIT, checkpoints.settings(student))
    answer: dict[str, Any] = {"opening": opening, "undefined": undefined, "models": {}, "outputs": None}
    if content is None or undefined:
        return answer
    answer["models"], modules = _loaded(student, part, content)
    with contextlib.ExitStack() as stack:
        if not _fit(answer["models"]):  # it may have been trained with other sizes
            stack.enter_context(student.as_it_was_for(TRAINED_BY[part]))
            again, rebuilt = _loaded(student, part, content)
            if _fit(again):
                answer["models"], modules = again, rebuilt
        if _fit(answer["models"]):
            answer["outputs"] = image_sets.outputs(student, run(*modules), modules, reduce, **asked)
    return answer


def _loaded(student: Student, part: ModelPart, content: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """How the ViT and the model behind it were built and loaded, by key, and the two."""
    values, loadings, modules = checkpoints.settings(student), {}, []
    for model in (checkpoints.VIT, part):
        seed_everything(0)
        loadings[model.key], module = building.loaded(student, model, values, content, checkpoints.PARTS, "ViT")
        modules.append(module)
    return loadings, modules


def _fit(loadings: dict[str, Any]) -> bool:
    return all(loading["kind"] == "loaded" for loading in loadings.values())
