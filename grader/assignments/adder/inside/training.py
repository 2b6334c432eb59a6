"""A student's ``train_model``, run on small data and watched.

It is tried with a small model, or a stand-in where the student's own is broken, then with more and more of the
student's own, until one attempt goes through.
"""

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from grader.assignments.adder.inside import standins
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import state_dicts
from grader.torchkit.inside.followed_models import followed, following
from grader.torchkit.inside.noted_reads import NotedPairs
from grader.torchkit.inside.seeding import seed_everything
from grader.torchkit.inside.training_facts import training_facts
from grader.torchkit.inside.training_watch import TrainingWatch

MAX_EPOCHS = 1_000
SMALL = {"n_layer": 1, "n_head": 2, "d_model": 16, "batch_size": 32}
NO_IMAGES = np.zeros((0, 1, 1, 1), np.float32)


@dataclass(frozen=True)
class Attempt:
    """What stands in for what: the student's own GPT or not, small or as large as they make it."""

    name: str
    own: bool
    small: bool


@op("training.run")
def run(student: Student, train: dict[str, Any], test: dict[str, Any], own: bool, seed: int) -> list[dict[str, Any]]:
    """Run ``train_model`` until an attempt goes through; the last item is the one that counts.

    Args:
        train, test: "x" and "y" of the two data sets.
        own: whether nothing is known to be wrong with the student's GPT.
    """
    first = Attempt("own model", True, True) if own else Attempt("stand-in", False, True)
    runs: list[dict[str, Any]] = []
    for attempt in (first, Attempt("own model, as it is", True, False)):
        runs.append(_run(student, attempt, (NotedPairs(**train), NotedPairs(**test)), seed))
        if not runs[-1]["raised"]:
            break
    return runs


def _run(student: Student, attempt: Attempt, sets: tuple[NotedPairs, NotedPairs], seed: int) -> dict[str, Any]:
    seed_everything(seed)
    watch = TrainingWatch(*sets)
    names: dict[str, Any] = {
        "train_dataset": sets[0], "test_dataset": sets[1],
        **({name: size for name, size in SMALL.items() if student.has(name)} if attempt.small else {}),
    }  # fmt: skip
    if student.has("exact_match"):
        names["exact_match"] = _noted_evaluation(watch, student.get("exact_match"))
    function = student.get("train_model")
    with _followed_gpt(student, watch, attempt.own) as model, _temporary_folder():
        with student.restored(), student.overriding(**names, **model):
            ended = watch.run(lambda: function(*sets))
        saved = _saved(watch)
    epochs = student.get("num_epochs") if student.has("num_epochs") else 1
    epochs = min(epochs, MAX_EPOCHS) if type(epochs) is int and epochs > 0 else 1
    return {"attempt": attempt.name, "saved": saved, **training_facts(watch, ended, epochs, NO_IMAGES, of_role="")}


def _noted_evaluation(watch: TrainingWatch, original: Any) -> Any:
    """The student's own measuring, which belongs to no training, and ends an epoch.

    It finds the model better each time, so that it is kept: after so few batches none adds anything right.
    """
    counter = itertools.count(500)

    def measure(*args: Any, **kwargs: Any) -> float:
        with watch.not_watching():
            original(*args, **kwargs)
        watch.evaluated()
        return min(next(counter), 1_000) / 1_000

    return measure


@contextlib.contextmanager
def _followed_gpt(student: Student, watch: TrainingWatch, own: bool) -> Iterator[dict[str, Any]]:
    """Follow each GPT that is made; a stand-in to put in its place where the student's own is not used."""

    def built(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        watch.follow("gpt", module)

    cls = student.get("GPT") if student.has("GPT") else None
    with contextlib.ExitStack() as stack:
        if isinstance(cls, type) and issubclass(cls, nn.Module):
            stack.enter_context(following(cls, built))
        yield {} if own else {"GPT": followed(standins.GPT, built)}


def _saved(watch: TrainingWatch) -> dict[str, Any] | None:
    """What gpt.pt holds, and how it fits the model that was trained last; None where it was not written."""
    if not Path("gpt.pt").is_file():
        return None
    content, opening = state_dicts.opened("gpt.pt", "exact_match")
    models = [note.module for note in watch.models if watch.held(note)]
    fits = None
    if content is not None and models:
        state = content.get("model")
        fits = {"kind": "absent"} if state is None else state_dicts.load(models[-1], state, ("Block",), "GPT")
    return {"opening": opening, "model": fits}


@contextlib.contextmanager
def _temporary_folder() -> Iterator[None]:
    """Work in a folder of its own, for whatever a training writes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield
