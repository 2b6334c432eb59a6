"""The form in which a student's ViT returns its features: alone, as the contract says, or as tokens, in a tuple, in an object.

A ViT that returns another form than the contract's loses its own criterion. Functions that are written to fit it are
asked with a stand-in of the same form, and lose nothing.

Shapes: B batch, T tokens, D hidden size.
"""

import contextlib
import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from grader.sandbox.inside.student import Student

B, D = 3, 32
Form = Callable[[Tensor], Any]  # (B, D) features → what a ViT of this form returns in their place


def own_form(student: Student) -> Form | None:
    """How the student's ViT returns features; None where it does so as the contract says, or cannot be asked."""
    with contextlib.suppress(Exception), torch.no_grad():
        example = student.get("ViT")(28, 14, 1, D, 1, 2)(torch.zeros(B, 1, 28, 28))
        if not isinstance(example, Tensor) or example.shape != (B, D):
            return partial(_formed, example)
    return None


def _formed(example: Any, features: Tensor, depth: int = 3) -> Any:
    """Put features (B, D) wherever an example, which a ViT returned, holds features or tokens.

    All tokens are the same feature: it comes out whichever the student's code takes of them.
    """
    if isinstance(example, Tensor):
        if example.ndim == 3 and example.shape[::2] == (B, D):
            return features[:, None].repeat(1, example.shape[1], 1)  # (B, T, D)
        if example.shape[1:] == (B, D):
            return features.repeat(len(example), 1, 1)  # (T, B, D)
        return features if example.shape == (B, D) else example  # such as the weights of attention
    if not depth:
        return example
    if isinstance(example, tuple | list):
        parts = [_formed(part, features, depth - 1) for part in example]
        return type(example)(*parts) if hasattr(example, "_fields") else type(example)(parts)
    made = copy.copy(example)
    held = made if isinstance(made, dict) else getattr(made, "__dict__", {})
    held.update({name: _formed(part, features, depth - 1) for name, part in held.items()})
    return made


class HeadOfOutput(nn.Module):
    """A head on what a ViT returns: on the feature of [CLS], where the head does not take the output as it comes."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, output: Any) -> Any:
        with contextlib.suppress(Exception):
            made = self.head(output)
            if not isinstance(made, Tensor) or made.ndim == 2:
                return made
        while isinstance(output, tuple | list) and output:
            output = output[0]
        return self.head(output[:, 0] if isinstance(output, Tensor) and output.ndim == 3 else output)
