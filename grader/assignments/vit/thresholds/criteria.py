"""The criteria of the two scores: is there a model that can be run, and does it reach the threshold?"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.assignments.vit.thresholds import fitting, suspicion, training
from grader.assignments.vit.thresholds.claims import recorded, recorded_precision
from grader.assignments.vit.thresholds.origin import other_code
from grader.assignments.vit.thresholds.pixel_transforms import TENSORS, candidates
from grader.assignments.vit.thresholds.scores import accuracy, precision, predictions
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

OTHER_MODEL = (
    "The checkpoint records {claim:.3f}, so it was another model when it was saved: was `heads`, the code of a class or "
    "`tfm_test` changed after training?"
)


def classifier(seen: Evidence) -> str | None:
    """vit_classifier.pt opens and fits the submitted code, or the submitted ViT can be trained."""
    if not judges_checkpoint(seen):
        _expect_trained(seen)
        predictions(seen)
        return None
    fitting.classified(seen)
    _expect_sound(seen, CLASSIFIER, predictions)
    return copy_read(seen, CLASSIFIER) or None


def _expect_trained(seen: Evidence) -> None:
    """There is no checkpoint to judge: was a ViT trained?

    Raises:
        Missing, Blocked: it was not; why, in words.
    """
    if seen.options.get("train", "never") == "never":
        raise Missing(
            "there is no vit_classifier.pt: hand it in beside the notebook (no model is trained for you in this grade)"
        )
    status = seen.verdict("vit.model").status
    if not seen.has("ViT") or status == "missing":
        raise Blocked("vit.model", "there is no `ViT` that could be loaded or trained")
    if not seen.has("ClassificationHead"):
        raise Blocked("vit.heads", "there is no `ClassificationHead`")
    if status == "blocked":
        raise Blocked(seen.verdict("vit.model").by, "without this part the ViT cannot be trained")
    candidates(seen)


def accuracy_reached(seen: Evidence) -> None:
    """The classifier names enough of the 10,000 test images right."""
    try:
        predicted, labels = predictions(seen)
    except Fail:
        raise Skip from None
    wanted, score = seen.rubric.thresholds["accuracy"], accuracy(seen)
    if score < wanted:
        if judges_checkpoint(seen):
            _expect_own_code(seen, CLASSIFIER, f"reaches {score:.3f}")
        else:
            training.expect_enough(seen, score)
        trained = "" if judges_checkpoint(seen) else " after training by the grader"
        raise Fail(
            f"{score:.2%} of {len(labels):,} test images are named right{trained}, {wanted:.0%} are needed",
            _why_inaccurate(seen, predicted, score),
        )
    _expect_recognising(seen, CLASSIFIER)


def _why_inaccurate(seen: Evidence, predicted: np.ndarray, score: float) -> str:
    """The likely cause of a low accuracy, in words; ``predicted`` are the (n,) classes of the test images."""
    claim = recorded(seen, CLASSIFIER)
    other_model = OTHER_MODEL.format(claim=claim) if claim is not None and claim > score + 0.02 else ""
    label, count = Counter(predicted.tolist()).most_common(1)[0]
    if count > 0.9 * len(predicted):
        one = f"Nearly every image is taken for class {label}: with the weights in the file the model does not tell them apart."
        return f"{one} {other_model or 'Look at learning rate and loss.'}"
    if other_model:
        return other_model
    if not judges_checkpoint(seen):
        return "Does the [CLS] feature depend on all patches? Then try smaller patches, more layers or a wider model."
    return "Train longer, with a learning rate that falls towards the end, or with a larger model."


def embedding_model(seen: Evidence) -> str | None:
    """vit_embeds.pt opens, fits the submitted code and gives an embedding for each image."""
    if not has_file(seen, EMBEDDINGS):
        raise Missing("there is no vit_embeds.pt: `evaluate_at_end_epoch` writes it; hand it in beside the notebook")
    if seen[EMBEDDINGS].observation.outcome == "forged":  # it is failed, whatever else is missing
        raise Unanswered(EMBEDDINGS, seen[EMBEDDINGS].observation)
    if not seen.has("ViT") or seen.verdict("vit.model").status == "missing":
        raise Blocked("vit.model", "there is no `ViT` that vit_embeds.pt could be loaded into")
    fitting.embedded(seen)
    _expect_sound(seen, EMBEDDINGS, precision)
    return copy_read(seen, EMBEDDINGS) or None


def precision_reached(seen: Evidence) -> None:
    """The nearest of the 5,000 reference images has the test image's class often enough."""
    try:
        score = precision(seen)
    except Fail:
        raise Skip from None
    wanted = seen.rubric.thresholds["precision_at_1"]
    if score < wanted:
        _expect_own_code(seen, EMBEDDINGS, f"reaches {score:.3f}")
        claim, copied = recorded_precision(seen), copy_read(seen, EMBEDDINGS)
        changed = claim is not None and claim > score + seen.rubric.thresholds["log_computed"]
        raise Fail(
            f"Precision@1 is {score:.2%} on the test images, {wanted:.0%} are needed{f'; {copied}' if copied else ''}",
            OTHER_MODEL.format(claim=claim)
            if changed
            else "Train longer, and look whether miner and margin leave triplets to learn from.",
        )
    _expect_recognising(seen, EMBEDDINGS)


def _expect_sound(seen: Evidence, probe: str, outputs: Callable[[Evidence], Any]) -> None:
    """Pass outputs that can be judged; the code's own fault is not counted again where they cannot.

    Raises:
        Fail, Blocked: they are not finite, or all the same.
    """
    try:
        outputs(seen)
    except Fail as fail:
        _expect_own_code(seen, probe, f"gives no score, as {fail.message}")
        raise


def _expect_own_code(seen: Evidence, probe: str, now: str) -> None:
    """Block, where the checkpoint was good and the code that it is now loaded into is known to be wrong.

    Args:
        now: what the checkpoint does with the code as it is, as a part of a sentence.
    """
    by, claim = other_code(seen, probe), recorded(seen, probe)
    if by and claim is not None and claim >= seen.rubric.thresholds[THRESHOLDS[probe]]:
        raise Blocked(by, f"{FILES[probe]} records {claim:.3f}, and with the code as it is now the model {now}")


def _expect_recognising(seen: Evidence, probe: str) -> None:
    """Leave a score to a person that seems to be looked up in a table of answers."""
    if why := suspicion.looked_up(seen, probe):
        raise Undecided(f"a person has to look at this: {why}")


CRITERIA = (
    Criterion("vit.accuracy", checks(classifier, accuracy_reached), needs=(*fitting.MODEL, TENSORS)),
    Criterion(
        "contrastive.precision",
        checks(embedding_model, precision_reached),
        needs=(*fitting.MODEL, TENSORS, "contrastive.embeddings"),
    ),
)
