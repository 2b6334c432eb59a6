"""The names that a notebook has from its set-up cells: two data sets, two loaders, the classes.

They let definitions such as ``classes = train_dataset.classes`` or a normalisation computed from
``train_dataset.data`` be executed; a probe that trains puts its own in their place.
"""

from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from grader.assignments.vit.inside.datasets import Garments, to_tensor
from grader.sandbox.inside import shared, student


class ProvidedSet(Garments):
    """A half of FashionMNIST, copied only when its images are looked at; test images have no labels here.

    Args:
        train: which half.
    """

    def __init__(self, train: bool) -> None:
        self.root, self.train = "data", train
        self.transform, self.target_transform = to_tensor, None
        self.reads = []
        images = shared.ARRAYS.get("train_images" if train else "test_images")
        self._images = np.zeros((20, 28, 28), np.uint8) if images is None else images
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

    def __len__(self) -> int:
        return len(self._images)


def names() -> dict[str, Any]:
    """The names that a notebook's set-up cells define, each with what it stands for."""
    train, test = ProvidedSet(True), ProvidedSet(False)
    return {
        "train_dataset": train,
        "test_dataset": test,
        "train_loader": DataLoader(train, 64, shuffle=True),
        "test_loader": DataLoader(test, 64),
        "classes": list(train.classes),
        "num_classes": len(train.classes),
    }


student.PROVIDERS.append(names)
