"""Training images before and after the submission's augmentation."""

import numpy as np
from markupsafe import Markup

from grader.assignments.vit.augmentation import normalisation
from grader.assignments.vit.augmentation.tensors import train_transform
from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing
from grader.torchkit.images.observed import planes


def figure(evidence: Evidence) -> Figure | None:
    """Some images as they are, and the same as ``tfm_train`` gave them, again and again."""
    train = train_transform(evidence)
    after, picks = planes(train.did.pictures), list(train.asked["picks"])
    pictures = len(picks) + 1  # the last one is a texture
    draws = 3  # rows of augmented ones
    if after is None or len(after) < pictures * draws:
        return None
    low, high = _ends(evidence, after)
    columns = 6  # images
    before = [drawing.picture(evidence.data.train_images[pick], "a training image") for pick in picks[:columns]]
    rows = [before, *(_row(after[draw * pictures :][:columns], low, high) for draw in range(draws))]
    heads = ["before", *(f"draw {draw + 1}" for draw in range(draws))]
    body = drawing.grid(rows, heads, "Training images before and after augmentation", "pictures")
    caption = (
        "What tfm_train makes of the same images in three draws, its normalisation undone. "
        "Does each kind of change show?"
    )
    return Figure("augmentation", "augmentation.variety", "Your augmentation, before and after", body, caption)


def _row(images: np.ndarray, low: float, high: float) -> list[Markup]:
    return [drawing.picture(drawing.gray(image, low, high), "the same image, augmented") for image in images]


def _ends(evidence: Evidence, after: np.ndarray) -> tuple[float, float]:
    """What black and white became; the least and greatest value where that cannot be told."""
    line = normalisation(evidence)
    if line is None:
        return float(after.min()), float(after.max())
    scale, shift = line
    return min(shift, shift + scale), max(shift, shift + scale)
