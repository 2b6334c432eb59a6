"""Watches a student's training from within: what it reads, computes, optimizes and evaluates.

Nothing is judged here, and nothing is changed but one thing: a training is made short. Of each pass over
a ``DataLoader`` only the first batches are handed out, and of each batch only some items of each class,
so that a schedule over the real number of batches and epochs runs in a fraction of a second.
"""

import contextlib
import inspect
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as module_hooks
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader

from grader.assignments.vit.inside.datasets import Garments
from grader.assignments.vit.inside.losses import Losses
from grader.assignments.vit.inside.schedules import Schedules, rates
from grader.sandbox.inside import faults

MAX_STEPS = 600  # of optimizers, after which a run has shown enough
MAX_BATCHES = 40  # of one pass, however few steps it takes
SHORTER, SHORTEST = 3, 5  # epochs after which fewer batches are handed out
PER_CLASS, FEWER = 4, 2  # items of one class left in a batch; fewer where a step takes long
SLOW_STEP, LONG_RUN = 0.2, 10.0  # processor seconds of one step, and of a run that has shown enough after some epochs
KEPT_LOADERS = 3  # besides the last: some make one for each epoch
TRACKED = 12  # parameters looked at for gradients of the step before


class Enough(BaseException):
    """Ends a run from within; nothing that a student writes catches it by accident."""


@dataclass
class Pass:
    """One iteration over a loader."""

    length: int
    loader: Any = None
    yielded: int = 0
    steps: int = 0
    backwards: int = 0
    goes_on: bool = False  # a part of an endless stream: as long as the student's code makes it


@dataclass
class Epoch:
    """What happened from the first backward pass of one epoch to that of the next.

    An epoch is a pass over a loader. Where batches are taken from an endless stream of passes, it lasts until
    the models are evaluated.
    """

    of: Pass
    steps: int = 0
    backwards: int = 0
    stale: int = 0  # backward passes that met the gradients of the step before
    empty: int = 0  # optimizer steps without any gradient but zero
    arrived: int = 0  # backward passes after which a model has gradients
    wasted: int = 0  # backward passes whose gradients were zeroed before any step
    test_batches: int = 0  # batches with test images that were learned from
    evaluations: int = 0

    def facts(self) -> dict[str, int]:
        counts = ("steps", "backwards", "stale", "empty", "arrived", "wasted", "test_batches", "evaluations")
        return {"batches": self.of.yielded, "length": self.of.length, **{name: getattr(self, name) for name in counts}}


@dataclass
class Model:
    """A ViT or a head that the student's code built."""

    role: str
    module: nn.Module
    before: dict[str, Tensor] | None = None  # parameters before anything was learned
    modes: list[bool] = field(default_factory=list)  # of its calls with gradient: was it in train mode?
    shape: tuple[int, ...] | None = None  # (C, H, W) of what it was last called with, where that were images
    arguments: dict[str, int] = field(default_factory=dict)  # whole numbers that it was built with
    misfit: str = ""  # why its arguments are not those that its class takes

    def remember(self) -> None:
        """Keep the parameters as they are, the first time."""
        if self.before is None:
            self.before = {name: p.detach().clone() for name, p in self.module.named_parameters()}


class Watch:
    """Notes of one run; use ``with watch.on():`` around it.

    Args:
        train, test: the data sets handed to the student's function.
        short: whether batches and passes are cut.
    """

    def __init__(self, train: Garments, test: Garments, short: bool = True) -> None:
        self.train, self.test, self.short = train, test, short
        self.epochs: list[Epoch] = []
        self.models: list[Model] = []
        self.optimizers: list[Optimizer] = []
        self.used: list[list[float]] = []  # epoch, optimizer, learning rate of every step
        self.losses = Losses()
        self.schedules = Schedules(lambda: max(0, len(self.epochs) - 1))
        self.loaders: list[Any] = []  # that batches came from which were learned from: the first ones and the last
        self.learned: set[int] = set()  # training items in these batches
        self._pass = Pass(0)
        self._fresh_pass = False
        self._streams: list[FrameType] = []  # generators that have begun a pass
        self._evaluated_after = False
        self._reads_count = False  # whether what was read since the last backward pass is what was learned from
        self._aside = False
        self._per_class = PER_CLASS
        self._started = self._stepped = time.process_time()
        self._last: dict[int, Tensor] = {}  # gradients of the last step by id of the parameter
        self._unused: list[Tensor] = []  # parameters whose gradients wait for a step
        self._stepping = False

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Put all hooks in place for a while."""
        undo: list[Callable[[], None]] = []
        handles = [
            register_optimizer_step_pre_hook(self._before_step),
            register_optimizer_step_post_hook(self._after_step),
            module_hooks.register_module_forward_hook(self.losses.after_forward, with_kwargs=True, always_call=True),
        ]
        undo += [handle.remove for handle in handles]
        patches = [
            (torch.autograd, "backward", self._backward(torch.autograd.backward)),
            (DataLoader, "__iter__", self._iter(DataLoader.__iter__)),
            *self.losses.patches(),
            *self.schedules.patches(),
        ]
        for owner, name, new in patches:
            undo.append(_patched(owner, name, new))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            for restore in reversed(undo):
                restore()

    def model(self, role: str, module: nn.Module, built: tuple[dict[str, int], str] = ({}, "")) -> None:
        """Follow a model from now on; ``built`` tells what it was built with, and what is wrong with that."""
        note = Model(role, module, arguments=built[0], misfit=built[1])
        if len(self.models) < 64 and all(other.module is not module for other in self.models):
            self.models.append(note)
            module.register_forward_pre_hook(lambda called, inputs: self._before_forward(note, called, inputs))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Let passes over data happen that belong to no training."""
        before, self._aside = self._aside, True
        try:
            yield
        finally:
            self._aside = before

    def evaluated(self) -> None:
        """Note that the models were evaluated."""
        self._evaluated_after = True
        if self.epochs:
            self.epochs[-1].evaluations += 1

    def held(self, note: Model) -> int:
        """How many of a model's parameters the optimizers hold."""
        held = {id(p) for optimizer in self.optimizers for group in optimizer.param_groups for p in group["params"]}
        return sum(id(parameter) in held for parameter in note.module.parameters())

    def _before_forward(self, note: Model, called: nn.Module, inputs: tuple[Any, ...]) -> None:
        note.remember()
        if inputs and isinstance(inputs[0], Tensor) and inputs[0].dim() == 4:
            note.shape = tuple(inputs[0].shape[1:])
        if torch.is_grad_enabled() and called is note.module and len(note.modes) < 5_000:
            note.modes.append(note.module.training)

    def _iter(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def iterate(loader: Any) -> Any:
            try:
                length = len(loader)
            except TypeError:
                length = 0
            goes_on = not self._aside and self._goes_on(sys._getframe(1))
            return Batches(self, original(loader), Pass(length, loader, goes_on=goes_on))

        return iterate

    def _goes_on(self, caller: FrameType) -> bool:
        """Whether a pass is begun for more batches: where another has just ended, or by the same generator."""
        if isinstance(sys.exception(), StopIteration):
            return True
        if not caller.f_code.co_flags & inspect.CO_GENERATOR:
            return False
        known = any(caller is other for other in self._streams)
        self._streams = [*self._streams[-63:], caller]
        return known

    def fetch(self, batches: Iterator[Any], current: Pass) -> Any:
        """Hand out the next batch of a pass, or end it early."""
        if self._aside:
            return next(batches)
        if current.goes_on:
            current = self._part_of_stream()
        elif self.short and self._shown_enough(current):
            raise StopIteration
        self.train.reads.clear()
        self.test.reads.clear()
        batch = next(batches)
        if current.yielded == 0:
            self._fresh_pass = True
        self._pass = current
        current.yielded += 1
        self._reads_count = True
        self._evaluated_after = False
        return _thinned(batch, self._per_class) if self.short else batch

    def _part_of_stream(self) -> Pass:
        """What has come of a stream since the last evaluation."""
        if self._evaluated_after:
            return Pass(self._pass.length, self._pass.loader, goes_on=True)
        self._pass.goes_on = True
        return self._pass

    def _shown_enough(self, current: Pass) -> bool:
        done = len(self.epochs)
        batches, steps = (5, 2) if done <= SHORTER else (2, 1) if done <= SHORTEST else (1, 1)
        if current.yielded < batches:
            return False
        if current.yielded >= MAX_BATCHES or current.backwards == 0:
            return True
        return current.steps >= steps or (done > 1 and not self.optimizers)

    def _backward(self, original: Callable[..., None]) -> Callable[..., None]:
        def backward(*args: Any, **kwargs: Any) -> None:
            epoch = self._epoch()
            epoch.backwards += 1
            self._pass.backwards += 1
            epoch.stale += self._meets_old_gradients()
            epoch.wasted += self._thrown_away()
            epoch.test_batches += self._learns_from()
            self._last.clear()
            for note in self.models:  # one whose parts are called may never be called itself
                note.remember()
            original(*args, **kwargs)
            if not self._stepping:  # LBFGS zeroes and computes them again and again
                self._unused = self._graded()
                epoch.arrived += bool(self._unused)

        return backward

    def _learns_from(self) -> bool:
        """Note the items of the batch that is learned from, and tell whether there are test images among them.

        Where no loader hands out batches, they are what was read since the last backward pass. Before the first,
        the whole set may have been read for its labels.
        """
        tested = self._reads_count and bool(self.test.reads)
        if self._reads_count:
            self.learned.update(self.train.reads)
        loader = self._pass.loader
        if loader is None:
            self.train.reads.clear()
            self.test.reads.clear()
            self._reads_count = True
        elif all(loader is not other for other in self.loaders):
            self.loaders[KEPT_LOADERS:] = [loader]
        return tested

    def _steps_slowly(self) -> bool:
        """Whether a long time has passed since the step before."""
        before, self._stepped = self._stepped, time.process_time()
        return self._stepped - before > SLOW_STEP

    def _epoch(self) -> Epoch:
        """The current epoch; a new one where a new pass over the data has begun."""
        over = not self.epochs or self._fresh_pass or self._evaluated_after
        if over and len(self.epochs) < 5_000:
            self.epochs.append(Epoch(self._pass))
            self._evaluated_after = False
        self._fresh_pass = False
        return self.epochs[-1]

    def _meets_old_gradients(self) -> bool:
        for optimizer in self.optimizers:
            for parameter in _parameters(optimizer):
                old = self._last.get(id(parameter))
                if old is not None and parameter.grad is not None and torch.equal(old, parameter.grad):
                    return True
        return False

    def _thrown_away(self) -> bool:
        return bool(self._unused) and not any(p.grad is not None and p.grad.any() for p in self._unused)

    def _graded(self) -> list[Tensor]:
        parameters = [p for note in self.models for p in list(note.module.parameters())[:TRACKED]]
        return [p for p in parameters[: 4 * TRACKED] if p.grad is not None and p.grad.any()]

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        long = len(self.epochs) > SHORTER and time.process_time() - self._started > LONG_RUN
        if long or sum(epoch.steps for epoch in self.epochs) >= MAX_STEPS:
            raise Enough
        self._stepping, self._unused = True, []
        self.schedules.begin(optimizer)
        if all(optimizer is not other for other in self.optimizers) and len(self.optimizers) < 100:
            self.optimizers.append(optimizer)
        index = next((i for i, other in enumerate(self.optimizers) if other is optimizer), -1)
        self.used.append([max(0, len(self.epochs) - 1), index, max(rates(optimizer), default=0.0)])

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._stepping = False
        faults.step()
        epoch = self._epoch()
        epoch.steps += 1
        self._pass.steps += 1
        if self._steps_slowly():
            self._per_class = FEWER
        gradients = [(id(p), p.grad) for p in _parameters(optimizer) if p.grad is not None and p.grad.any()]
        epoch.empty += not gradients
        self._last.update({key: gradient.detach().clone() for key, gradient in gradients})


class Batches:
    """An iterator over a loader that hands out fewer batches."""

    def __init__(self, watch: Watch, batches: Iterator[Any], current: Pass) -> None:
        self.watch, self.batches, self.current = watch, batches, current

    def __iter__(self) -> "Batches":
        return self

    def __next__(self) -> Any:
        return self.watch.fetch(self.batches, self.current)

    def __len__(self) -> int:
        return self.current.length


def _patched(owner: Any, name: str, new: Any) -> Callable[[], None]:
    old = vars(owner)[name] if name in vars(owner) else getattr(owner, name)
    setattr(owner, name, new)
    return lambda: setattr(owner, name, old)


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    """Some of an optimizer's parameters, spread evenly: all of them in a small model."""
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return held[:: max(1, len(held) // TRACKED)]


def _thinned(batch: Any, per_class: int) -> Any:
    """Keep a few items of each class, in order: losses over all triplets are slow on large batches."""
    labels = batch[1] if isinstance(batch, list | tuple) and len(batch) == 2 else None
    if not isinstance(labels, Tensor) or labels.dim() != 1:
        return batch
    same = (labels[:, None] == labels[None, :]).long()
    kept = same.tril().sum(1) <= per_class  # how many of its class have come, itself included
    return [_of(batch[0], kept, len(labels)), labels[kept]]


def _of(part: Any, kept: Tensor, size: int) -> Any:
    if isinstance(part, Tensor) and part.dim() > 0 and len(part) == size:
        return part[kept]
    return [_of(item, kept, size) for item in part] if isinstance(part, list | tuple) else part
