"""What the scores tell about how they came about: for the instructor, never a deduction.

An honest model is a little better on training images that it has not seen than on the test images, which
are harder. One that was trained on them is much better; one that was trained on the test images is worse.
"""

import math
from dataclasses import dataclass

from grader.assignments.vit.settings import hyperparameter
from grader.assignments.vit.thresholds import suspicion
from grader.assignments.vit.thresholds.claims import recorded
from grader.assignments.vit.thresholds.origin import other_code
from grader.assignments.vit.thresholds.scores import accuracy, or_none, precision
from grader.assignments.vit.thresholds.sources import CLASSIFIER, EMBEDDINGS, FILES, THRESHOLDS, judges_checkpoint
from grader.evidence import Evidence
from grader.judging import warn
from grader.records import GradeWarning
from grader.sentences import number_of


@dataclass(frozen=True)
class HonestDifference:
    """Precision@1 on the 2,000 unseen training images minus that on the test images, of honest models.

    0.006 ± 0.004, from -0.002 to 0.013, over ten trainings of the reference (python -m bench.margins --models 10);
    0.008 ± 0.007, from -0.005 to 0.020, over ten honest models of other sizes and recipes with a Precision@1 from 0.70
    to 0.81; no false alarm among the twenty.

    Attributes:
        mean, spread: with some room.
        spreads: how many of them an honest model may be away from the mean.
    """

    mean: float = 0.010
    spread: float = 0.008
    spreads: float = 3.0


HONEST = HonestDifference()


def leaks(evidence: Evidence) -> list[GradeWarning]:
    """Precision@1 on unseen training images beside that on the test images."""
    test, unseen = or_none(precision, evidence), or_none(precision, evidence, "unseen")
    if test is None or unseen is None or other_code(evidence, EMBEDDINGS):
        return []
    if evidence.rubric.below(THRESHOLDS[EMBEDDINGS], test):  # it earned nothing, and what weak models do is not known
        return []
    difference = unseen - test
    usual = f"honest models are {HONEST.mean * 100:.0f} ± {HONEST.spreads * HONEST.spread * 100:.0f} points better on the former"
    scores = (
        f"Precision@1 is {unseen:.3f} on training images outside the 5,000 of the subset and {test:.3f} on the test set"
    )
    allowed = HONEST.spreads * _spread(evidence)
    if difference > HONEST.mean + allowed:
        return warn("leak.train", f"{scores}; {usual}: was the embedding trained on more than the subset?")
    if difference < HONEST.mean - allowed:
        return warn("leak.test", f"{scores}; {usual}: was the embedding trained on the test images?")
    return []


def _spread(evidence: Evidence) -> float:
    """Standard deviation of the difference: between models, and by chance where both sets are sampled."""
    return math.hypot(HONEST.spread, math.sqrt(2) * _chance(evidence, EMBEDDINGS))


def looked_up(evidence: Evidence) -> list[GradeWarning]:
    """A score that comes from a table of answers; the criterion is left to a person where it earns points."""
    found: list[GradeWarning] = []
    for probe, threshold in THRESHOLDS.items():
        reached = or_none(suspicion.SCORES[probe], evidence)
        if reached is not None and not evidence.rubric.below(threshold, reached):
            why = suspicion.looked_up(evidence, probe)
            found += warn("leak.test", why) if why else []
    return found


def classifier_leak(evidence: Evidence) -> list[GradeWarning]:
    """The accuracy on training images, which an honest classifier has seen, beside that on the test images."""
    if not judges_checkpoint(evidence):
        return []
    test, train = or_none(accuracy, evidence), or_none(accuracy, evidence, "train")
    max_lead = 0.05  # of the test accuracy over that on training images
    if test is None or train is None or test - train <= max_lead:
        return []
    if evidence.rubric.below("accuracy", test) and other_code(evidence, CLASSIFIER):  # it earned nothing
        return []
    return warn(
        "leak.test",
        f"the accuracy is {test:.3f} on the test set and {train:.3f} on training images, which a classifier has seen: "
        "was it trained on the test images?",
    )


def claims(evidence: Evidence) -> list[GradeWarning]:
    """What the checkpoints record beside what was computed from them."""
    margins = ((CLASSIFIER, accuracy, 0.01), (EMBEDDINGS, precision, evidence.rubric.thresholds["log_computed"]))
    found: list[GradeWarning] = []
    for probe, score, margin in margins:
        if (probe == CLASSIFIER and not judges_checkpoint(evidence)) or other_code(evidence, probe):
            continue
        recorded_, computed = recorded(evidence, probe), or_none(score, evidence)
        if (
            recorded_ is not None
            and computed is not None
            and recorded_ > computed + margin + 3 * _chance(evidence, probe)
        ):
            found += warn(
                "checkpoint.claim",
                f"{FILES[probe]} records {recorded_:.3f}, computed from it is {computed:.3f}: "
                "is it another model's number, or were code, hyperparameters or `tfm_test` changed since?",
            )
    return found


def truncated(evidence: Evidence) -> list[GradeWarning]:
    """A patch size that does not divide the image size: the rest of the pixels is never looked at."""
    image, patch = hyperparameter(evidence, "image_size"), hyperparameter(evidence, "patch_size")
    max_image_size = 1_024  # pixels along a side of images that anybody would train on
    if not image or not patch or patch < 1 or image > max_image_size or image % patch == 0:
        return []
    fits = ", ".join(str(size) for size in range(2, int(image)) if image % size == 0)
    return warn(
        "size.truncated",
        f"patch_size {patch:g} does not divide image_size {image:g}: the last "
        f"{number_of(image % patch, 'row')} and as many columns of every image are cut off; {fits} would fit",
    )


def _chance(evidence: Evidence, probe: str) -> float:
    """Standard deviation of a score that comes from a sample of the test set."""
    labels = evidence[probe].known["labels"]["test"]
    return 0.0 if len(labels) == len(evidence.data.test_labels) else math.sqrt(0.16 / len(labels))
