"""A small training to be watched: a linear model on numbers, no assignment's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from grader.observations import converted
from grader.torchkit.inside.noted_reads import NotedReads
from grader.torchkit.inside.training_facts import training_facts
from grader.torchkit.inside.training_watch import TrainingWatch
from grader.torchkit.training_answers import WatchedTraining

EPOCHS = 6
NO_IMAGES = np.zeros((2, 1, 4, 4), np.float32)


class Numbers(NotedReads, Dataset):
    """(3,) inputs of ten classes."""

    def __init__(self, count: int) -> None:
        self.inputs, self.labels = torch.randn(count, 3), torch.arange(count) % 10
        self.item_count, self.reads, self.looks = count, [], {}

    def __len__(self) -> int:
        return self.item_count

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        self.before_read(index)
        self.note_read(index)
        return self.inputs[index], int(self.labels[index])


def watched(training: Callable[[Numbers, Numbers, TrainingWatch], Any], epochs: int = EPOCHS) -> WatchedTraining:
    """What is told of a training, through its types."""
    torch.manual_seed(0)
    train, test = Numbers(200), Numbers(20)
    watch = TrainingWatch(train, test)
    ended = watch.run(lambda: training(train, test, watch))
    found: WatchedTraining = converted(training_facts(watch, ended, epochs, NO_IMAGES, "model"), WatchedTraining)
    return found


def steps(
    train: Dataset, watch: TrainingWatch, zeroed: bool = True, each_batch: bool = False,
    made: Callable[[torch.optim.Optimizer], Any] = lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 2),
) -> nn.Module:  # fmt: skip
    """Train for all epochs."""
    model = nn.Linear(3, 10)
    watch.follow("model", model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = made(optimizer)
    for _ in range(EPOCHS):
        for inputs, labels in DataLoader(train, 20):
            if zeroed:
                optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
            if each_batch:
                scheduler.step()
        if not each_batch:
            scheduler.step()
        watch.evaluated()
    return model
