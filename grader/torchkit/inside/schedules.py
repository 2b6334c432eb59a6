"""Learning-rate schedulers, noted while a training runs; ``simulated_schedules`` goes on to its end."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from grader.sandbox.inside import describe


@dataclass(frozen=True)
class Moment:
    """When in a run something happens.

    Attributes:
        epoch: of the run.
        batches: within a pass, how many batches were handed out since the run began; 0 outside.
        beyond: after all that the training was planned to take.
    """

    epoch: int
    batches: int
    beyond: bool


@dataclass
class NotedScheduler:
    """One scheduler that student code made.

    Attributes:
        steps: how often it was stepped, by epoch of the run.
        at: of its first steps within passes, the epoch and how many batches had been handed out since the run began.
        arguments: what step() was given, where it was given a number.
        inner: it is a part of another scheduler.
        late: it was made after its optimizer's first step.
        copy: of it, as it was before the first step.
        raised: the first exception of its constructor or step, described.
        made: its constructor did not raise.
        metric: what a ReduceLROnPlateau was told first.
        counts: what it was told more or less the next time, where that is 1, as of an epoch's number; else 0.
    """

    scheduler: Any
    steps: dict[int, int] = field(default_factory=dict)
    at: list[tuple[int, int]] = field(default_factory=list)
    arguments: list[float] = field(default_factory=list)
    inner: bool = False
    late: bool = False
    copy: Any = None
    raised: dict[str, Any] | None = None
    made: bool = True
    metric: Any = None
    counts: int = 0

    @property
    def same_number(self) -> float | None:
        """What each of several steps was told; None where they were told nothing, or different numbers."""
        return self.arguments[0] if len(self.arguments) > 1 == len(set(self.arguments)) else None


@dataclass
class Schedules:
    """All that happens to learning rates in a run.

    Attributes:
        now: tells the present moment.
        notes: its schedulers.
        groups: by id of an optimizer, its parameter groups without the parameters, as they were before its first step.
    """

    now: Callable[[], Moment]
    notes: list[NotedScheduler] = field(default_factory=list)
    groups: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    _depth: int = 0

    def patches(self) -> Iterator[tuple[type, str, Callable[..., Any]]]:
        """What to put in place of the constructors and ``step`` methods of all scheduler classes."""
        for cls in _family(LRScheduler):
            for name, wrap in (("__init__", self._init), ("step", self._step)):
                if name in vars(cls):
                    yield cls, name, wrap(vars(cls)[name])

    def begin(self, optimizer: Optimizer) -> None:
        """Note how things stand before an optimizer's first step."""
        if id(optimizer) in self.groups:
            return
        keep = (int, float, torch.Tensor)
        self.groups[id(optimizer)] = [
            {key: copy.deepcopy(value) for key, value in group.items() if isinstance(value, keep)}
            for group in optimizer.param_groups
        ]
        for note in self.notes:
            if note.copy is None and not note.steps and note.scheduler.optimizer is optimizer:
                try:
                    note.copy = copy.deepcopy(note.scheduler, {id(optimizer): optimizer})
                except Exception:  # a scheduler of the student's own may hold anything
                    note.copy = note.scheduler

    def _init(self, original: Callable[..., None]) -> Callable[..., None]:
        def init(scheduler: Any, *args: Any, **kwargs: Any) -> None:
            self._depth += 1
            error = None
            try:
                original(scheduler, *args, **kwargs)
            except Exception as raised:
                if self._depth > 1 or not _made_to_look_right(scheduler, args, kwargs):
                    raise
                error = describe.exception(raised)
            finally:
                self._depth -= 1
            if self._depth == 0 and hasattr(scheduler, "optimizer"):
                self._note(scheduler, error)

        return init

    def _note(self, scheduler: Any, error: dict[str, Any] | None) -> None:
        parts = getattr(scheduler, "_schedulers", ())
        for note in self.notes:
            note.inner = note.inner or any(note.scheduler is part for part in parts)
        max_noted = 1_000  # schedulers
        if all(note.scheduler is not scheduler for note in self.notes) and len(self.notes) < max_noted:
            late = id(scheduler.optimizer) in self.groups
            self.notes.append(NotedScheduler(scheduler, late=late, raised=error, made=error is None))

    def _step(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(scheduler: Any, *args: Any, **kwargs: Any) -> Any:
            note = next((note for note in self.notes if note.scheduler is scheduler), None)
            if self._depth > 0 or note is None:
                return original(scheduler, *args, **kwargs)
            if not note.made:
                return None
            self.begin(scheduler.optimizer)
            now = self.now()
            note.steps[now.epoch] = note.steps.get(now.epoch, 0) + 1
            max_moments = 1_000  # of steps
            if now.batches and len(note.at) < max_moments:
                note.at.append((now.epoch, now.batches))
            args, kwargs = _given(note, args, kwargs)
            self._depth += 1
            try:
                return original(scheduler, *args, **kwargs)
            except Exception as error:  # it is the scheduler's fault: what else the run shows is to be seen
                if not now.beyond:  # simulated, it may raise or not
                    note.raised = note.raised or describe.exception(error)
                return None
            finally:
                self._depth -= 1

        return step

    def hardly_stepped(self) -> bool:
        """Whether there are schedulers, and no more than one step of them: it may take many batches until the next."""
        return any(note.made for note in self.notes) and sum(sum(note.steps.values()) for note in self.notes) < 2

    def stepped_since(self, batches: int) -> int:
        """How many steps within passes came after so many batches of the run."""
        return sum(at > batches for note in self.notes for _, at in note.at)

    def optimizers(self) -> list[Optimizer]:
        """All that a scheduler was made for."""
        return list({id(note.scheduler.optimizer): note.scheduler.optimizer for note in self.notes}.values())

    def facts(self, optimizers: list[Optimizer]) -> list[dict[str, Any]]:
        """Describe the schedulers.

        Args:
            optimizers: those that took a step.
        """
        return [
            {
                "type": type(note.scheduler).__name__[:100],
                "drives": any(note.scheduler.optimizer is optimizer for optimizer in optimizers),
                "steps": sum(note.steps.values()),
                "epochs": len(note.steps),
                "inner": note.inner,
                "made": note.made,
                "raised": note.raised,
                "settings": _settings(note.scheduler),
                "same_number": note.same_number is not None,
            }
            for note in self.notes[:20]
        ]


def _made_to_look_right(scheduler: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Let a training go on whose scheduler could not be made: what else it does is still to be seen."""
    optimizer = args[0] if args else kwargs.get("optimizer")
    if not isinstance(optimizer, Optimizer):
        return False
    rates_ = [group["lr"] for group in optimizer.param_groups]
    vars(scheduler).update(optimizer=optimizer, last_epoch=0, _last_lr=rates_, base_lrs=rates_)
    return True


def _given(
    note: NotedScheduler, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What ``step`` is really told: whoever waits for a plateau meets one."""
    if isinstance(note.scheduler, ReduceLROnPlateau) and (args or "metrics" in kwargs):
        told = args[0] if args else kwargs["metrics"]
        if note.metric is None:
            note.metric = told
        elif note.scheduler.last_epoch == 1 and type(told) is type(note.metric) in (int, float):
            note.counts = int(told - note.metric) if abs(told - note.metric) == 1 else 0
        told = watched(note, note.scheduler)
        return ((told, *args[1:]), kwargs) if args else (args, {**kwargs, "metrics": told})
    number = args[0] if args else kwargs.get("epoch")
    if isinstance(number, int | float):
        note.arguments.append(float(number))
    return args, kwargs


def watched(note: NotedScheduler, scheduler: ReduceLROnPlateau) -> Any:
    """What a scheduler is told next: the first value, then numbers that a plateau is made of.

    Of two that are alike and below 0, torch takes the second one for better. Who tells the number of the epoch meets
    no plateau: it counts on.
    """
    metric, before = note.metric, scheduler.last_epoch
    if note.counts:
        return metric + note.counts * before
    if not before or not isinstance(metric, int | float | torch.Tensor):
        return metric
    slack = 2 * scheduler.threshold * abs(metric)
    return metric - slack if scheduler.mode == "max" else metric + slack


def _family(cls: type) -> list[type]:
    children: list[type] = cls.__subclasses__()
    return [cls, *(sub for child in children for sub in _family(child))]


def _settings(scheduler: Any) -> dict[str, Any]:
    """What a scheduler was made with: numbers, words, and lists of numbers."""
    found: dict[str, Any] = {}
    settings = (  # attributes that schedulers of torch keep their arguments in
        "milestones", "_milestones", "step_size", "gamma", "T_max", "T_0", "T_mult", "eta_min", "total_steps", "patience",
        "factor", "mode", "total_iters", "start_factor", "end_factor", "power", "total_size", "min_lrs",
    )  # fmt: skip
    for name in settings:
        value = getattr(scheduler, name, None)
        if isinstance(value, dict):  # MultiStepLR counts its milestones
            value = sorted(value)
        if isinstance(value, list | tuple):
            value = [_number(item) for item in value if isinstance(item, int | float)][:20]
        if isinstance(value, int | float):
            value = _number(value)
        if isinstance(value, str | int | float) or (isinstance(value, list) and value):
            found[name.lstrip("_")] = value[:100] if isinstance(value, str) else value
    return found


def _number(value: int | float) -> int | float:
    """A number as it is, a whole one within what an answer may hold."""
    max_whole = 2**62  # of a setting, as ``grader.observations`` lets pass
    return value if isinstance(value, float) else max(-max_whole, min(value, max_whole))
