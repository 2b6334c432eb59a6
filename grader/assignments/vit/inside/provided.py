"""The names that a notebook has from its set-up cells: two data sets, two loaders, the classes, and FashionMNIST itself.

They let definitions such as ``classes = train_dataset.classes`` or a normalisation computed from
``FashionMNIST(root, download=True).data`` be executed; a probe that trains puts its own in their place.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from grader.assignments.vit.inside.constants import MEAN, STD
from grader.assignments.vit.inside.datasets import Garments, to_tensor
from grader.sandbox.inside import faults, shared, student


class ProvidedSet(Garments):
    """A half of FashionMNIST, copied only when its images are looked at; test images have no labels here.

    Args:
        train: which half.
        transform, target_transform: as torchvision's.
    """

    def __init__(
        self,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self.root, self.train = "data", train
        self.transform, self.target_transform = transform, target_transform
        self.reads, self.looks = [], {}
        images = shared.ARRAYS.get("train_images" if train else "test_images")
        self._images = _of_usual_brightness() if images is None else images
        labels = shared.ARRAYS.get("train_labels") if train else None
        self._labels = np.zeros(len(self._images), np.int64) if labels is None else labels
        self._given, self.item_count = (None, None), len(self._images)  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if name == "data":
            self.data = torch.from_numpy(np.array(self._images))
            return self.data
        if name == "targets":
            self.targets = torch.from_numpy(np.array(self._labels, dtype=np.int64))
            return self.targets
        raise AttributeError(name)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """As torchvision's; without the way through PIL, where a whole pass over the data only makes tensors."""
        if not _only_makes_tensors(self.transform) or self.target_transform is not None:
            return super().__getitem__(index)
        faults.step()
        return self.data[index].float().div(255).unsqueeze(0), int(self.targets[index])

    def _found(self, index: int) -> None:
        """No item is told from others."""

    def note_looks(self, image: object, index: int, label: int) -> None:
        """Note nothing: what a notebook reads before its trainings is not followed."""

    def __len__(self) -> int:
        return len(self._images)


def _only_makes_tensors(transform: Any) -> bool:
    if type(transform) is transforms.Compose and len(transform.transforms) == 1:
        transform = transform.transforms[0]
    return type(transform) is transforms.ToTensor


def _of_usual_brightness() -> np.ndarray:
    """(20, 28, 28) what stands for images where none are at hand: their mean and standard deviation are FashionMNIST's."""
    pixels = np.random.default_rng(1).permutation(20 * 28 * 28)
    bright = MEAN + STD**2 / MEAN  # a pixel is dark, or as bright as this
    return np.where(pixels < len(pixels) * MEAN / bright, round(255 * bright), 0).astype(np.uint8).reshape(20, 28, 28)


def _fashion_mnist(self: Any, root: Any = None, train: bool = True, transform: Any = None, target_transform: Any = None,
                   download: bool = False) -> None:  # fmt: skip
    """The constructor of torchvision's class, for student code: the images are here already."""
    vars(self).update(vars(ProvidedSet(bool(train), transform, target_transform)), root=root)
    cls = type(self)
    self.__class__ = ProvidedSet if cls is datasets.FashionMNIST else type(cls.__name__, (cls, ProvidedSet), {})


def names() -> dict[str, Any]:
    """The names that a notebook's set-up cells define, each with what it stands for."""
    datasets.FashionMNIST.__init__ = _fashion_mnist  # type: ignore[method-assign]
    train, test = ProvidedSet(True, to_tensor), ProvidedSet(False, to_tensor)
    return {
        "FashionMNIST": datasets.FashionMNIST,
        "train_dataset": train,
        "test_dataset": test,
        "train_loader": DataLoader(train, 64, shuffle=True),
        "test_loader": DataLoader(test, 64),
        "classes": list(train.classes),
        "num_classes": len(train.classes),
    }


student.PROVIDERS.append(names)
