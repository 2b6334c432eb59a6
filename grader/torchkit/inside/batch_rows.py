"""Follows the rows of a batch from the loader through the models to the loss: whether the labels are still theirs.

Shapes: B batch, E embedding size.
"""

from typing import Any

import torch
from torch import Tensor, nn

from grader.torchkit.inside.same_rows import same_labels, same_rows


class BatchRows:
    """The batch that was handed out last, and what models made of it."""

    def __init__(self) -> None:
        self._images: Tensor | None = None
        self._labels: Tensor | None = None
        self._whole = False  # a model was given just these images, in this order
        self._outputs: list[Tensor] = []

    def begin(self, batch: Any) -> None:
        """Note a batch of a loader: a pair of images (B, ...) and labels (B,) is followed, another kind is not."""
        self._images = self._labels = None
        self._whole, self._outputs = False, []
        pair = batch if isinstance(batch, list | tuple) and len(batch) == 2 else (None, None)
        images, labels = pair
        if isinstance(images, Tensor) and isinstance(labels, Tensor) and labels.shape == images.shape[:1]:
            self._images, self._labels = images.detach().clone(), labels.detach().clone()

    def enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note what a model is given; a forward pre-hook."""
        given = inputs[0] if inputs else None
        if self._images is not None and isinstance(given, Tensor) and given.dim() == self._images.dim():
            self._whole = given.shape == self._images.shape and torch.equal(given.detach(), self._images)

    def leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """Note what a model made of it; a forward hook."""
        max_outputs = 4  # of the models of one batch
        if self._whole and isinstance(output, Tensor) and output.dim() == 2:
            self._outputs = [*self._outputs[1 - max_outputs :], output.detach()]

    def mislabelled(self, embeddings: Tensor, labels: Any) -> bool | None:
        """Whether a loss is given other labels than those of the images; None where that cannot be told.

        Args:
            embeddings: (B, E), those that a model made of the whole batch, in its order: others cannot be told.
            labels: what the loss is given with them; classes may have other names.
        """
        if self._labels is None or not isinstance(labels, Tensor) or labels.numel() != len(self._labels):
            return None
        if not any(same_rows(embeddings.detach(), output) for output in self._outputs):
            return None
        return not same_labels(labels, self._labels)
