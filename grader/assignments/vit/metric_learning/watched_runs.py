"""What was seen of a training: the worker's facts, held to their form."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.evidence import Evidence
from grader.judging import Blocked, Fail, Malformed, Skip, raised_hint, raised_words
from grader.records import Raised
from grader.sandbox.outside.replies import raised_from
from grader.torchkit.modules import lines

COUNTS = (
    "batches", "length", "steps", "backwards", "stale", "empty", "arrived", "wasted", "test_batches", "evaluations",
)  # fmt: skip
DULL = 3e-5  # of the outputs: a smaller change is rounding
STAND_IN = "object has no attribute"  # what a student's code says that asks a stand-in for what only their class has


@dataclass(frozen=True)
class Model:
    """A ViT or a head of the run."""

    role: str
    calls: int  # with gradient
    parameters: int
    held: int  # of them, by optimizers that took a step
    frozen: int
    moved: bool
    line: tuple[np.ndarray, np.ndarray] | None  # what a ViT made of the line of images before it was trained, twice
    arguments: dict[str, int]  # whole numbers that it was built with, by the assignment's names
    misfit: str  # why its class does not take its arguments


@dataclass(frozen=True)
class Data:
    """The items of the small training set that a run learned from, and those that its loaders would hand out."""

    called: bool  # handed over as the notebook's own call does
    per_class: int  # items of each class in the small set
    subset: bool  # handed over as the subset of 5,000
    learned: np.ndarray  # (n,) bool
    could: np.ndarray  # (n,) bool
    indices: int  # that the samplers gave
    tested: int  # items of the test set among them
    unknown: int  # of which it is not known what they are
    whole: bool  # nothing was left out for lack of time
    batch: int  # the largest batch
    direct: bool  # a loader goes through the training set itself


@dataclass(frozen=True)
class Loss:
    """Calls of one kind of pytorch-metric-learning loss."""

    type: str
    triplet: bool
    calls: int
    learned: int  # whose embeddings received a gradient
    flat: int  # … that was zero
    found: int  # whose tuples hold some, on a batch that has any
    nothing: int  # whose tuples are empty there
    tuples: dict[str, int]  # by where the tuples came from: none, miner, all, other


@dataclass(frozen=True)
class Evaluation:
    """One combination of arguments of evaluate_at_end_epoch, and how often it came."""

    vit: str
    vit_number: int
    head: str
    head_number: int
    train: str
    test: str
    calls: int


@dataclass(frozen=True)
class Scheduler:
    """A scheduler object. ``optimizer`` is -1 when it drives none of the run's."""

    type: str
    optimizer: int
    steps: int
    epochs: int  # in which it was stepped
    inner: bool
    made: bool
    raised: Raised | None
    settings: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One attempt at a student's training."""

    attempt: str
    ended: str
    raised: Raised | None
    epochs: tuple[dict[str, int], ...]
    steps: int
    used: np.ndarray  # (T, 3): epoch, optimizer, learning rate
    models: tuple[Model, ...]
    losses: tuple[Loss, ...]
    without_gradient: tuple[str, ...]  # losses of pytorch-metric-learning that were called under no_grad
    miners: tuple[str, ...]
    schedulers: tuple[Scheduler, ...]
    evaluations: tuple[Evaluation, ...]
    best: tuple[tuple[float | None, float | None], ...]  # what each evaluation was given as best_prec, and returned
    calculators: tuple[str, ...]  # what keeps them from computing Precision@1
    samples: tuple[int, ...]  # n_samples_per_class that the sampler was called with
    data: Data
    length: int  # epochs of the whole training
    batches: int  # of an epoch, as simulated
    per_batch: bool
    curves: tuple[np.ndarray, ...]  # by optimizer, (T, G) learning rates of the whole training

    def total(self, count: str) -> int:
        """A count over all epochs."""
        return sum(epoch[count] for epoch in self.epochs)


def runs(seen: Evidence) -> list[Run]:
    """All attempts, in order."""
    value = seen["training"].value
    if not isinstance(value, list) or not value:
        raise Malformed
    try:
        found = [_run(item) for item in value]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        raise Malformed from None
    at = seen["training"].known["line"]
    for run in found:
        _expect_of_this_grade(run, at)
    return found


def _expect_of_this_grade(run: Run, at: np.ndarray) -> None:
    """Fail where what the ViTs of a run computed does not fit the images that were drawn for this grade."""
    for model in run.models:
        if model.line and (model.line[0].shape[:1] != at.shape or not model.line[0].size):
            raise Malformed
        if model.line and not _follows(*model.line, at):
            raise Fail(
                "what was reported of the training does not fit the images that its ViT was given",
                "Does the code write answers of its own, or patch torch?",
            )


def _follows(first: np.ndarray, again: np.ndarray, at: np.ndarray) -> bool:
    """Whether outputs lie on the line; true as well where chance or rounding hides it."""
    out = first.astype(np.float64)
    if not np.isfinite(out).all() or not np.array_equal(first, again):
        return True
    off, step = lines.off_line(out, at), float(np.abs(out[1] - out[0]).max())
    return off is None or step < DULL * float(np.abs(out).max()) or off <= lines.MAX_OFF


def counted(seen: Evidence) -> Run:
    """The attempt that counts: the first that went through and trained, else one that went through, else the first."""
    attempts = runs(seen)
    through = [run for run in attempts if run.raised is None]
    return next((run for run in through if run.steps), through[0] if through else attempts[0])


def through(seen: Evidence) -> Run:
    """The attempt that counts; a check that rests on it is skipped when none went through."""
    run = counted(seen)
    if run.raised is not None:
        raise Skip
    return run


def failure(seen: Evidence) -> Exception | None:
    """Why no attempt went through; None when one did."""
    attempts = runs(seen)
    first = counted(seen).raised
    if first is None:
        return None
    own = next((run.raised for run in attempts if run.attempt == "own models" and run.raised), None)
    if own is not None and "AttributeError" in first.bases and STAND_IN in first.message:
        if not seen.has("ViT", "LinearEmbeddingHead") or "NotImplementedError" in own.bases:
            return Blocked("vit.model", "the training needs the submission's own ViT")
        first = own
    return Fail(raised_words(first), raised_hint(first))


def _run(item: Any) -> Run:
    rates = item["rates"]
    curves = tuple(_numbers(curve, 2) for curve in _list(rates["curves"]))
    if any(not 0 < curve.size <= 500_000 for curve in curves):
        raise Malformed
    return Run(
        attempt=_text(item["attempt"]),
        ended=_text(item["ended"]),
        raised=_raised(item["raised"]),
        epochs=tuple({name: _count(epoch[name]) for name in COUNTS} for epoch in _list(item["epochs"])),
        steps=_count(item["steps"]),
        used=_numbers(np.array(_list(item["used"]), dtype=np.float64).reshape(-1, 3), 2),
        models=tuple(map(_model, _list(item["models"]))),
        losses=tuple(map(_loss, _list(item["losses"]))),
        without_gradient=tuple(_text(name) for name in dict(item["without_gradient"])),
        miners=tuple(_text(name) for name in dict(item["miners"])),
        schedulers=tuple(map(_scheduler, _list(item["schedulers"]))),
        evaluations=tuple(
            Evaluation(
                *(_text(e["vit"]), _whole(e["vit_number"]), _text(e["head"]), _whole(e["head_number"])),
                *(_text(e["train"]), _text(e["test"]), _count(e["calls"])),
            )
            for e in _list(item["evaluations"])
        ),
        best=tuple((_maybe(given), _maybe(returned)) for given, returned in _list(item["best"])),
        calculators=tuple(map(_text, _list(item["calculators"]))),
        samples=tuple(map(_count, _list(item["samples"]))),
        data=_data(item["data"]),
        length=_count(rates["epochs"]),
        batches=_count(rates["batches"]),
        per_batch=rates["per_batch"] is True,
        curves=curves,
    )


def _model(item: Any) -> Model:
    weights = [(_numbers(w["before"], 1), _numbers(w["after"], 1)) for w in _list(item["weights"])]
    moved = any(a.shape == b.shape and not np.array_equal(a, b) for a, b in weights)
    counts = {name: _count(item[name]) for name in ("calls", "parameters", "held", "frozen")}
    arguments = {_text(name): _whole(value) for name, value in dict(item["arguments"]).items()}
    built = {"arguments": arguments, "misfit": _text(item["misfit"]), "line": _line(item["line"])}
    return Model(role=_text(item["role"]), moved=moved, **counts, **built)  # type: ignore[arg-type]


def _line(items: Any) -> tuple[np.ndarray, np.ndarray] | None:
    if not items:
        return None
    first, again = items
    if not isinstance(first, np.ndarray) or not isinstance(again, np.ndarray) or first.shape != again.shape:
        raise Malformed
    return first, again


def _data(item: Any) -> Data:
    read: dict[str, Any] = {
        **{name: _count(item[name]) for name in ("per_class", "indices", "tested", "unknown", "batch")},
        **{name: item[name] is True for name in ("called", "subset", "whole", "direct")},
        **{name: _numbers(item[name], 1).astype(bool) for name in ("learned", "could")},
    }
    return Data(**read)


def _loss(item: Any) -> Loss:
    tuples = {_text(source): _count(number) for source, number in dict(item["tuples"]).items()}
    counts = {name: _count(item[name]) for name in ("calls", "learned", "flat", "found", "nothing")}
    return Loss(_text(item["type"]), item["triplet"] is True, tuples=tuples, **counts)


def _scheduler(item: Any) -> Scheduler:
    settings = {_text(name): value for name, value in dict(item["settings"]).items()}
    return Scheduler(
        *(_text(item["type"]), _whole(item["optimizer"]), _count(item["steps"]), _count(item["epochs"])),
        *(item["inner"] is True, item["made"] is True, _raised(item["raised"]), settings),
    )


def _raised(content: Any) -> Raised | None:
    if content is None:
        return None
    raised = raised_from(content)
    if raised is None:
        raise Malformed
    return raised


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed
    return value[:200]


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise Malformed
    return value


def _maybe(value: Any) -> float | None:
    if value is not None and type(value) is not float:
        raise Malformed
    return value


def _count(value: Any) -> int:
    if _whole(value) < 0:
        raise Malformed
    return value


def _numbers(value: Any, rank: int) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.ndim != rank or value.dtype.kind not in "fiu":
        raise Malformed
    return value
