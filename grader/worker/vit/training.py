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
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset

from grader.worker import describe
from grader.worker.serve import op
from grader.worker.student import Student
from grader.worker.vit import embedding as embedding  # registers its operations with these
from grader.worker.vit import standins, untrained
from grader.worker.vit.checkpoints import CLASSIFIER, VIT
from grader.worker.vit.datasets import Garments
from grader.worker.vit.schedules import simulate
from grader.worker.vit.watch import Enough, Model, Watch

CLASSES = 10
WHOLE, SMALL = 600, 24  # training images of each class; 600 leaves some outside a subset of 500
TEST = 10
KEPT = 4_096  # values kept of each parameter, before and after
MAX_EPOCHS = 1_000
SMALL_MODEL = {"hidden_size": 32, "layers": 1, "heads": 2, "patch_size": 14}
BEFORE, CHECKPOINT = "vit_classifier.pt", "vit_embeds.pt"


@dataclass(frozen=True)
class Attempt:
    """What stands in for what."""

    name: str
    own_models: bool = False
    own_evaluation: bool = False
    subset: bool = False  # the training set is handed over as a Subset
    small: bool = False  # few images, small batches, none of them cut; the evaluation finds it better each time


FIRST = Attempt("stand-ins")
UNCUT = Attempt("uncut", small=True)
FURTHER = (
    Attempt("own evaluation", own_evaluation=True),
    Attempt("own models", own_models=True),
    Attempt("all own", own_models=True, own_evaluation=True),
    Attempt("subset", subset=True),
    UNCUT,
)


@op("embedding.train")
def train(student: Student, seed: int, line: np.ndarray) -> list[dict[str, Any]]:
    """Run ``train_embedding_model`` until an attempt goes through; the last item is the one that counts.

    ``line`` are images on a line, which each ViT is given with the weights that it began with.
    Where its learning rate was not seen to move, the attempt without any cuts follows as one item more.
    """
    runs = [_run(student, FIRST, seed, line)]
    for attempt in FURTHER if runs[0]["raised"] else (UNCUT,):
        if not runs[-1]["raised"] and runs[-1]["steps"]:
            break
        runs.append(_run(student, attempt, seed, line))
    if runs[-1]["steps"] and runs[-1]["attempt"] != UNCUT.name and not _moves(runs[-1]):
        runs.append(_run(student, UNCUT, seed, line))
    return runs


def _moves(run: dict[str, Any]) -> bool:
    rates = [used[2] for used in run["used"]]
    return len(set(rates)) > 1 or any(np.ptp(curve) > 0 for curve in run["rates"]["curves"])


def _run(student: Student, attempt: Attempt, seed: int, line: np.ndarray) -> dict[str, Any]:
    _seed(seed)
    function = student.get("train_embedding_model")
    train_set, test_set = garments(seed, SMALL if attempt.small else WHOLE), garments(seed + 1, TEST, train=False)
    watch = Watch(train_set, test_set, short=not attempt.small)
    samples: list[dict[str, Any]] = []
    evaluations: list[dict[str, Any]] = []
    names = {
        "sample_balanced_subset": standins.sample_balanced_subset(samples),
        "evaluate_at_end_epoch": _evaluation(student, attempt, watch, evaluations),
        "train_dataset": train_set,
        "test_dataset": test_set,
        "train_loader": DataLoader(train_set, _number(student, "batch_size", 64), shuffle=True),
        "test_loader": DataLoader(test_set, 100),
        **({"batch_size": 16} if attempt.small else {}),
    }
    given: Any = Subset(train_set, range(len(train_set))) if attempt.subset else train_set
    with _models(student, attempt, watch) as models, _folder():
        _leave_classifier(student, {**names, **models})
        ended = _call(lambda: function(given, test_set), student, {**names, **models}, watch)
    if not watch.optimizers:  # none took a step: what would be used by those that there are
        watch.optimizers = watch.schedules.optimizers()
    simulated = _simulated(student, watch, ended["ended"] == "returned")  # it may find that a scheduler raises
    return {"attempt": attempt.name, **ended, **_facts(watch, samples, evaluations, line), "rates": simulated}


def _call(call: Callable[[], Any], student: Student, names: dict[str, Any], watch: Watch) -> dict[str, Any]:
    try:
        with student.overriding(**names), watch.on():
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
    """Images whose classes overlap widely, so that easy and hard triplets are met; labels in random order."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(CLASSES * per_class) % CLASSES)
    kinds, own = rng.integers(0, 256, (CLASSES, 7, 7)), rng.integers(0, 256, (len(labels), 7, 7))
    pixels = (0.4 * kinds[labels] + 0.6 * own).astype(np.uint8)
    return Garments(pixels.repeat(4, axis=1).repeat(4, axis=2), labels, train)


@contextlib.contextmanager
def _models(student: Student, attempt: Attempt, watch: Watch) -> Iterator[dict[str, Any]]:
    """Stand-ins for the models, or the student's own, made small; all are followed, those that exist too."""
    with contextlib.ExitStack() as stack:
        for name, role in (("ViT", "vit"), ("LinearEmbeddingHead", "head")):
            cls = student.get(name) if student.has(name) else None
            if isinstance(cls, type) and issubclass(cls, nn.Module):
                stack.enter_context(_following(cls, role, watch))
                for module in (value for value in _globals(student) if isinstance(value, cls)):
                    watch.model(role, module)
        if attempt.own_models:
            yield {name: size for name, size in SMALL_MODEL.items() if student.has(name)}
        else:
            yield {"ViT": _followed(standins.ViT, "vit", watch),
                   "LinearEmbeddingHead": _followed(standins.LinearEmbeddingHead, "head", watch)}  # fmt: skip


def _globals(student: Student) -> list[Any]:
    return [value for space in (student.main, *student._modules.values()) for value in list(vars(space).values())]


def _followed(cls: type[nn.Module], role: str, watch: Watch) -> type[nn.Module]:
    """A class like a stand-in whose objects are followed from their making."""

    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        cls.__init__(self, *args, **kwargs)
        watch.model(role, self)

    return type(cls.__name__, (cls,), {"__init__": init})


@contextlib.contextmanager
def _following(cls: type[nn.Module], role: str, watch: Watch) -> Iterator[None]:
    """Follow the objects of a student's class. It stays the same class: its methods may call it by name."""
    original = cls.__init__

    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if type(self) is cls:
            watch.model(role, self)

    cls.__init__ = init  # type: ignore[method-assign]
    try:
        yield
    finally:
        cls.__init__ = original  # type: ignore[method-assign]


def _evaluation(student: Student, attempt: Attempt, watch: Watch, calls: list[dict[str, Any]]) -> Callable[..., Any]:
    """What is called as ``evaluate_at_end_epoch``, with the arguments that the student's own one takes."""
    given = student.get("evaluate_at_end_epoch") if student.has("evaluate_at_end_epoch") else None
    own = given if attempt.own_evaluation else None
    results: list[Any] = []

    def evaluate(*args: Any, **kwargs: Any) -> Any:
        if inspect.isfunction(given):
            inspect.signature(given).bind(*args, **kwargs)  # raises TypeError as the call would
        best = 0.5 + 0.001 * len(calls) if attempt.small else 0.5
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


def _leave_classifier(student: Student, names: dict[str, Any]) -> None:
    """Leave the checkpoint that the training before leaves: the embedding's ViT may begin with its weights."""
    with contextlib.suppress(Exception), student.overriding(**names):
        content: dict[str, Any] = {"acc": 0.9}
        for part in (VIT, CLASSIFIER):
            sizes = [student.get(size) if isinstance(size, str) else size for size in part.arguments]
            content[part.key] = student.get(part.name)(*sizes).state_dict()
        torch.save(content, BEFORE)


def _facts(
    watch: Watch, samples: list[dict[str, Any]], evaluations: list[dict[str, Any]], line: np.ndarray
) -> dict[str, Any]:
    before = untrained.features(watch.models, line)
    chosen = {row for sample in samples if sample["dataset"] is watch.train for row in sample["chosen"]}
    return {
        "epochs": [epoch.facts() for epoch in watch.epochs],
        "steps": sum(epoch.steps for epoch in watch.epochs),
        "optimizers": [type(optimizer).__name__[:100] for optimizer in watch.optimizers],
        "used": watch.used,
        "models": [{**_model(watch, note), "line": before.get(n, [])} for n, note in enumerate(watch.models)],
        "losses": [{"type": name, **vars(note)} for name, note in list(watch.losses.calls.items())[:20]],
        "miners": dict(list(watch.losses.miners.items())[:20]),
        "schedulers": watch.schedules.facts(watch.optimizers),
        "samples": [int(s["n_samples_per_class"]) for s in samples[:10]],
        "read": {"train": len(watch.train_reads), "outside": len(watch.train_reads - chosen) if chosen else 0},
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


def _model(watch: Watch, note: Model) -> dict[str, Any]:
    parameters = dict(note.module.named_parameters())
    before = note.before or {}
    return {
        "role": note.role,
        "calls": len(note.modes),
        "train_mode": sum(note.modes),
        "parameters": len(parameters),
        "held": watch.held(note),
        "frozen": sum(not parameter.requires_grad for parameter in parameters.values()),
        "weights": [
            {"name": name[:200], "before": _some(before[name]), "after": _some(parameter)}
            for name, parameter in list(parameters.items())[:12]
            if name in before
        ],
    }


def _some(parameter: torch.Tensor) -> np.ndarray:
    return describe.plain(parameter.detach().flatten()[:KEPT])


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
        if dataset is watch.train or dataset is watch.test:
            return "train" if dataset is watch.train else "test"
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
