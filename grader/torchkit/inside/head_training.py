"""Watches heads that student code makes and trains on the features of a model that stays as it is.

A head is followed from its making: which items it learned from, known again by their features, and what it predicted
while it was evaluated. Nothing is judged here, and nothing is changed.

``training_watch``, on the same hooks, counts by epochs and makes a training short. Here every batch has to pass, since
the accuracy of what came of all of them is asked for, and a backward pass counts as stale only where it adds to the
gradients of the step before, which a closure of LBFGS may meet.

Shapes: n items of a data set, B batch, D features.
"""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch._C import _DisableFuncTorch
from torch._C._functorch import get_unwrapped, is_functorch_wrapped_tensor
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from grader.torchkit.inside.followed_models import following
from grader.torchkit.inside.optimizer_steps import watched_steps

State = dict[str, Tensor]


@dataclass
class Items:
    """A data set's items by their features, (n, D)."""

    features: Tensor

    def __post_init__(self) -> None:
        self.first = self._first(self.features)
        self.halves = self.first.square().sum(1) / 2  # (n,)

    def of(self, rows: Tensor | None) -> Tensor:
        """Which item each row is: (B, D) → (B,), -1 where it is none."""
        if rows is None or rows.shape[1:] != self.features.shape[1:]:
            return torch.full((1,), -1)
        # Two items lie 0.018 apart or more (0.0017 where D is 4), and rounding in batches of another size was seen to
        # change 3e-6.
        tolerance, first = 1e-3, self._first(rows)
        items = (first @ self.first.T - self.halves).argmax(1)  # (B,) the nearest; by way of a product, which rounds
        return torch.where((first - self.first[items]).norm(dim=1) < tolerance, items, -1)

    def holds(self, rows: Tensor | None) -> bool:
        """Whether every row is an item."""
        first = rows[:1] if rows is not None and rows.ndim else None
        return bool((self.of(first) >= 0).all() and (self.of(rows) >= 0).all())

    @staticmethod
    def _first(features: Tensor) -> Tensor:
        """(B, 8) the first features: items are known again by these."""
        coordinates = 8
        return features.detach().cpu().double()[:, :coordinates]


@dataclass
class Head:
    """A head that student code made.

    Attributes:
        initial: its state when it was made.
        items: (n,) how often each training item passed through it with gradient.
        rows: how many inputs did, training items as they are or not.
        batches: training items in each of these batches.
        states: while it was evaluated, and learned nothing.
        version: of the weights of the last of them.
        calls: the state and the test items of each batch that it predicted.
    """

    max_batches = 4_000  # that are noted of one head

    module: nn.Module
    initial: State
    items: Tensor
    rows: int = 0
    batches: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    version: tuple[int, ...] = ()
    calls: list[tuple[int, Tensor]] = field(default_factory=list)

    def learned(self, count: int, items: Tensor) -> None:
        """Note a batch that was learned from."""
        known = items[items >= 0]
        self.rows += count
        self.items += torch.bincount(known, minlength=len(self.items))
        if len(self.batches) < self.max_batches:
            self.batches.append(len(known))

    def evaluated(self, module: nn.Module, items: Tensor) -> None:
        """Note a batch that was predicted, and the weights that did so."""
        version = (id(module), *(p._version for p in module.parameters()))
        max_states = 400  # of a head while it was evaluated
        if version != self.version:
            if len(self.states) == max_states:
                return
            state = copied(module.state_dict())
            if same(state, self.initial):
                return  # what it was before it learned is not the accuracy of what it became
            self.version = version
            self.states.append(state)
        if (items >= 0).all() and len(items) and len(self.calls) < self.max_batches:
            self.calls.append((len(self.states) - 1, items))


class HeadTrainingWatch:
    """What is seen of one training; use ``with watching(make):`` around it.

    Args:
        train, test: the two data sets.
        body: the model that is to stay as it is.

    Attributes:
        steps: of all optimizers.
        moved: of these, after how many the body had other weights than in the beginning.
        backwards: backward passes, those of a step's closures included.
        stale: those that added to the gradients of the step before.
    """

    def __init__(self, train: Items, test: Items, body: nn.Module) -> None:
        self.train, self.test = train, test
        self.heads: list[Head] = []
        self.steps = self.moved = self.backwards = self.stale = 0
        self._body = [(parameter, parameter.detach().clone()) for parameter in body.parameters()]
        self._optimized: set[int] = set()  # ids of the parameters that optimizers hold
        self._trained: dict[int, tuple[Tensor, torch.Size]] = {}  # those that a step met with a gradient, by id
        self._last: dict[int, tuple[Tensor, Tensor]] = {}  # parameters and their gradients in the last step
        self._stepping = False
        self._closures = 0  # backward passes within the step under way: LBFGS looks at the same items again and again

    @contextlib.contextmanager
    def watching(self, *make: Any) -> Iterator[None]:
        """Follow heads from their making, optimizers' steps, and the gradients that a backward pass meets.

        Args:
            make: the classes of heads.
        """
        steps = watched_steps(self._before_step, self._after_step, self._backward)
        with contextlib.ExitStack() as stack:
            for cls in make:
                stack.enter_context(following(cls, lambda module, args, kwargs: self._follow(module)))
            stack.enter_context(steps)
            yield

    def is_optimized(self, head: Head) -> bool:
        """Whether an optimizer held some parameter of a head."""
        return any(id(parameter) in self._optimized for parameter in head.module.parameters())

    def trains_a_copy(self, model: nn.Module) -> bool:
        """Whether parameters were trained that are not a model's own and no head's, one of the shape of each of its own."""
        apart = {id(p) for module in (model, *(head.module for head in self.heads)) for p in module.parameters()}
        shapes = Counter(shape for key, (_, shape) in self._trained.items() if key not in apart)
        own = Counter(p.shape for p in model.parameters())
        return bool(own) and not own - shapes

    def returned(self, module: Any, state: State) -> Head | None:
        """The head that came back, or whose state did; else the last one that learned."""
        mine = (h for h in self.heads if h.module is module or same(h.module.state_dict(), state))
        once_mine = (h for h in self.heads if any(same(s, state) for s in h.states))
        learned = (h for h in reversed(self.heads) if h.rows)
        return next(itertools.chain(mine, once_mine, learned, reversed(self.heads)), None)

    def _backward(self, run: Callable[[], None]) -> None:
        met = {key: (p, old) for key, (p, old) in self._last.items() if _is(p.grad, old)}
        self._closures += self._stepping
        self.backwards += 1
        run()
        added = [key for key, (p, old) in met.items() if not _is(p.grad, old)]
        self.stale += bool(added)
        for key in added:
            del self._last[key]

    def _before_step(self, optimizer: Optimizer) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._optimized.update(map(id, parameters))
        max_tracked = 4  # parameters of an optimizer whose gradients are followed
        self._trained |= {id(p): (p, p.shape) for p in parameters if p.grad is not None}
        graded = [p for p in parameters if p.grad is not None][-max_tracked:]
        self._last |= {id(p): (p, p.grad.clone()) for p in graded}
        self._stepping, self._closures = True, 0

    def _after_step(self, optimizer: Optimizer) -> None:
        self.steps += 1
        alike = ((now, before) for now, before in self._body if (now.dtype, now.shape) == (before.dtype, before.shape))
        self.moved += not all(torch.equal(now, before) for now, before in alike)
        self._stepping = False

    def _follow(self, module: nn.Module) -> None:
        head = Head(module, copied(module.state_dict()), torch.zeros(len(self.train.features), dtype=torch.int64))

        def learned(count: int, rows: Tensor | None) -> Callable[[Tensor], None]:
            def hook(gradient: Tensor) -> None:
                if not self._stepping or self._closures <= 1:
                    with _DisableFuncTorch():  # within torch.func.grad no tensor of ours could be changed in place
                        head.learned(count, self.train.of(_unwrapped(rows)))

            return hook

        def called(called: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            if not isinstance(output, Tensor) or not output.ndim:
                return
            rows = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
            if output.requires_grad:
                output.register_hook(learned(len(output), rows))
            if not torch.is_grad_enabled() or self.test.holds(rows):
                head.evaluated(called, self.test.of(rows))

        def made(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            head.initial = copied(module.state_dict())
            first.remove()

        if any(map(is_lazy, module.parameters())):  # which are made in the first call
            first = module.register_forward_hook(made)
        module.register_forward_hook(called, with_kwargs=True)
        max_heads = 20
        if len(self.heads) < max_heads:
            self.heads.append(head)


def _unwrapped(rows: Tensor | None) -> Tensor | None:
    """The tensor that transforms of torch.func have wrapped."""
    while rows is not None and is_functorch_wrapped_tensor(rows):
        rows = get_unwrapped(rows)
    return rows


def _is(gradient: Tensor | None, old: Tensor) -> bool:
    return gradient is not None and bool(gradient.any()) and torch.equal(gradient, old)


def copied(state: dict[str, Any]) -> State:
    """The tensors of a state dict, as they are now; a lazy layer has none yet."""
    made = {str(name): value for name, value in state.items() if isinstance(value, Tensor) and not is_lazy(value)}
    return {name: value.detach().clone() for name, value in made.items()}


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two state dicts hold the same."""
    return a.keys() == b.keys() and all(torch.equal(a[name].cpu(), b[name].cpu()) for name in a)
