"""What is told of a watched training, as ``grader.torchkit.training_answers`` types it."""

import warnings
from collections import Counter
from typing import Any

import numpy as np

from grader.torchkit.inside import loaded_items
from grader.torchkit.inside.followed_models import FollowedModel
from grader.torchkit.inside.passes import Pass
from grader.torchkit.inside.simulated_schedules import simulate
from grader.torchkit.inside.training_watch import TrainingWatch
from grader.torchkit.inside.untrained import outputs_before_training


def training_facts(
    watch: TrainingWatch, ended: dict[str, Any], epochs: int, images: np.ndarray, of_role: str
) -> dict[str, Any]:
    """All that was seen of a training.

    Args:
        ended: what ``TrainingWatch.run`` returned.
        epochs: of the whole training, as far as that is known.
        images: (B, 1, H, W) what models are given with the weights that they had before the training.
        of_role: which models.
    """
    _forget_foreign_optimizers(watch)
    if not watch.optimizers:  # none took a step: what would be used by those that there are
        watch.optimizers = watch.schedules.optimizers()
    simulated = _simulated(watch, epochs, ended["ended"] == "returned")  # it may find that a scheduler raises
    return {
        **ended,
        "epochs": [epoch.facts() for epoch in watch.epochs],
        "used": _used(watch),
        "models": [_model(watch, note, images, of_role) for note in watch.models],
        **watch.losses.facts(),
        "schedulers": watch.schedules.facts(watch.optimizers),
        "items": loaded_items.of_loaders(watch.loaders, watch.train, watch.test).facts(watch.learned),
        "rates": {**simulated, "num_epochs": epochs},
        "set_rates": watch.set_rates.facts(),
    }


def _forget_foreign_optimizers(watch: TrainingWatch) -> None:
    """Forget the optimizers that hold nothing of the models, and their steps, where others hold something."""
    parameters = {id(parameter) for note in watch.models for parameter in note.module.parameters()}
    holding = [
        number
        for number, optimizer in enumerate(watch.optimizers)
        if any(id(parameter) in parameters for group in optimizer.param_groups for parameter in group["params"])
    ]
    if holding:
        number_of = {-1: -1} | {old: new for new, old in enumerate(holding)}
        watch.optimizers = [watch.optimizers[number] for number in holding]
        watch.used = [(epoch, number_of[old], rate) for epoch, old, rate in watch.used if old in number_of]


def _used(watch: TrainingWatch) -> dict[str, np.ndarray]:
    """The learning rates of all steps, a column of ``watch.used`` each."""
    epoch, optimizer, rate = zip(*watch.used, strict=True) if watch.used else ((), (), ())
    return {
        "epoch": np.array(epoch, dtype=np.int64),
        "optimizer": np.array(optimizer, dtype=np.int64),
        "rate": np.array(rate, dtype=np.float64),
    }


def _model(watch: TrainingWatch, note: FollowedModel, images: np.ndarray, of_role: str) -> dict[str, Any]:
    untrained = outputs_before_training(note, images) if note.role == of_role and not note.is_copy else None
    return {**note.facts(watch.held(note)), "untrained": untrained}


def _usual_pass(watch: TrainingWatch) -> Pass | None:
    """The first of the passes that are as long as most; something else may be trained before, in another one."""
    lengths = Counter(epoch.of.length for epoch in watch.epochs)
    usual = max(lengths, key=lambda length: lengths[length], default=0)
    return next((epoch.of for epoch in watch.epochs if epoch.of.length == usual), None)


def _simulated(watch: TrainingWatch, epochs: int, returned: bool) -> dict[str, Any]:
    """The learning rates of the whole training; one on an endless stream of batches is as long as it was seen to be."""
    first = _usual_pass(watch)
    batches = (first.length or first.yielded) if first else 1
    ended = len(watch.epochs)
    if watch.budget.counts_batches(ended):
        ended = watch.batches // batches
    epochs = max(epochs, ended)
    if first and first.goes_on:
        epochs, batches = epochs if watch.epochs[0].evaluations else 1, first.yielded
    elif first and len(watch.epochs) > 1 and all(epoch.of is first for epoch in watch.epochs):
        batches = first.yielded  # a list was made of them once
    seen = [{"batches": epoch.of.yielded, "steps": epoch.steps} for epoch in watch.epochs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        last = ended if returned else epochs
        return simulate(watch.schedules, watch.optimizers, seen, epochs, max(1, batches), last)
