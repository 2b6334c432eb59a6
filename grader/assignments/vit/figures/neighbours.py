"""Five nearest reference images of ten test images."""

import numpy as np
from markupsafe import Markup

from grader.assignments.vit.thresholds import scores
from grader.assignments.vit.thresholds.questions import reference_rows
from grader.assignments.vit.thresholds.sources import EMBEDDINGS
from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing
from grader.torchkit.fashion_mnist import CLASSES


def figure(evidence: Evidence) -> Figure | None:
    """One query of each class, the first of its test images."""
    answer = evidence[EMBEDDINGS]
    query, bank = (scores.embeddings(evidence, name).astype(np.float64) for name in ("test", "reference"))
    labels, bank_labels = answer.known["labels"]["test"], answer.known["labels"]["reference"]
    rows = _queries(labels)
    near = _nearest(query[rows], bank)
    images = evidence.data.test_images
    reference = evidence.data.train_images[reference_rows(evidence.data.train_labels, len(bank) // len(CLASSES))]
    lines, heads, right = [], [], 0
    for row, neighbours in zip(rows, near, strict=True):
        name = CLASSES[labels[row]]
        shown = [_framed(reference[n], CLASSES[bank_labels[n]], bank_labels[n] == labels[row]) for n in neighbours]
        right += int((bank_labels[neighbours] == labels[row]).sum())
        lines.append([drawing.picture(images[row], f"query: {name}", "pixels query"), *shown])
        heads.append(name)
    body = drawing.grid(lines, heads, "Ten test images and their nearest neighbours", "neighbours")
    caption = (
        f"One test image of each class and the five reference images nearest to it: {right} of {near.size} are of its "
        "class. ✓ with a solid frame is the same class, ✗ with a dashed frame another one."
    )
    return Figure("neighbours", "contrastive.precision", "Nearest neighbours", body, caption, True)


def _queries(labels: np.ndarray) -> np.ndarray:
    """(10,) the first test image of each class."""
    return np.array([int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)])


def _nearest(query: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """(q, 5) rows of the bank, nearest first."""
    distances = (query**2).sum(1, keepdims=True) + (bank**2).sum(1) - 2 * query @ bank.T
    return np.argsort(distances, axis=1, kind="stable")[:, :5]


def _framed(image: np.ndarray, name: str, right: bool) -> Markup:
    kind, sign, word = ("right", "✓", "same class") if right else ("wrong", "✗", "another class")
    inner = drawing.picture(image, f"{name}, {word}")
    return Markup('<span class="frame {}">{}<b aria-hidden="true">{}</b></span>').format(kind, inner, sign)
