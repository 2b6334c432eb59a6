"""A student's ``train_embedding_model``, run on small data and watched.

It is tried with stand-ins for everything that may be broken elsewhere, then with more and more of the
student's own, until one attempt goes through. Which attempt it was is a fact like any other.
"""

import contextlib
import inspect
import random
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from grader.assignments.vit.inside import embedding as embedding  # registers its operations with these
from grader.assignments.vit.inside import loaded_items, lookalike, notebook_call, standins, untrained
from grader.assignments.vit.inside.built_models import ROLES, built_models, usable
from grader.assignments.vit.inside.built_models import facts as built_model_facts
from grader.assignments.vit.inside.checkpoints import CLASSIFIER, VIT
from grader.assignments.vit.inside.datasets import Garments
from grader.assignments.vit.inside.schedules import simulate
from grader.assignments.vit.inside.watch import Enough, Watch
from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student

WHOLE, FULL, SMALL = 700, 6_000, 24  # training images of each class: 500, 600 and all of 700 can be told apart
PER_CLASS = 500  # that the assignment trains on
TEST = 10
MAX_EPOCHS = 1_000
BEFORE, CHECKPOINT = "vit_classifier.pt", "vit_embeds.pt"
NAME = "train_embedding_model"


@dataclass(frozen=True)
class Attempt:
    """What stands in for what.

    Attributes:
        own: the classes of the student's that are used; stand-ins are for the others.
        small_model: the hyperparameters make the student's own model small.
        own_evaluation: the student's own evaluation is called once.
        subset: the training set is handed over as the Subset of 5,000, not as the notebook would.
        per_class: training images of each class.
        uncut: few images, small batches, none of them cut; the evaluation finds it better each time.
    """

    name: str
    own: frozenset[str] = frozenset()
    small_model: bool = True
    own_evaluation: bool = False
    subset: bool = False
    per_class: int = WHOLE
    uncut: bool = False


def attempts(own: frozenset[str]) -> list[Attempt]:
    """What is tried one after the other, until one attempt goes through.

    The student's own classes are used where nothing is wrong with them: what the student's code does with them is to
    be seen. Where one is broken, a stand-in takes its place, and both are tried as they are when that does not do.
    """
    both = frozenset(ROLES)
    with_own = Attempt("own models" if own == both else "stand-ins", own)
    return [
        with_own,
        *([replace(with_own, name="own models, as large as they are", small_model=False)] if own else []),
        replace(with_own, name="own evaluation", own_evaluation=True),
        *([Attempt("own models", both)] if own != both else []),
        Attempt("all own", both, own_evaluation=True),
        replace(with_own, name="subset", subset=True),
        replace(with_own, name="as many images as FashionMNIST has", per_class=FULL),
        replace(with_own, name=UNCUT, per_class=SMALL, uncut=True),
    ]


UNCUT = "uncut"


@op("embedding.train")
def train(student: Student, seed: int, line: np.ndarray, own: list[str]) -> list[dict[str, Any]]:
    """Run ``train_embedding_model`` until an attempt goes through; the last item is the one that counts.

    Where its learning rate was not seen to move, the attempt without any cuts follows as one item more.

    Args:
        line: images on a line, which each ViT is given with the weights that it began with.
        own: names of the student's classes that nothing is known to be wrong with.
    """
    planned = attempts(usable(student, own))
    runs = [_first(student, planned[0], seed, line)]
    for attempt in planned[1:] if runs[0]["raised"] else planned[-1:]:
        if not runs[-1]["raised"] and runs[-1]["steps"]:
            break
        runs.append(_run(student, attempt, seed, line))
    if runs[-1]["steps"] and runs[-1]["attempt"] != UNCUT and not _moves(runs[-1]):
        runs.append(_run(student, planned[-1], seed, line))
    return runs


def _first(student: Student, attempt: Attempt, seed: int, line: np.ndarray) -> dict[str, Any]:
    """The first attempt; a function that does not sample, and is called nowhere, is given the Subset of 5,000."""
    run = _run(student, attempt, seed, line)
    if run["data"]["called"] or run["raised"] or not run["data"]["direct"]:
        return run
    return _run(student, replace(attempt, subset=True), seed, line)


def _moves(run: dict[str, Any]) -> bool:
    rates = [used[2] for used in run["used"]]
    return len(set(rates)) > 1 or any(np.ptp(curve) > 0 for curve in run["rates"]["curves"])


def _run(student: Student, attempt: Attempt, seed: int, line: np.ndarray) -> dict[str, Any]:
    _seed(seed)
    sets = garments(seed, attempt.per_class), garments(seed + 1, TEST, train=False)
    watch = Watch(*sets, short=not attempt.uncut)
    samples: list[dict[str, Any]] = []
    evaluations: list[dict[str, Any]] = []
    names = {
        "sample_balanced_subset": standins.sample_balanced_subset(samples),
        "evaluate_at_end_epoch": _evaluation(student, attempt, watch, evaluations),
        "train_dataset": sets[0],
        "test_dataset": sets[1],
        "train_loader": DataLoader(sets[0], _number(student, "batch_size", 64), shuffle=True),
        "test_loader": DataLoader(sets[1], 100),
        **({"batch_size": 16} if attempt.uncut else {}),
    }
    own = built_models(student, attempt.own, attempt.small_model, watch)
    with own as models, _folder(), student.restored(), student.overriding(**names, **models):
        _leave_classifier(student)
        called = None if attempt.subset else notebook_call.arguments(student, NAME, *sets)
        function, given = student.get(NAME), called or notebook_call.Arguments((_given(attempt, sets[0]), sets[1]), {})
        ended = _call(lambda: function(*given.args, **given.kwargs), watch)
    if not watch.optimizers:  # none took a step: what would be used by those that there are
        watch.optimizers = watch.schedules.optimizers()
    simulated = _simulated(student, watch, ended["ended"] == "returned")  # it may find that a scheduler raises
    facts = {"attempt": attempt.name, "own": sorted(attempt.own), **ended, **_facts(watch, samples, evaluations, line)}
    return {**facts, "data": _data(watch, attempt, called is not None), "rates": simulated}


def _given(attempt: Attempt, train_set: Garments) -> Any:
    """The training set as it is handed over where the notebook's own call is not known."""
    return standins.sample_balanced_subset([])(train_set, PER_CLASS) if attempt.subset else train_set


def _data(watch: Watch, attempt: Attempt, called: bool) -> dict[str, Any]:
    """Which items were learned from, and which the loaders would hand out in the whole training."""
    items = loaded_items.of_loaders(watch.loaders, watch.train, watch.test)
    learned = np.zeros(items.size, dtype=np.uint8)
    learned[sorted(watch.learned)] = 1
    kept = ("indices", "tested", "unknown", "whole", "batch", "direct")
    facts = {"called": called, "per_class": attempt.per_class, "subset": attempt.subset, "learned": learned}
    return {**facts, "could": items.could.astype(np.uint8), **{name: getattr(items, name) for name in kept}}


def _call(call: Callable[[], Any], watch: Watch) -> dict[str, Any]:
    try:
        with watch.on():
            call()
    except Enough:
        return {"ended": "enough", "raised": None}
    except NotImplementedError as error:
        if not watch.optimizers:
            raise
        return {"ended": "raised", "raised": describe.exception(error)}
    except Exception as error:
        return {"ended": "raised", "raised": describe.exception(error)}
    return {"ended": "returned", "raised": None}


def garments(seed: int, per_class: int, train: bool = True) -> Garments:
    """A small data set that looks like FashionMNIST."""
    return Garments(*lookalike.images_and_labels(seed, per_class), train)


def _evaluation(student: Student, attempt: Attempt, watch: Watch, calls: list[dict[str, Any]]) -> Callable[..., Any]:
    """What is called as ``evaluate_at_end_epoch``, with the arguments that the student's own one takes."""
    given = student.get("evaluate_at_end_epoch") if student.has("evaluate_at_end_epoch") else None
    own = given if attempt.own_evaluation else None
    results: list[Any] = []

    def evaluate(*args: Any, **kwargs: Any) -> Any:
        if inspect.isfunction(given):
            inspect.signature(given).bind(*args, **kwargs)  # raises TypeError as the call would
        best = 0.5 + 0.001 * len(calls) if attempt.uncut else 0.5
        result = standins.evaluate_at_end_epoch(calls, best)(*args, **kwargs)
        if own is not None and not results:
            with watch.aside():
                results.append(own(*args, **kwargs))
        if len(calls) == 1:
            _save(calls[0], best)
        for role, name in (("vit", "vit_model"), ("head", "model_embedding")):
            if isinstance(calls[-1].get(name), nn.Module) and _who(watch, calls[-1][name])[0] not in ("vit", "head"):
                watch.model(role, calls[-1][name])
        watch.evaluated()
        calls[-1]["returned"] = results[0] if results else result
        return calls[-1]["returned"]

    return evaluate


def _save(call: dict[str, Any], best: float) -> None:
    """Leave the checkpoint that the real evaluation would leave: it may be read when the training is over."""
    with contextlib.suppress(Exception):
        vit, head = call["vit_model"], call["model_embedding"]
        torch.save({"embedding_head": head.state_dict(), "vit": vit.state_dict(), "precision@1": best}, CHECKPOINT)


def _leave_classifier(student: Student) -> None:
    """Leave the checkpoint that the training before leaves: the embedding's ViT may begin with its weights."""
    with contextlib.suppress(Exception):
        content: dict[str, Any] = {"acc": 0.9}
        for part in (VIT, CLASSIFIER):
            sizes = [student.get(size) if isinstance(size, str) else size for size in part.arguments]
            content[part.key] = student.get(part.name)(*sizes).state_dict()
        torch.save(content, BEFORE)


def _facts(
    watch: Watch, samples: list[dict[str, Any]], evaluations: list[dict[str, Any]], line: np.ndarray
) -> dict[str, Any]:
    before = untrained.features(watch.models, line)
    return {
        "epochs": [epoch.facts() for epoch in watch.epochs],
        "steps": sum(epoch.steps for epoch in watch.epochs),
        "optimizers": [type(optimizer).__name__[:100] for optimizer in watch.optimizers],
        "used": watch.used,
        "models": [{**model, "line": before.get(n, [])} for n, model in enumerate(built_model_facts(watch))],
        "losses": [{"type": name, **vars(note)} for name, note in list(watch.losses.calls.items())[:20]],
        "without_gradient": dict(list(watch.losses.without_gradient.items())[:20]),
        "miners": dict(list(watch.losses.miners.items())[:20]),
        "schedulers": watch.schedules.facts(watch.optimizers),
        "samples": [int(s["n_samples_per_class"]) for s in samples[:10]],
        "evaluations": _evaluated(watch, evaluations),
        "best": [[_float(call.get("best_prec")), _float(call.get("returned"))] for call in evaluations[:50]],
        "calculators": sorted({_calculator(call.get("accuracy_calculator")) for call in evaluations[:50]}),
    }


def _float(value: Any) -> float | None:
    """A number, the infinite as a large one, which is how a best value may begin; None for anything else."""
    try:
        number = float(np.clip(float(value), -1e9, 1e9))
    except (TypeError, ValueError, RuntimeError):
        return None
    return None if np.isnan(number) else number


def _calculator(value: Any) -> str:
    """What keeps an evaluation from computing Precision@1 with this; empty where nothing does."""
    if not callable(getattr(value, "get_accuracy", None)):
        return type(value).__name__[:100]
    computed = getattr(value, "curr_function_dict", None)
    return "" if not isinstance(computed, dict) or "precision_at_1" in computed else ", ".join(map(str, computed))[:100]


def _evaluated(watch: Watch, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was evaluated on what, each combination once, with how often."""
    counts: dict[tuple[Any, ...], int] = {}
    for call in calls[:5_000]:
        models = [part for name in ("vit_model", "model_embedding") for part in _who(watch, call.get(name))]
        sets = [_which(watch, call.get(name)) for name in ("train_dataset", "test_dataset")]
        counts[*models, *sets] = counts.get((*models, *sets), 0) + 1
    names = ("vit", "vit_number", "head", "head_number", "train", "test")
    return [{**dict(zip(names, key, strict=True)), "calls": count} for key, count in list(counts.items())[:20]]


def _who(watch: Watch, model: Any) -> tuple[str, int]:
    """(role, number among the models followed); -1 for a copy of one, -2 for one that no optimizer holds."""
    for wrapper in ("module", "_orig_mod"):
        inner = getattr(model, wrapper, None)
        model = inner if isinstance(inner, nn.Module) and type(model).__module__.startswith("torch") else model
    for index, note in enumerate(watch.models):
        if note.module is model:
            return note.role, index if watch.held(note) else -2
    for note in watch.models:
        if type(note.module) is type(model):
            return note.role, -1
    return type(model).__name__[:100], -1


def _which(watch: Watch, dataset: Any) -> str:
    for _ in range(5):
        if isinstance(dataset, Garments):
            return "train" if dataset.reads is watch.train.reads else "test"
        dataset = getattr(dataset, "dataset", None)
    return "other"


def _simulated(student: Student, watch: Watch, returned: bool) -> dict[str, Any]:
    epochs = max(min(_number(student, "num_epochs", 1), MAX_EPOCHS), len(watch.epochs))
    batches = max((epoch.of.length or epoch.of.yielded for epoch in watch.epochs[:1]), default=1)
    if watch.epochs and watch.epochs[0].of.goes_on:  # as long as it was seen to be; without an end, it is all there is
        epochs, batches = epochs if watch.epochs[0].evaluations else 1, watch.epochs[0].of.yielded
    seen = [{"batches": epoch.of.yielded, "steps": epoch.steps} for epoch in watch.epochs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        last = len(seen) if returned else epochs
        return simulate(watch.schedules, watch.optimizers, seen, epochs, max(1, batches), last)


def _number(student: Student, name: str, default: int) -> int:
    value = student.get(name) if student.has(name) else default
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    """A folder of its own for whatever a training writes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
