"""Passes over a ``DataLoader`` that hand out few batches, and of each batch few items.

Shapes: B batch.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass
class Pass:
    """One iteration over a loader.

    Attributes:
        length: batches that the loader says it has.
        yielded: batches handed out so far.
        steps, backwards: of an optimizer, and backward passes, since it began.
        goes_on: it is a part of an endless stream of passes, as long as the student's code makes it.
        under_way: it has been begun and neither been gone through nor left.
        batch: the one that was handed out last.
    """

    length: int
    loader: Any = None
    yielded: int = 0
    steps: int = 0
    backwards: int = 0
    goes_on: bool = False
    under_way: bool = False
    batch: Any = None


class Batches:
    """An iterator over a loader in which another function decides about each batch.

    Args:
        fetch: hands out the next batch of the loader's own iterator, or raises StopIteration.
    """

    def __init__(self, fetch: Callable[[Iterator[Any], Pass], Any], batches: Iterator[Any], current: Pass) -> None:
        self.fetch, self.batches, self.current = fetch, batches, current

    def __iter__(self) -> "Batches":
        return self

    def __next__(self) -> Any:
        try:
            return self.fetch(self.batches, self.current)
        except BaseException:
            self.current.under_way = False
            raise

    def __del__(self) -> None:
        self.current.under_way = False

    def __len__(self) -> int:
        return self.current.length


@dataclass
class EpochCounts:
    """What happened from the first backward pass of one epoch to that of the next.

    An epoch is a pass over a loader. Where batches are taken from an endless stream of passes, it lasts until
    the models are evaluated. What the counts mean is explained at ``grader.torchkit.training_answers.WatchedEpoch``.
    """

    of: Pass
    steps: int = 0
    backwards: int = 0
    stale: int = 0
    empty: int = 0
    arrived: int = 0
    wasted: int = 0
    unstepped: int = 0
    test_batches: int = 0
    evaluations: int = 0
    climbed: int = 0
    entropies: int = 0
    turned: int = 0

    def facts(self) -> dict[str, int]:
        """The counts by name, those of the pass as well."""
        counts = {name: count for name, count in vars(self).items() if name != "of"}
        return {"batches": self.of.yielded, "length": self.of.length, **counts}


@dataclass
class Budget:
    """How long a training is watched.

    Attributes:
        steps: of optimizers, after which it has shown enough.
        planned: epochs that it should take; 0 where that is not known.
        started: when it began, in seconds of the processor.
    """

    steps: int
    planned: int
    started: float = field(default_factory=time.process_time)

    def counts_batches(self, epochs: int) -> bool:
        """Whether so many epochs have come that a training counts batches, which are cut short here, or does not end.

        One that waits for a value has met it by then: the evaluation sees to it.
        """
        many_more = 60
        return self.planned > 0 and epochs > 3 * self.planned + many_more

    def spent(self, epochs: list[EpochCounts], batches: int, long_epochs: int) -> bool:
        """Whether it has shown enough.

        Args:
            epochs: those that have begun.
            batches: that were handed out in all of them.
            long_epochs: as many are watched however long they take.
        """
        counts = self.counts_batches(len(epochs))
        max_seconds = 30.0 if counts else 10.0
        if len(epochs) > long_epochs and time.process_time() - self.started > max_seconds:
            return True
        if counts:
            return batches > max(self.steps, (self.planned + 2) * epochs[0].of.length)
        return sum(epoch.steps for epoch in epochs) >= self.steps


def shown_enough(current: Pass, epochs: list[EpochCounts], long_epochs: int, optimized: bool) -> bool:
    """Whether a pass may end: fewer batches are needed the more epochs were seen.

    Args:
        epochs: those that have begun.
        long_epochs: as many of them are given more batches than those after them.
        optimized: whether an optimizer has taken a step.
    """
    done = len(epochs)
    batches, steps = (5, 2) if done <= long_epochs else (2, 1) if done <= 5 else (1, 1)
    if current.yielded < batches:
        return False
    max_batches = 40  # of one pass, however few steps it takes
    if current.yielded >= max_batches or current.backwards == 0:
        return True
    if done == 1 and epochs[0].unstepped:  # a step is due, which may never come
        return False
    return current.steps >= steps or (done > 1 and not optimized)


def thinned(batch: Any, per_class: int) -> Any:
    """Keep the first few items of each class, in order: losses over all triplets are slow on large batches.

    Args:
        batch: [inputs, labels (B,)]; anything else is returned as it is.
    """
    labels = batch[1] if isinstance(batch, list | tuple) and len(batch) == 2 else None
    if not isinstance(labels, Tensor) or labels.dim() != 1:
        return batch
    same = (labels[:, None] == labels[None, :]).long()  # (B, B)
    kept = same.tril().sum(1) <= per_class  # (B,) how many of its class have come, itself included
    return [_rows(batch[0], kept, len(labels)), labels[kept]]


def _rows(part: Any, kept: Tensor, size: int) -> Any:
    if isinstance(part, Tensor) and part.dim() > 0 and len(part) == size:
        return part[kept]
    return [_rows(item, kept, size) for item in part] if isinstance(part, list | tuple) else part
