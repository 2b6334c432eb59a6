"""Which items a loader can hand out: from its sampler's indices and its data set, nothing is loaded for it.

A training is watched for a few batches of each epoch. What the others would hold is found by going through the
indices that the sampler gives, and through the data sets that are wrapped in one another down to the small one.
A data set of the student's own is asked for the item, and stopped where it reads the small one.
"""

import bisect
import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Subset

from grader.assignments.vit.inside.datasets import Garments, OnlyNoted

MAX_INDICES = 400_000  # that are looked at of one loader
MAX_PASSES = 15  # over a sampler that draws at random, until no index is new
SECONDS = 1.0  # for one loader
UNKNOWN = -1


@dataclass
class Items:
    """Items of the small training set, and how many others."""

    size: int
    could: np.ndarray = field(init=False)  # (size,) bool: what the loaders can hand out
    indices: int = 0  # that the samplers gave, each once
    tested: int = 0  # items of the test set among them
    unknown: int = 0  # of which it is not known what they are
    whole: bool = True  # nothing was left out for lack of time
    batch: int = 1  # the largest batch
    direct: bool = False  # some loader goes through the training set itself

    def __post_init__(self) -> None:
        self.could = np.zeros(self.size, dtype=bool)


def of_loaders(loaders: Iterable[Any], train: Garments, test: Garments) -> Items:
    """What some loaders can hand out."""
    items = Items(train._size)
    for loader in loaders:
        with contextlib.suppress(Exception):
            _note(loader, items, train, test)
    return items


def _note(loader: Any, items: Items, train: Garments, test: Garments) -> None:
    deadline = time.monotonic() + SECONDS
    items.batch = max(items.batch, getattr(loader, "batch_size", None) or 1)
    items.direct |= isinstance(loader.dataset, Garments) and loader.dataset.reads is train.reads
    found = _indices(loader, deadline)
    items.whole &= time.monotonic() < deadline
    items.indices = max(items.indices, len(found))
    for number, index in enumerate(sorted(found)):
        if number % 500 == 0 and time.monotonic() > deadline:
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
    for _ in range(MAX_PASSES):
        before = len(found)
        for seen, index in enumerate(_one_pass(loader), 1):
            found.add(int(index))
            if seen >= MAX_INDICES or (seen % 1_000 == 0 and time.monotonic() > deadline):
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


def _item(dataset: Any, index: int, sets: tuple[Garments, Garments]) -> tuple[Garments | None, int]:
    """The small set that an item is of, None where that is not known, and its row there."""
    while True:
        if isinstance(dataset, Garments) and type(dataset).__getitem__ is Garments.__getitem__:
            of = next((each for each in sets if each.reads is dataset.reads), None)
            return of, index % dataset._size
        if type(dataset) is Subset:
            dataset, index = dataset.dataset, int(dataset.indices[index])
        elif type(dataset) is ConcatDataset:
            part = bisect.bisect_right(dataset.cumulative_sizes, index)
            index -= dataset.cumulative_sizes[part - 1] if part else 0
            dataset = dataset.datasets[part]
        else:
            return _asked(dataset, index, sets)


def _asked(dataset: Any, index: int, sets: tuple[Garments, Garments]) -> tuple[Garments | None, int]:
    """Ask a data set for an item, and stop it where it reads one of the small sets."""
    for of in sets:
        if (row := _first_read(dataset, index, of)) != UNKNOWN:
            return of, row
    return None, UNKNOWN


def _first_read(dataset: Any, index: int, of: Garments) -> int:
    count = len(of.reads)
    Garments.only_noted = of.reads
    try:
        dataset[index]
    except OnlyNoted:
        return of.reads[-1] if len(of.reads) > count else UNKNOWN
    except Exception:
        return UNKNOWN
    finally:
        Garments.only_noted = None
        del of.reads[count:]
    return UNKNOWN
