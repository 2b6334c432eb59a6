"""Which items a loader can hand out, found from its sampler's indices and its data set; nothing is loaded for it.

A training is watched for a few batches of each epoch. What the others would hold is found by going through the
indices that the sampler gives, and through the data sets that are wrapped in one another down to those that note
their reads. A data set of the student's own is asked for the item, and stopped where it reads one of these.
"""

import bisect
import contextlib
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Subset

from grader.torchkit.inside.noted_reads import NotedReads, OnlyNoted


@dataclass
class ItemsOfLoaders:
    """What loaders can hand out; explained at ``grader.torchkit.training_answers.LoadedItems``."""

    size: int  # of the training set
    could: np.ndarray = field(init=False)  # (size,) bool
    indices: int = 0
    tested: int = 0
    unknown: int = 0
    whole: bool = True
    batch: int = 1
    direct: bool = False
    offered: int = 0

    def __post_init__(self) -> None:
        self.could = np.zeros(self.size, dtype=bool)

    def facts(self, learned: Collection[int]) -> dict[str, Any]:
        """What is told of them.

        Args:
            learned: items of the training set that were learned from.
        """
        mask = np.zeros(self.size, dtype=bool)
        mask[sorted(learned)] = True
        return {"learned": mask, **{name: value for name, value in vars(self).items() if name != "size"}}


def of_loaders(loaders: Iterable[Any], train: NotedReads, test: NotedReads) -> ItemsOfLoaders:
    """What some loaders can hand out."""
    items = ItemsOfLoaders(train.item_count)
    for loader in loaders:
        with contextlib.suppress(Exception):
            _note(loader, items, train, test)
    return items


def is_whole(dataset: Any, train: NotedReads) -> bool:
    """Whether a data set is the training set itself, with all of its items."""
    itself = isinstance(dataset, NotedReads) and dataset.reads is train.reads
    return itself and len(dataset) >= train.item_count  # type: ignore[arg-type]


def _note(loader: Any, items: ItemsOfLoaders, train: NotedReads, test: NotedReads) -> None:
    max_seconds = 1.0  # of the processor, for one loader
    deadline = time.process_time() + max_seconds
    items.batch = max(items.batch, getattr(loader, "batch_size", None) or 1)
    items.direct |= is_whole(loader.dataset, train)
    if type(loader.dataset) is Subset:
        items.offered = max(items.offered, len(set(map(int, loader.dataset.indices))))
    found = _indices(loader, deadline)
    items.whole &= time.process_time() < deadline
    items.indices = max(items.indices, len(found))
    for number, index in enumerate(sorted(found)):
        if number % 500 == 0 and time.process_time() > deadline:
            items.whole = False
            return
        of, row = _item(loader.dataset, index, (train, test))
        if of is train:
            items.could[row] = True
        items.tested += of is test
        items.unknown += of is None


def _indices(loader: Any, deadline: float) -> set[int]:
    """All indices that a loader's sampler gives, in as many passes as bring new ones."""
    found: set[int] = set()
    max_indices = 400_000  # that are looked at of one loader
    max_passes = 15  # over a sampler that draws at random, until no index is new
    for _ in range(max_passes):
        before = len(found)
        for seen, index in enumerate(_one_pass(loader), 1):
            found.add(int(index))
            if seen >= max_indices or (seen % 1_000 == 0 and time.process_time() > deadline):
                return found
        if len(found) == before or len(found) >= len(loader.dataset):
            return found
    return found


def _one_pass(loader: Any) -> Iterator[int]:
    batches = getattr(loader, "batch_sampler", None)
    if batches is None:
        yield from loader.sampler
        return
    for batch in batches:
        yield from batch


def _item(dataset: Any, index: int, sets: tuple[NotedReads, NotedReads]) -> tuple[NotedReads | None, int]:
    """The set that an item is of, None where that is not known, and its row there."""
    own = type(sets[0]).__getitem__  # type: ignore[index]
    while True:
        if isinstance(dataset, NotedReads) and type(dataset).__getitem__ is own:  # type: ignore[index]
            of = next((each for each in sets if each.reads is dataset.reads), None)
            return of, dataset.row(index)
        if type(dataset) is Subset:
            dataset, index = dataset.dataset, int(dataset.indices[index])
        elif type(dataset) is ConcatDataset:
            part = bisect.bisect_right(dataset.cumulative_sizes, index)
            index -= dataset.cumulative_sizes[part - 1] if part else 0
            dataset = dataset.datasets[part]
        else:
            return _asked(dataset, index, sets)


def _asked(dataset: Any, index: int, sets: tuple[NotedReads, NotedReads]) -> tuple[NotedReads | None, int]:
    """Ask a data set for an item, and stop it where it reads one of the sets."""
    for of in sets:
        if (row := _first_read(dataset, index, of)) is not None:
            return of, row
    return None, -1


def _first_read(dataset: Any, index: int, of: NotedReads) -> int | None:
    """The row of a set that is read first for an item; None where none is."""
    count = len(of.reads)
    NotedReads.only_noted = of.reads
    try:
        dataset[index]
    except OnlyNoted:
        return of.reads[-1] if len(of.reads) > count else None
    except Exception:
        return None
    finally:
        NotedReads.only_noted = None
        del of.reads[count:]
    return None
