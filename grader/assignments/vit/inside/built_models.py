"""The ViT and the head that a student's training builds: their own classes, or stand-ins for those that are broken.

Either way the call is the student's: which arguments it gives is noted by the names of the assignment.
"""

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

import torch
from torch import nn

from grader.assignments.vit.inside import standins
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.followed_models import Built, followed, following, named_arguments, signature_of
from grader.torchkit.inside.training_watch import TrainingWatch

ROLES = {"ViT": "vit", "LinearEmbeddingHead": "head"}


def usable(student: Student, among: Collection[str]) -> frozenset[str]:
    """Those of the student's classes that can be built and called as the assignment says; no others are asked."""
    sizes = {"ViT": (28, 14, 1, 32, 1, 2), "LinearEmbeddingHead": (32, 8)}
    inputs, found = {"ViT": torch.zeros(2, 1, 28, 28), "LinearEmbeddingHead": torch.ones(2, 32)}, set()
    shapes = {"ViT": (2, 32), "LinearEmbeddingHead": (2, 8)}
    for name in sizes:
        with contextlib.suppress(Exception), torch.no_grad():
            if name in among and tuple(student.get(name)(*sizes[name])(inputs[name]).shape) == shapes[name]:
                found.add(name)
    return frozenset(found)


@contextlib.contextmanager
def built_models(student: Student, own: frozenset[str], small: bool, watch: TrainingWatch) -> Iterator[dict[str, Any]]:
    """Names to put in place: stand-ins for the classes that are not ``own``, and small sizes.

    All models are followed, those too that exist already.
    """
    names: dict[str, Any] = {}
    small_model = {  # 36: no other size is that; the data set gives the last two
        "hidden_size": 36, "layers": 1, "heads": 2, "patch_size": 14, "in_channels": 1, "image_size": 28,
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        for name, role in ROLES.items():
            cls = _module_class(student, name)
            built = _told(watch, name, cls)
            if cls is not None:
                stack.enter_context(following(cls, built))
                for module in (value for value in student.values() if isinstance(value, cls)):
                    watch.follow(role, module)
            if name not in own:
                names[name] = followed(getattr(standins, name), built)
        if small and own:
            names |= {size: value for size, value in small_model.items() if student.has(size)}
        yield names


def _module_class(student: Student, name: str) -> type[nn.Module] | None:
    """What the student's code calls so, if it is a class of modules."""
    cls = student.get(name) if student.has(name) else None
    return cls if isinstance(cls, type) and issubclass(cls, nn.Module) else None


def _told(watch: TrainingWatch, name: str, cls: type[nn.Module] | None) -> Built:
    """What follows each object of a class of the assignment, or of a stand-in for it, from its making.

    Args:
        cls: the student's own class, whose signature says what the arguments are.
    """
    signature = None if cls is None else signature_of(cls)

    def built(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        arguments = {
            "ViT": ("image_size", "patch_size", "num_channels", "hidden_size", "layers", "heads"),
            "LinearEmbeddingHead": ("hidden_size", "embed_size"),
        }
        watch.follow(ROLES[name], module, *named_arguments(arguments[name], signature, args, kwargs))

    return built
