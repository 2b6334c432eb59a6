"""``get_embeddings``, the sampler and the evaluation, exercised on stand-ins whose weights are given.

Shapes: B batch, D hidden size, E embedding size, n items of a data set.
"""

import contextlib
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torch import nn
from torch.utils.data import Subset

from grader.assignments.vit.inside import standins
from grader.assignments.vit.inside.datasets import Garments
from grader.assignments.vit.inside.returned_form import Form, own_form
from grader.sandbox.inside import describe, other_machines
from grader.sandbox.inside.own_folder import own_folder
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import filling
from grader.torchkit.inside.results import raised, result_of

Weights = dict[str, np.ndarray]
Items = dict[str, np.ndarray]  # {"images": (n, 28, 28) uint8, "labels": (n,)}


def models(vit: Weights, head: Weights, form: Form | None = None) -> tuple[standins.ViT, standins.LinearEmbeddingHead]:
    """Stand-ins of the sizes that the weights have; the ViT returns its features in a form."""
    width, size = vit["features.weight"].shape[0], head["linear.weight"].shape[0]
    return standins.vit_of(vit, form), standins.filled(standins.LinearEmbeddingHead(width, size), head)


@op("embedding.get")
def get(
    student: Student, images: np.ndarray, vit: Weights, head: Weights, calls: dict[str, dict[str, Any]], own: bool
) -> dict[str, dict[str, Any]]:
    """Call ``get_embeddings`` on rows of the images, on fresh stand-ins each time.

    Where that does not go, on stand-ins that return what the student's own ViT returns; if it asks for their parts, on
    own models.

    Args:
        images: (B, C, H, W).
        vit, head: state dicts of the stand-ins.
        calls: by name, {"rows": [int], "train": bool}: the mode in which the models are handed over.
        own: whether the student has classes of both models.

    Returns:
        by name, a ``metric_learning.embedding_answers.EmbeddingCall``.
    """
    function, x = student.get("get_embeddings"), torch.from_numpy(np.array(images))
    batches = {name: x[torch.tensor(call["rows"])] for name, call in calls.items()}
    width, size = vit["features.weight"].shape[0], head["linear.weight"].shape[0]

    def embedded(form: Form | None) -> dict[str, dict[str, Any]]:
        found = {}
        for seed, (name, call) in enumerate(calls.items()):
            pair = models(vit, head, form)
            with student.as_it_was_for("get_embeddings"):
                found[name] = _embedded(function, batches[name], pair, call["train"], seed)
            found[name] |= {"vit": pair[0].calls[:50], "head": pair[1].calls[:50]}
        return found

    def fits(found: dict[str, dict[str, Any]]) -> bool:
        arrays = {name: answer["result"].get("array") for name, answer in found.items()}
        return all(array is not None and array.shape == (len(batches[name]), size) for name, array in arrays.items())

    found = embedded(None)
    if not fits(found) and (form := own_form(student)) is not None and fits(as_own := embedded(form)):
        return as_own
    if not (own and any("AttributeError" in _bases(answer["result"]) for answer in found.values())):
        return found
    try:
        return {
            name: _embedded_by_own(student, batches[name], (width, size), call["train"]) for name, call in calls.items()
        }
    except Exception:  # their constructors are judged elsewhere
        return found


def _bases(result: dict[str, Any]) -> list[str]:
    """The classes of the exception in a result; none where nothing was raised."""
    return list(result["exception"]["bases"]) if result["kind"] == "raised" else []


def _embedded(
    function: Callable[..., Any], batch: torch.Tensor, pair: tuple[nn.Module, nn.Module], train: bool, seed: int
) -> dict[str, Any]:
    torch.manual_seed(seed)
    torch.set_grad_enabled(True)
    vit_model, model_embedding = pair
    vit_model.train(train), model_embedding.train(train)
    as_given = batch.clone()
    changed: list[int] = []

    def note(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        changed.extend(_changed(value, as_given) for value in (*args, *kwargs.values()))

    vit_model.register_forward_pre_hook(note, with_kwargs=True)
    result = result_of(lambda: function(batch, vit_model, model_embedding))
    needs_gradient = [p.requires_grad for model in pair for p in model.parameters()]
    left = {"grad": torch.is_grad_enabled(), "frozen": needs_gradient.count(False)}
    return {"result": result, **left, "changed": sum(changed)}


def _embedded_by_own(student: Student, batch: torch.Tensor, sizes: tuple[int, int], train: bool) -> dict[str, Any]:
    """The same on the student's own ViT and head, with what these two give by themselves.

    Args:
        sizes: D and E.
    """
    seed = 1  # of the weights, the same ones in each call
    torch.manual_seed(seed)
    pair = student.get("ViT")(28, 14, 1, sizes[0], 1, 1), student.get("LinearEmbeddingHead")(*sizes)
    calls: list[list[dict[str, Any]]] = [[], []]
    for model in pair:
        filling.fill(model, "random", seed)
        model.eval()
    with torch.no_grad():
        right = pair[1](pair[0](batch))
    for model, noted in zip(pair, calls, strict=True):
        for part in model.modules():
            part.register_forward_pre_hook(partial(_note_mode, noted, len(batch)))
    with student.as_it_was_for("get_embeddings"):
        answer = _embedded(student.get("get_embeddings"), batch.clone(), pair, train, seed)
    return {**answer, "vit": calls[0][:50], "head": calls[1][:50], "own": describe.plain(right)}


def _note_mode(noted: list[dict[str, Any]], size: int, part: nn.Module, inputs: Any) -> None:
    noted.append({"training": part.training, "grad": torch.is_grad_enabled(), "batch": size})


def _changed(images: Any, batch: torch.Tensor) -> int:
    """How many of some images (n, C, H, W) are none of a batch (B, C, H, W), beyond what another precision makes of them."""
    if not isinstance(images, torch.Tensor) or images.shape[1:] != batch.shape[1:]:
        return 0
    few = 8  # of these images: all with all would be much to compare
    distances = (images[:few].detach().float()[:, None] - batch).abs().flatten(2).amax(2)  # (n, B)
    max_rounding = 0.05  # pixels of bfloat16
    return int((distances.amin(1) > max_rounding).sum())


@op("embedding.sample")
def sample(student: Student, calls: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Call ``sample_balanced_subset``; which items are read of its result tells which they are.

    Args:
        calls: by name, {"labels": (n,), "arguments": {name: value}}.

    Returns:
        by name, a ``metric_learning.embedding_answers.Sampled``, or what was raised.
    """
    function = student.get("sample_balanced_subset")
    return {name: _sampled(function, **call) for name, call in calls.items()}


def _sampled(function: Callable[..., Any], labels: np.ndarray, arguments: dict[str, Any]) -> dict[str, Any]:
    dataset = Garments(np.zeros((len(labels), 28, 28), np.uint8), labels)
    try:
        result = function(dataset, **arguments)
        dataset.reads.clear()
        items = len(result) if hasattr(result, "__getitem__") else 0
        for index in range(min(items, 2 * len(labels))):
            result[index]
    except NotImplementedError:
        raise
    except Exception as error:
        return raised(error)
    kind = {"subset": isinstance(result, Subset), "type": type(result).__name__[:100]}
    return {"kind": "sampled", **kind, "rows": dataset.reads[:]}


@op("embedding.evaluate")
def evaluate(
    student: Student, vit: Weights, head: Weights, reference: Items, query: Items, many: Items,
    own_embeddings: bool, best: Mapping[str, Sequence[float]],
) -> dict[str, Any]:  # fmt: skip
    """Call the three functions that evaluate.

    Args:
        vit, head: state dicts of the stand-ins.
        reference, query: the two sets that are compared.
        many: the items for ``get_embeddings_over_dataset``, more than fit into a batch.
        own_embeddings: whether the student's ``get_embeddings`` is used where it goes together with them, else a
            stand-in.
        best: by name of a call of ``evaluate_at_end_epoch``, the best Precision@1 before it: how many times what the
            call before returned, and a number that is added.

    Returns:
        a ``metric_learning.embedding_answers.Evaluated``.
    """

    def facts(names: dict[str, Any]) -> dict[str, Any]:
        return Evaluating(student, models(vit, head), reference, query, many, best).facts(names)

    if not own_embeddings:
        return facts({"get_embeddings": standins.get_embeddings})
    own = facts({})
    calls = (own["over"], own["precision"], *(end["result"] for end in own["end"].values()))
    if all(call["kind"] != "raised" for call in calls):
        return own
    return facts({"get_embeddings": standins.in_the_order_of(student.get("get_embeddings"))})


class Evaluating:
    """The student's functions that evaluate, and what they are given."""

    def __init__(
        self, student: Student, both: tuple[Any, Any], reference: Items, query: Items, many: Items,
        best: Mapping[str, Sequence[float]],
    ) -> None:  # fmt: skip
        self.student, self.models, self.best = student, both, best
        bank = Garments(reference["images"], reference["labels"])
        tested = Garments(query["images"], query["labels"], train=False)
        self.sets: tuple[Any, Any] = (Subset(bank, range(len(bank))), tested)
        self.many = Garments(many["images"], many["labels"], train=False)
        self.calculator = AccuracyCalculator(include=("precision_at_1",), k=1)
        self.returned: Any = None  # by the call of evaluate_at_end_epoch before

    def facts(self, names: dict[str, Any]) -> dict[str, Any]:
        """What the functions give, print and write.

        Args:
            names: what stands in the place of names of the student's.
        """
        over = self.student.get("get_embeddings_over_dataset")
        precision, end = self.student.get("test_embedding_model"), self.student.get("evaluate_at_end_epoch")
        vit_model, model_embedding = self.models
        places = _places()
        with self.student.overriding(**names), own_folder():
            facts = {
                "over": result_of(lambda: over(self.many, *self.models)),
                "precision": result_of(lambda: precision(*self.models, self.calculator, *self.sets)),
                "end": {name: self._end(end, best, places) for name, best in self.best.items()},
                "state": {
                    "vit": _arrays(vit_model.state_dict()),
                    "embedding_head": _arrays(model_embedding.state_dict()),
                },
            }
            for file in _checkpoints(places):  # of stand-ins: the student's own may be looked for there
                file.unlink()
            return facts

    def _end(self, function: Callable[..., Any], best: Sequence[float], places: tuple[Path, ...]) -> dict[str, Any]:
        times, added = best
        before: Any = added
        if times and isinstance(self.returned, int | float | torch.Tensor):
            before = self.returned + added if added else self.returned
        elif times:  # a function that returned no number is called with one that is not exceeded
            before = 1.0
        kept = {file: _made_older(file) for file in _checkpoints(places)}
        printed = io.StringIO()

        def call() -> Any:
            self.returned = function(*self.models, self.calculator, before, *self.sets)
            return self.returned

        with contextlib.redirect_stdout(printed):
            result = result_of(call)
        print(printed.getvalue(), end="")
        written = next((_written(file) for file in _checkpoints(places) if file.read_bytes() != kept.get(file)), None)
        return {"result": result, "printed": printed.getvalue()[:2_000], "file": written}


def _places() -> tuple[Path, ...]:
    """Where checkpoints may be written: the current folder then, and where paths of another machine lead.

    A worker loads the program in its scratch, and calls it in a folder below: paths that it made may lead to either.
    """
    scratch = Path(tempfile.gettempdir())
    return (scratch,) if scratch.samefile(Path.cwd()) else (Path(), scratch / other_machines.FOLDER)


def _checkpoints(places: tuple[Path, ...]) -> list[Path]:
    return [file for place in places for file in place.rglob("vit_embeds.pt") if file.is_file()]


def _made_older(file: Path) -> bytes:
    """Put an older checkpoint there, as it stands there in a training after the first epoch; returns its bytes."""
    torch.save({"vit": {}, "embedding_head": {}, "precision@1": 0.0}, file)
    return file.read_bytes()


def _written(file: Path) -> dict[str, Any]:
    """What is in a checkpoint."""
    try:
        content = torch.load(file, map_location="cpu", weights_only=False)  # written here, by this process
        parts = {name: content.get(name) for name in ("vit", "embedding_head")}
        states = {name: _arrays(part) if isinstance(part, dict) else None for name, part in parts.items()}
        keys = [str(key)[:100] for key in list(content)[:20]]
        return {"kind": "saved", "keys": keys, **states, "precision": describe.result(content.get("precision@1"))}
    except Exception as error:
        return raised(error)


def _arrays(state: dict[str, Any]) -> dict[str, np.ndarray]:
    return {str(key)[:200]: describe.plain(value) for key, value in state.items() if isinstance(value, torch.Tensor)}
