"""Follows images from the data sets through the models to the loss: which they are, and whether the labels are still theirs.

Shapes: B rows of a batch, E embedding size.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grader.torchkit.inside.noted_reads import UNKNOWN, NotedReads, pixels_of
from grader.torchkit.inside.same_rows import same_labels, same_rows


class BatchRows:
    """The images that were handed out last, and what models made of them.

    Args:
        sets: data sets whose images are known whoever hands them out: their items are numbered on, set after set.

    Attributes:
        learned: items whose embeddings losses were given.
    """

    max_kept = 4  # batches, and outputs of models
    min_known = 0.25  # share of the rows of a batch: fewer say nothing

    def __init__(self, *sets: NotedReads) -> None:
        self.sets = sets
        self.learned: set[int] = set()
        self._batches: list[dict[int, int]] = []  # by an image's pixels, its label
        self._known: Tensor | None = None  # (B, 2) label and item of what a model is given
        self._outputs: list[tuple[Tensor, Tensor]] = []  # what models made of images, and what is known of these

    def __deepcopy__(self, memo: dict[int, Any]) -> "BatchRows":
        """Those of a model that is copied: hooks of its own, the same sets, whatever was handed out before forgotten."""
        twin = BatchRows(*self.sets)
        twin.learned = self.learned
        return twin

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """What is pickled with a model that is saved as a whole: no data sets."""
        return BatchRows, ()

    def begin(self, batch: Any) -> None:
        """Note a batch of a loader: a pair of images (B, ...) and labels (B,) is followed, another kind is not."""
        images, labels = batch if isinstance(batch, list | tuple) and len(batch) == 2 else (None, None)
        if not isinstance(images, Tensor) or not isinstance(labels, Tensor) or labels.is_floating_point():
            return
        if labels.shape == images.shape[:1]:
            self._batches.append(dict(zip(map(pixels_of, images), labels.tolist(), strict=True)))
            del self._batches[: -self.max_kept]

    def enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note what a model is given; a forward pre-hook."""
        given = inputs[0] if inputs else None
        if not (self._batches or any(each.looks for each in self.sets)):
            return
        if not isinstance(given, Tensor) or given.dim() < 3:
            return  # features of another model, which has noted what they are features of
        self._known = torch.tensor([self._what(pixels_of(image)) for image in given]).reshape(-1, 2)
        if not module.training:  # it is evaluated, perhaps without no_grad
            self._known[:, 1] = UNKNOWN

    def _what(self, pixels: int) -> tuple[int, int]:
        """The label and the item of an image: by the set that it is of, else the label that a loader gave with it."""
        first = 0
        for each in self.sets:
            if pixels in each.looks:
                index, label = each.looks[pixels]
                return label, UNKNOWN if index == UNKNOWN else first + index
            first += each.item_count
        return next((labels[pixels] for labels in reversed(self._batches) if pixels in labels), UNKNOWN), UNKNOWN

    def leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """Note what a model made of it; a forward hook."""
        if self._known is not None and isinstance(output, Tensor) and output.shape[:-1] == self._known.shape[:1]:
            self._outputs = [*self._outputs[1 - self.max_kept :], (output.detach(), self._known)]

    def mislabelled(self, embeddings: Tensor, labels: Any) -> bool | None:
        """Whether a loss is given other labels than those of the images; None where that cannot be told.

        Args:
            embeddings: (B, E), some of them what a model made of images, in any order.
            labels: what the loss is given with them; classes may have other names.
        """
        if not isinstance(labels, Tensor) or embeddings.dim() != 2 or labels.numel() != len(embeddings):
            return None
        found = self._known_of(embeddings.detach())
        self.learned |= set(found[:, 1].tolist()) - {UNKNOWN}
        true = found[:, 0]
        known = true != UNKNOWN
        if not len(true) or known.float().mean() < self.min_known:
            return None
        return not same_labels(labels.detach().flatten().cpu()[known], true[known])

    def _known_of(self, embeddings: Tensor) -> Tensor:
        """(B, 2) the labels and items of the images that rows are embeddings of."""
        outputs = [(out, known) for out, known in self._outputs if out.shape[1] == embeddings.shape[1]]
        if outputs:
            rows, known = (torch.cat([part.cpu() for part in parts]) for parts in zip(*outputs, strict=True))
            found = _known_among(embeddings, rows, known)
            if (found[:, 0] != UNKNOWN).float().mean() >= self.min_known:  # else they were changed on the way
                return found
        in_order = (known for output, known in reversed(outputs) if same_rows(embeddings, output))
        return next(in_order, torch.full((len(embeddings), 2), UNKNOWN))


def _known_among(embeddings: Tensor, rows: Tensor, known: Tensor) -> Tensor:
    """(B, 2) label and item of the row that each embedding is, scaled as may be; UNKNOWN where none is, or several are.

    Args:
        rows: (R, E).
        known: (R, 2).
    """
    a, b = (F.normalize(torch.nan_to_num(part.cpu().double())) for part in (embeddings, rows))
    rounding, apart = 1e-6, 1e-5
    distances, labels = torch.cdist(a, b), known[:, 0]  # (B, R), (R,)
    near = distances < apart
    least = torch.where(near, labels, labels.max()).amin(1)
    most = torch.where(near, labels, labels.min()).amax(1)
    clear = (distances.amin(1) < rounding) & (least == most)
    return torch.where(clear[:, None], known[distances.argmin(1)], UNKNOWN)
