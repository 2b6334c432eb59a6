"""A student's ``train_model``, run on small data and watched.

It is tried with a small model, or a stand-in where the student's own is broken, and once more where that does not go
through.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from grader.assignments.adder.inside import standins
from grader.sandbox.inside.own_folder import own_folder
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import state_dicts
from grader.torchkit.inside.followed_models import followed, following
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.noted_reads import NotedPairs
from grader.torchkit.inside.training_facts import training_facts
from grader.torchkit.inside.training_watch import TrainingWatch


@dataclass(frozen=True)
class Attempt:
    """What stands in for what: the student's own GPT or not, small or as large as they make it."""

    name: str
    own: bool
    small: bool


@op("training.run")
def run(student: Student, train: dict[str, Any], test: dict[str, Any], own: bool, seed: int) -> list[dict[str, Any]]:
    """Run ``train_model`` until an attempt goes through: that one counts, else the first.

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
    small_sizes = {"n_layer": 1, "n_head": 2, "d_model": 16, "batch_size": 32}
    names: dict[str, Any] = {
        "train_dataset": sets[0], "test_dataset": sets[1],
        **({name: size for name, size in small_sizes.items() if student.has(name)} if attempt.small else {}),
    }  # fmt: skip
    measures = ScriptedMeasures(watch, sets[1])
    if student.has("exact_match"):
        names["exact_match"] = measures.of(student.get("exact_match"))
    function = student.get("train_model")
    with _followed_gpt(student, watch, attempt.own) as model, own_folder() as folder:
        with student.restored(), student.overriding(**names, **model):
            ended = watch.run(lambda: function(*sets))
        with contextlib.chdir(folder):
            saved = _saved(watch, measures)
    epochs = student.get("num_epochs") if student.has("num_epochs") else 1
    max_epochs = 1_000
    epochs = min(epochs, max_epochs) if type(epochs) is int and epochs > 0 else 1
    no_images = np.zeros((0, 1, 1, 1), np.float32)
    return {
        "attempt": attempt.name,
        "saved": saved,
        "measured": measures.told,
        **training_facts(watch, ended, epochs, no_images, of_role=""),
    }


class ScriptedMeasures:
    """The student's own measuring, which belongs to no training, and ends an epoch; what it returns is a script.

    After so few batches no model adds anything right, so the second epoch is told to be the best, and those after it
    worse. The same weights are always told the same.

    Args:
        test: the data set on which the best is to be found.

    Attributes:
        told: what was returned for the test set, each value once, in order.
    """

    script = (0.1, 0.5, 0.6)  # before any training, after one epoch, after two
    later = 0.3

    def __init__(self, watch: TrainingWatch, test: Any) -> None:
        self.watch, self.test = watch, test
        self.told: list[float] = []
        self._by_weights: dict[str, float] = {}

    def of(self, original: Any) -> Any:
        """The function that takes the place of the student's."""

        def measure(*args: Any, **kwargs: Any) -> float:
            with self.watch.not_watching():
                original(*args, **kwargs)
            self.watch.evaluated()
            given = [*args, *kwargs.values()]
            value = self._value(next((each for each in given if isinstance(each, nn.Module)), None))
            if any(each is self.test for each in given) and value not in self.told:
                self.told.append(value)
            return value

        return measure

    def of_weights(self, state: Any) -> float | None:
        """What a model with these weights was told; None where none was measured."""
        return self._by_weights.get(_digest(state)) if isinstance(state, dict) else None

    def _value(self, model: nn.Module | None) -> float:
        epochs = len(self.watch.epochs)
        value = self.script[epochs] if epochs < len(self.script) else self.later
        return value if model is None else self._by_weights.setdefault(_digest(model.state_dict()), value)


def _digest(state: dict[str, Any]) -> str:
    """Tells weights from others, whatever their names are."""
    digest = hashlib.sha256()
    for value in state.values():
        if isinstance(value, Tensor):
            digest.update(value.detach().cpu().double().numpy().tobytes())
    return digest.hexdigest()


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


def _saved(watch: TrainingWatch, measures: ScriptedMeasures) -> dict[str, Any] | None:
    """What gpt.pt holds, and how it fits the model that was trained last; None where it was not written."""
    if not Path("gpt.pt").is_file():
        return None
    content, opening = state_dicts.opened("gpt.pt", "exact_match")
    models = [note.module for note in watch.models if watch.held(note)]
    fits, state = None, content.get("model") if content is not None else None
    told = measures.of_weights(state)
    if content is not None and models:
        fits = {"kind": "absent"} if state is None else state_dicts.load(models[-1], state, ("Block",), "GPT")
    return {"opening": opening, "model": fits, "told": told}
