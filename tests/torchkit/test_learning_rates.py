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
    ("batches", "length", "steps", "backwards", "stale", "empty", "arrived", "wasted", "test_batches", "evaluations"), 1
)
ITEMS = {"learned": np.ones(1, bool), "could": np.ones(1, bool), "indices": 1, "tested": 0, "unknown": 0, "whole": True,
         "batch": 1, "direct": False}  # fmt: skip


def scheduler(**more: Any) -> dict[str, Any]:
    made = {"type": "StepLR", "drives": True, "steps": EPOCHS, "epochs": EPOCHS, "inner": False, "made": True,
            "raised": None, "settings": {"step_size": 5}}  # fmt: skip
    return made | more


def training(curve: np.ndarray, *schedulers: dict[str, Any], batches: int = 1, used: Any = None) -> WatchedTraining:
    """A training that was seen for a step in each epoch; ``curve`` is (S,)."""
    used = np.full(EPOCHS, 0.1) if used is None else used
    run = {
        "ended": "enough", "raised": None, "epochs": [EPOCH] * EPOCHS, "models": [], "losses": [],
        "without_gradient": [], "miners": [], "schedulers": list(schedulers), "items": ITEMS,
        "used": {"epoch": np.arange(len(used)), "optimizer": np.zeros(len(used), np.int64), "rate": used},
        "rates": {"epochs": EPOCHS, "batches": batches, "per_batch": batches > 1, "curves": [curve[:, None]]},
    }  # fmt: skip
    found: WatchedTraining = converted(run, WatchedTraining)
    return found


def said(run: WatchedTraining) -> str:
    problem = rate_problem(run)
    return "" if problem is None else f"{problem.message}. {problem.hint}"


FLAT, FALLING = np.full(EPOCHS, 0.1), 0.1 * 0.5 ** np.arange(EPOCHS)
FALLING_IN_BATCHES = 0.1 * 0.1 ** np.minimum(STEPS // 5, 2)
ROUNDS = 0.05 * (1.01 + np.cos(np.pi * STEPS / 5))
LATE = scheduler(settings={"step_size": 30})
OFTEN = scheduler(steps=EPOCHS * BATCHES)
CASES: dict[str, tuple[WatchedTraining, str]] = {
    "falls": (training(FALLING, scheduler()), ""),
    "is set by hand": (training(FLAT, used=FALLING), ""),
    "has no scheduler": (training(FLAT), "no learning-rate scheduler is made: the learning rate stays at 0.1"),
    "drives another": (training(FLAT, scheduler(drives=False)), "drives another optimizer"),
    "never stepped": (training(FLAT, scheduler(steps=0, epochs=0)), "never stepped"),
    "stepped once": (training(FLAT, scheduler(steps=1, epochs=1)), "stepped once"),
    "made anew": (training(FLAT, *[scheduler(steps=1, epochs=1)] * 4), "made anew in each epoch"),
    "changes too late": (training(FLAT, LATE), "beyond the 20 epochs"),
    "multiplies by 1": (training(FLAT, scheduler(settings={"gamma": 1.0})), "by gamma=1"),
    "falls to where it is": (training(FLAT, scheduler(settings={"eta_min": 0.1})), "eta_min"),
    "raised when made": (training(FLAT, scheduler(made=False, raised=RAISED)), "making StepLR raised ValueError"),
    "raised when stepped": (training(FALLING, scheduler(raised=RAISED)), "stepping StepLR raised ValueError"),
    "falls in batches": (training(FALLING_IN_BATCHES, OFTEN, batches=BATCHES), "StepLR (step_size=5) counts batches"),
    "goes round in batches": (
        training(ROUNDS, OFTEN | {"type": "CosineAnnealingLR", "settings": {"T_max": 5}}, batches=BATCHES),
        "goes up and down",
    ),
    "is not finite": (training(np.full(EPOCHS, np.nan), scheduler()), "never changes anything"),
    "is negative": (training(-1.0 - STEPS, OFTEN, batches=BATCHES), ""),
}


@pytest.mark.parametrize(("run", "words"), CASES.values(), ids=CASES)
def test_a_learning_rate_is_judged(run: WatchedTraining, words: str) -> None:
    assert words in said(run) if words else said(run) == ""


@pytest.mark.parametrize(("case", "over"), [("falls in batches", True), ("goes round in batches", False)])
def test_a_schedule_counted_in_batches_is_told_from_one_that_does_nothing(case: str, over: bool) -> None:
    problem = rate_problem(CASES[case][0])
    assert problem is not None and problem.in_batches and problem.over == over


def test_a_curve_for_a_picture_has_few_points() -> None:
    curve = drawn_curve(training(np.linspace(1, 0.1, 50_000), batches=2_500))
    assert curve is not None and len(curve["lr"]) == len(curve["epoch"]) == 2_000
    assert (curve["epochs"], curve["epoch"][0], curve["lr"][-1]) == (EPOCHS, 0.0, 0.1)
