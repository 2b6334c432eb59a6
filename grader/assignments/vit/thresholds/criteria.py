"""The criteria of the two scores: is there a model that can be run, and does it reach the threshold?"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.assignments.vit.thresholds import fitting, suspicion, training
from grader.assignments.vit.thresholds.claims import recorded, recorded_precision
from grader.assignments.vit.thresholds.origin import other_code
from grader.assignments.vit.thresholds.pixel_transforms import TENSORS, candidates
from grader.assignments.vit.thresholds.scores import accuracy, embeddings, precision, predictions
from grader.assignments.vit.thresholds.sources import (
    CLASSIFIER,
    EMBEDDINGS,
    FILES,
    THRESHOLDS,
    copy_read,
    has_file,
    judges_checkpoint,
)
from grader.evidence import Evidence, Unanswered
from grader.judging import Blocked, Criterion, Fail, Missing, Skip, Undecided, checks
from grader.records import Measurement

OTHER_MODEL = (
    "The checkpoint records {claim:.3f}, so it was another model when it was saved: was `heads`, the code of a class or "
    "`tfm_test` changed after training?"
)


def classifier(evidence: Evidence) -> str | None:
    """vit_classifier.pt opens and fits the submitted code, or the submitted ViT can be trained."""
    if not judges_checkpoint(evidence):
        _expect_trained(evidence)
        predictions(evidence)
        return None
    fitting.classified(evidence)
    _expect_sound(evidence, CLASSIFIER, predictions)
    return copy_read(evidence, CLASSIFIER) or None


def _expect_trained(evidence: Evidence) -> None:
    """There is no checkpoint to judge: was a ViT trained?

    Raises:
        Missing, Blocked: it was not; why, in words.
    """
    if evidence.options.get("train", "never") == "never":
        raise Missing(
            "there is no vit_classifier.pt: hand it in beside the notebook; `train_classification_model` writes it"
        )
    status = evidence.verdict("vit.model").status
    if not evidence.has("ViT") or status == "missing":
        raise Blocked("vit.model", "there is no `ViT` that could be loaded or trained")
    if not evidence.has("ClassificationHead"):
        raise Blocked("vit.heads", "there is no `ClassificationHead`")
    if status == "blocked":
        raise Blocked(evidence.verdict("vit.model").by, "without this part the ViT cannot be trained")
    candidates(evidence)


def accuracy_reached(evidence: Evidence) -> None:
    """The classifier names enough of the 10,000 test images right."""
    try:
        predicted, labels = predictions(evidence)
    except Fail:
        raise Skip from None
    score = accuracy(evidence)
    if evidence.rubric.below("accuracy", score):
        wanted = evidence.rubric.thresholds["accuracy"]
        if judges_checkpoint(evidence):
            _expect_own_code(evidence, CLASSIFIER, f"reaches {score:.3f}")
        else:
            training.expect_enough(evidence, score)
        trained = "" if judges_checkpoint(evidence) else " after training by the grader"
        _expect_honest_step(evidence, CLASSIFIER, "vit.accuracy", score)
        measured = Measurement.of_share(score, len(labels), wanted)
        raise Fail(
            f"{score:.2%} (± {100 * measured.plus_minus:.1f} points) of {len(labels):,} test images are named right"
            f"{trained}, {wanted:.0%} are needed",
            _why_inaccurate(evidence, predicted, score),
            measured,
        )
    _expect_recognising(evidence, CLASSIFIER)


def _why_inaccurate(evidence: Evidence, predicted: np.ndarray, score: float) -> str:
    """The likely cause of a low accuracy, in words; ``predicted`` are the (n,) classes of the test images."""
    claim = recorded(evidence, CLASSIFIER)
    other_model = OTHER_MODEL.format(claim=claim) if claim is not None and claim > score + 0.02 else ""
    label, count = Counter(predicted.tolist()).most_common(1)[0]
    if count > 0.9 * len(predicted):
        one = f"Nearly every image is taken for class {label}: with the weights in the file the model does not tell them apart."
        return f"{one} {other_model or 'Look at learning rate and loss.'}"
    if other_model:
        return other_model
    if not judges_checkpoint(evidence):
        return "Does the [CLS] feature depend on all patches? Then try smaller patches, more layers or a wider model."
    return "Train longer, with a learning rate that falls towards the end, or with a larger model."


def embedding_model(evidence: Evidence) -> str | None:
    """vit_embeds.pt opens, fits the submitted code and gives an embedding for each image."""
    if not has_file(evidence, EMBEDDINGS):
        raise Missing("there is no vit_embeds.pt: `evaluate_at_end_epoch` writes it; hand it in beside the notebook")
    if evidence[EMBEDDINGS].observation.outcome == "forged":  # it is failed, whatever else is missing
        raise Unanswered(EMBEDDINGS, evidence[EMBEDDINGS].observation)
    if not evidence.has("ViT") or evidence.verdict("vit.model").status == "missing":
        why = "still to be written" if evidence.has("ViT") else "not defined"
        raise Blocked("vit.model", f"`ViT` is {why}, so vit_embeds.pt has no model to go into")
    fitting.embedded(evidence)
    _expect_sound(evidence, EMBEDDINGS, precision)
    return copy_read(evidence, EMBEDDINGS) or None


def precision_reached(evidence: Evidence) -> None:
    """The nearest of the 5,000 reference images has the test image's class often enough."""
    try:
        score = precision(evidence)
    except Fail:
        raise Skip from None
    if evidence.rubric.below("precision_at_1", score):
        wanted = evidence.rubric.thresholds["precision_at_1"]
        _expect_own_code(evidence, EMBEDDINGS, f"reaches {score:.3f}")
        claim, copied = recorded_precision(evidence), copy_read(evidence, EMBEDDINGS)
        changed = claim is not None and claim > score + evidence.rubric.thresholds["log_computed"]
        _expect_honest_step(evidence, EMBEDDINGS, "contrastive.precision", score)
        measured = Measurement.of_share(score, len(embeddings(evidence, "test")), wanted)
        raise Fail(
            f"Precision@1 is {score:.2%} (± {100 * measured.plus_minus:.1f} points) on the test images, {wanted:.0%} "
            f"are needed{f'; {copied}' if copied else ''}",
            OTHER_MODEL.format(claim=claim)
            if changed
            else "Train longer, and look whether miner and margin leave triplets to learn from.",
            measured,
        )
    _expect_recognising(evidence, EMBEDDINGS)


def _expect_sound(evidence: Evidence, probe: str, outputs: Callable[[Evidence], Any]) -> None:
    """Pass outputs that can be judged; the code's own fault is not counted again where they cannot.

    Raises:
        Fail, Blocked: they are not finite, or all the same.
    """
    try:
        outputs(evidence)
    except Fail as fail:
        _expect_own_code(evidence, probe, f"gives no score, as {fail.message}")
        raise


def _expect_own_code(evidence: Evidence, probe: str, now: str) -> None:
    """Block, where the checkpoint was good and the code that it is now loaded into is known to be wrong.

    Args:
        now: what the checkpoint does with the code as it is, as a part of a sentence.
    """
    by, claim = other_code(evidence, probe), recorded(evidence, probe)
    if by and claim is not None and not evidence.rubric.below(THRESHOLDS[probe], claim):
        raise Blocked(by, f"{FILES[probe]} records {claim:.3f}, and with the code as it is now the model {now}")


def _expect_honest_step(evidence: Evidence, probe: str, criterion: str, score: float) -> None:
    """Leave a score to a person that earns points by a step, and seems to be looked up in a table of answers."""
    in_rubric = evidence.rubric.criterion(criterion)
    if in_rubric is not None and in_rubric.earned(score) > 0:
        _expect_recognising(evidence, probe)


def _expect_recognising(evidence: Evidence, probe: str) -> None:
    """Leave a score to a person that seems to be looked up in a table of answers."""
    if why := suspicion.looked_up(evidence, probe):
        raise Undecided(f"a person has to look at this: {why}")


CRITERIA = (
    Criterion(
        "vit.accuracy",
        checks(classifier, accuracy_reached),
        needs=(*fitting.MODEL, TENSORS),
        threshold=THRESHOLDS[CLASSIFIER],
    ),
    Criterion(
        "contrastive.precision",
        checks(embedding_model, precision_reached),
        needs=(*fitting.MODEL, TENSORS, "contrastive.embeddings"),
        threshold=THRESHOLDS[EMBEDDINGS],
    ),
)
