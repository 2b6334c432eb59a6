"""Where the [CLS] token looks."""

import numpy as np
from markupsafe import Markup

from grader.assignments.vit import pictures
from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing
from grader.torchkit.fashion_mnist import CLASSES


def figure(evidence: Evidence) -> Figure | None:
    """Some test images, and the same lit where attention is."""
    answer = evidence["pictures.attention"]
    rows = pictures.shown(evidence)
    images, labels, weights = evidence.data.test_images[rows], evidence.data.test_labels[rows], answer.value.weights
    side = _patches_along_a_side(weights, images)
    if side is None:
        return None
    grids = np.kron(weights.reshape(-1, side, side), np.ones((images.shape[1] // side,) * 2))
    before = [drawing.picture(image, CLASSES[label]) for image, label in zip(images, labels, strict=True)]
    after = [_lit(image, grid, CLASSES[label]) for image, grid, label in zip(images, grids, labels, strict=True)]
    body = drawing.grid([before, after], ["image", "attention"], "Test images and where [CLS] looks", "pictures")
    caption = (
        "The patches from which the [CLS] token of the last layer takes most are bright. Look whether they lie on the "
        "clothes, or all of them on the same few places whatever is shown."
    )
    return Figure("attention", "vit.accuracy", "Where [CLS] looks", body, caption)


def _patches_along_a_side(weights: np.ndarray | None, images: np.ndarray) -> int | None:
    """Patches along a side; None unless there is a finite weight for each patch of a square."""
    if weights is None or not np.isfinite(weights).all():
        return None
    side = round(weights.shape[1] ** 0.5)
    return side if side > 1 and side**2 == weights.shape[1] and images.shape[1] % side == 0 else None


def _lit(image: np.ndarray, weights: np.ndarray, name: str) -> Markup:
    light = ((weights - weights.min()) / max(float(np.ptp(weights)), 1e-12))[..., None]
    light = light**0.6  # a few patches take most: the others are to be seen as well
    floor = 40 * light  # a dark patch that is looked at shows, too
    dim, orange = 0.35, np.array([1.0, 0.72, 0.28])  # how bright the rest is, and the colour of what is looked at most
    shade = (image[..., None] * (dim + (1 - dim) * light) + floor).clip(0, 255)
    tinted = shade * (1 - light * (1 - orange))
    return drawing.picture(tinted.round().astype(np.uint8), f"{name}: where attention lies")
