"""What was seen of ``train_embedding_model``: the types of the answer, and which of its attempts counts.

Shapes: N images on a line, D hidden size.
"""

from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta

from grader.assignments.vit.inside.constants import ANY_ARGUMENTS, AS_LARGE, BUILT
from grader.evidence import Evidence
from grader.judging import Blocked, Fail, Skip
from grader.observations import Answered, Finite, Misfit, Name, Record
from grader.raised import raised_hint, raised_words
from grader.records import Raised
from grader.torchkit.modules import lines
from grader.torchkit.training_answers import ModelCall, OutputsTwice, WatchedTraining, Whole

# Of 32 points: recorded answers to another line stay below once in 1,000 times, 0.9 on average. A right ViT comes to
# 0.02, one whose attention is steep (scores times sqrt(d)) to 0.2.
MAX_WANDER = 0.45
Which = Literal["train", "test", "other", "none"]


class GivenModel(Record, frozen=True):
    """A model that the evaluation was given.

    Attributes:
        role: "vit", "head", or the type of another object.
        unheld: a ViT or head of the run, but no optimizer holds its parameters.
        foreign: the type of a model in the place of the ViT or the head that has nothing of the submission's; empty for others.
    """

    role: Name
    unheld: bool
    foreign: Annotated[str, Meta(max_length=100)] = ""


class Evaluation(Record, frozen=True):
    """One combination of arguments of ``evaluate_at_end_epoch``.

    Attributes:
        train, test: the small set that its training set, its test set holds items of; "none" for what is no data set.
        calls: how often it came.
        whole: its training set is all that there is.
    """

    vit: GivenModel
    head: GivenModel
    train: Which
    test: Which
    calls: Annotated[int, Meta(ge=1, le=1_000_000)]
    whole: bool = False


class BestPrecision(Record, frozen=True):
    """What an evaluation was given as best_prec, and what it returned; None where that is no number."""

    given: Finite | None
    returned: Finite | None


class Calculator(Record, frozen=True):
    """What the evaluation was given as accuracy_calculator.

    Attributes:
        type: its class.
        calculates: it has a method get_accuracy.
        measures: that it computes; None where that cannot be known.
    """

    type: Name
    calculates: bool
    measures: Annotated[list[Name], Meta(max_length=20)] | None


class Copies(Record, frozen=True):
    """Evaluations of a ViT that is a copy of those that are trained.

    Attributes:
        changed: of other weights than at the call before.
        unchanged: of the same weights, though those that are trained had changed.
    """

    changed: Whole = 0
    unchanged: Whole = 0


class TrainingRun(WatchedTraining, frozen=True):
    """One attempt at a student's ``train_embedding_model``.

    Attributes:
        attempt: what stands in for what.
        per_class: training images of each class.
        samples: n_samples_per_class of the first calls of ``sample_balanced_subset``.
        sizes: hyperparameters of the models in this attempt, by name.
        calls: of the classes of both models.
        evaluations: calls of ``evaluate_at_end_epoch``.
        best: of the first of these calls, in order.
        calculators: that they were given, each once.
        refused: what the first call with other arguments than it takes raised; a training may go on after it.
        copies: evaluations of copies.
    """

    attempt: Name
    per_class: Annotated[int, Meta(ge=1, le=10_000)]
    samples: Annotated[list[Whole], Meta(max_length=10)]
    sizes: Annotated[dict[Name, Whole], Meta(max_length=20)]
    calls: Annotated[list[ModelCall], Meta(max_length=20)]
    evaluations: Annotated[list[Evaluation], Meta(max_length=20)]
    best: Annotated[list[BestPrecision], Meta(max_length=50)]
    calculators: Annotated[list[Calculator], Meta(max_length=50)]
    refused: Raised | None = None
    copies: Copies = Copies()


Runs = Annotated[list[TrainingRun], Meta(min_length=1, max_length=11)]


def _agrees(args: dict[str, Any], attempts: list[TrainingRun]) -> None:
    """Each ViT that was given the images on a line made one row of each."""
    for run in attempts:
        for model in run.models:
            if model.untrained is not None and len(model.untrained.first) != len(args["line"]):
                raise Misfit(f"Expected outputs for {len(args['line'])} images, got {len(model.untrained.first)}")


ANSWERS = {"embedding.train": Answered(Runs, _agrees)}


def runs(evidence: Evidence) -> list[TrainingRun]:
    """All attempts to train, in order.

    Raises:
        Fail: a ViT made something of the images of this grade that does not fit them.
    """
    found = [run for run in _attempts(evidence) if run.attempt not in (BUILT, ANY_ARGUMENTS)]
    at = evidence["training"].known["line"]
    for model in (model for run in found for model in run.models):
        if model.untrained is not None and not _follows(model.untrained, at):
            raise Fail(
                "what came back of the training does not fit the images that its ViT was given",
                "The training has to run as it is written: nothing in the code may replace functions of torch, or "
                "write results that were recorded before.",
            )
    return found


def _attempts(evidence: Evidence) -> list[TrainingRun]:
    found: list[TrainingRun] = evidence["training"].value
    return found


def in_full_size(evidence: Evidence) -> TrainingRun | None:
    """The attempt in which the models are as large as the student's own numbers make them; None where none is."""
    return next((run for run in _attempts(evidence) if run.attempt in (AS_LARGE, BUILT)), None)


def with_any_arguments(evidence: Evidence) -> list[TrainingRun]:
    """The attempt with models that take any arguments, which says nothing about these; none where another went through."""
    return [run for run in _attempts(evidence) if run.attempt == ANY_ARGUMENTS]


def _follows(outputs: OutputsTwice, at: np.ndarray) -> bool:
    """Whether outputs lie on the line; true as well where chance or rounding hides it.

    Args:
        at: (N,) where the images lie.
    """
    out = outputs.first.astype(np.float64)  # (N, D)
    if not np.isfinite(out).all() or not np.array_equal(outputs.first, outputs.again):
        return True
    rounding = 3e-5 * float(np.abs(out).max())
    return float(np.ptp(out, axis=0).max()) <= rounding or lines.wander(out, at) <= MAX_WANDER


def counted(evidence: Evidence) -> TrainingRun:
    """The attempt that counts: the first that went through and trained, else one that went through, else the first."""
    attempts = runs(evidence)
    through = [run for run in attempts if run.raised is None]
    return next((run for run in through if run.steps), through[0] if through else attempts[0])


def through(evidence: Evidence) -> TrainingRun:
    """The attempt that counts.

    Raises:
        Skip: none went through.
    """
    run = counted(evidence)
    if run.raised is not None:
        raise Skip
    return run


def trained(evidence: Evidence) -> TrainingRun:
    """The attempt that counts, where it called backward() and took steps.

    Raises:
        Skip: none went through, or it did not.
    """
    run = through(evidence)
    if not run.steps or not run.total("backwards"):
        raise Skip
    return run


def failure(evidence: Evidence) -> Exception | None:
    """Why no attempt went through; None when one did."""
    attempts = runs(evidence)
    first = counted(evidence).raised
    if first is None:
        return None
    own = next((run.raised for run in attempts if run.attempt == "own models" and run.raised), None)
    # a stand-in was asked for what only the student's own class has
    if own is not None and "AttributeError" in first.bases and "object has no attribute" in first.message:
        if not evidence.has("ViT", "LinearEmbeddingHead") or own.is_to_do:
            return Blocked("vit.model", "the training needs the submission's own ViT")
        first = own
    return Fail(f"`train_embedding_model` {raised_words(first)}", raised_hint(first))
