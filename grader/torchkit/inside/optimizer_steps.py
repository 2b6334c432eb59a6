"""Hooks around every backward pass and every optimizer's step, whoever makes them."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
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
        backward: called in the place of each backward pass with a function that makes it.
    """
    original = torch.autograd.backward
    hooks = (
        register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: before(optimizer)),
        register_optimizer_step_post_hook(lambda optimizer, args, kwargs: after(optimizer)),
    )

    def told(*args: Any, **kwargs: Any) -> None:
        backward(lambda: original(*args, **kwargs))

    torch.autograd.backward = told
    try:
        yield
    finally:
        torch.autograd.backward = original
        for hook in hooks:
            hook.remove()
