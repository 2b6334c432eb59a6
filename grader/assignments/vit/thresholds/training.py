"""What is asked of a submission without vit_classifier.pt: its ViT is trained here, where that is wanted."""

from dataclasses import dataclass

import numpy as np

from grader.assignments.vit.thresholds import pixel_transforms
from grader.assignments.vit.thresholds.answers import TrainingAnswer
from grader.assignments.vit.thresholds.pixel_transforms import TENSORS
from grader.assignments.vit.thresholds.questions import COSTS, SCORE_SEED, changed_sets, test_rows, test_set, threads
from grader.assignments.vit.thresholds.scores import accuracy, or_none
from grader.assignments.vit.thresholds.sources import LONGER_TRAINING, TRAINING, judges_checkpoint, last_training
from grader.evidence import Evidence, Probe, Question
from grader.judging import Undecided


@dataclass(frozen=True)
class TrainingLimits:
    """When a training tells nothing about the ViT.

    Attributes:
        enough_passes: over the training set, after which a ViT that learns has reached the threshold (bench/trainer.py).
        budget_share: a training that took less than this share of its budget, by the grader's own clock, was not ended
            by it, whatever the worker says; one whose first part was slow may end a little before its budget does.
        raised_by: the target of a second training, in accuracy on the held-out images, where they ended the first one
            too soon.
    """

    enough_passes: float = 10
    budget_share: float = 0.25
    raised_by: float = 0.01


LIMITS = TrainingLimits()


def _ask_training(evidence: Evidence, rng: np.random.Generator) -> Question:
    rows = test_rows(evidence)
    changes, labels = changed_sets(evidence)
    args = {
        "train_images": {"$shared": "train_images"},
        "train_labels": {"$shared": "train_labels"},
        "sets": [test_set(rows), *changes],
        "pixels": next(iter(pixel_transforms.candidates(evidence).values())),
        "threads": threads(evidence),
        "target": evidence.rubric.thresholds["accuracy"],
        "budget": float(evidence.options.get("train_budget", 600.0)),
        "seed": SCORE_SEED,
    }
    return Question(args, {"labels": {"test": evidence.data.test_labels[rows], **labels}})


def _ask_longer(evidence: Evidence, rng: np.random.Generator) -> Question:
    """The same training, from the start, to a target that is one point higher."""
    question = _ask_training(evidence, rng)
    return Question({**question.args, "target": question.args["target"] + LIMITS.raised_by}, question.known)


def _is_wanted(evidence: Evidence) -> bool:
    """Whether the submitted ViT is to be trained, and there is one."""
    wanted = evidence.options.get("train", "never") != "never" and not judges_checkpoint(evidence)
    there = evidence.has("ViT", "ClassificationHead") and evidence.verdict("vit.model").status not in (
        "missing",
        "blocked",
    )
    return wanted and there and pixel_transforms.are_known(evidence)


def _ended_too_soon(evidence: Evidence) -> bool:
    """Whether the held-out images ended a training that the test images find wanting: no fault of the ViT's."""
    answer = evidence[TRAINING]
    found: TrainingAnswer | None = answer.value if answer.ok else None
    if found is None or found.stopped != "target":
        return False
    score = or_none(accuracy, evidence)
    return score is not None and evidence.rubric.below("accuracy", score)


def expect_enough(evidence: Evidence, score: float) -> None:
    """Pass a training that tells something about the ViT.

    Raises:
        Undecided: the clock ended it after a few passes.
    """
    answer = evidence[last_training(evidence)]
    found: TrainingAnswer = answer.value
    budget = answer.question.args["budget"]
    took_it = answer.observation.seconds >= LIMITS.budget_share * budget
    if found.stopped == "budget" and took_it and found.passes < LIMITS.enough_passes:
        raise Undecided(
            f"the grader's training was ended by its budget of {budget:.0f} s after {found.passes:.1f} passes over the "
            f"training images, at {score:.2%} of the test images: too early to tell. Hand in vit_classifier.pt, "
            "or have this graded on a faster machine"
        )


PROBES = (
    Probe(
        TRAINING, "classifier.train", _ask_training, _is_wanted, 1_500.0, ("vit.accuracy",), COSTS,
        typical_seconds=100.0, needs=(TENSORS, "vit.model"), of_content=True,
    ),
    Probe(
        LONGER_TRAINING, "classifier.train", _ask_longer, _ended_too_soon, 1_500.0, ("vit.accuracy",), COSTS,
        typical_seconds=200.0, needs=(TENSORS, "vit.model"), of_content=True,
    ),
)  # fmt: skip
