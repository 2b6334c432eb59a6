"""What a training's losses are given: embeddings, and tuples from a miner or from elsewhere.

Shapes: B batch, E embedding size.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from pytorch_metric_learning.losses import CrossBatchMemory, TripletMarginLoss
from pytorch_metric_learning.losses.base_metric_loss_function import BaseMetricLossFunction
from pytorch_metric_learning.miners.base_miner import BaseMiner
from torch import Tensor, nn

RECENT = 8  # results of miners that tuples are looked up in


@dataclass
class LossCalls:
    """Calls of one kind of loss that were made for learning."""

    triplet: bool  # a TripletMarginLoss, or a subclass of it
    calls: int = 0
    learned: int = 0  # calls whose embeddings received a gradient
    flat: int = 0  # … that was zero
    tuples: dict[str, int] = field(default_factory=dict)  # "none", "miner", "all" or "other"
    found: int = 0  # calls on a batch with triplets whose tuples hold some
    nothing: int = 0  # … whose tuples are empty
    shape: list[int] = field(default_factory=list)  # (B, E)


class Losses:
    """Notes of the losses and miners of one run."""

    def __init__(self) -> None:
        self.calls: dict[str, LossCalls] = {}
        self.miners: dict[str, int] = {}
        self._mined: list[tuple[Tensor, ...]] = []
        self._memory: list[bool] = []  # inside CrossBatchMemory: whether it was given a miner's tuples

    def patches(self) -> list[tuple[Any, str, Any]]:
        """Owner, name and what stands there meanwhile."""
        return [(CrossBatchMemory, "forward", self._remember(CrossBatchMemory.forward))]

    def after_forward(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """Note what a module was given, if it is a miner or a loss; a global forward hook."""
        if isinstance(module, BaseMiner):
            name = type(module).__name__[:100]
            self.miners[name] = self.miners.get(name, 0) + 1
            if isinstance(output, tuple | list):
                self._mined = [*self._mined[1 - RECENT :], tuple(output)]
        elif isinstance(module, BaseMetricLossFunction):
            self._loss(module, {**dict(zip(("embeddings", "labels", "indices_tuple"), args, strict=False)), **kwargs})

    def _remember(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def forward(memory: Any, *args: Any, **kwargs: Any) -> Any:
            given = args[2] if len(args) > 2 else kwargs.get("indices_tuple")
            self._memory.append(memory.miner is not None or self._source(given, _rows(given), None) == "miner")
            try:
                return original(memory, *args, **kwargs)
            finally:
                self._memory.pop()

        return forward

    def _loss(self, module: nn.Module, inputs: dict[str, Any]) -> None:
        embeddings, labels, given = (inputs.get(name) for name in ("embeddings", "labels", "indices_tuple"))
        if not torch.is_grad_enabled() or not isinstance(embeddings, Tensor):
            return
        name = type(module).__name__[:100]
        note = self.calls.setdefault(name, LossCalls(isinstance(module, TripletMarginLoss)))
        note.calls += 1
        note.shape = list(embeddings.shape)
        rows = _rows(given)
        if not self._memory and rows is not None and isinstance(labels, Tensor) and _triplets(labels):
            note.found += bool(len(rows))
            note.nothing += not len(rows)
        source = "miner" if self._memory and self._memory[-1] else self._source(given, rows, labels)
        note.tuples[source] = note.tuples.get(source, 0) + 1
        if embeddings.grad_fn is not None:  # without one, a gradient goes no further than these numbers
            embeddings.register_hook(lambda gradient: _learned(note, gradient))

    def _source(self, given: Any, rows: np.ndarray | None, labels: Any) -> str:
        """Where a tuple of indices comes from."""
        if given is None:
            return "none"
        if any(part is other for mined in self._mined for part in given for other in mined):
            return "miner"
        if rows is None:
            return "other"
        known = [mined for mined in map(_rows, self._mined) if mined is not None]
        if known and np.isin(rows, np.concatenate(known)).all():
            return "miner"
        return "all" if len(given) == 3 and isinstance(labels, Tensor) and len(rows) == _triplets(labels) else "other"


def _learned(note: LossCalls, gradient: Tensor) -> None:
    note.learned += 1
    note.flat += not gradient.any()


def _rows(tuples: Any) -> np.ndarray | None:
    """Index tuples as one number each; pairs become two rows each."""
    try:
        given = [part.detach().cpu() if isinstance(part, Tensor) else part for part in tuples]
        parts = [np.asarray(part, dtype=np.int64) for part in given]
        if len(parts) == 3:
            return (parts[0] * 10_000 + parts[1]) * 10_000 + parts[2]
        if len(parts) == 4:
            return np.concatenate([-1 - parts[0] * 10_000 - parts[1], -1 - 10**9 - parts[2] * 10_000 - parts[3]])
    except (TypeError, ValueError):
        pass
    return None


def _triplets(labels: Tensor) -> int:
    """How many triplets a batch holds."""
    counts = torch.unique(labels, return_counts=True)[1]
    return int((counts * (counts - 1) * (len(labels) - counts)).sum())
