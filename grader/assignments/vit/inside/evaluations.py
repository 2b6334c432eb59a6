"""What stands in for ``evaluate_at_end_epoch`` while a training is watched, and notes its arguments."""

import contextlib
import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.assignments.vit.inside import standins
from grader.sandbox.inside import describe
from grader.torchkit.inside.loaded_items import is_whole
from grader.torchkit.inside.noted_reads import NotedReads
from grader.torchkit.inside.training_watch import TrainingWatch


class Evaluations:
    """Calls of the evaluation in one training.

    Args:
        given: the student's own function, or None; its signature says which arguments are taken.
        call_own: call it the first time.
        rising: each evaluation finds the model better; otherwise always the same, so that a plateau is met.
        epochs: that the training should take. Long after them the models get as good as can be, so that a
            training ends that waits for that.
        classes: by "vit" and "head", the submission's classes of it, of one of which a model is an object or holds one;
            empty where that cannot be asked.
    """

    def __init__(
        self,
        watch: TrainingWatch,
        given: Any,
        call_own: bool,
        rising: bool,
        epochs: int,
        classes: dict[str, tuple[type, ...]],
    ) -> None:
        self.watch, self.given, self.rising, self.epochs, self.classes = watch, given, rising, epochs, classes
        # sums of the weights of a ViT that is not followed, and of those that are, at each call
        self.weights: list[tuple[float, float]] = []
        self.own: Callable[..., Any] | None = given if call_own else None
        self.calls: list[dict[str, Any]] = []  # arguments by name, and what was "returned"
        self.own_results: list[Any] = []
        self.refused: dict[str, Any] | None = None  # the first call with other arguments than it takes, described

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """What is called in place of ``evaluate_at_end_epoch``."""
        signature = inspect.signature(self.given) if inspect.isfunction(self.given) else None
        if signature is not None:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:  # as the call would raise it
                self.refused = self.refused or describe.exception(error)
                raise
        best = self._best()
        result = standins.evaluate_at_end_epoch(self.calls, best, signature)(*args, **kwargs)
        call = self.calls[-1]
        if self.own is not None and not self.own_results:
            with self.watch.not_watching():
                self.own_results.append(self.own(*args, **kwargs))
        if len(self.calls) == 1:
            _save(call, best)
        for role, name in (("vit", "vit_model"), ("head", "model_embedding")):
            if isinstance(call.get(name), nn.Module) and self._model(call[name])["role"] not in ("vit", "head"):
                self.watch.follow(role, call[name])
        self._note_weights(call.get("vit_model"))
        self.watch.evaluated()
        call["returned"] = self.own_results[0] if self.own_results else result
        return call["returned"]

    def _note_weights(self, vit: Any) -> None:
        followed = [note.module for note in self.watch.models if note.role == "vit"]
        if isinstance(vit, nn.Module) and all(vit is not module for module in followed):
            self.weights.append((_sum_of_weights([vit]), _sum_of_weights(followed)))

    def _best(self) -> float:
        """The Precision@1 that this evaluation finds."""
        best = 0.5 + 0.001 * len(self.calls) if self.rising else 0.5
        late = max(0, len(self.watch.epochs) - 3 * self.epochs - 10)
        return min(1.0, best + 0.02 * late)

    def facts(self) -> dict[str, Any]:
        """What was noted; explained at ``grader.assignments.vit.metric_learning.watched_runs.TrainingRun``."""
        max_told = 50  # calls whose best_prec and calculator are told
        calculators = (_calculator(call.get("accuracy_calculator")) for call in self.calls[:max_told])
        unlike = {(c["type"], c["calculates"], tuple(c["measures"] or ())): c for c in calculators}
        return {
            "evaluations": self._kinds(),
            "best": [
                {"given": _number(call.get("best_prec")), "returned": _number(call.get("returned"))}
                for call in self.calls[:max_told]
            ],
            "calculators": [unlike[key] for key in sorted(unlike)],
            "refused": self.refused,
            "copies": self._copies(),
        }

    def _copies(self) -> dict[str, int]:
        """How often a ViT that is not followed had other weights than the time before, and how often only the others."""
        changes = [(a[0] != b[0], a[1] != b[1]) for a, b in itertools.pairwise(self.weights)]
        return {
            "changed": sum(own for own, _ in changes),
            "unchanged": sum(not own and others for own, others in changes),
        }

    def _kinds(self) -> list[dict[str, Any]]:
        """What was evaluated on what, each combination once, with how often."""
        kinds: list[dict[str, Any]] = []
        for call in self.calls[:5_000]:
            models = {"vit": self._model(call.get("vit_model")), "head": self._model(call.get("model_embedding"))}
            both = [call.get("vit_model"), call.get("model_embedding")]
            models["vit"]["foreign"] = self._foreign("vit", both[:1])
            models["head"]["foreign"] = self._foreign("head", both[::-1])  # a model of both may hold the head
            sets = {name.partition("_")[0]: self._set(call.get(name)) for name in ("train_dataset", "test_dataset")}
            kind = {**models, **sets, "whole": is_whole(call.get("train_dataset"), self.watch.train)}
            known = next((each for each in kinds if {**each, "calls": 0} == {**kind, "calls": 0}), None)
            if known is None:
                kinds.append({**kind, "calls": 1})
            else:
                known["calls"] += 1
        return kinds[:20]

    def _model(self, model: Any) -> dict[str, Any]:
        """Which of the models followed it is, by its role; a copy of one counts as one. Others have their type's name."""
        for wrapper in ("module", "_orig_mod"):
            inner = getattr(model, wrapper, None)
            model = inner if isinstance(inner, nn.Module) and type(model).__module__.startswith("torch") else model
        for note in self.watch.models:
            if note.module is model:
                return {"role": note.role, "unheld": not note.is_copy and not self.watch.held(note)}
        role = next((note.role for note in self.watch.models if type(note.module) is type(model)), None)
        return {"role": role or type(model).__name__[:100], "unheld": False}

    def _foreign(self, role: str, models: list[Any]) -> str:
        """The type of the first model where none of them has anything of the submission's ViT or head; empty for others."""
        classes = self.classes[role]
        if not classes or not isinstance(models[0], nn.Module) or type(models[0]) in classes[0].__mro__:
            return ""
        modules = [part for model in models if isinstance(model, nn.Module) for part in model.modules()]
        own = (isinstance(part, classes) or type(part).__name__ == classes[0].__name__ for part in modules)  # or a twin
        return "" if any(own) else type(models[0]).__name__[:100]

    def _set(self, dataset: Any) -> str:
        """Which set a data set holds items of: "train", "test" or "other"; "none" for what cannot be a data set."""
        if not _may_be_data_set(dataset):
            return "none"
        for _ in range(5):
            if isinstance(dataset, NotedReads):
                return "train" if dataset.reads is self.watch.train.reads else "test"
            dataset = getattr(dataset, "dataset", None)
        return "other"


def unwatched(watch: TrainingWatch, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the student's that evaluates: its passes over data are whole, and nothing is learned from them."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        before = [(each.reads, each.reads[:]) for each in (watch.train, watch.test)]
        try:
            with watch.not_watching():
                return function(*args, **kwargs)
        finally:
            for reads, kept in before:
                reads[:] = kept

    return call


def _sum_of_weights(models: list[nn.Module]) -> float:
    return sum(float(p.detach().double().sum()) for model in models for p in model.parameters())


def _may_be_data_set(value: Any) -> bool:
    """Whether a loader can be made of something: it has items by number, and a list's items are pairs."""
    if isinstance(value, list | tuple):
        return all(isinstance(item, list | tuple) for item in value[:1])
    return hasattr(type(value), "__getitem__") and not isinstance(value, str | dict | Tensor)


def _save(call: dict[str, Any], best: float) -> None:
    """Leave the checkpoint that the real evaluation would leave: it may be read when the training is over."""
    with contextlib.suppress(Exception):
        vit, head = call["vit_model"], call["model_embedding"]
        torch.save({"embedding_head": head.state_dict(), "vit": vit.state_dict(), "precision@1": best}, "vit_embeds.pt")


def _number(value: Any) -> float | None:
    """A number, the infinite as a large one, which is how a best value may begin; None for anything else."""
    try:
        number = float(np.clip(float(value), -1e9, 1e9))
    except (TypeError, ValueError, RuntimeError):
        return None
    return None if np.isnan(number) else number


def _calculator(value: Any) -> dict[str, Any]:
    """What was given as accuracy calculator, and the measures that it computes where that can be known."""
    computed = getattr(value, "curr_function_dict", None)
    return {
        "type": type(value).__name__[:100],
        "calculates": callable(getattr(value, "get_accuracy", None)),
        "measures": [str(name)[:100] for name in list(computed)[:20]] if isinstance(computed, dict) else None,
    }
