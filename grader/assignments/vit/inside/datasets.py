"""Small data sets that look like torchvision's FashionMNIST, and note which of their items are read."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision import datasets

from grader.assignments.vit.inside.constants import MEAN, STD
from grader.sandbox.inside import faults
from grader.torchkit.inside.noted_reads import UNKNOWN, NotedReads


def to_tensor(image: Any) -> Tensor:
    """A plain transform of the worker's own: PIL image, mode L → (1, 28, 28) float tensor, normalised."""
    return _normalised(torch.from_numpy(np.array(image)))


class Garments(datasets.FashionMNIST, NotedReads):
    """FashionMNIST from arrays instead of files; nothing is downloaded or looked up.

    torchvision's class comes first, so that an object of it can become one of these.

    Subclassing torchvision's class gives ``classes``, ``class_to_idx`` and whatever else student code may
    expect of it.

    Args:
        images: (n, 28, 28) uint8.
        labels: (n,) integers.
        train: which half of FashionMNIST it stands for.
        transform: PIL image → anything; None hands out PIL images, as torchvision does.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        train: bool = True,
        transform: Callable[[Any], Any] | None = to_tensor,
    ) -> None:
        self.root, self.train = "data", train
        self.transform = transform
        self.target_transform: Callable[[Any], Any] | None = None
        self.data = torch.from_numpy(np.array(images, dtype=np.uint8))
        self.targets = torch.from_numpy(np.array(labels, dtype=np.int64))
        self.reads, self.looks = [], {}
        self._given, self.item_count = (self.data, self.targets), len(images)
        self._rows: dict[int, int] = {}  # by the pixels of an image as it was given, its number
        self._ready: tuple[list[Tensor], list[int]] | None = None  # all items, as the plain transform gives them

    def __getitem__(self, index: int) -> tuple[Any, int]:
        faults.step()
        index = int(index)
        self.before_read(index)
        item: tuple[Any, int]
        if self._plain():
            item = self._fast(index)
        else:
            picture = Image.fromarray(self.data[index].numpy())
            item = self.transform(picture) if self.transform is not None else picture, int(self.targets[index])
        self.note_read(index)
        self.note_looks(item[0], *self._known(index))
        return item if self.target_transform is None else (item[0], self.target_transform(item[1]))

    def __getitems__(self, indices: list[int]) -> list[tuple[Any, int]]:
        """The items of a batch, as a ``DataLoader`` asks for them: at once, where nothing of the student's makes one."""
        own = type(self).__getitem__ is Garments.__getitem__ and self.target_transform is None
        if not own or not self._plain() or self.reads is NotedReads.only_noted:
            return [self[index] for index in indices]
        faults.step()
        rows = torch.tensor([int(index) for index in indices], dtype=torch.int64)
        images, labels = _normalised(self.data[rows]).transpose(0, 1), self.targets[rows].tolist()
        for index, image in zip(rows.tolist(), images, strict=True):
            self.note_read(index)
            self.note_looks(image, *self._known(index))
        return list(zip(images, labels, strict=True))

    def row(self, index: int) -> int:
        """The number that an item had at first; other images in their place count by where they stand."""
        row = self._found(index)
        return super().row(index) if row is None else row

    def _found(self, index: int) -> int | None:
        """The number that an item's image had at first; None where it was not among them, or they are alike."""
        data = self._given[0]
        if self.data is data:
            return super().row(index)
        if not self._rows:
            self._rows.update((hash(image.tobytes()), row) for row, image in enumerate(data.numpy()))
        if len(self._rows) < self.item_count:
            return None
        return self._rows.get(hash(np.asarray(self.data[index]).tobytes()))

    def _known(self, index: int) -> tuple[int, int]:
        """The number of an item and its label, as they were given; of images that were put in their place, the label alone."""
        row = self._found(index)
        return (UNKNOWN, int(self.targets[index])) if row is None else (row, int(self._given[1][row]))

    def _plain(self) -> bool:
        """Whether items are as they were given, through the plain transform."""
        max_computed = 10_000  # items that are computed in advance, all at once
        unchanged = self.data is self._given[0] and self.targets is self._given[1]
        return unchanged and self.transform is to_tensor and self.item_count <= max_computed

    def _fast(self, index: int) -> tuple[Tensor, int]:
        """The same values without the way through PIL, computed once."""
        inputs, labels = self._computed()
        return inputs[index].clone(), labels[index]  # whoever gets it may change it in place

    def _computed(self) -> tuple[list[Tensor], list[int]]:
        if self._ready is None:
            self._ready = list(_normalised(self.data).transpose(0, 1)), self.targets.tolist()
        return self._ready

    def inputs(self) -> Tensor:
        """(n, 1, 28, 28) what all items give a model."""
        if self._plain():
            return _normalised(self.data).transpose(0, 1)
        return torch.stack([self[i][0] for i in range(len(self))])

    def __len__(self) -> int:
        return self.item_count if self.data is self._given[0] else len(self.data)

    def __repr__(self) -> str:
        split = "Train" if self.train else "Test"
        return f"Dataset FashionMNIST\n    Number of datapoints: {len(self)}\n    Split: {split}"


def _normalised(image: Tensor) -> Tensor:
    return image.float().div_(255.0).sub_(MEAN).div_(STD).unsqueeze(0)


@contextlib.contextmanager
def in_place_of_fashion_mnist(train: Garments, test: Garments, always_tensors: bool) -> Iterator[None]:
    """Let every FashionMNIST that is built be one of these sets, its transform the plain one, if it has any.

    Args:
        always_tensors: a set without a transform has the plain one, too: the student's is still to be written, or given.
    """
    original, sets = datasets.FashionMNIST.__init__, {True: train, False: test}

    def init(self: Any, root: Any = None, train: bool = True, transform: Any = None, target_transform: Any = None,
             download: bool = False) -> None:  # fmt: skip
        vars(self).update(vars(sets[bool(train)]))
        self.transform = None if transform is None and not always_tensors else to_tensor
        self.target_transform = target_transform
        cls = type(self)
        self.__class__ = Garments if cls is datasets.FashionMNIST else type(cls.__name__, (cls, Garments), {})

    datasets.FashionMNIST.__init__ = init  # type: ignore[method-assign]
    try:
        yield
    finally:
        datasets.FashionMNIST.__init__ = original  # type: ignore[method-assign]
