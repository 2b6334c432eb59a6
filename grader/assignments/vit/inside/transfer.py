"""A student's ``train_classification_model_head_only``, run on a small set and watched.

Shapes: n items of a data set, D hidden size, K classes, S states of a head.
"""

import contextlib
import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from grader.assignments.vit.inside import standins
from grader.assignments.vit.inside.datasets import Garments
from grader.assignments.vit.inside.returned_form import own_form
from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.followed_models import whole_numbers
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.head_training import Head, HeadTrainingWatch, Items, State, copied, same
from grader.torchkit.inside.results import raised

Sets = tuple[Garments, Garments]  # for training, and for testing


@op("transfer.run")
def run(
    student: Student, train: dict[str, np.ndarray], test: dict[str, np.ndarray], vit: dict[str, np.ndarray],
    width: int, num_epochs: int, told: int, own_head: bool, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Train a head on a frozen stand-in.

    Where that does not go, on a stand-in that returns what the student's own ViT returns, or on their own, whose parts
    their code may ask for.

    Args:
        train, test: {"images": (n, 28, 28), "labels": (n,)}.
        vit: state dict of the stand-in.
        width: its hidden size.
        num_epochs: how often to go through ``train``.
        told: how many of the training items the logits are told of, the first ones.
        own_head: whether the student's head is right.

    Returns:
        an ``application.answers.HeadTraining``.
    """
    function = student.get("train_classification_model_head_only")
    make = student.get("ClassificationHead") if own_head else standins.ClassificationHead

    def attempt(model: nn.Module, make: Any) -> dict[str, Any]:
        sets = Garments(train["images"], train["labels"]), Garments(test["images"], test["labels"], train=False)
        facts = _attempt(student, lambda: function(model, *sets, num_epochs), model, sets, make, told, seed)
        return {**facts, "has_default_epochs": _takes(function, model, *sets)}

    try:
        return attempt(standins.vit_of(vit), make)
    except NotImplementedError:
        raise
    except Exception as error:
        if (form := own_form(student)) is not None:
            with contextlib.suppress(Exception):
                return attempt(standins.vit_of(vit, form), make)
        if not own_head and student.has("ClassificationHead"):
            with contextlib.suppress(Exception):
                return attempt(standins.vit_of(vit), standins.head_called_as(student.get("ClassificationHead")))
        if student.has("ViT"):
            seed_everything(seed)
            with contextlib.suppress(Exception):
                return attempt(student.get("ViT")(28, 14, 1, width, 1, 1), make)
        raise error


def _takes(function: Callable[..., Any], *arguments: Any) -> bool:
    """Whether a function can be called with these arguments alone, as far as its signature tells."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # it has no signature that can be read
        return True
    return True


def _attempt(
    student: Student, call: Callable[[], Any], vit: nn.Module, sets: Sets, make: Any, told: int, seed: int
) -> dict[str, Any]:
    vit.eval()
    before, pristine = copied(vit.state_dict()), copy.deepcopy(vit)
    if isinstance(pristine, standins.ViT):
        pristine.form = None
    train, test = (Items(features) for features in _features(pristine, sets))
    training = HeadTrainingWatch(train, test, vit)
    kinds = (make, *_under_another_name(student))
    sets[0].reads.clear()
    seed_everything(seed)
    at_its_call = student.as_it_was_for("train_classification_model_head_only")
    with at_its_call, student.overriding(**_names(student, sets, make)), training.watching(*kinds):
        result = call()
    reads = len(sets[0].reads)
    state = {"before": _plain(before), "after": _plain(vit.state_dict())}
    classifier = result.get("classifier") if isinstance(result, dict) else None
    return {
        "vit": {**state, "buffers": [name for name, _ in vit.named_buffers()]},
        "steps": training.steps,
        "backwards": training.backwards,
        "stale": training.stale,
        "moved": training.moved,
        "copy_trained": training.trains_a_copy(vit),
        "result": _result(result),
        "head": _head(classifier, training, make, pristine, sets, told, reads),
    }


def _under_another_name(student: Student) -> list[type[nn.Module]]:
    """The student's own classes, one of which may be the head where none has its name."""
    if student.has("ClassificationHead"):
        return []
    classes = (value for value in student.values() if isinstance(value, type) and issubclass(value, nn.Module))
    return list(dict.fromkeys(cls for cls in classes if not cls.__module__.startswith(("torch", "pytorch_metric"))))


def _names(student: Student, sets: Sets, make: Any) -> dict[str, Any]:
    """What the notebook's names stand for meanwhile; its ``num_epochs`` is another number than is asked for."""
    own = whole_numbers({name: student.get(name) for name in ("batch_size", "num_epochs") if student.has(name)})
    numbers = {name: number for name, number in (("batch_size", 64), ("num_epochs", 5)) if own.get(name, 0) > 0}
    return {
        **numbers, "ClassificationHead": make, "ViT": standins.ViT, "train_dataset": sets[0], "test_dataset": sets[1],
        "train_loader": DataLoader(sets[0], 64, shuffle=True), "test_loader": DataLoader(sets[1], 64),
    }  # fmt: skip


def _result(result: Any) -> dict[str, Any]:
    """What came back, models described by what they are."""
    if not isinstance(result, dict):
        items = len(result) if isinstance(result, tuple | list) else 0
        return {"kind": "other", "type": type(result).__name__[:100], "items": items}
    acc = result.get("acc")
    with contextlib.suppress(Exception):
        acc = float(acc)  # type: ignore[arg-type]
    vit = _state(result.get("vit"))
    return {
        "kind": "dict",
        "keys": [str(key)[:60] for key in list(result)[:20]],
        "acc": acc if isinstance(acc, float) else type(acc).__name__,
        "vit": None if vit is None else _plain(vit),
        "classifier_type": type(result.get("classifier")).__name__[:60],
    }


def _state(model: Any) -> State | None:
    """The state dict of a model, or the state dict that was returned in its place."""
    if isinstance(model, nn.Module):
        model = model.state_dict()
    if not isinstance(model, dict) or not all(isinstance(v, Tensor) for v in model.values()):
        return None
    return {str(key): value for key, value in model.items()}


def _head(
    returned: Any, training: HeadTrainingWatch, make: Any, pristine: nn.Module, sets: Sets, told: int, reads: int
) -> dict[str, Any] | None:
    """What the returned classifier makes of the features, before and after, and while it was evaluated."""
    state = _state(returned)
    if state is None:
        return None
    head = training.returned(returned, state)
    facts: dict[str, Any] = {
        "optimized": head is not None and training.is_optimized(head),
        "moved": None if head is None else not same(head.initial, state),
        "reads": reads,
        "others": sum(other is not head and other.rows > 0 for other in training.heads),
        **_learning(head),
    }
    try:
        judge = copy.deepcopy(head.module) if head is not None else _made(make, _width(state))
        judge._forward_hooks.clear()
        train, test = _features(pristine, sets)
        train = train[:told]
        logits = {
            "train": describe.plain(_logits(judge, state, train)),
            "test": describe.plain(_logits(judge, state, test)),
        }
    except Exception as error:
        return {**facts, "calls": None, "evaluated": None, "logits": raised(error)}
    initial = describe.plain(_logits(judge, head.initial, train)) if head is not None else None
    evaluated = _predicted(judge, head.states if head is not None else [], test)
    return {**facts, "evaluated": evaluated, "logits": {"kind": "logits", **logits, "initial": initial}}


def _learning(head: Head | None) -> dict[str, Any]:
    """What a head learned from, and which test items it was asked about."""
    if head is None:
        return {"rows": 0, "items": None, "batches": None, "calls": None}
    items = [items for _, items in head.calls]
    calls = {
        "state": np.array([state for state, _ in head.calls], np.int64),
        "size": np.array([len(i) for i in items], np.int64),
        "item": describe.plain(torch.cat(items)) if items else np.zeros(0, np.int64),
    }
    batches = np.array(head.batches, np.int64)
    return {"rows": head.rows, "items": describe.plain(head.items), "batches": batches, "calls": calls}


def _predicted(judge: nn.Module, states: list[State], features: Tensor) -> np.ndarray | None:
    """(S, n) uint8 the class of each item in each state; None where there is no state."""
    if not states:
        return None
    return describe.plain(torch.stack([_logits(judge, s, features).argmax(1) for s in states]).to(torch.uint8))


def _made(make: Any, width: int) -> nn.Module:
    return make(width) if len(inspect.signature(make).parameters) == 1 else make(width, 10)


def _width(state: State) -> int:
    return next(int(value.shape[-1]) for value in state.values() if value.ndim == 2)


def _features(vit: nn.Module, sets: Sets) -> list[Tensor]:
    """(n, D) what a model makes of the items of each set."""
    with torch.no_grad():
        return [vit(data.inputs()) for data in sets]


def _logits(head: nn.Module, state: State, features: Tensor) -> Tensor:
    """(n, K) float; what a head makes of features in some state.

    Raises:
        ValueError: something of another shape or dtype.
    """
    head.load_state_dict(state, strict=True)
    head.eval()
    with torch.no_grad():
        logits = head(features)
    if logits.ndim != 2 or len(logits) != len(features) or not logits.is_floating_point():
        raise ValueError(f"expected a logit for each class, ({len(features)}, 10), got {tuple(logits.shape)}")
    return logits


def _plain(state: State) -> dict[str, np.ndarray]:
    return {name: describe.plain(value) for name, value in list(state.items())[:400] if isinstance(value, Tensor)}
