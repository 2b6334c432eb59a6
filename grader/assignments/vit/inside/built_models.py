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
from grader.torchkit.inside.building import module_class
from grader.torchkit.inside.followed_models import followed, following, named_arguments, signature_of, whole_numbers
from grader.torchkit.inside.model_calls import ModelCalls, try_one_image
from grader.torchkit.inside.training_watch import StopTraining, TrainingWatch

ROLES = {"ViT": "vit", "LinearEmbeddingHead": "head"}
# The second is for whoever has the first number already: so each of these differs from the student's own.
SMALL_SIZES = {
    "hidden_size": (36, 24),
    "layers": (1, 2),
    "heads": (2, 1),  # in the place of batch_size too small for triplets
    "patch_size": (14, 7),
    "embed_size": (20, 28),
}
GIVEN_SIZES = {"in_channels": 1, "image_size": 28}  # by the data set


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


def own_sizes(student: Student) -> dict[str, int]:
    """The whole numbers that the student's code calls as a ViT's and a head's sizes are called."""
    values = {name: student.get(name) for name in (*SMALL_SIZES, *GIVEN_SIZES) if student.has(name)}
    return whole_numbers(values)


def small_sizes(student: Student) -> dict[str, int]:
    """Numbers to put in place of these, whatever they are: they make a model small."""
    own = own_sizes(student)
    small = {name: other if own.get(name) == first else first for name, (first, other) in SMALL_SIZES.items()}
    return {name: size for name, size in (small | GIVEN_SIZES).items() if student.has(name)}


@contextlib.contextmanager
def built_models(
    student: Student, own: frozenset[str], watch: TrainingWatch, calls: ModelCalls, only_built: bool, any_width: bool
) -> Iterator[dict[str, Any]]:
    """Stand-ins for the classes that are not ``own``, by name.

    All models are followed, those too that exist already.

    Args:
        calls: notes the calls that build them.
        only_built: end the training when the student's own ViT is first called.
        any_width: a stand-in for the head takes features of another width than it is built for.
    """
    names: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        for name, role in ROLES.items():
            cls = module_class(student, name)
            told = _Told(watch, calls, name, cls, only_built and name == "ViT" and name in own)
            if cls is not None:
                stack.enter_context(following(cls, told.built, told.refused))
                for module in (value for value in student.values() if isinstance(value, cls)):
                    watch.follow(role, module)
            if name not in own:
                of_any_width = any_width and role == "head"
                stand_in = standins.HeadOfAnyWidth if of_any_width else getattr(standins, name)
                names[name] = followed(stand_in, told.built)
        yield names


class _Told:
    """What follows each object of a class of the assignment, or of a stand-in for it, from its making.

    Args:
        cls: the student's own class, whose signature says what the arguments are.
        ends: end the training when an object is first called.
    """

    def __init__(
        self, watch: TrainingWatch, calls: ModelCalls, name: str, cls: type[nn.Module] | None, ends: bool
    ) -> None:
        self.watch, self.calls, self.name, self.ends = watch, calls, name, ends
        arguments = {
            "ViT": ("image_size", "patch_size", "num_channels", "hidden_size", "layers", "heads"),
            "LinearEmbeddingHead": ("hidden_size", "embed_size"),
        }
        self.wanted, self.signature = arguments[name], None if cls is None else signature_of(cls)

    def built(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        call = self.calls.note(self.name, self.wanted, self.signature, args, kwargs)
        self.watch.follow(ROLES[self.name], module, *named_arguments(self.wanted, self.signature, args, kwargs))
        if self.ends:
            self._end_when_called(module, call)

    def refused(self, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> None:
        self.calls.note(self.name, self.wanted, self.signature, args, kwargs, error)

    def _end_when_called(self, module: nn.Module, call: dict[str, Any]) -> None:
        def end(called: nn.Module, inputs: tuple[Any, ...]) -> None:
            if not self.watch.running:  # such as a picture above the training
                return
            hook.remove()
            try_one_image(module, inputs, call)
            raise StopTraining

        hook = module.register_forward_pre_hook(end)
