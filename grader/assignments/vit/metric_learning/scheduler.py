"""The learning rates that the optimizer really uses, over the whole of a student's training.

Shapes: T steps of an optimizer in the whole training, G its parameter groups.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.assignments.vit.metric_learning.watched_runs import Run, Scheduler, failure, runs
from grader.evidence import Evidence
from grader.judging import Blocked, Criterion, Fail, Skip, checks, raised_words, sentence, warn
from grader.records import Warning_

MOVES = 1e-6  # relative: a schedule that is there at all changes more, rounding changes less
VANISHED = 0.01  # of its peak: nothing more is learned
MOST = 0.6  # of the training with a vanished learning rate
ENOUGH_EPOCHS = 3  # fewer say nothing about epochs and batches mistaken for each other
ROUNDS = 4  # cycles of an annealing that was meant to go round once
POINTS = 2_000  # of a curve in a report


@dataclass(frozen=True)
class Finding:
    """What is wrong with the learning rate of a run."""

    message: str
    hint: str
    collapsed: bool = False  # a schedule in epochs is counted in batches
    over: bool = False  # … and is over after a few of them


def judged(seen: Evidence) -> tuple[Run, Finding | None]:
    """The run to judge by and what is wrong in it: one in which nothing is, else the first that shows anything.

    Raises:
        Blocked: no run came so far.
    """
    looked = [run for run in runs(seen) if run.steps or run.schedulers or (run.raised is None and run.epochs)]
    if not looked:
        problem = failure(seen)
        if isinstance(problem, Blocked):
            raise problem
        raise Blocked("contrastive.training", "the training did not come so far that its learning rate could be seen")
    findings = [(run, _finding(run)) for run in looked]
    right = [pair for pair in findings if pair[1] is None]
    whole = [pair for pair in findings if pair[0].raised is None or _tells(pair[0])]
    if not right and not whole:
        raise Blocked("contrastive.training", "the training ended before its learning rate could be seen")
    return (right or whole)[0]


def _tells(run: Run) -> bool:
    """Whether a run that ended with an exception came far enough to be believed."""
    return len(run.epochs) > 1 or any(scheduler.raised for scheduler in run.schedulers)


def changes(seen: Evidence) -> None:
    """The learning rate that the optimizer uses changes over `num_epochs`, through a scheduler that drives it."""
    finding = judged(seen)[1]
    if finding is not None and not finding.collapsed:
        raise Fail(finding.message, finding.hint)


def unit(seen: Evidence) -> str | None:
    """The scheduler is stepped in the unit that its numbers are meant in: epochs, or batches."""
    finding = judged(seen)[1]
    if finding is None:
        return None
    if not finding.collapsed:
        raise Skip
    if finding.over:
        raise Fail(finding.message, finding.hint)
    return f"It changes, and gives full points, but {sentence(finding.message, finding.hint)}"


def _finding(run: Run) -> Finding | None:
    for scheduler in run.schedulers:
        if scheduler.raised is not None:
            when = "when it is stepped" if scheduler.made else "when it is made"
            return Finding(f"{scheduler.type} {when} {raised_words(scheduler.raised)}", _raised_hint(scheduler))
    moving = [curve for curve in run.curves if _moves(curve)]
    if moving and _seen_constant(run, moving):
        return _constant(run)
    if moving:
        collapses = [_collapse(run, curve[:, group]) for curve in moving for group in range(curve.shape[1])
                     if _moves(curve[:, group])]  # fmt: skip
        return None if any(found is None for found in collapses) else collapses[0]
    for optimizer in np.unique(run.used[:, 1]):
        if _moves(run.used[run.used[:, 1] == optimizer, 2]):
            return None  # by hand, or by schedulers made anew
    return _constant(run)


def _moves(curve: np.ndarray) -> bool:
    return bool(np.isfinite(curve).all() and (np.ptp(curve, axis=0) > MOVES * np.abs(curve).max(axis=0)).any())


def _seen_constant(run: Run, moving: list[np.ndarray]) -> bool:
    """Whether all epochs were seen, and all with the same learning rate, whatever the schedules should give.

    Where steps are counted in batches the run was too short to tell, and a plateau is not met in each run.
    """
    whole = run.ended == "returned" and not run.per_batch and len(run.epochs) >= run.length >= ENOUGH_EPOCHS
    waits = any("patience" in scheduler.settings for scheduler in run.schedulers)
    if not whole or waits or any(curve.shape[1] > 1 for curve in moving):
        return False
    epochs = [np.unique(run.used[run.used[:, 0] == epoch, 2]) for epoch in np.unique(run.used[:, 0])]
    return all(rates.shape == epochs[0].shape and not _moves(np.stack([rates, epochs[0]])) for rates in epochs)


def _constant(run: Run) -> Finding:
    """Say why the learning rate stays as it is."""
    rate = float(run.used[0, 2]) if len(run.used) else float(run.curves[0][0, 0]) if run.curves else float("nan")
    stays = f"the learning rate stays at {rate:g} in all {run.length} epochs"
    own = [scheduler for scheduler in run.schedulers if not scheduler.inner]
    if not own:
        return Finding(f"no learning-rate scheduler was made: {stays}", "torch.optim.lr_scheduler has several.")
    if all(scheduler.optimizer < 0 for scheduler in own):
        return Finding(
            f"{own[0].type} drives another optimizer than the one that trains: {stays}",
            "Give the scheduler the optimizer whose step() is called.",
        )
    if not any(scheduler.steps for scheduler in own):
        often = "after each batch, which OneCycleLR counts" if own[0].type == "OneCycleLR" else "once an epoch"
        return Finding(f"{own[0].type} is made, but never stepped: {stays}", f"Call scheduler.step() {often}.")
    stepped = next(scheduler for scheduler in own if scheduler.steps)
    if sum(scheduler.type == stepped.type for scheduler in own) > ENOUGH_EPOCHS:
        return Finding(
            f"{stepped.type} never changes anything: it is made anew in each epoch and begins again: {stays}",
            "Make the optimizer and its scheduler once, before the loop over the epochs.",
        )
    if stepped.steps == 1 < run.length:
        return Finding(f"{stepped.type} is stepped once in the whole training: {stays}", "Call it in every epoch.")
    return Finding(f"{stepped.type}{_numbers(stepped)} never changes anything: {stays}", _late(run, stepped))


def _raised_hint(scheduler: Scheduler) -> str:
    if scheduler.type == "OneCycleLR" and scheduler.made:
        return "total_steps must be the number of calls of step(): epochs times batches if it is stepped per batch."
    if scheduler.type == "ReduceLROnPlateau" and scheduler.made:
        return "Its step() takes the value to watch: scheduler.step(best_prec)."
    return "Compare the arguments with the documentation of torch.optim.lr_scheduler."


def _late(run: Run, scheduler: Scheduler) -> str:
    """Why a scheduler that is stepped may do nothing."""
    if scheduler.settings.get("eta_min") == run.used[0, 2]:
        return "Its lowest learning rate, eta_min, is the one that it starts with."
    unit = "batches" if run.per_batch else "epochs"
    numbers = [scheduler.settings.get(name) for name in ("milestones", "step_size", "patience", "T_max")]
    first = [min(n) if isinstance(n, list) and n else n for n in numbers if n]
    total = run.length * run.batches if run.per_batch else run.length
    if first and isinstance(first[0], int | float) and first[0] >= total - 2:
        return f"Its first change lies beyond the {run.length} epochs of num_epochs: it counts {unit}."
    return (
        "Does its first change lie beyond num_epochs, is its factor 1, does its step() always get the same number, "
        "or does your code set the learning rate back?"
    )


def _collapse(run: Run, rates: np.ndarray) -> Finding | None:
    """Find a schedule in epochs that is counted in batches.

    Args:
        rates: (T,) over the whole training.
    """
    epochs, batches = run.length, run.batches
    if not run.per_batch or epochs < ENOUGH_EPOCHS or len(rates) != epochs * batches:
        return None
    falls = np.flatnonzero(np.diff(rates) < -1e-9 * rates.max())
    if not len(falls):
        return None
    last = int(falls[-1]) + 1
    if last <= max(epochs, batches) and len(rates) >= 3 * max(epochs, batches):
        what = f"falls from {rates.max():.1e} to {rates[last]:.1e} {_within(last, batches)} and stays there"
        return Finding(f"the learning rate {what}: {_because(run)}", HINT, True, True)
    if (rates < VANISHED * rates.max()).mean() > MOST:
        at = int(np.flatnonzero(rates >= VANISHED * rates.max())[-1]) + 1
        what = f"falls from {rates.max():.1e} to {rates[-1]:.1e}, below a hundredth {_within(at, batches)} of {epochs}"
        return Finding(f"the learning rate {what}: {_because(run)}", HINT, True, True)
    return _rounds(run, rates)


HINT = "Call scheduler.step() once an epoch, after the loop over the batches, or give its numbers in batches."


def _rounds(run: Run, rates: np.ndarray) -> Finding | None:
    """Find an annealing over the epochs that goes up and down with the batches."""
    periods = [_period(scheduler) for scheduler in run.schedulers]
    short = [period for period in periods if period is not None and period <= run.length]
    peaks = np.flatnonzero((rates[1:-1] > rates[:-2]) & (rates[1:-1] >= rates[2:])) + 1
    if not short or len(peaks) < ROUNDS or np.median(np.diff(peaks)) > 2 * max(short) + 1:
        return None
    often = f"{len(peaks)} times, once in {np.median(np.diff(peaks)):.0f} batches"
    return Finding(f"the learning rate goes up and down {often}: {_because(run)}", HINT, True)


def _period(scheduler: Scheduler) -> float | None:
    name = {"CosineAnnealingLR": "T_max", "CosineAnnealingWarmRestarts": "T_0"}.get(scheduler.type, "")
    value = scheduler.settings.get(name)
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _within(step: int, batches: int) -> str:
    return "within the first epoch" if step <= batches else f"within {-(-step // batches)} epochs"


def _because(run: Run) -> str:
    stepped = [scheduler for scheduler in run.schedulers if scheduler.steps > scheduler.epochs] or list(run.schedulers)
    named = f"{stepped[0].type}{_numbers(stepped[0])} counts" if stepped else "its numbers count"
    return f"{named} batches, as scheduler.step() is called after each batch, and {run.batches} batches make an epoch"


def _numbers(scheduler: Scheduler) -> str:
    shown = [f"{name}={_shown(value)}" for name, value in scheduler.settings.items() if name in SHOWN]
    return f" ({', '.join(shown)})" if shown else ""


SHOWN = ("milestones", "step_size", "gamma", "T_max", "T_0", "total_steps", "patience", "total_iters")


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)[:60]


def collapsed(seen: Evidence) -> list[Warning_]:
    """A schedule meant in epochs is over after a few batches."""
    if not seen["training"].ok:
        return []
    try:
        finding = judged(seen)[1]
    except (Fail, Blocked):
        return []
    return warn("scheduler.collapsed", finding.message) if finding is not None and finding.collapsed else []


def curve(seen: Evidence) -> dict[str, Any] | None:
    """The learning rate over the whole training, for a picture.

    Returns:
        lr: at most 2,000 values, of the first optimizer whose learning rate moves, or of the first.
        epoch: where each lies, in epochs.
        epochs: how many there are.
    """
    if not seen["training"].ok:
        return None
    try:
        run = judged(seen)[0]
    except (Fail, Blocked):
        return None
    if not run.curves:
        return None
    of = next((c for c in run.curves if _moves(c)), run.curves[0])
    rows = np.unique(np.linspace(0, len(of) - 1, min(POINTS, len(of))).astype(int))
    return {"lr": of[rows, 0].tolist(), "epoch": (rows / run.batches).tolist(), "epochs": run.length}


PROBES = ()
CRITERIA = (Criterion("contrastive.scheduler", checks(changes, unit), ("train_embedding_model",)),)
WARNINGS = (collapsed,)
