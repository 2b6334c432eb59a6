"""The library's ``Normalize`` with which a transform ends, seen as it is called."""

import contextlib
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from grader.torchkit.inside.leaves import class_name


class LastNormalisation:
    """Notes, call by call, whether what a transform gives is what a ``Normalize`` of torchvision has given.

    Attributes:
        seen: how many such calls there were, by mean and standard deviation of one channel.
    """

    def __init__(self) -> None:
        self.seen = Counter[tuple[float, float]]()
        self._last: tuple[nn.Module, Tensor] | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """See every ``Normalize``, wherever it is called."""
        hook = hooks.register_module_forward_hook(self._called)
        try:
            yield
        finally:
            hook.remove()
            self._last = None

    def _called(self, module: nn.Module, args: tuple[Any, ...], out: Any) -> None:
        if class_name(module) != "Normalize" or not type(module).__module__.startswith("torchvision."):
            return
        if isinstance(out, Tensor):
            self._last = module, out

    def begin(self) -> None:
        """Another call of the transform begins."""
        self._last = None

    def end(self, given: Any) -> None:
        """The call has given this."""
        if self._last is None or not isinstance(given, Tensor):
            return
        module, out = self._last
        numbers = [
            torch.as_tensor(getattr(module, name), dtype=torch.float64).detach().reshape(-1).tolist()
            for name in ("mean", "std")
        ]
        if any(len(each) != 1 for each in numbers) or given.shape != out.shape:
            return
        if given is out or torch.equal(given, out):
            mean, deviation = (each[0] for each in numbers)
            self.seen[mean, deviation] += 1

    def facts(self) -> dict[str, Any] | None:
        """What is told of the one that was seen most; None where none was."""
        if not self.seen:
            return None
        [((mean, deviation), count)] = self.seen.most_common(1)
        told = math.isfinite(mean) and math.isfinite(deviation)
        return {"mean": mean, "deviation": deviation, "count": count} if told else None
