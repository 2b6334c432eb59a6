"""Which digits each token looks at."""

import numpy as np

from grader.assignments.adder.pictures import PROBE, TEXT
from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing


def figure(evidence: Evidence) -> Figure | None:
    """A square for each pair of tokens, the darker the more the one takes from the other."""
    layers = evidence[PROBE].value.layers
    if layers is None or not np.isfinite(layers).all():
        return None
    count, layers = len(layers), layers[-3:]
    canvas, plots = drawing.panels(len(layers), width=drawing.WIDTH * len(layers) / 1.6)
    at = np.arange(len(TEXT))
    for number, (plot, weights) in enumerate(zip(plots, layers, strict=True), 1 + count - len(layers)):
        rows, columns = np.tril_indices(len(TEXT))
        shades = (weights[rows, columns] / weights.max()).clip(0.03, 1)
        plot.scatter(columns, rows, s=90, marker="s", color=drawing.SERIES[0], alpha=shades, linewidths=0)
        plot.set_xticks(at, list(TEXT))
        plot.set_yticks(at, list(TEXT))
        plot.invert_yaxis()
        plot.set_title(f"layer {number} of {count}")
    plots[0].set_ylabel("token that looks")
    words = (
        f"Where the tokens of {TEXT} look, a mean over heads: a row for each token, a column for each one before it."
    )
    caption = (
        f"{words} Look at the row of = and those below it: which digits does your model bring together to write the next "
        "one?"
    )
    return Figure("attention", "training.accuracy", "Attention over the digits", drawing.svg(canvas, words), caption)
