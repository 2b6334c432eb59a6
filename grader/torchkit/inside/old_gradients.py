"""Whether a backward pass adds to the gradients of the optimizer's step before, because nobody zeroed them."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

MAX_TRACKED = 12  # parameters of an optimizer that are looked at


class OldGradients:
    """The gradients that optimizers last took a step with."""

    def __init__(self) -> None:
        self._last: dict[int, Tensor] = {}  # by id of the parameter
        self._before_step = False  # whether there were gradients but zero

    def before_step(self, optimizer: Optimizer) -> None:
        """Look at the gradients that a step is taken with: it may zero them at its end."""
        self._before_step = any(p.grad is not None and bool(p.grad.any()) for p in some_parameters(optimizer))

    def remember(self, optimizer: Optimizer) -> bool:
        """Keep the gradients that a step has left; whether it had any but zero."""
        gradients = [(id(p), p.grad) for p in some_parameters(optimizer) if p.grad is not None and p.grad.any()]
        self._last.update({key: gradient.detach().clone() for key, gradient in gradients})
        return bool(gradients) or self._before_step

    def still_there(self, optimizers: Iterable[Optimizer]) -> bool:
        """Whether some parameter still has the gradient of the last step."""
        for optimizer in optimizers:
            for parameter in some_parameters(optimizer):
                old = self._last.get(id(parameter))
                if old is not None and parameter.grad is not None and torch.equal(old, parameter.grad):
                    return True
        return False

    def forget(self) -> None:
        """Begin anew: the next backward pass is under way."""
        self._last.clear()


def some_parameters(optimizer: Optimizer) -> list[Tensor]:
    """Some of an optimizer's parameters, spread evenly: all of them in a small model."""
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return held[:: max(1, len(held) // MAX_TRACKED)]
