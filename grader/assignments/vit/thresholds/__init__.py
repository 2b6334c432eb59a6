"""The two scores that are really computed: accuracy and Precision@1 on the 10,000 test images."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.assignments.vit.thresholds import endings, fitting, forms, lookups, plausibility, questions
from grader.assignments.vit.thresholds.claims import (
    CLASSIFIER,
    EMBEDDINGS,
    computed_precision,
    recorded,
    recorded_precision,
)
from grader.assignments.vit.thresholds.origin import other_code
from grader.assignments.vit.thresholds.scores import accuracy, known, precision, predictions
from grader.evidence import Evidence, Unanswered
from grader.judging import Blocked, Criterion, Fail, Malformed, Missing, Skip, Undecided, checks, dig

__all__ = [
    "CRITERIA", "EMBEDDINGS", "FORMS", "MEASURES", "PROBES", "TRAINED", "WARNINGS", "computed_precision", "other_code",
    "recorded_precision",
]  # fmt: skip

ENOUGH_PASSES = 10  # over the training set, after which a ViT that learns has reached the threshold (bench/trainer.py)
# A training whose first part was slow may end before its budget does; one that took less than this share of it, by
# the grader's own clock, was not ended by it, whatever the worker says.
LEAST_OF_BUDGET = 0.25
CHANGED = (
    "The checkpoint records {claim:.3f}, so the model that it came from was another: were `heads`, the code of a class "
    "or `tfm_test` changed after training?"
)


def classifier(seen: Evidence) -> str | None:
    """vit_classifier.pt opens and fits the submitted code, or the submitted ViT can be trained."""
    if not questions.judges_checkpoint(seen):
        _trained(seen)
        predictions(seen)
        return None
    _of_this_code(seen, CLASSIFIER, predictions, seen.rubric.thresholds["accuracy"])
    return questions.copy_read(seen, CLASSIFIER) or None


def _trained(seen: Evidence) -> None:
    """There is no checkpoint to judge: was one trained?"""
    if seen.options.get("train", "never") == "never":
        raise Missing(
            "there is no vit_classifier.pt, and nothing is trained here: hand in the file beside the notebook"
        )
    status = seen.verdict("vit.model").status
    if not seen.has("ViT") or status == "missing":
        raise Blocked("vit.model", "there is no `ViT` that could be loaded or trained")
    if not seen.has("ClassificationHead"):
        raise Blocked("vit.heads", "there is no `ClassificationHead`")
    if status == "blocked":
        raise Blocked(seen.verdict("vit.model").by, "without this part the ViT cannot be trained")
    endings.endings(seen)


def accuracy_reached(seen: Evidence) -> None:
    """The classifier names enough of the 10,000 test images right."""
    try:
        predicted, labels = predictions(seen)
    except Fail:
        raise Skip from None
    wanted, score = seen.rubric.thresholds["accuracy"], accuracy(seen)
    if score < wanted:
        if questions.judges_checkpoint(seen):
            _not_of_this_code(seen, CLASSIFIER, wanted, f"it reaches {score:.3f}")
        else:
            _trained_enough(seen, score)
        trained = "" if questions.judges_checkpoint(seen) else " after training by the grader"
        raise Fail(
            f"{score:.2%} of {len(labels):,} test images are named right{trained}, {wanted:.0%} are needed",
            _why_inaccurate(seen, predicted, score),
        )
    _by_recognising(seen, CLASSIFIER)


def _of_this_code(seen: Evidence, probe: str, score: Callable[[Evidence], Any], wanted: float) -> None:
    """Whether outputs can be judged; the code's own fault is not counted again where they cannot."""
    fitting.outputs(seen, probe)
    try:
        score(seen)
    except Malformed:
        raise
    except Fail as fail:
        _not_of_this_code(seen, probe, wanted, fail.message)
        raise


def _not_of_this_code(seen: Evidence, probe: str, wanted: float, seen_now: str) -> None:
    """Block, where the checkpoint was good and the code that it is now loaded into is known to be wrong."""
    by, claim = other_code(seen, probe), recorded(seen, probe)
    if by and claim is not None and claim >= wanted:
        raise Blocked(by, f"{questions.FILES[probe]} records {claim:.3f}, with the code as it is now {seen_now}")


def _trained_enough(seen: Evidence, score: float) -> None:
    """A training that the clock ended after a few passes tells nothing about the ViT."""
    answer = seen[questions.training(seen)]
    stopped, passes = dig(answer.value, "stopped"), dig(answer.value, "passes")
    budget = answer.question.args["budget"]
    took_it = answer.observation.seconds >= LEAST_OF_BUDGET * budget
    if stopped == "budget" and took_it and isinstance(passes, int | float) and passes < ENOUGH_PASSES:
        raise Undecided(
            f"the grader's training was ended by its budget of {budget:.0f} s after {passes:.1f} passes over the "
            f"training images, at {score:.2%} of the test images: too early to tell. Hand in vit_classifier.pt, "
            "or have this graded on a faster machine"
        )


def _why_inaccurate(seen: Evidence, predicted: np.ndarray, score: float) -> str:
    claim = recorded(seen, CLASSIFIER)
    if claim is not None and claim > score + 0.02:
        return CHANGED.format(claim=claim)
    label, count = Counter(predicted.tolist()).most_common(1)[0]
    if count > 0.9 * len(predicted):
        return (
            f"Nearly every image is taken for class {label}: the model has not learned. Look at learning rate and loss."
        )
    if not questions.judges_checkpoint(seen):
        return "Does the [CLS] feature depend on all patches? Then try smaller patches, more layers or a wider model."
    return "Train longer, with a learning rate that falls towards the end, or with a larger model."


def embedding_model(seen: Evidence) -> str | None:
    """vit_embeds.pt opens, fits the submitted code and gives an embedding for each image."""
    if "vit_embeds.pt" not in seen.submission.files:
        raise Missing("there is no vit_embeds.pt: `evaluate_at_end_epoch` writes it; hand it in beside the notebook")
    if seen[EMBEDDINGS].observation.outcome == "forged":  # it is failed, whatever else is missing
        raise Unanswered(EMBEDDINGS, seen[EMBEDDINGS].observation)
    if not seen.has("ViT") or seen.verdict("vit.model").status == "missing":
        raise Blocked("vit.model", "there is no `ViT` that vit_embeds.pt could be loaded into")
    _of_this_code(seen, EMBEDDINGS, precision, seen.rubric.thresholds["precision_at_1"])
    return questions.copy_read(seen, EMBEDDINGS) or None


def precision_reached(seen: Evidence) -> None:
    """The nearest of the 5,000 reference images has the test image's class often enough."""
    try:
        score = precision(seen)
    except Fail:
        raise Skip from None
    wanted = seen.rubric.thresholds["precision_at_1"]
    if score < wanted:
        claim = recorded_precision(seen)
        _not_of_this_code(seen, EMBEDDINGS, wanted, f"it reaches {score:.3f}")
        changed = claim is not None and claim > score + seen.rubric.thresholds["log_computed"]
        raise Fail(
            f"Precision@1 is {score:.2%} on the test images, {wanted:.0%} are needed"
            + (f"; {read}" if (read := questions.copy_read(seen, EMBEDDINGS)) else ""),
            CHANGED.format(claim=claim)
            if changed
            else "Train longer, and look whether miner and margin leave triplets to learn from.",
        )
    _by_recognising(seen, EMBEDDINGS)


def _by_recognising(seen: Evidence, probe: str) -> None:
    """Leave a score to a person that seems to be looked up in a table of answers."""
    if why := lookups.looked_up(seen, probe):
        raise Undecided(f"a person has to look at this: {why}")


PROBES, TRAINED, FORMS = questions.PROBES, questions.TRAINED, forms.FORMS
CRITERIA = (
    Criterion("vit.accuracy", checks(classifier, accuracy_reached), needs=(*fitting.MODEL, questions.TENSORS)),
    Criterion(
        "contrastive.precision",
        checks(embedding_model, precision_reached),
        needs=(*fitting.MODEL, questions.TENSORS, "contrastive.embeddings"),
    ),
)
WARNINGS = plausibility.WARNINGS
MEASURES = {
    "accuracy": lambda seen: known(accuracy, seen),
    "precision_at_1": lambda seen: known(precision, seen) if questions.scored(seen) else None,
    "precision_at_1_unseen_train": lambda seen: known(precision, seen, "unseen"),
}
