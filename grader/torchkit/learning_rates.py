"""What is wrong with the learning rate that optimizers use over the whole of a watched training.

Shapes: S steps of an optimizer in the whole training, G its parameter groups.
"""

from typing import Any

import numpy as np

from grader.raised import place, raised_words
from grader.torchkit.rate_problem import ANEW_HINT, HARDLY, MIN_EPOCHS, ONCE_HINT, RateProblem, made_anew, settings
from grader.torchkit.schedule_units import (
    begun_again,
    below_zero_in_batches,
    counted_in_batches,
    counted_in_epochs,
    never_ends,
)
from grader.torchkit.training_answers import WatchedScheduler, WatchedTraining

PLATEAU_VALUE = "the value to watch: the epoch's loss, or a score where it is made with mode='max'"


def rate_problem(run: WatchedTraining) -> RateProblem | None:
    """Why the learning rate does not change over the training, or not as it was meant to; None where all is well."""
    for scheduler in run.schedulers:
        if scheduler.raised is not None:
            what = f"{'scheduler.step() of' if scheduler.made else 'making'} {scheduler.type}"
            return RateProblem(f"{what} {raised_words(scheduler.raised)}", _raised_hint(scheduler))
    if (lowest := min((curve.min() for curve in run.rates.curves), default=0)) < -rounding(run):
        return below_zero_in_batches(run) or RateProblem(
            f"the learning rate falls below 0, to {lowest:.2g}: from there on each step makes the loss larger",
            "Look at the numbers of the scheduler: its end may come before the training's, or a factor be negative.",
        )
    moving = [curve for curve in run.rates.curves if moves(curve)]
    if moving and _seen_constant(run, moving):
        return _constant(run)
    if moving and run.rates.per_batch and not any(moves(curve, by=HARDLY) for curve in moving):
        return _hardly(run, moving[0][:, 0])
    if (moving or _used_rates_move(run)) and (again := begun_again(run)):
        return again
    if moving:
        groups = [curve[:, group] for curve in moving for group in range(curve.shape[1])]
        kinds = (counted_in_batches, counted_in_epochs, never_ends)
        problems = [next(filter(None, (of(run, group) for of in kinds)), None) for group in groups if moves(group)]
        return None if any(problem is None for problem in problems) else problems[0]
    return _by_hand(run) if _used_rates_move(run) else _constant(run)


def _used_rates_move(run: WatchedTraining) -> bool:
    """Whether the steps of some optimizer were taken with different learning rates."""
    used = run.used
    return any(moves(used.rate[used.optimizer == number]) for number in np.unique(used.optimizer))


def rounding(run: WatchedTraining) -> float:
    """What a learning rate may be beside 0 by rounding: a cosine's end is no exact 0."""
    return 1e-3 * max((float(np.abs(curve).max()) for curve in run.rates.curves), default=0)


def moves(curve: np.ndarray, by: float = 1e-6) -> bool:
    """Whether learning rates change, by more than rounding does.

    Args:
        curve: (S,) or (S, G).
        by: more than this share of the largest.
    """
    return bool(np.isfinite(curve).all() and (np.ptp(curve, axis=0) > by * np.abs(curve).max(axis=0)).any())


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

    Where steps are counted in batches, the first of them tell. A plateau is not met in each run, nor are all steps
    of a scheduler that comes after so many batches.
    """
    if run.rates.per_batch:
        return all(_stays(run, number) for number, curve in enumerate(run.rates.curves) if moves(curve))
    whole = run.ended == "returned" and len(run.epochs) >= run.rates.epochs >= MIN_EPOCHS
    waits = any("patience" in scheduler.settings for scheduler in run.schedulers)
    if (
        not whole
        or waits
        or run.rates.counts_on
        or not len(run.used.rate)
        or any(curve.shape[1] > 1 for curve in moving)
    ):
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
    set_elsewhere = next((each.frame for each in run.set_rates if not each.in_training), None)
    if not own and set_elsewhere is not None:
        return RateProblem(
            f"your code for the learning rate ({place(set_elsewhere)}: `{set_elsewhere.text}`) sets it to the same value all "
            f"along: {stays}",
            "Is its step called once an epoch, or after each batch, and does it count them?",
        )
    if not own:
        return RateProblem(
            f"no learning-rate scheduler is made: {stays}",
            "Make one of torch.optim.lr_scheduler for the optimizer, and call its step() in the training.",
        )
    if not any(scheduler.drives for scheduler in own):
        if len(np.unique(run.used.optimizer)) >= MIN_EPOCHS:
            return RateProblem(
                f"new optimizers are made in the loop, and {own[0].type} drives another one: {stays}",
                ANEW_HINT,
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
    if made_anew(run, stepped):
        return RateProblem(
            f"{stepped.type} never changes anything: it is made anew in each epoch and begins again: {stays}",
            ANEW_HINT,
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
    return RateProblem(f"{stepped.type}{settings(stepped)} never changes anything: {stays}", _late(run, stepped))


def _hardly(run: WatchedTraining, rates: np.ndarray) -> RateProblem:
    """Say of a learning rate that it changes, but by next to nothing."""
    stepped = next((scheduler for scheduler in run.schedulers if scheduler.steps), None)
    by = f" by {stepped.type}{settings(stepped)}" if stepped else ""
    told = [stepped.settings.get(name) for name in ("T_max", "total_iters", "step_size")] if stepped else []
    meant = max((number for number in told if isinstance(number, int)), default=0)
    return RateProblem(
        f"the learning rate hardly changes{by}: from {rates[0]:.6g} to {rates[-1]:.6g} in all {run.rates.epochs} epochs",
        f"The training has {len(rates)} batches in all, and the scheduler is told {meant}: count the batches of the loader, "
        "not images."
        if meant >= 2 * len(rates)
        else "Choose the numbers of the scheduler so that the learning rate ends well below its largest value.",
    )


def _set_back(run: WatchedTraining, scheduler: WatchedScheduler, stays: str) -> RateProblem:
    """Say of a scheduler that changes the learning rate that no step is taken with what it changes."""
    what = f"what {scheduler.type}{settings(scheduler)} changes has no effect: {stays}"
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
        return f"Its step() takes {PLATEAU_VALUE}."
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
    first = next((min(n) if isinstance(n, list) else n for n in numbers if n), None)
    total = epochs * run.rates.batches if run.rates.per_batch else epochs
    seen_whole = not run.rates.per_batch and len(run.epochs) == epochs
    if isinstance(first, int | float) and first >= total - 2:
        return f"Its first change lies beyond the {epochs} epochs of the training: its numbers are counted in {unit}."
    if isinstance(first, int | float) and first > scheduler.steps and seen_whole:
        return f"Its first change comes at step {first:g}, and it is stepped {scheduler.steps} times in all {epochs} epochs."
    if scheduler.type == "ReduceLROnPlateau":
        return f"Its step() takes {PLATEAU_VALUE}, and not the number of the epoch."
    return (
        "Look whether its first change lies beyond the last epoch, whether its factor is always the same, whether its "
        "step() always gets the same number, and whether your code sets the learning rate back."
    )
