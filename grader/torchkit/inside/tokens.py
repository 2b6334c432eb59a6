"""Put other tokens in the place of those that a module inside a model puts out.

Shapes: B batch, T tokens, D features of a token.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from grader.sandbox.inside import describe
from grader.torchkit.inside.calls import inputs_of, tensor


def with_tokens_replaced(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """Run with given tokens in the place of the last tokens that a module inside puts out.

    That is where the work on tokens ends, whatever the modules are called: in a Vision Transformer of the usual parts
    the Transformer, or a norm after it. Tokens that are put out behind these T (registers) stay as they are.

    Args:
        call: {"inputs", "tokens": (B, T, D)}; modules inside may put them out as (T, B, D), too.

    Returns:
        the described output; {"kind": "no tokens"} where no module inside puts such tokens out.
    """
    tokens = tensor(call["tokens"])
    last: list[int] = []  # exits so far, and the number of the last one with tokens

    def note(number: int, output: Any) -> None:
        if isinstance(output, Tensor) and max(_more(output, tokens), _more(output, tokens.transpose(0, 1), 0)) >= 0:
            last.append(number)

    with torch.no_grad(), _at_exits(module, note):
        module(inputs_of(call))
    if not last:
        return {"kind": "no tokens"}

    def replace(number: int, output: Any) -> Any:
        if number != last[-1]:
            return None
        if _more(output, tokens) >= 0:
            return torch.cat([tokens, output[:, tokens.shape[1] :]], dim=1)
        return torch.cat([tokens.transpose(0, 1), output[tokens.shape[1] :]])

    with torch.no_grad(), _at_exits(module, replace):
        described: dict[str, Any] = describe.result(module(inputs_of(call)))
        return described


def _more(output: Tensor, tokens: Tensor, axis: int = 1) -> int:
    """How many tokens more there are along the axis; negative where these are not such tokens."""
    same = output.dim() == 3 and output.shape[2] == tokens.shape[2] and output.shape[1 - axis] == tokens.shape[1 - axis]
    return output.shape[axis] - tokens.shape[axis] if same else -1


@contextlib.contextmanager
def _at_exits(module: nn.Module, do: Callable[[int, Any], Any]) -> Iterator[None]:
    """Call something at each exit from a module inside, with the exit's number; what it returns is put out.

    It comes before the student's own hooks, which see what is put out.
    """
    counter = itertools.count()
    inner = [m for m in module.modules() if m is not module and not isinstance(m, torch.jit.ScriptModule)]
    handles = [m.register_forward_hook(lambda _, __, out: do(next(counter), out), prepend=True) for m in inner]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
