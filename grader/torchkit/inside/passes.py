"""Passes over a ``DataLoader`` that hand out few batches, and of each batch few items.

Shapes: B batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
    """

    length: int
    loader: Any = None
    yielded: int = 0
    steps: int = 0
    backwards: int = 0
    goes_on: bool = False


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
        return self.fetch(self.batches, self.current)

    def __len__(self) -> int:
        return self.current.length


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
