"""Follows the images of batches from the loader through the models to the loss: whether the labels are still theirs.

Shapes: B rows of a batch, E embedding size.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grader.torchkit.inside.same_rows import same_labels, same_rows

UNKNOWN_LABEL = -1  # the label of an image that no loader gave


class BatchRows:
    """The images that were handed out last, and what models made of them."""

    max_kept = 4  # batches, and outputs of models
    min_known = 0.25  # share of the rows of a batch: fewer say nothing

    def __init__(self) -> None:
        self._batches: list[dict[bytes, int]] = []  # by an image's pixels, its label
        self._labels: Tensor | None = None  # (B,) of what a model is given
        self._outputs: list[tuple[Tensor, Tensor]] = []  # what models made of images, and their labels

    def begin(self, batch: Any) -> None:
        """Note a batch of a loader: a pair of images (B, ...) and labels (B,) is followed, another kind is not."""
        images, labels = batch if isinstance(batch, list | tuple) and len(batch) == 2 else (None, None)
        if not isinstance(images, Tensor) or not isinstance(labels, Tensor) or labels.is_floating_point():
            return
        if labels.shape == images.shape[:1]:
            self._batches.append(dict(zip(_pixels(images), labels.tolist(), strict=True)))
            del self._batches[: -self.max_kept]

    def enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note what a model is given; a forward pre-hook."""
        given = inputs[0] if inputs else None
        if not self._batches or not isinstance(given, Tensor) or given.dim() < 3:
            return  # features of another model, which has noted what they are features of
        known: dict[bytes, int] = {}
        for labels in self._batches:
            known |= labels
        self._labels = torch.tensor([known.get(pixels, UNKNOWN_LABEL) for pixels in _pixels(given)])

    def leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """Note what a model made of it; a forward hook."""
        if self._labels is not None and isinstance(output, Tensor) and output.shape[:-1] == self._labels.shape:
            self._outputs = [*self._outputs[1 - self.max_kept :], (output.detach(), self._labels)]

    def mislabelled(self, embeddings: Tensor, labels: Any) -> bool | None:
        """Whether a loss is given other labels than those of the images; None where that cannot be told.

        Args:
            embeddings: (B, E), some of them what a model made of images, in any order.
            labels: what the loss is given with them; classes may have other names.
        """
        if not isinstance(labels, Tensor) or embeddings.dim() != 2 or labels.numel() != len(embeddings):
            return None
        true = self._labels_of(embeddings.detach())
        known = true != UNKNOWN_LABEL
        if not len(true) or known.float().mean() < self.min_known:
            return None
        return not same_labels(labels.detach().flatten().cpu()[known], true[known])

    def _labels_of(self, embeddings: Tensor) -> Tensor:
        """(B,) the labels of the images that rows are embeddings of."""
        outputs = [(out, labels) for out, labels in self._outputs if out.shape[1] == embeddings.shape[1]]
        if outputs:
            rows, labels = (torch.cat([part.cpu() for part in parts]) for parts in zip(*outputs, strict=True))
            found = _labels_among(embeddings, rows, labels)
            if (found != UNKNOWN_LABEL).float().mean() >= self.min_known:  # else they were changed on the way
                return found
        in_order = (labels for output, labels in reversed(outputs) if same_rows(embeddings, output))
        return next(in_order, torch.full((len(embeddings),), UNKNOWN_LABEL))


def _pixels(images: Tensor) -> list[bytes]:
    rows = images.detach().cpu().float().contiguous()
    return [row.numpy().tobytes() for row in rows]


def _labels_among(embeddings: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
    """(B,) the label of the row that each embedding is, scaled as may be; UNKNOWN_LABEL where none is, or several are.

    Args:
        rows: (R, E).
        labels: (R,).
    """
    a, b = (F.normalize(torch.nan_to_num(part.cpu().double())) for part in (embeddings, rows))
    rounding, apart = 1e-6, 1e-5
    distances = torch.cdist(a, b)  # (B, R)
    near = distances < apart
    least = torch.where(near, labels, labels.max()).amin(1)
    most = torch.where(near, labels, labels.min()).amax(1)
    clear = (distances.amin(1) < rounding) & (least == most)
    return torch.where(clear, least, UNKNOWN_LABEL)
