"""Which classes the classifier takes for which: a table, as it is read cell by cell."""

import numpy as np
from markupsafe import Markup

from grader.assignments.vit.thresholds import scores
from grader.evidence import Evidence
from grader.reports.html.figures import Figure
from grader.reports.html.rendering import environment
from grader.torchkit.fashion_mnist import CLASSES


def figure(evidence: Evidence) -> Figure | None:
    """The confusion matrix of the test images."""
    predicted, labels = scores.predictions(evidence)
    if predicted.max() >= len(CLASSES):
        return None
    counts = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    np.add.at(counts, (labels, predicted), 1)
    body = environment().get_template("confusion.html").render(classes=CLASSES, counts=counts, shades=_shades(counts))
    return Figure("classes", "vit.accuracy", "Which class is taken for which", Markup(body), _words(counts), True)


def _shades(counts: np.ndarray) -> np.ndarray:
    """(10, 10) 0 to 5: how much of a row is in a cell."""
    share = counts / np.maximum(1, counts.sum(1, keepdims=True))
    return np.digitize(share, (0.005, 0.02, 0.06, 0.15, 0.5))


def _words(counts: np.ndarray) -> str:
    wrong = counts * (1 - np.eye(len(CLASSES), dtype=int))
    true, taken = np.unravel_index(wrong.argmax(), wrong.shape)
    right = counts.diagonal() / np.maximum(1, counts.sum(1))
    return (
        f"Rows are what an image shows, columns what your classifier says. It errs most often with "
        f"{CLASSES[true]}, taken for {CLASSES[taken]} {wrong[true, taken]} times; hardest is "
        f"{CLASSES[int(right.argmin())]}, {right.min():.0%} right."
    )
