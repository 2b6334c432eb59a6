"""Schedules that are counted in another unit than they were meant in: epochs in batches, or batches in epochs.

Shapes: S steps of an optimizer in the whole training, K numbers that a LambdaLR is asked for.
"""

import numpy as np

from grader.torchkit.rate_problem import ANEW_HINT, HARDLY, MIN_EPOCHS, ONCE_HINT, RateProblem, made_anew, settings
from grader.torchkit.training_answers import LearningRates, WatchedScheduler, WatchedTraining

EPOCHS_HINT = "Call scheduler.step() once an epoch, after the loop over the batches and not in it, or give its numbers in batches."


def counted_in_batches(run: WatchedTraining, rates: np.ndarray) -> RateProblem | None:
    """Find a schedule in epochs that is counted in batches.

    Args:
        rates: (S,) over the whole training.
    """
    epochs, batches = run.rates.epochs, run.rates.batches
    if not run.rates.per_batch or epochs < MIN_EPOCHS or len(rates) != epochs * batches or rates.max() <= 0:
        return None
    if _waits_for_batches(run):
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


def _waits_for_batches(run: WatchedTraining) -> bool:
    """Whether a plateau is waited for through more steps than there are epochs, so that batches are meant."""
    patiences = [scheduler.settings.get("patience") for scheduler in run.schedulers if scheduler.steps]
    return any(isinstance(patience, int) and patience > run.rates.epochs for patience in patiences)


def never_ends(run: WatchedTraining, rates: np.ndarray) -> RateProblem | None:
    """Find a OneCycleLR that was told far more steps than the training has, so that only its beginning is used.

    Args:
        rates: (S,) over the whole training.
    """
    if not run.rates.per_batch or run.rates.epochs < MIN_EPOCHS:  # on a stream, its length may not be known
        return None
    for scheduler in run.schedulers:
        total = scheduler.settings.get("total_steps")
        if scheduler.type != "OneCycleLR" or not isinstance(total, int):
            continue
        if scheduler.steps and total >= 2 * len(rates):
            return RateProblem(
                f"the learning rate goes from {rates[0]:.4g} to {rates[-1]:.4g}, only the beginning of its schedule: "
                f"OneCycleLR is told {total} steps (total_steps), and the training has {len(rates)}: "
                f"{run.rates.epochs} epochs of {run.rates.batches} batches",
                "Count the batches of the loader that you train with, len(loader), not images and not those of another.",
                "in epochs",
            )
    return None


def below_zero_in_batches(run: WatchedTraining) -> RateProblem | None:
    """Find a straight fall to 0 over the epochs that is counted in batches: it goes on below 0 after as many batches."""
    epochs, batches = run.rates.epochs, run.rates.batches
    if not run.rates.per_batch or epochs < MIN_EPOCHS or batches < 3:
        return None
    for curve in run.rates.curves:
        rates = curve.min(axis=1)
        below = np.flatnonzero(rates < -1e-3 * np.abs(rates[:epochs]).max())
        if len(below) and abs(int(below[0]) - epochs) <= 1:
            what = f"falls from {rates.max():.1e} to 0 {_within(epochs, batches)} and goes on below 0"
            return RateProblem(f"the learning rate {what}: {_because(run)}", EPOCHS_HINT, "over")
    return None


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


def counted_in_epochs(run: WatchedTraining, rates: np.ndarray) -> RateProblem | None:
    """Find a schedule in batches that is counted in epochs, so that only its beginning is used.

    Args:
        rates: (S,) over the whole training.
    """
    epochs, batches = run.rates.epochs, run.epochs[0].length if run.epochs else 0
    left_early = all(epoch.backwards <= 1 for epoch in run.epochs[:MIN_EPOCHS])  # after a batch is after an epoch then
    if run.rates.per_batch or epochs < MIN_EPOCHS or batches < 2 or left_early:
        return None
    named = next((scheduler for scheduler in run.schedulers if _is_told_batches(scheduler, run.rates, batches)), None)
    stepped = named or next((scheduler for scheduler in run.schedulers if scheduler.steps), None)
    if stepped is None or (named is None and np.ptp(rates) > HARDLY * np.abs(rates).max()):
        return None
    goes = f"the learning rate goes from {rates[0]:.4g} to {rates[-1]:.4g} in all {epochs} epochs"
    if stepped.steps == 1:
        return RateProblem(f"{goes}: {stepped.type} is stepped once in the whole training", ONCE_HINT, "in epochs")
    return RateProblem(
        f"{goes}, only the beginning of its schedule: {stepped.type}{settings(stepped)} is meant in batches, {batches} "
        "of them in an epoch, but scheduler.step() is called once an epoch",
        "Call scheduler.step() after each batch, or give its numbers in epochs.",
        "in epochs",
    )


def begun_again(run: WatchedTraining) -> RateProblem | None:
    """Find a schedule that is begun again in each epoch, though it was meant to take longer than one.

    A round for each epoch, made anew for each, is the student's own choice; and with new models a new schedule begins.
    """
    if any(run.builds_anew(role) for role in {model.role for model in run.models}):
        return None
    stepped = next((scheduler for scheduler in run.schedulers if scheduler.steps), None)
    if run.rates.epochs < MIN_EPOCHS or stepped is None or not made_anew(run, stepped):
        return None
    taken = run.epochs[0].length if stepped.steps > 1 else 1  # steps in an epoch
    told = [stepped.settings.get(name) for name in ("T_max", "total_steps", "total_iters", "total_size")]
    meant = max((number for number in told if isinstance(number, int | float)), default=0)
    if meant < 2 * taken:
        return None
    first = "its first step is" if taken == 1 else f"its first {taken} steps are"
    return RateProblem(
        f"{stepped.type} is made anew in each epoch and begins again each time: of its {meant:g} steps only {first} ever taken",
        ANEW_HINT,
        "in epochs",
    )


def _is_told_batches(scheduler: WatchedScheduler, rates: LearningRates, batches: int) -> bool:
    """Whether a scheduler was told the number of batches in the whole training, in nearly all of its epochs, or in a round."""
    if scheduler.type == "LambdaLR":
        return _ends_with_the_batches(rates.in_batches)
    epochs = rates.epochs
    numbers = [scheduler.settings.get(name) for name in ("T_max", "total_steps", "total_iters", "step_size")]
    for number in (number for number in numbers if isinstance(number, int | float)):
        of_most_epochs = number % batches == 0 and 0.8 * epochs <= number / batches <= epochs  # the first warm up
        whole_batches = number % epochs == 0 and abs(number / epochs - batches) <= 1  # the last one is smaller
        if number > epochs and (of_most_epochs or whole_batches):
            return True
    return _round_of_batches(scheduler, epochs, batches)


def _round_of_batches(scheduler: WatchedScheduler, epochs: int, batches: int) -> bool:
    """Whether a scheduler that goes round was told a round of whole epochs in batches, which is longer than the training.

    ``CyclicLR`` counts batches by its documentation: whatever is longer is meant so.
    """
    cycle, restart = (scheduler.settings.get(name) for name in ("total_size", "T_0"))
    if scheduler.type == "CyclicLR" and isinstance(cycle, int | float):
        return cycle > 2 * epochs
    return isinstance(restart, int | float) and restart > epochs and restart % batches == 0


def _ends_with_the_batches(factors: np.ndarray) -> bool:
    """Whether the function of a LambdaLR falls to nothing as late as after nearly all batches of the training.

    Args:
        factors: (K,), as ``LearningRates.in_batches``.
    """
    if not len(factors) or not np.isfinite(factors).all():
        return False
    highest = int(factors.argmax())
    vanished = np.flatnonzero(factors[highest:] < 0.01 * factors[highest])
    return len(vanished) > 0 and highest + int(vanished[0]) >= 0.9 * (len(factors) - 1)


def _within(step: int, batches: int) -> str:
    return "within the first epoch" if step <= batches else f"within {-(-step // batches)} epochs"


def _because(run: WatchedTraining) -> str:
    stepped = [scheduler for scheduler in run.schedulers if scheduler.steps > scheduler.epochs] or run.schedulers
    named = f"{stepped[0].type}{settings(stepped[0])} counts" if stepped else "its numbers count"
    batches = run.rates.batches
    return f"{named} batches, as scheduler.step() is called after each batch, and {batches} batches make an epoch"
