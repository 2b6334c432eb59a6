"""Calls of model classes in student code: what they are given, where they stand, and what they raise."""

import inspect
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from grader.sandbox.inside import describe
from grader.torchkit.inside.followed_models import bound_arguments, whole_numbers


class ModelCalls:
    """Notes of the calls of one training, each as ``grader.torchkit.training_answers.ModelCall`` explains it."""

    def __init__(self) -> None:
        self.facts: list[dict[str, Any]] = []

    def note(
        self, name: str, wanted: Sequence[str], signature: inspect.Signature | None, args: tuple[Any, ...],
        kwargs: dict[str, Any], error: Exception | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Note a call of the class ``name``; the other arguments are those of ``bound_arguments``.

        Args:
            error: what its constructor raised.
        """
        bound, _ = bound_arguments(wanted, signature, args, kwargs)
        numbers = whole_numbers(bound)
        call: dict[str, Any] = {
            "name": name,
            "words": f"{name}({', '.join([*map(_shown, args), *(f'{k}={_shown(v)}' for k, v in kwargs.items())])})"[
                :500
            ],
            "arguments": numbers,
            "others": {each: _shown(value) for each, value in bound.items() if each not in numbers},
            "frame": _caller(),
            "raised": None if error is None else describe.exception(error),
            "image": [],
        }
        max_calls = 20  # that are told of
        if len(self.facts) < max_calls:
            self.facts.append(call)
        return call


def try_one_image(module: nn.Module, inputs: tuple[Any, ...], call: dict[str, Any]) -> None:
    """Note what a model raises on the first image of what it is called with, if anything."""
    images = inputs[0] if inputs else None
    if not isinstance(images, Tensor) or images.dim() != 4 or not len(images):
        return
    try:
        with torch.no_grad():
            module.eval()(images[:1])
    except Exception as error:
        call |= {"raised": describe.exception(error), "image": [1, *images.shape[1:]]}


def _shown(value: Any) -> str:
    """A plain value as it is written; the type of anything else."""
    plain = isinstance(value, bool | int | float | str | None) or type(value) in (tuple, list)
    max_characters = 40  # characters of one argument
    return repr(value)[:max_characters] if plain else type(value).__name__[:max_characters]


def _caller() -> dict[str, Any] | None:
    """The line of student code that is under way."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not describe.is_students(frame.f_code.co_filename):
        frame = frame.f_back
    return None if frame is None else describe.frame(frame)
