"""Which way a training goes: the sign of the gradient that comes back to its cross entropies."""

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor


def climbs(gradient: Tensor) -> bool:
    """Whether a step against this gradient makes the loss larger: as -loss.backward() gives it."""
    return bool((gradient < 0).any() and not (gradient > 0).any())


def patches(note: Callable[[bool], None]) -> list[tuple[Any, str, Any]]:
    """Owner, name and what stands there meanwhile.

    Args:
        note: called for each cross entropy that a gradient comes back to, with whether it climbs.
    """
    return [(F, name, _noted(getattr(F, name), note)) for name in ("cross_entropy", "nll_loss")]


def _noted(original: Callable[..., Any], note: Callable[[bool], None]) -> Callable[..., Any]:
    def loss(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if isinstance(result, Tensor) and result.grad_fn is not None:
            result.register_hook(lambda gradient: note(climbs(gradient)))
        return result

    return loss
