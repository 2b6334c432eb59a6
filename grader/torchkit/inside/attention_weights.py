"""Keep the weights that a model computes attention with, however it is written.

Shapes: T tokens.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

SOFTMAXES = frozenset({torch.softmax, F.softmax, Tensor.softmax})


class AttentionWeights(TorchFunctionMode):
    """While it is entered, keeps the weights of every attention, in order.

    Attributes:
        kept: (heads, T, T) each; a layer may call softmax once, or once a head.
    """

    max_tokens = 4_096

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:  # one call from here on: its inside is not seen
            out, weights = func(*args, **{**kwargs, "need_weights": True, "average_attn_weights": True})
            self._keep(weights)
            asked = kwargs.get("need_weights", True) and kwargs.get("average_attn_weights", True)
            return (out, weights) if asked else func(*args, **kwargs)
        out = func(*args, **kwargs)
        if func in SOFTMAXES:
            self._keep(out)
        elif func is F.scaled_dot_product_attention:
            self._keep(_weights(args[0], args[1], kwargs.get("scale")))
        return out

    def _keep(self, weights: Any) -> None:
        if not isinstance(weights, Tensor) or weights.ndim < 2:
            return
        if 2 < weights.shape[-1] == weights.shape[-2] <= self.max_tokens:
            self.kept.append(weights.reshape(-1, *weights.shape[-2:]))

    def of_last_layer(self, layers: int) -> Tensor | None:
        """(T, T) the weights of the last layer, a mean over heads; None where none were seen.

        Args:
            layers: how many layers the model has.
        """
        each = len(self.kept) // layers if 0 < layers <= len(self.kept) else 1
        last = [weights for weights in self.kept[-each:] if weights.shape[-1] == self.kept[-1].shape[-1]]
        return torch.cat(last).mean(0) if last else None


def _weights(query: Tensor, key: Tensor, scale: float | None) -> Tensor:
    with torch.no_grad():
        return (query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)).softmax(-1)
