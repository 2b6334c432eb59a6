"""Data sets that note which of their items are read, and what they look like."""

from typing import ClassVar

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from grader.sandbox.inside import faults
from grader.torchkit.inside.calls import tensor

UNKNOWN = -1  # in the place of an index or a label


class OnlyNoted(BaseException):
    """Ends the reading of an item as soon as it is known which one is read; no ``except Exception`` catches it."""


class NotedReads:
    """To be mixed into a data set, whose ``__getitem__`` calls ``before_read`` first and ``note_read`` at its end.

    Attributes:
        item_count: how many items it was made with.
        reads: index of every item that was read, in order; a copy of the data set shares the list.
        looks: by the pixels of an image that was handed out, its index, or UNKNOWN, and its label; a copy of the data set
            shares them.
        only_noted: the ``reads`` of the data set whose items are noted and not handed out just now.
    """

    only_noted: ClassVar[list[int] | None] = None
    item_count: int
    reads: list[int]
    looks: dict[int, tuple[int, int]]

    def before_read(self, index: int) -> None:
        """End the reading of an item here, where it is only to be noted.

        Raises:
            OnlyNoted: it is.
        """
        if self.reads is NotedReads.only_noted:
            self.note_read(index)
            raise OnlyNoted

    def note_read(self, index: int) -> None:
        """Note that an item was read."""
        self.reads.append(self.row(index))

    def row(self, index: int) -> int:
        """The number that an item had when the data set was made."""
        return index % self.item_count

    def note_looks(self, image: object, index: int, label: int) -> None:
        """Note what is handed out as the image of an item, if that is a tensor."""
        max_looks = 100_000
        if isinstance(image, Tensor) and len(self.looks) < max_looks:
            self.looks[pixels_of(image)] = index, label


def pixels_of(image: Tensor) -> int:
    """A number that is the same for the same pixels, whatever the shape of the image is."""
    return hash(image.detach().cpu().float().contiguous().numpy().tobytes())


class NotedPairs(Dataset, NotedReads):
    """Pairs of arrays' rows that note which of them are read, as tensors.

    Args:
        x, y: (n, …) each.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x, self.y = tensor(x), tensor(y)
        self.reads, self.looks, self.item_count = [], {}, len(x)

    def __len__(self) -> int:
        return self.item_count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        faults.step()
        self.before_read(int(index))
        self.note_read(int(index))
        x, y = self.x[int(index)], self.y[int(index)]
        if not y.dim():
            self.note_looks(x, int(index), int(y))
        return x, y
