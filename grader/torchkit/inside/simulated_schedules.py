"""Learning-rate schedulers, simulated to the end of a training.

A training is watched for a few batches of each epoch. Which learning rates its optimizers would use over the whole of
it is found by copies of its schedulers, taken before the first step and stepped as often as the student's code did it:
once an epoch, or once a batch.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from grader.sandbox.inside import describe
from grader.torchkit.inside.schedules import NotedScheduler, Schedules, watched


@dataclass(frozen=True)
class Stepping:
    """How a scheduler is stepped: ``rate`` times a batch, or ``times`` at the end of an epoch.

    Attributes:
        begins_anew: its batches are counted in each epoch, and not over all of them.
    """

    rate: float = 0.0
    times: int = 0
    begins_anew: bool = True

    def due(self, batch: int, epoch: int, batches: int) -> int:
        """How often it is stepped after a batch of an epoch of so many batches."""
        before = batch if self.begins_anew else epoch * batches + batch
        return int((before + 1) * self.rate + 1e-6) - int(before * self.rate + 1e-6)


def simulate(
    schedules: Schedules, optimizers: list[Optimizer], seen: list[dict[str, int]], epochs: int, batches: int, last: int
) -> dict[str, Any]:
    """Find the learning rates that the whole training would use.

    Args:
        optimizers: those that took a step.
        seen: the epochs of the run, each with "batches" and "steps" of optimizers.
        epochs: of the whole training.
        batches: of each of its epochs.
        last: the number of epochs after which a scheduler may refuse to go on: the training has ended there, and
            so do the curves.

    Returns:
        what ``grader.torchkit.training_answers.LearningRates`` explains.
    """
    driven = [n for n in schedules.notes if n.steps and n.copy is not None and not n.late and n.raised is None]
    ways = [
        (note, ways) for note in driven if (ways := _steppings(note, seen[:epochs], batches) or _evenly(note, epochs))
    ]
    counts_on = any(_batches_between(note, seen) for note, _ in ways)
    per_batch = any(way.rate for _, of_epochs in ways for way in of_epochs)
    in_batches = np.empty(0) if per_batch else _factors_of_batches(driven, epochs * batches)
    batches = batches if per_batch else 1
    max_batches = 60_000  # that are simulated
    epochs = max(1, min(epochs, max_batches // batches))
    for optimizer in optimizers:
        _restore(optimizer, schedules.groups.get(id(optimizer), []))
    curves: list[list[list[float]]] = [[] for _ in optimizers]
    ended = epochs
    for epoch in range(epochs):
        due = [(note, of_epochs[min(epoch, len(of_epochs) - 1)]) for note, of_epochs in ways]
        if not _simulate_epoch(due, optimizers, curves, epoch, batches, epoch < last):
            ended = last
    arrays = [np.array(curve[: ended * batches], dtype=np.float64) for curve in curves]
    return {
        "epochs": ended, "batches": batches, "per_batch": per_batch, "curves": arrays, "in_batches": in_batches,
        "counts_on": counts_on,
    }  # fmt: skip


def _factors_of_batches(notes: list[NotedScheduler], batches: int) -> np.ndarray:
    """What the function of a LambdaLR gives for numbers from 0 to all batches of the training.

    Returns:
        (K,), evenly spread; empty where there is no such scheduler, or its function raises.
    """
    max_factors = 2_000  # that are asked for
    for note in notes:
        if isinstance(note.copy, LambdaLR) and not note.inner and not note.arguments:
            asked = np.unique(np.linspace(0, batches, max_factors).astype(int))
            with suppress(Exception):
                return np.array([float(note.copy.lr_lambdas[0](int(number))) for number in asked])
    return np.empty(0)


def _simulate_epoch(
    due: list[tuple[NotedScheduler, Stepping]], optimizers: list[Optimizer], curves: list[list[list[float]]],
    epoch: int, batches: int, real: bool,
) -> bool:  # fmt: skip
    """Step schedulers through an epoch, and note the learning rates of each batch.

    Returns:
        False where one refuses to go on, in an epoch that the training does not have.
    """
    goes_on = True
    for batch in range(batches):
        for curve, optimizer in zip(curves, optimizers, strict=True):
            curve.append(rates(optimizer))
        for note, way in due:
            at = epoch + (batch + 1) / batches if way.rate else epoch
            goes_on &= _drive(note, way.due(batch, epoch, batches), at, real)
    for note, way in due:
        goes_on &= _drive(note, way.times, epoch + 1, real)
    return goes_on


def rates(optimizer: Optimizer) -> list[float]:
    """The learning rates of an optimizer's first groups."""
    max_groups = 4  # parameter groups whose learning rate is kept
    return [float(group["lr"]) for group in optimizer.param_groups[:max_groups]]


def _evenly(note: NotedScheduler, epochs: int) -> list[Stepping]:
    """The steps of a scheduler shared out to the epochs, where none was seen to begin: no batch is learned from."""
    times, rest = divmod(sum(note.steps.values()), epochs)
    return [Stepping(times=times)] if times and not rest else []


def _steppings(note: NotedScheduler, seen: list[dict[str, int]], batches: int) -> list[Stepping]:
    """How the student's code stepped a scheduler in each epoch of the run, told in terms of real epochs.

    Args:
        batches: of a real epoch.
    """
    if every := _batches_between(note, seen):
        return [Stepping(times=1) if abs(every - batches) <= 1 else Stepping(rate=1 / every, begins_anew=False)]
    ways: list[Stepping] = []
    by_batch: Stepping | None = None
    for epoch, counts in enumerate(seen):
        steps, between = note.steps.get(epoch, 0), np.diff([at for of, at in note.at if of == epoch])
        if steps > 1 and counts["batches"] > 1 and (steps >= counts["batches"] or steps == counts["steps"]):
            by_batch = Stepping(rate=steps / counts["batches"])
            ways.append(by_batch)
        elif len(between) == steps - 1 > 0 and (between == between[0]).all():
            by_batch = Stepping(rate=1 / between[0])
            ways.append(by_batch)
        elif by_batch is not None and (steps == 1 == counts["steps"] or counts["batches"] * by_batch.rate < 1):
            ways.append(by_batch)  # too short an epoch to tell: as in a longer one
        else:
            ways.append(Stepping(times=steps))
    if by_batch is not None:  # nor can the first ones tell, where they were cut short
        for epoch, counts in enumerate(seen[: len(ways)]):
            if not ways[epoch].times and counts["batches"] * by_batch.rate < 1:
                ways[epoch] = by_batch
    return ways


def _batches_between(note: NotedScheduler, seen: list[dict[str, int]]) -> int:
    """After how many batches each a scheduler is stepped that counts them over all epochs; 0 for any other."""
    steps, shown = sum(note.steps.values()), sum(counts["batches"] for counts in seen)
    if not note.at or steps != len(note.at):
        return 0
    moments = [at for _, at in note.at]
    between = np.diff(moments) if steps > 1 else np.array(moments)
    least = 3  # late epochs are given two batches or one
    goes_on = moments[-1] + between[0] > shown
    return int(between[0]) if np.ptp(between) == 0 and between[0] >= least and goes_on else 0


def _drive(note: NotedScheduler, times: int, at: float, real: bool) -> bool:
    """Step a scheduler's copy; one that was told the epoch is told the simulated one.

    Returns:
        False where it refuses to go on, in an epoch that the training does not have.
    """
    for _ in range(times):
        try:
            if isinstance(note.copy, ReduceLROnPlateau):
                note.copy.step(watched(note, note.copy))
            elif note.arguments:
                fractional = any(number != int(number) for number in note.arguments)
                told = at if fractional else int(at)
                note.copy.step(told if note.same_number is None else note.same_number)
            else:
                note.copy.step()
        except Exception as error:
            if real:
                note.raised = note.raised or describe.exception(error)
            return real
    return True


def _restore(optimizer: Optimizer, groups: list[dict[str, Any]]) -> None:
    for group, before in zip(optimizer.param_groups, groups, strict=False):
        group.update(before)
