"""What is wrong with the learning rate that optimizers use over the whole of a watched training.

Shapes: S steps of an optimizer in the whole training, G its parameter groups.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from grader.judging import raised_words
from grader.raised import place
from grader.torchkit.training_answers import WatchedScheduler, WatchedTraining

MIN_EPOCHS = 3  # fewer say nothing about epochs and batches mistaken for each other
ONCE_HINT = "Call scheduler.step() in every epoch: inside the loop over the epochs."
EPOCHS_HINT = "Call scheduler.step() once an epoch, after the loop over the batches, or give its numbers in batches."


@dataclass(frozen=True)
class RateProblem:
    """What is wrong with the learning rate of a training.

    Attributes:
        kind: "constant": it does not change, or falls below 0, or its scheduler raises; "by hand": it changes, but
            without a scheduler; "in batches": it changes, but a schedule in epochs seems to be counted in batches; "over":
            and so has come to its end after a few of them; "in epochs": it hardly changes, as a schedule in batches is
            counted in epochs.
    """

    message: str
    hint: str
    kind: Literal["constant", "by hand", "in batches", "over", "in epochs"] = "constant"


def rate_problem(run: WatchedTraining) -> RateProblem | None:
    """Why the learning rate does not change over the training, or not as it was meant to; None where all is well."""
    for scheduler in run.schedulers:
        if scheduler.raised is not None:
            what = f"{'scheduler.step() of' if scheduler.made else 'making'} {scheduler.type}"
            return RateProblem(f"{what} {raised_words(scheduler.raised)}", _raised_hint(scheduler))
    if (lowest := min((curve.min() for curve in run.rates.curves), default=0)) < -rounding(run):
        return RateProblem(
            f"the learning rate falls below 0, to {lowest:.2g}: from there on each step makes the loss larger",
            "Look at the numbers of the scheduler: its end may come before the training's, or a factor be negative.",
        )
    moving = [curve for curve in run.rates.curves if moves(curve)]
    if moving and _seen_constant(run, moving):
        return _constant(run)
    if moving:
        groups = [curve[:, group] for curve in moving for group in range(curve.shape[1])]
        problems = [
            _counted_in_batches(run, group) or _counted_in_epochs(run, group) for group in groups if moves(group)
        ]
        return None if any(problem is None for problem in problems) else problems[0]
    for optimizer in np.unique(run.used.optimizer):
        if moves(run.used.rate[run.used.optimizer == optimizer]):
            return _by_hand(run)
    return _constant(run)


def rounding(run: WatchedTraining) -> float:
    """What a learning rate may be beside 0 by rounding: a cosine's end is no exact 0."""
    return 1e-3 * max((float(np.abs(curve).max()) for curve in run.rates.curves), default=0)


def moves(curve: np.ndarray) -> bool:
    """Whether learning rates change, by more than rounding does; (S,) or (S, G)."""
    return bool(np.isfinite(curve).all() and (np.ptp(curve, axis=0) > 1e-6 * np.abs(curve).max(axis=0)).any())


def drawn_curve(run: WatchedTraining, most: int = 2_000) -> dict[str, Any] | None:
    """The learning rate over the whole training, for a picture; None where no optimizer was seen.

    Args:
        most: how many points it may have.

    Returns:
        lr: the values, of the first optimizer whose learning rate moves, or of the first.
        epoch: where each lies, in epochs.
        epochs: how many there are.
    """
    if not run.rates.curves:
        return None
    of = next((curve for curve in run.rates.curves if moves(curve)), run.rates.curves[0])
    rows = np.unique(np.linspace(0, len(of) - 1, min(most, len(of))).astype(int))
    return {"lr": of[rows, 0].tolist(), "epoch": (rows / run.rates.batches).tolist(), "epochs": run.rates.epochs}


def _seen_constant(run: WatchedTraining, moving: list[np.ndarray]) -> bool:
    """Whether all epochs were seen, and all with the same learning rate, whatever the schedules should give.

    Where steps are counted in batches, the first of them tell. A plateau is not met in each run.
    """
    if run.rates.per_batch:
        return all(_stays(run, number) for number, curve in enumerate(run.rates.curves) if moves(curve))
    whole = run.ended == "returned" and len(run.epochs) >= run.rates.epochs >= MIN_EPOCHS
    waits = any("patience" in scheduler.settings for scheduler in run.schedulers)
    if not whole or waits or not len(run.used.rate) or any(curve.shape[1] > 1 for curve in moving):
        return False
    epochs = [np.unique(run.used.rate[run.used.epoch == epoch]) for epoch in np.unique(run.used.epoch)]
    return all(rates.shape == epochs[0].shape and not moves(np.stack([rates, epochs[0]])) for rates in epochs)


def _stays(run: WatchedTraining, number: int) -> bool:
    """Whether an optimizer's learning rate is the same in each step of the run, which its schedule changes by then."""
    curve, used = run.rates.curves[number], run.used.rate[run.used.optimizer == number]
    min_steps, min_change = 6, 0.01
    begun = curve[: len(used) // 2]  # schedulers may be stepped less often
    told = curve.shape[1] == 1 and len(used) >= min_steps and not moves(used)
    return bool(told and np.ptp(begun) > min_change * np.abs(begun).max())


def _by_hand(run: WatchedTraining) -> RateProblem | None:
    """Whether a learning rate that no simulated scheduler moves is changed in the training's own loop.

    Schedulers may be made anew, and a function or class of the student's own that sets the rates is a scheduler, too.
    """
    driven = any(scheduler.drives and scheduler.steps for scheduler in run.schedulers)
    if driven or not run.set_rates or not all(each.in_training for each in run.set_rates):
        return None
    line = run.set_rates[-1].frame
    return RateProblem(
        f"no learning-rate scheduler drives the optimizer: the training sets the learning rate itself ({place(line)}: "
        f"`{line.text}`)",
        "Make a scheduler for the optimizer, one of torch.optim.lr_scheduler or one of your own, and let it change the "
        "learning rate: ExponentialLR(optimizer, gamma=0.9), for instance, and scheduler.step() once an epoch.",
        "by hand",
    )


def _constant(run: WatchedTraining) -> RateProblem:
    """Say why the learning rate stays as it is."""
    epochs, curves = run.rates.epochs, run.rates.curves
    rate = float(run.used.rate[0]) if len(run.used.rate) else float(curves[0][0, 0]) if curves else float("nan")
    of_groups = sorted({float(value) for value in curves[0][0]} | {rate}) if curves else [rate]
    stays = f"the learning rate stays at {' and '.join(f'{value:g}' for value in of_groups)} in all {epochs} epochs"
    own = [scheduler for scheduler in run.schedulers if not scheduler.inner]
    if not own:
        return RateProblem(
            f"no learning-rate scheduler is made: {stays}",
            "Make one of torch.optim.lr_scheduler for the optimizer, and call its step() in the training.",
        )
    if not any(scheduler.drives for scheduler in own):
        if len(np.unique(run.used.optimizer)) >= MIN_EPOCHS:
            return RateProblem(
                f"a new optimizer is made in each epoch, and {own[0].type} drives another one: {stays}",
                "Make the optimizer and its scheduler once, before the loop over the epochs.",
            )
        return RateProblem(
            f"{own[0].type} drives another optimizer than the one that trains: {stays}",
            "Give the scheduler the optimizer whose step() is called.",
        )
    if not any(scheduler.steps for scheduler in own):
        call = {
            "OneCycleLR": "scheduler.step() after each batch, which OneCycleLR counts",
            "ReduceLROnPlateau": "scheduler.step(value) once an epoch, with the loss or the Precision@1 of the epoch",
        }.get(own[0].type, "scheduler.step() once an epoch")
        return RateProblem(f"{own[0].type} is made, but never stepped: {stays}", f"Call {call}.")
    stepped = next(scheduler for scheduler in own if scheduler.steps)
    if sum(scheduler.type == stepped.type for scheduler in own) > MIN_EPOCHS:
        return RateProblem(
            f"{stepped.type} never changes anything: it is made anew in each epoch and begins again: {stays}",
            "Make the optimizer and its scheduler once, before the loop over the epochs.",
        )
    if stepped.same_number:
        return RateProblem(
            f"each scheduler.step() of {stepped.type} is told the same number, so that it stays in one epoch: {stays}",
            "Call scheduler.step() without a number: it counts itself.",
        )
    if stepped.steps == 1 < epochs:
        return RateProblem(f"{stepped.type} is stepped once in the whole training: {stays}", ONCE_HINT)
    if any(moves(curve) for curve in run.rates.curves):
        return _set_back(run, stepped, stays)
    return RateProblem(f"{stepped.type}{_settings(stepped)} never changes anything: {stays}", _late(run, stepped))


def _set_back(run: WatchedTraining, scheduler: WatchedScheduler, stays: str) -> RateProblem:
    """Say of a scheduler that changes the learning rate that no step is taken with what it changes."""
    what = f"what {scheduler.type}{_settings(scheduler)} changes has no effect: {stays}"
    if not run.set_rates:
        return RateProblem(
            what,
            "Something sets the learning rate back before the next step. Is an earlier state of the optimizer loaded, or "
            "does scheduler.step() always get the same number?",
        )
    line = run.set_rates[-1].frame
    return RateProblem(
        f"{what}, for your code sets it back ({place(line)}: `{line.text}`)",
        "Leave that line out: the optimizer begins with lr, and from there on the scheduler sets the learning rate.",
    )


def _raised_hint(scheduler: WatchedScheduler) -> str:
    if scheduler.type == "OneCycleLR" and scheduler.made:
        return "total_steps must be the number of calls of step(): epochs times batches if it is stepped per batch."
    if scheduler.type == "ReduceLROnPlateau" and scheduler.made:
        return "Its step() takes the value to watch: scheduler.step(best_prec)."
    return "Compare the arguments with the documentation of torch.optim.lr_scheduler."


def _late(run: WatchedTraining, scheduler: WatchedScheduler) -> str:
    """Why a scheduler that is stepped may do nothing."""
    if len(run.used.rate) and scheduler.settings.get("eta_min") == run.used.rate[0]:
        return "Its lowest learning rate, eta_min, is the one that it starts with."
    if len(run.used.rate) and scheduler.settings.get("min_lrs") == [run.used.rate[0]]:
        return "Its lowest learning rate, min_lr, is the one that it starts with."
    if scheduler.type == "CyclicLR":
        return "It goes up and down between base_lr and max_lr: are they the same?"
    same = next((name for name in ("gamma", "factor") if scheduler.settings.get(name) == 1), None)
    if same is not None:
        return f"It multiplies the learning rate by {same}=1, which changes nothing."
    epochs, unit = run.rates.epochs, "batches" if run.rates.per_batch else "epochs"
    numbers = [scheduler.settings.get(name) for name in ("milestones", "step_size", "patience", "T_max")]
    first = [min(n) if isinstance(n, list) and n else n for n in numbers if n]
    total = epochs * run.rates.batches if run.rates.per_batch else epochs
    if first and isinstance(first[0], int | float) and first[0] >= total - 2:
        return f"Its first change lies beyond the {epochs} epochs of the training: its numbers are counted in {unit}."
    if scheduler.type == "ReduceLROnPlateau":
        return "Its step() takes the value to watch, as scheduler.step(best_prec), and not the number of the epoch."
    return (
        "Look whether its first change lies beyond the last epoch, whether its factor is always the same, whether its "
        "step() always gets the same number, and whether your code sets the learning rate back."
    )


def _counted_in_batches(run: WatchedTraining, rates: np.ndarray) -> RateProblem | None:
    """Find a schedule in epochs that is counted in batches.

    Args:
        rates: (S,) over the whole training.
    """
    epochs, batches = run.rates.epochs, run.rates.batches
    if not run.rates.per_batch or epochs < MIN_EPOCHS or len(rates) != epochs * batches or rates.max() <= 0:
        return None
    falls = np.flatnonzero(np.diff(rates) < -1e-9 * rates.max())
    if not len(falls):
        return None
    last = int(falls[-1]) + 1
    if last <= max(epochs, batches) and len(rates) >= 3 * max(epochs, batches):
        what = f"falls from {rates.max():.1e} to {rates[last]:.1e} {_within(last, batches)} and stays there"
        return RateProblem(f"the learning rate {what}: {_because(run)}", EPOCHS_HINT, "over")
    vanished = rates < 0.01 * rates.max()  # (S,) nothing more is learned with these
    if vanished.mean() > 0.6:
        at = int(np.flatnonzero(~vanished)[-1]) + 1
        what = f"falls from {rates.max():.1e} to {rates[-1]:.1e}, below a hundredth {_within(at, batches)} of {epochs}"
        return RateProblem(f"the learning rate {what}: {_because(run)}", EPOCHS_HINT, "over")
    return _rounds(run, rates)


def _rounds(run: WatchedTraining, rates: np.ndarray) -> RateProblem | None:
    """Find an annealing over the epochs that goes up and down with the batches.

    Where its first end comes after as many batches as the training has epochs, it was meant to come once, at the
    training's end. How often any other should go round is the student's own.
    """
    epochs, batches = run.rates.epochs, run.rates.batches
    peaks = np.flatnonzero((rates[1:-1] > rates[:-2]) & (rates[1:-1] >= rates[2:])) + 1
    if len(peaks) < 4:
        return None
    often = f"{len(peaks)} times, once in {np.median(np.diff(peaks)):.0f} batches"
    lowest = int(rates[: 2 * epochs].argmin())
    of_whole_epochs = min(lowest % batches, -lowest % batches) <= 1
    if abs(lowest - epochs) <= 1 and not of_whole_epochs:
        what = f"falls from {rates.max():.1e} to {rates[lowest]:.1e} {_within(lowest, batches)} and goes up and down"
        return RateProblem(f"the learning rate {what}, {often}: {_because(run)}", EPOCHS_HINT, "over")
    periods = [_period(scheduler) for scheduler in run.schedulers]
    short = [period for period in periods if period is not None and period <= epochs]
    if not short or np.median(np.diff(peaks)) > 2 * max(short) + 1:
        return None
    return RateProblem(f"the learning rate goes up and down {often}: {_because(run)}", EPOCHS_HINT, "in batches")


def _period(scheduler: WatchedScheduler) -> float | None:
    name = {"CosineAnnealingLR": "T_max", "CosineAnnealingWarmRestarts": "T_0"}.get(scheduler.type, "")
    value = scheduler.settings.get(name)
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _counted_in_epochs(run: WatchedTraining, rates: np.ndarray) -> RateProblem | None:
    """Find a schedule in batches that is counted in epochs, so that only its beginning is used.

    Args:
        rates: (S,) over the whole training.
    """
    epochs, batches = run.rates.epochs, run.epochs[0].length if run.epochs else 0
    left_early = all(epoch.backwards <= 1 for epoch in run.epochs[:MIN_EPOCHS])  # after a batch is after an epoch then
    if run.rates.per_batch or epochs < MIN_EPOCHS or batches < 2 or left_early:
        return None
    named = next((scheduler for scheduler in run.schedulers if _total_of_batches(scheduler, epochs, batches)), None)
    stepped = named or next((scheduler for scheduler in run.schedulers if scheduler.steps), None)
    hardly = 0.005  # of the largest learning rate: less of a change in all epochs together teaches nothing
    if stepped is None or (named is None and np.ptp(rates) > hardly * np.abs(rates).max()):
        return None
    goes = f"the learning rate goes from {rates[0]:.4g} to {rates[-1]:.4g} in all {epochs} epochs"
    if stepped.steps == 1:
        return RateProblem(f"{goes}: {stepped.type} is stepped once in the whole training", ONCE_HINT, "in epochs")
    return RateProblem(
        f"{goes}, only the beginning of its schedule: {stepped.type}{_settings(stepped)} is meant in batches, {batches} "
        "of them in an epoch, but scheduler.step() is called once an epoch",
        "Call scheduler.step() after each batch, or give its numbers in epochs.",
        "in epochs",
    )


def _total_of_batches(scheduler: WatchedScheduler, epochs: int, batches: int) -> bool:
    """Whether a scheduler was told the number of batches in the whole training, or in nearly all of its epochs."""
    numbers = [scheduler.settings.get(name) for name in ("T_max", "total_steps", "total_iters", "step_size")]
    for number in (number for number in numbers if isinstance(number, int | float)):
        of_most_epochs = number % batches == 0 and 0.8 * epochs <= number / batches <= epochs  # the first warm up
        whole_batches = number % epochs == 0 and abs(number / epochs - batches) <= 1  # the last one is smaller
        if number > epochs and (of_most_epochs or whole_batches):
            return True
    return False


def _within(step: int, batches: int) -> str:
    return "within the first epoch" if step <= batches else f"within {-(-step // batches)} epochs"


def _because(run: WatchedTraining) -> str:
    stepped = [scheduler for scheduler in run.schedulers if scheduler.steps > scheduler.epochs] or run.schedulers
    named = f"{stepped[0].type}{_settings(stepped[0])} counts" if stepped else "its numbers count"
    batches = run.rates.batches
    return f"{named} batches, as scheduler.step() is called after each batch, and {batches} batches make an epoch"


def _settings(scheduler: WatchedScheduler) -> str:
    told = ("milestones", "step_size", "gamma", "T_max", "T_0", "total_steps", "patience", "total_iters")
    unused = ("gamma",) if scheduler.type == "CyclicLR" and scheduler.settings.get("mode") != "exp_range" else ()
    named = {name: value for name, value in scheduler.settings.items() if name in told and name not in unused}
    shown = [f"{name}={_shown(value)}" for name, value in named.items()]
    return f" ({', '.join(shown)})" if shown else ""


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)[:60]
