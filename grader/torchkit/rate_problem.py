"""What is wrong with a learning rate, and how its scheduler is named in that sentence."""

from dataclasses import dataclass
from typing import Any, Literal

from grader.torchkit.training_answers import WatchedScheduler, WatchedTraining

MIN_EPOCHS = 3  # fewer say nothing about epochs and batches mistaken for each other
HARDLY = 0.005  # of the largest learning rate: less of a change in all epochs together teaches nothing
ONCE_HINT = "Call scheduler.step() in every epoch: inside the loop over the epochs, whatever was measured in it."
ANEW_HINT = "Make the optimizer and its scheduler once, before the loop over the epochs."


@dataclass(frozen=True)
class RateProblem:
    """What is wrong with the learning rate of a training.

    Attributes:
        kind: "constant": it does not change, or falls below 0, or its scheduler raises; "by hand": it changes, but
            without a scheduler; "in batches": it changes, but a schedule in epochs seems to be counted in batches; "over":
            and so has come to its end after a few of them; "in epochs": only the beginning of a schedule is used, as
            one in batches is counted in epochs.
    """

    message: str
    hint: str
    kind: Literal["constant", "by hand", "in batches", "over", "in epochs"] = "constant"


def made_anew(run: WatchedTraining, stepped: WatchedScheduler) -> bool:
    """Whether schedulers of this type are made again and again, as in each epoch."""
    alike = [scheduler for scheduler in run.schedulers if scheduler.type == stepped.type and not scheduler.inner]
    return len(alike) > MIN_EPOCHS


def settings(scheduler: WatchedScheduler) -> str:
    """What a scheduler was made with, in brackets; "" where that tells nothing."""
    told = ("milestones", "step_size", "gamma", "T_max", "T_0", "total_steps", "patience", "total_iters")
    unused = ("gamma",) if scheduler.type == "CyclicLR" and scheduler.settings.get("mode") != "exp_range" else ()
    named = {name: value for name, value in scheduler.settings.items() if name in told and name not in unused}
    shown = [f"{name}={_shown(value)}" for name, value in named.items()]
    return f" ({', '.join(shown)})" if shown else ""


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)[:60]
