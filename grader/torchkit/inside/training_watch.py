"""Watches a training from within: what it reads, computes, optimizes and evaluates.

Nothing is judged here, and one thing alone is changed: a training is made short. Of each pass over a ``DataLoader``
only the first batches are handed out, and of each batch only some items of each class, so that a schedule over the
real number of batches and epochs runs in a fraction of a second.
"""

import contextlib
import copy
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as module_hooks
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from grader.sandbox.inside import describe, faults
from grader.torchkit.inside import loss_signs
from grader.torchkit.inside.followed_models import FollowedModel
from grader.torchkit.inside.losses import Losses
from grader.torchkit.inside.noted_reads import NotedReads
from grader.torchkit.inside.old_gradients import MAX_TRACKED, OldGradients
from grader.torchkit.inside.optimizer_steps import watched_steps
from grader.torchkit.inside.passes import Batches, Budget, EpochCounts, Pass, shown_enough, thinned
from grader.torchkit.inside.schedules import Moment, Schedules
from grader.torchkit.inside.set_rates import NotedGroup, SetRates
from grader.torchkit.inside.simulated_schedules import rates
from grader.torchkit.inside.streams import Streams


class StopTraining(BaseException):
    """Ends a run from within; no ``except Exception`` catches it."""


class TrainingWatch:
    """Notes of one training.

    Args:
        train, test: the data sets that it is given.
        short: whether batches and passes are cut.
        most_steps: of optimizers, after which the training is ended from within.
        planned: epochs that it should take; 0 where that is not known.

    Attributes:
        epochs: what happened in each.
        models: those that are followed, in the order of their making.
        optimizers: those that took a step.
        used: (epoch, number of the optimizer, its largest learning rate) of every step.
        loaders: that batches came from which were learned from: the first ones and the last.
        learned: training items in these batches.
        batches: handed out in all passes.
        running: the training has begun and has not ended; what is done for its arguments belongs to none.
        long_epochs: as many epochs are given more batches than those after them.
    """

    long_epochs = 3

    def __init__(
        self, train: NotedReads, test: NotedReads, short: bool = True, most_steps: int = 600, planned: int = 0
    ) -> None:
        self.train, self.test, self.short, self.budget = train, test, short, Budget(most_steps, planned)
        self.epochs: list[EpochCounts] = []
        self.models: list[FollowedModel] = []
        self.optimizers: list[Optimizer] = []
        self.used: list[tuple[int, int, float]] = []
        self.losses = Losses(train, test)
        self.schedules = Schedules(self._moment)
        self.set_rates = SetRates()
        self.loaders: list[Any] = []
        self.learned: set[int] = set()
        self.running = False
        self.batches = 0
        self._pass = Pass(0)
        self._repeated = 0  # batches that had been handed out before
        self._fresh_pass = False
        self._streams = Streams()
        self._evaluated_after = self._not_watched = self._stepping = False
        self._fetched: list[Pass] = []  # passes that gave a batch since the last backward pass
        self._reads_count = False  # whether what was read since the last backward pass is what was learned from
        self._per_class = 4  # items of one class left in a batch
        self._stepped = time.process_time()
        self._old_gradients = OldGradients()
        self._unused: list[Tensor] = []  # parameters whose gradients wait for a step

    def run(self, training: Callable[[], Any]) -> dict[str, Any]:
        """Call a training with all hooks in place.

        Returns:
            ended: "returned", "raised", or "enough" where it was ended from within.
            raised: the exception described, or None.

        Raises:
            NotImplementedError: the training is still to be written: it raises that before any optimizer's step.
        """
        self.running = True
        try:
            with self._hooks():
                training()
        except StopTraining:
            return {"ended": "enough", "raised": None}
        except (Exception, SystemExit) as error:
            if isinstance(error, NotImplementedError) and not self.optimizers:
                raise
            return {"ended": "raised", "raised": describe.exception(error)}
        finally:
            self.running = False
        return {"ended": "returned", "raised": None}

    @contextlib.contextmanager
    def _hooks(self) -> Iterator[None]:
        """Put all hooks in place for a while."""
        losses = module_hooks.register_module_forward_hook(
            self.losses.after_forward, with_kwargs=True, always_call=True
        )
        patches = [
            (DataLoader, "__iter__", self._iter(DataLoader.__iter__)),
            *self.losses.patches(),
            *self.schedules.patches(),
            *loss_signs.patches(self._entropy),
            self.set_rates.patch(),
            (NotedGroup, "told", self.set_rates.note),
        ]
        with contextlib.ExitStack() as stack:
            stack.callback(losses.remove)
            stack.enter_context(watched_steps(self._before_step, self._after_step, self._backward))
            for owner, name, new in patches:
                stack.callback(setattr, owner, name, vars(owner).get(name, getattr(owner, name)))
                setattr(owner, name, new)
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            yield

    def follow(self, role: str, module: nn.Module, arguments: dict[str, int] | None = None, misfit: str = "") -> None:
        """Follow a model from now on, and copies of it from their first call with gradient: one of them may be trained.

        Args:
            arguments, misfit: as ``followed_models.named_arguments`` tells.
        """
        self._follow(FollowedModel(role, module, arguments=arguments or {}, misfit=misfit))

    def _follow(self, note: FollowedModel) -> bool:
        max_models = 64
        if len(self.models) == max_models or any(other.module is note.module for other in self.models):
            return False
        self.models.append(note)
        note.listen(self.losses.rows, self._follow_copy)
        return True

    def _follow_copy(self, note: FollowedModel, inputs: tuple[Any, ...]) -> None:
        if not self._not_watched and self._follow(note):
            note.before_call(note.module, inputs)  # the call is under way
            self.losses.rows.enter(note.module, inputs)

    def _moment(self) -> Moment:
        """The present moment."""
        planned = self.budget.planned
        beyond = 0 < planned < len(self.epochs) or 0 < planned * self._pass.length < self.batches
        return Moment(max(0, len(self.epochs) - 1), self.batches * self._pass.under_way, beyond)

    @contextlib.contextmanager
    def not_watching(self) -> Iterator[None]:
        """Let passes over data happen that belong to no training."""
        before, self._not_watched = self._not_watched, True
        try:
            yield
        finally:
            self._not_watched = before

    def evaluated(self) -> None:
        """Note that the models were evaluated."""
        self._evaluated_after = True
        self._streams.interrupt()
        if self.epochs:
            self.epochs[-1].evaluations += 1

    def held(self, note: FollowedModel) -> int:
        """How many of a model's parameters the optimizers hold."""
        held = {id(p) for optimizer in self.optimizers for group in optimizer.param_groups for p in group["params"]}
        return sum(id(parameter) in held for parameter in note.module.parameters())

    def _iter(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def iterate(loader: Any) -> Any:
            try:
                length = len(loader)
            except TypeError:
                length = 0
            goes_on = not self._not_watched and self._streams.goes_on(sys._getframe(1))
            return Batches(self.fetch, original(loader), Pass(length, loader, goes_on=goes_on))

        return iterate

    def fetch(self, batches: Iterator[Any], current: Pass) -> Any:
        """Hand out the next batch of a pass, or end it early."""
        if self._not_watched:
            return next(batches)
        self._streams.fetches(sys._getframe(2))
        if current.goes_on:
            current = self._part_of_stream()
        repeats = self.short and not current.goes_on and self._repeats(current)
        in_between = self._pass.under_way and self._pass.backwards > 0 and self._fetched
        beside = in_between and self._pass.loader is not current.loader
        if not beside:
            self._forget_reads()
        batch = copy.deepcopy(current.batch) if repeats else next(batches)
        self._streams.interrupt()
        batch = current.batch = thinned(batch, self._per_class) if self.short else batch
        current.yielded += 1
        if not beside:
            self.batches += 1
            self._repeated += repeats
            self._begin_batch(batch, current)
        return batch

    def _begin_batch(self, batch: Any, current: Pass) -> None:
        """Note a batch that is learned from; not one that another loader gives beside it."""
        self._fresh_pass |= current.yielded == 1
        self._pass = current
        if all(each is not current for each in self._fetched):
            self._fetched = [*self._fetched[-7:], current]
        if self.epochs and not self._fresh_pass and not self._evaluated_after:
            self.epochs[-1].of = current
        current.under_way = self._reads_count = True
        self._evaluated_after = False
        self.losses.rows.begin(batch)

    def _part_of_stream(self) -> Pass:
        """What has come of a stream since the last evaluation."""
        if self._evaluated_after:
            return Pass(self._pass.length, self._pass.loader, goes_on=True)
        self._pass.goes_on = True
        return self._pass

    def _repeats(self, current: Pass) -> bool:
        """Whether a pass that has shown enough goes on with its last batch, as a scheduler may wait for so many.

        Raises:
            StopIteration: it has shown enough, and ends.
        """
        if not shown_enough(current, self.epochs, self.long_epochs, bool(self.optimizers)):
            return False
        early, before = len(self.epochs) <= self.long_epochs, self.batches - current.yielded
        waits = self.schedules.stepped_since(before) == 1 if early else self.schedules.hardly_stepped()
        waits &= self._repeated < 6 * current.length
        waits |= self.budget.counts_batches(len(self.epochs))
        if current.yielded >= current.length or not waits or not current.backwards:
            raise StopIteration
        return True

    def _backward(self, run: Callable[[], None]) -> None:
        self._streams.interrupt()
        epoch = self._epoch()
        epoch.backwards += 1
        epoch.unstepped += 1
        for each in self._fetched or [self._pass]:
            each.backwards += 1
        self._fetched = []
        self.set_rates.backward()
        epoch.stale += self._old_gradients.still_there(self.optimizers)
        epoch.wasted += self._thrown_away()
        epoch.test_batches += self._learns_from()
        self._old_gradients.forget()
        for note in self.models:  # one whose parts are called may never be called itself
            note.remember()
        run()
        if not self._stepping:  # LBFGS zeroes and computes them again and again
            self._unused = self._graded()
            epoch.arrived += bool(self._unused)

    def _entropy(self, climbs: bool) -> None:
        epoch = self._epoch()
        epoch.entropies += 1
        epoch.turned += climbs

    def _learns_from(self) -> bool:
        """Note the items of the batch that is learned from, and tell whether there are test images among them.

        Where no loader hands out batches, they are what was read since the last backward pass. Before the first,
        the whole set may have been read for its labels.
        """
        found, count = self.losses.rows.learned, self.train.item_count
        tested = (self._reads_count and bool(self.test.reads)) or any(item >= count for item in found)
        self.learned.update(self.train.reads if self._reads_count else (), (item for item in found if item < count))
        found.clear()
        loader = self._pass.loader
        kept_loaders = 3  # besides the last: some make one for each epoch
        if loader is None:
            self._forget_reads()
            self._reads_count = True
        elif all(loader is not other for other in self.loaders):
            self.loaders[kept_loaders:] = [loader]
        return tested

    def _forget_reads(self) -> None:
        for read in (self.train.reads, self.test.reads, self.losses.rows.learned):
            read.clear()

    def _steps_slowly(self) -> bool:
        """Whether a long time has passed since the step before."""
        before, self._stepped = self._stepped, time.process_time()
        return self._stepped - before > 0.2  # processor seconds

    def _epoch(self) -> EpochCounts:
        """The current epoch; a new one where a new pass over the data has begun."""
        over = not self.epochs or self._fresh_pass or self._evaluated_after
        max_epochs = 5_000
        if over and len(self.epochs) < max_epochs:
            self.epochs.append(EpochCounts(self._pass))
            self._evaluated_after = False
        self._fresh_pass = False
        return self.epochs[-1]

    def _thrown_away(self) -> bool:
        """Whether the gradients of the backward pass before were zeroed, and no step was taken with them."""
        return bool(self._unused) and not any(p.grad is not None and p.grad.any() for p in self._unused)

    def _graded(self) -> list[Tensor]:
        """Parameters of the models that have a gradient."""
        parameters = [p for note in self.models for p in list(note.module.parameters())[:MAX_TRACKED]]
        return [p for p in parameters[: 4 * MAX_TRACKED] if p.grad is not None and p.grad.any()]

    def _before_step(self, optimizer: Optimizer) -> None:
        if self.budget.spent(self.epochs, self.batches, self.long_epochs):
            raise StopTraining
        self._stepping, self._unused = True, []
        self.schedules.begin(optimizer)
        self._old_gradients.before_step(optimizer)
        if all(optimizer is not other for other in self.optimizers) and len(self.optimizers) < 100:
            self.optimizers.append(optimizer)
        index = next((i for i, other in enumerate(self.optimizers) if other is optimizer), -1)
        self.used.append((max(0, len(self.epochs) - 1), index, max(rates(optimizer), default=0.0)))

    def _after_step(self, optimizer: Optimizer) -> None:
        self._stepping = False
        faults.step()
        epoch = self._epoch()
        epoch.steps += 1
        epoch.unstepped = 0
        self._pass.steps += 1
        epoch.climbed += any(group.get("maximize") for group in optimizer.param_groups)
        if self._steps_slowly():
            self._per_class = 2
        epoch.empty += not self._old_gradients.remember(optimizer)
