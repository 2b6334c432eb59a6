"""``train_model``, by what happened in a run of it on a small set, and the learning rate over the whole of it."""

from typing import Annotated, Any

import numpy as np
from msgspec import Meta, field

from grader.assignment import Topic
from grader.assignments.adder import sums
from grader.assignments.adder.names import MODEL
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Missing, Skip, after, checks
from grader.observations import Answered, Misfit, Name, Record
from grader.raised import raised_hint, raised_words
from grader.records import GradeWarning
from grader.torchkit import checkpoints, watched_trainings
from grader.torchkit.checkpoints import Absent, Loading, Mismatch, NoStateDict, Opened, Opening
from grader.torchkit.training_answers import WatchedTraining

NAME = "train_model"
TRAIN_SUMS, TEST_SUMS = 2_048, 64  # sums of the small sets


Share = Annotated[float, Meta(ge=0, le=1)]


class SavedModel(Record, frozen=True):
    """What gpt.pt held after the run.

    Attributes:
        opening: what the file holds.
        model: how its state dict fits the model that was trained; None where there was nothing to fit.
        told: what `exact_match` returned for a model with these weights; None where it measured none.
    """

    opening: Opening
    model: Loading | None
    told: Share | None = None


class TrainingRun(WatchedTraining, frozen=True):
    """One attempt at a student's ``train_model``.

    Attributes:
        attempt: what stands in for what.
        saved: None where no gpt.pt was written.
        measured: what `exact_match` returned for the test set, each value once, in order. A model that comes after the
            best one is told less.
    """

    attempt: Name
    saved: SavedModel | None
    measured: Annotated[list[Share], Meta(max_length=4)] = field(default_factory=list)


Runs = Annotated[list[TrainingRun], Meta(min_length=1, max_length=5)]


def _of_these_sets(args: dict[str, Any], runs: list[TrainingRun]) -> None:
    if any(len(run.items.learned) != TRAIN_SUMS for run in runs):
        raise Misfit(f"Expected marks of {TRAIN_SUMS} items")


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    train, test = (sums.items(sums.draw(rng, count, kind)) for count, kind in ((TRAIN_SUMS, False), (TEST_SUMS, True)))
    own = evidence.has("GPT") and all(evidence.passed(criterion) for criterion in (*MODEL, "model.loss"))
    return Question({"train": train, "test": test, "own": own, "seed": int(rng.integers(2**31))})


def counted(evidence: Evidence) -> TrainingRun:
    """The run that counts: the first that went through, else the first."""
    runs: list[TrainingRun] = evidence["training"].value
    return next((run for run in runs if run.raised is None), runs[0])


def through(evidence: Evidence) -> TrainingRun:
    """The same; the check is skipped where it did not go through."""
    run = counted(evidence)
    if run.raised is not None:
        raise Skip
    return run


def runs_through(evidence: Evidence) -> None:
    """`train_model(train_dataset, test_dataset)` runs through."""
    raised = counted(evidence).raised
    if raised is None:
        return
    if raised.is_to_do:
        raise Missing(f"still to do: {raised.message}")
    raise Fail(f"`{NAME}` {raised_words(raised)}", raised_hint(raised))


@after(runs_through)
def steps(evidence: Evidence) -> None:
    """Each batch is learned from: backward, then a step of the optimizer."""
    run = through(evidence)
    watched_trainings.expect_steps(run)
    effect = "it learns to give the right characters the lowest logits"
    watched_trainings.expect_descent(run, run.total("entropies"), run.total("turned"), effect)


@after(steps)
def whole_model(evidence: Evidence) -> None:
    """The optimizer holds all parameters of the GPT that is trained, and they change."""
    run = through(evidence)
    if not run.models:
        raise Fail("no GPT was built", "Build one inside the function, before the optimizer.")
    watched_trainings.expect_trained(run, run.models, "the GPT")


@after(steps)
def gradients_zeroed(evidence: Evidence) -> None:
    """Gradients are zeroed between the steps of the optimizer."""
    watched_trainings.expect_zeroed(through(evidence))


@after(steps)
def test_set_kept(evidence: Evidence) -> None:
    """Nothing is learned from the test set."""
    run = through(evidence)
    if run.total("test_batches") or run.items.tested:
        raise Fail(
            "the model learns from sums of `test_dataset`",
            "Train on `train_dataset` alone: the test set tells whether the model can add sums that it has not seen.",
        )
    if not run.items.learned.any() and run.epochs and run.epochs[0].batches:
        raise Fail("the model learns from other sums than those of `train_dataset`", "Use the data set that is given.")


@after(steps)
def checkpoint(evidence: Evidence) -> None:
    """The trained model is written to gpt.pt, its state dict under "model" and its exact match under "exact_match"."""
    run = through(evidence)
    if run.ended == "enough" or (run.saved is None and not run.total("evaluations")):
        return  # it was ended from within, or it measures in a way of its own that finds no model good
    content = 'torch.save({"model": model.state_dict(), "exact_match": …}, "gpt.pt")'
    if run.saved is None:
        raise Fail("the training wrote no gpt.pt", f"Keep the best model: {content}.")
    opening = run.saved.opening
    if not isinstance(opening, Opened) or opening.recorded is None:
        raise Fail('expected gpt.pt to hold a dict with "model" and the number "exact_match"', f"Write {content}.")
    match run.saved.model:
        case Absent() | NoStateDict():
            raise Fail('expected a state dict under "model" in gpt.pt', f"Write {content}.")
        case Mismatch() as mismatch:
            raise Fail(checkpoints.what_does_not_fit("model", "gpt.pt", "GPT", mismatch), f"Write {content}.")


@after(checkpoint)
def best_kept(evidence: Evidence) -> None:
    """gpt.pt keeps the model with the best exact match of all epochs, and this number with it."""
    run = through(evidence)
    if run.saved is None or len(run.measured) < 2 or not isinstance(run.saved.opening, Opened):
        return  # it measures in a way of its own, or trains for one epoch
    recorded, best = run.saved.opening.recorded, max(run.measured)
    returned = f"`exact_match` returned {', then '.join(map(str, run.measured))}"
    hint = "Remember the best value so far, and write model and value together when a new one is better."
    if run.saved.told is not None and run.saved.told < best:
        raise Fail(
            f"gpt.pt does not hold the best model: {returned}, and the file has the weights that belong to "
            f"{run.saved.told}",
            f"{hint} A state dict that is kept in memory changes with the model: copy it, copy.deepcopy(...).",
        )
    found = checkpoints.share(recorded)
    if found is None or abs(found - best) > 0.005:
        raise Fail(f'gpt.pt does not record the best value: {returned}, and "exact_match" is {recorded:.4g}', hint)


def changes(evidence: Evidence) -> str | None:
    """The learning rate changes over `num_epochs`, through a scheduler that drives the optimizer."""
    return watched_trainings.expect_schedule(counted(evidence), "training.training")


def collapsed(evidence: Evidence) -> list[GradeWarning]:
    """A schedule meant in epochs is over after a few batches."""
    return watched_trainings.collapsed_warning(counted(evidence)) if evidence["training"].ok else []


TOPIC = Topic(
    probes=(
        Probe(
            "training", "training.run", _ask, lambda evidence: evidence.has(NAME), seconds=60.0, typical_seconds=1.0,
            needs=(*MODEL, "model.loss"),
        ),
    ),
    criteria=(
        Criterion(
            "training.training",
            checks(runs_through, steps, whole_model, gradients_zeroed, test_set_kept, checkpoint, best_kept),
            (NAME,),
        ),
        Criterion("training.scheduler", checks(changes), (NAME,)),
    ),
    warnings=(collapsed,),
    forms={"training.run": Answered(Runs, _of_these_sets)},
)  # fmt: skip
