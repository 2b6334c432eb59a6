"""What is said of the learning rate of a training, from hand-written observations."""

from typing import Any

import numpy as np
import pytest

from grader.observations import converted
from grader.torchkit.learning_rates import drawn_curve, rate_problem
from grader.torchkit.training_answers import WatchedTraining

EPOCHS, BATCHES = 20, 10
STEPS = np.arange(EPOCHS * BATCHES)
RAISED = {"type": "ValueError", "bases": ["ValueError"], "message": "too often", "frames": []}
EPOCH = dict.fromkeys(
    (
        "batches",
        "length",
        "steps",
        "backwards",
        "stale",
        "empty",
        "arrived",
        "wasted",
        "unstepped",
        "test_batches",
        "evaluations",
    ),
    1,
)
LINE = {"file": "contrastive.py", "cell": None, "line": 7, "function": "train", "text": "group['lr'] *= 0.9"}
ITEMS = {"learned": np.ones(1, bool), "could": np.ones(1, bool), "indices": 1, "tested": 0, "unknown": 0, "whole": True,
         "batch": 1, "direct": False, "offered": 1}  # fmt: skip


def scheduler(**more: Any) -> dict[str, Any]:
    made = {"type": "StepLR", "drives": True, "steps": EPOCHS, "epochs": EPOCHS, "inner": False, "made": True,
            "raised": None, "settings": {"step_size": 5}}  # fmt: skip
    return made | more


def training(
    curve: np.ndarray, *schedulers: dict[str, Any], batches: int = 1, used: Any = None, sets: tuple[bool, ...] = (),
    ended: str = "enough", in_batches: Any = (),
) -> WatchedTraining:  # fmt: skip
    """A training that was seen for a step in each epoch.

    Args:
        curve: (S,).
        sets: for each place in its code that sets a learning rate, whether that is the training itself.
    """
    if used is None:
        used = curve[:EPOCHS] if batches > 1 else np.full(EPOCHS, 0.1)
    run = {
        "ended": ended, "raised": None, "epochs": [EPOCH | {"length": BATCHES, "backwards": 5}] * EPOCHS, "models": [], "losses": [],
        "without_gradient": [], "miners": [], "schedulers": list(schedulers), "items": ITEMS,
        "used": {"epoch": np.arange(len(used)), "optimizer": np.zeros(len(used), np.int64), "rate": used},
        "rates": {"epochs": EPOCHS, "batches": batches, "per_batch": batches > 1, "curves": [curve[:, None]],
                  "in_batches": np.array(in_batches, dtype=float)},
        "set_rates": [{"frame": LINE, "in_training": in_training} for in_training in sets],
    }  # fmt: skip
    found: WatchedTraining = converted(run, WatchedTraining)
    return found


def said(run: WatchedTraining) -> str:
    problem = rate_problem(run)
    return "" if problem is None else f"{problem.message}. {problem.hint}"


FLAT, FALLING = np.full(EPOCHS, 0.1), 0.1 * 0.5 ** np.arange(EPOCHS)
FALLING_IN_BATCHES = 0.1 * 0.1 ** np.minimum(STEPS // 5, 2)
ROUNDS = 0.05 * (1.01 + np.cos(np.pi * STEPS / 5))
ENDS_AGAIN = 0.05 * (1.01 + np.cos(np.pi * np.arange(EPOCHS * 13) / EPOCHS))  # and 13 batches are no divisor of 20
LINE_OF_BATCHES = STEPS / len(STEPS)
WARM_UP = np.minimum(STEPS / 50, 1 - LINE_OF_BATCHES)
SLOWLY, HARDLY = 0.1 * 0.999 ** np.arange(EPOCHS), 0.1 * 0.9999 ** np.arange(EPOCHS)
LATE = scheduler(settings={"step_size": 30})
OFTEN = scheduler(steps=EPOCHS * BATCHES)
CASES: dict[str, tuple[WatchedTraining, str]] = {
    "falls": (training(FALLING, scheduler()), ""),
    "moves, nobody knows by what": (training(FLAT, used=FALLING), ""),
    "is set by hand": (training(FLAT, used=FALLING, sets=(True,)), "the training sets the learning rate itself"),
    "is set by a function for it": (training(FLAT, used=FALLING, sets=(True, False)), ""),
    "is set beside a scheduler made anew": (training(FLAT, scheduler(steps=1), used=FALLING, sets=(True,)), ""),
    "has no scheduler": (training(FLAT), "no learning-rate scheduler is made: the learning rate stays at 0.1"),
    "has one of its own that does nothing": (
        training(FLAT, sets=(False,)),
        "your code for the learning rate (contrastive.py, line 7: `group['lr'] *= 0.9`) sets it to the same value",
    ),
    "drives another": (training(FLAT, scheduler(drives=False)), "drives another optimizer"),
    "never stepped": (training(FLAT, scheduler(steps=0, epochs=0)), "never stepped"),
    "stepped once": (training(FLAT, scheduler(steps=1, epochs=1)), "stepped once"),
    "made anew": (training(FLAT, *[scheduler(steps=1, epochs=1)] * 4), "made anew in each epoch"),
    "a long schedule made anew": (
        training(FALLING, *[scheduler(steps=1, epochs=1, settings={"T_max": EPOCHS})] * 4),
        "made anew in each epoch and begins again each time: of its 20 steps only its first step is ever taken",
    ),
    "a long schedule in batches made anew": (
        training(FLAT, *[scheduler(steps=5, epochs=1, settings={"total_steps": 200})] * 4, used=FALLING),
        "of its 200 steps only its first 10 steps are ever taken",
    ),
    "a round for each epoch made anew": (
        training(FLAT, *[scheduler(steps=5, epochs=1, settings={"T_max": BATCHES})] * 4, used=FALLING),
        "",
    ),
    "changes too late": (training(FLAT, LATE), "beyond the 20 epochs"),
    "is set back by hand": (
        training(FALLING, scheduler(), sets=(True,), ended="returned"),
        "for your code sets it back (contrastive.py, line 7: `group['lr'] *= 0.9`). Leave that line out",
    ),
    "is set back by something": (
        training(FALLING, scheduler(), ended="returned"),
        "what StepLR (step_size=5) changes has no effect: the learning rate stays at 0.1 in all 20 epochs. Something sets",
    ),
    "multiplies by 1": (training(FLAT, scheduler(settings={"gamma": 1.0})), "by gamma=1"),
    "falls to where it is": (training(FLAT, scheduler(settings={"eta_min": 0.1})), "eta_min"),
    "raised when made": (training(FLAT, scheduler(made=False, raised=RAISED)), "making StepLR raised ValueError"),
    "raised when stepped": (
        training(FALLING, scheduler(raised=RAISED)),
        "scheduler.step() of StepLR raised ValueError",
    ),
    "hardly changes in all batches": (
        training(
            0.1 * 0.999999**STEPS, OFTEN | {"type": "ExponentialLR", "settings": {"gamma": 0.999999}}, batches=BATCHES
        ),
        "hardly changes by ExponentialLR (gamma=0.999999): from 0.1 to 0.0999801 in all 20 epochs",
    ),
    "is told images for batches": (
        training(
            0.1 * 0.999999**STEPS, OFTEN | {"type": "CosineAnnealingLR", "settings": {"T_max": 99_000}}, batches=BATCHES
        ),
        "The training has 200 batches in all, and the scheduler is told 99000: count the batches of the loader, not images.",
    ),
    "falls in batches": (training(FALLING_IN_BATCHES, OFTEN, batches=BATCHES), "StepLR (step_size=5) counts batches"),
    "has begun when the training ends": (
        training(WARM_UP, OFTEN | {"type": "OneCycleLR", "settings": {"total_steps": 5_000}}, batches=BATCHES),
        "OneCycleLR is told 5000 steps (total_steps), and the training has 200: 20 epochs of 10 batches",
    ),
    "ends before its last step": (
        training(WARM_UP, OFTEN | {"type": "OneCycleLR", "settings": {"total_steps": 220}}, batches=BATCHES),
        "",
    ),
    "waits through many batches": (
        training(
            FALLING_IN_BATCHES, OFTEN | {"type": "ReduceLROnPlateau", "settings": {"patience": 30}}, batches=BATCHES
        ),
        "",
    ),
    "waits as through epochs": (
        training(
            FALLING_IN_BATCHES, OFTEN | {"type": "ReduceLROnPlateau", "settings": {"patience": 4}}, batches=BATCHES
        ),
        "ReduceLROnPlateau (patience=4) counts batches",
    ),
    "is not stepped often enough": (
        training(FLAT, scheduler(steps=4, epochs=4, settings={"step_size": 10})),
        "Its first change comes at step 10, and it is stepped 4 times in all 20 epochs.",
    ),
    "goes round in batches": (
        training(ROUNDS, OFTEN | {"type": "CosineAnnealingLR", "settings": {"T_max": 5}}, batches=BATCHES),
        "goes up and down",
    ),
    "ends again and again in batches": (
        training(ENDS_AGAIN, OFTEN | {"type": "LambdaLR", "settings": {}}, batches=13),
        "falls from 1.0e-01 to 5.0e-04 within 2 epochs and goes up and down, 6 times, once in 40 batches",
    ),
    "goes round in two epochs": (
        training(ENDS_AGAIN[: len(STEPS)], OFTEN | {"type": "LambdaLR", "settings": {}}, batches=BATCHES),
        "",
    ),
    "is told batches, counts epochs": (
        training(SLOWLY, scheduler(settings={"T_max": EPOCHS * BATCHES})),
        "is meant in batches, 10 of them in an epoch, but scheduler.step() is called once an epoch",
    ),
    "is told the batches after a warm-up": (
        training(SLOWLY, scheduler(inner=True, settings={"T_max": (EPOCHS - 3) * BATCHES})),
        "is meant in batches",
    ),
    "is a line over all batches, asked once an epoch": (
        training(1 - LINE_OF_BATCHES[:EPOCHS], scheduler(type="LambdaLR", settings={}), in_batches=1 - LINE_OF_BATCHES),
        "is meant in batches, 10 of them in an epoch",
    ),
    "warms up over more batches than there are epochs": (
        training(WARM_UP[:EPOCHS], scheduler(type="LambdaLR", settings={}), in_batches=WARM_UP),
        "is meant in batches",
    ),
    "is a line over the epochs": (
        training(1 - STEPS[:EPOCHS] / EPOCHS, scheduler(type="LambdaLR"), in_batches=np.maximum(0, 1 - STEPS / EPOCHS)),
        "",
    ),
    "falls forever": (
        training(0.95 ** STEPS[:EPOCHS], scheduler(type="LambdaLR"), in_batches=0.95**STEPS),
        "",
    ),
    "a function that falls below 0 beyond the training": (
        training(1 - STEPS[:EPOCHS] / EPOCHS, scheduler(type="LambdaLR"), in_batches=1 - STEPS / EPOCHS),
        "",
    ),
    "a function that is nowhere finite": (
        training(FALLING, scheduler(type="LambdaLR"), in_batches=np.full(9, np.nan)),
        "",
    ),
    "hardly changes": (training(HARDLY, scheduler(settings={"gamma": 0.9999})), "only the beginning"),
    "is slow": (training(SLOWLY, scheduler(settings={"gamma": 0.999})), ""),
    "is slower than the training": (training(SLOWLY, scheduler(settings={"T_max": 205})), ""),
    "is not finite": (training(np.full(EPOCHS, np.nan), scheduler()), "never changes anything"),
    "is set back before each step": (
        training(FALLING_IN_BATCHES, OFTEN, batches=BATCHES, used=np.full(EPOCHS, 0.1), sets=(True,)),
        "for your code sets it back",
    ),
    "is negative": (training(-1.0 - STEPS, OFTEN, batches=BATCHES), "falls below 0"),
}


@pytest.mark.parametrize(("run", "words"), CASES.values(), ids=CASES)
def test_a_learning_rate_is_judged(run: WatchedTraining, words: str) -> None:
    assert words in said(run) if words else said(run) == ""


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("falls in batches", "over"),
        ("goes round in batches", "in batches"),
        ("ends again and again in batches", "over"),
        ("hardly changes", "in epochs"),
        ("is set by hand", "by hand"),
    ],
)
def test_a_schedule_counted_in_another_unit_is_told_from_one_that_does_nothing(case: str, kind: str) -> None:
    problem = rate_problem(CASES[case][0])
    assert problem is not None and problem.kind == kind


def test_a_curve_for_a_picture_has_few_points() -> None:
    curve = drawn_curve(training(np.linspace(1, 0.1, 50_000), batches=2_500))
    assert curve is not None and len(curve["lr"]) == len(curve["epoch"]) == 2_000
    assert (curve["epochs"], curve["epoch"][0], curve["lr"][-1]) == (EPOCHS, 0.0, 0.1)
