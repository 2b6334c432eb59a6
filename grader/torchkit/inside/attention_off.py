"""Run a module whose attention adds nothing, however it is written: what one token knows of others, it knows by attention."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from grader.sandbox.inside import describe
from grader.torchkit.inside.attention_weights import SOFTMAXES
from grader.torchkit.inside.calls import inputs_of


def without_attention(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """Run with zeros in the place of whatever attention computes.

    Args:
        call: {"inputs", "layers": how often attention is computed at least}.

    Returns:
        the described output; {"kind": "no attention"} where attention was not found so often: it may be written without
        a softmax, or in a way that cannot be followed.
    """
    # With gradients: without them, layers of PyTorch's own take a shortcut in which nothing can be replaced.
    with torch.enable_grad(), _AttentionOff() as off:
        output = module(inputs_of(call))
    if off.count < call["layers"]:
        return {"kind": "no attention"}
    described: dict[str, Any] = describe.result(output.detach() if isinstance(output, Tensor) else output)
    return described


class _AttentionOff(TorchFunctionMode):
    """While it is entered, attention gives zeros.

    Attributes:
        count: how often attention was computed.
    """

    replaced = SOFTMAXES | {F.scaled_dot_product_attention}

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is F.multi_head_attention_forward:  # one call from here on: its inside is not seen
            self.count += 1
            return torch.zeros_like(out[0]), out[1]
        if func in self.replaced:
            self.count += 1
            return torch.zeros_like(out)
        return out
