"""Hooks around every backward pass and every optimizer's step, whoever makes them."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook


@contextlib.contextmanager
def watched_steps(
    before: Callable[[Optimizer], None], after: Callable[[Optimizer], None],
    backward: Callable[[Callable[[], None]], None],
) -> Iterator[None]:  # fmt: skip
    """Tell of backward passes and steps.

    Args:
        before, after: called around each step; an exception of theirs is raised in the student's call of ``step()``.
        backward: called in the place of each backward pass with a function that makes it; gradients of parameters that
            ``torch.autograd.grad`` computes count as one.
    """
    original, original_grad = torch.autograd.backward, torch.autograd.grad
    hooks = (
        register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: before(optimizer)),
        register_optimizer_step_post_hook(lambda optimizer, args, kwargs: after(optimizer)),
    )

    def told(*args: Any, **kwargs: Any) -> None:
        backward(lambda: original(*args, **kwargs))

    def told_grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        before = {each: each.grad for each in inputs if isinstance(each, nn.Parameter)}
        if not before:
            return original_grad(outputs, inputs, *args, **kwargs)
        found: list[Any] = []

        def computed() -> None:
            found.extend(original_grad(outputs, inputs, *args, **kwargs))
            _give(inputs, found)

        try:  # they add to nothing, and the student's code puts them where a step finds them
            _give(before, [None] * len(before))
            backward(computed)
        finally:
            _give(before, before.values())
        return tuple(found)

    torch.autograd.backward, torch.autograd.grad = told, told_grad
    try:
        yield
    finally:
        torch.autograd.backward, torch.autograd.grad = original, original_grad
        for hook in hooks:
            hook.remove()


def _give(tensors: Iterable[Tensor], gradients: Iterable[Tensor | None]) -> None:
    """Let parameters among some tensors have these gradients."""
    for tensor, gradient in zip(tensors, gradients, strict=True):
        if isinstance(tensor, nn.Parameter):
            tensor.grad = None if gradient is None else gradient.detach()
