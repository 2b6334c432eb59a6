"""The ViT and the head that a student's training builds: their own classes, or stand-ins for those that are broken.

Either way the call is the student's: which arguments it gives is noted by the names of the assignment.
"""

import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator
from typing import Any

import torch
from torch import nn

from grader.assignments.vit.inside import standins
from grader.assignments.vit.inside.watch import Watch
from grader.sandbox.inside import describe
from grader.sandbox.inside.student import Student

ROLES = {"ViT": "vit", "LinearEmbeddingHead": "head"}
NAMES = {
    "ViT": ("image_size", "patch_size", "num_channels", "hidden_size", "layers", "heads"),
    "LinearEmbeddingHead": ("hidden_size", "embed_size"),
}
SMALL_MODEL = {  # 36: no other size is that; the data set gives the last two
    "hidden_size": 36, "layers": 1, "heads": 2, "patch_size": 14, "in_channels": 1, "image_size": 28,
}  # fmt: skip
WORKS_WITH = {"ViT": (28, 14, 1, 32, 1, 2), "LinearEmbeddingHead": (32, 8)}


def usable(student: Student, among: Collection[str]) -> frozenset[str]:
    """Those of the student's classes that can be built and called as the assignment says; no others are asked."""
    inputs, found = torch.zeros(2, 1, 28, 28), set()
    for name, shape, x in (("ViT", (2, 32), inputs), ("LinearEmbeddingHead", (2, 8), torch.ones(2, 32))):
        with contextlib.suppress(Exception), torch.no_grad():
            if name in among and tuple(student.get(name)(*WORKS_WITH[name])(x).shape) == shape:
                found.add(name)
    return frozenset(found)


@contextlib.contextmanager
def built_models(student: Student, own: frozenset[str], small: bool, watch: Watch) -> Iterator[dict[str, Any]]:
    """Names to put in place: stand-ins for the classes that are not ``own``, and small sizes.

    All models are followed, those too that exist already.
    """
    names: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        for name, role in ROLES.items():
            cls = student.get(name) if student.has(name) else None
            signature = None
            if isinstance(cls, type) and issubclass(cls, nn.Module):
                signature = _signature(cls)
                stack.enter_context(_following(cls, role, watch, signature))
                for module in (value for value in student.values() if isinstance(value, cls)):
                    watch.model(role, module)
            if name not in own:
                names[name] = _followed(getattr(standins, name), role, watch, signature)
        if small and own:
            names |= {size: value for size, value in SMALL_MODEL.items() if student.has(size)}
        yield names


def _signature(cls: type[nn.Module]) -> inspect.Signature | None:
    """Of a class's constructor, without ``self``."""
    try:
        return inspect.signature(cls)
    except (TypeError, ValueError):
        return None


def named_arguments(
    name: str, signature: inspect.Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, int], str]:
    """The whole numbers that a model is built with, by the assignment's names, and why they do not fit its signature.

    A class that takes other arguments than the assignment's is asked by its own signature, and tells no names.
    """
    wanted = NAMES[name]
    if signature is None:
        signature = inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in wanted])
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        return {}, str(error)[:200]
    bound.apply_defaults()
    order = list(bound.arguments)
    if not set(wanted) <= set(order):
        same_length = len(order) == len(wanted)
        order = [wanted[order.index(n)] for n in order] if same_length else order
    given = dict(zip(order, bound.arguments.values(), strict=True))
    return {n: v for n, v in given.items() if n in wanted and type(v) is int and abs(v) < 2**40}, ""


def _followed(cls: type[nn.Module], role: str, watch: Watch, signature: inspect.Signature | None) -> type[nn.Module]:
    """A class like a stand-in whose objects are followed from their making."""

    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        cls.__init__(self, *args, **kwargs)
        watch.model(role, self, named_arguments(cls.__name__, signature, args, kwargs))

    return type(cls.__name__, (cls,), {"__init__": init})


@contextlib.contextmanager
def _following(cls: type[nn.Module], role: str, watch: Watch, signature: inspect.Signature | None) -> Iterator[None]:
    """Follow the objects of a student's class. It stays the same class: its methods may call it by name."""
    original: Callable[..., None] = cls.__init__
    name = next(each for each, known in ROLES.items() if known == role)

    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if type(self) is cls:
            watch.model(role, self, named_arguments(name, signature, args, kwargs))

    cls.__init__ = init  # type: ignore[method-assign]
    try:
        yield
    finally:
        cls.__init__ = original  # type: ignore[method-assign]


def facts(watch: Watch) -> list[dict[str, Any]]:
    """What is told of each model."""
    return [_facts(watch, note) for note in watch.models]


def _facts(watch: Watch, note: Any) -> dict[str, Any]:
    parameters = dict(note.module.named_parameters())
    before = note.before or {}
    return {
        "role": note.role,
        "calls": len(note.modes),
        "train_mode": sum(note.modes),
        "parameters": len(parameters),
        "held": watch.held(note),
        "frozen": sum(not parameter.requires_grad for parameter in parameters.values()),
        "arguments": note.arguments,
        "misfit": note.misfit,
        "weights": [
            {"name": name[:200], "before": _some(before[name]), "after": _some(parameter)}
            for name, parameter in list(parameters.items())[:MAX_WEIGHTS]
            if name in before
        ],
    }


MAX_WEIGHTS = 12  # parameters that are told of a model
KEPT = 4_096  # values kept of each parameter, before and after


def _some(parameter: torch.Tensor) -> Any:
    return describe.plain(parameter.detach().flatten()[:KEPT])
