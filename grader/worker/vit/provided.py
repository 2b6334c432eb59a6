"""The names that a notebook has from its set-up cells: two data sets, two loaders, the classes.

They stand for a handful of blank images, so that definitions such as ``classes = train_dataset.classes``
can be executed; a probe that trains puts its own in their place.
"""

from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from grader.worker import student
from grader.worker.vit.datasets import Garments


def names() -> dict[str, Any]:
    """Name → object."""
    images, labels = np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10
    train, test = Garments(images, labels), Garments(images, labels, train=False)
    return {
        "train_dataset": train,
        "test_dataset": test,
        "train_loader": DataLoader(train, 10, shuffle=True),
        "test_loader": DataLoader(test, 10),
        "classes": list(train.classes),
        "num_classes": len(train.classes),
    }


student.PROVIDERS.append(names)
