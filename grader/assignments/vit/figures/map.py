"""The test images' embeddings on a plane."""

import numpy as np

from grader.assignments.vit.thresholds import scores
from grader.assignments.vit.thresholds.sources import EMBEDDINGS
from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing
from grader.torchkit.fashion_mnist import CLASSES


def figure(evidence: Evidence) -> Figure | None:
    """The two main directions of the embeddings, coloured by class, each class named at its middle."""
    array = scores.embeddings(evidence, "test")
    labels = evidence[EMBEDDINGS].known["labels"]["test"]
    plane, share = _main_directions(array.astype(np.float64))
    canvas, plot = drawing.axes(width=8.0, height=4.4)
    plot.set_axis_off()
    plot.grid(False)
    low, high = np.percentile(plane, (0.2, 99.8), axis=0)  # a few far ones would push all others together
    inside = ((plane >= low) & (plane <= high)).all(1)
    present = [number for number in range(len(CLASSES)) if (inside & (labels == number)).any()]
    middles = np.array([np.median(plane[labels == number], axis=0) for number in present])
    max_dots = 3_000  # more hide each other
    min_name_distance = (0.12, 0.055)  # of two names, as shares of the chart
    for number, (x, y) in zip(present, _spread_out(middles, (high - low) * min_name_distance), strict=True):
        dots = np.flatnonzero(inside & (labels == number))[: max_dots // len(CLASSES)]
        _dots(plot, plane[dots], drawing.SERIES[number])
        plot.text(x, y, CLASSES[number], ha="center", va="center", fontweight="bold")
    margin = 0.03 * (high - low)
    plot.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
    caption = (
        f"Each dot is a test image, placed by the two main directions of its embedding, which hold {share:.0%} of its "
        "variance. Classes that lie apart are told apart; where colours mix, neighbours are of other classes."
    )
    body = drawing.svg(canvas, "Map of the test images' embeddings, one colour a class", "map")
    return Figure("map", "contrastive.precision", "A map of your embeddings", body, caption, True)


def _main_directions(array: np.ndarray) -> tuple[np.ndarray, float]:
    """(n, 2) principal components by the covariance's eigenvectors, and their share of the variance."""
    centred = array - array.mean(0)
    if centred.shape[1] < 2:
        return np.pad(centred, ((0, 0), (0, 2 - centred.shape[1]))), 1.0
    values, vectors = np.linalg.eigh(centred.T @ centred)
    return centred @ vectors[:, [-1, -2]], float(values[-2:].sum() / values.sum())


def _spread_out(places: np.ndarray, least: np.ndarray) -> np.ndarray:
    """(n, 2) names moved up until none covers another."""
    moved = places[np.argsort(places[:, 1])]
    for row in range(1, len(moved)):
        for before in moved[:row]:
            if (np.abs(moved[row] - before) < least).all():
                moved[row, 1] = before[1] + least[1]
    return moved[np.argsort(np.argsort(places[:, 1]))]


def _dots(plot: drawing.Axes, points: np.ndarray, colour: str) -> None:
    """One path for all: lines of no length with round ends, a fifth of the size of as many markers."""
    gaps = np.full((len(points), 2), np.nan)
    line = np.stack([points, points, gaps], axis=1).reshape(-1, 2)
    plot.plot(line[:, 0], line[:, 1], color=colour, linewidth=3.2, solid_capstyle="round", alpha=0.75)
