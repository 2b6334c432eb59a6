"""The charts of a class."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator, PercentFormatter

from grader.reports.html.figures import drawing


def histogram(scores: Sequence[float], most: float) -> Markup:
    """How many reached which score."""
    canvas, plot = drawing.axes(5.4, 2.7)
    bins = 20
    counts, edges = np.histogram(scores, bins=bins, range=(0, most))
    plot.bar(edges[:-1], counts, width=np.diff(edges) * 0.9, align="edge", color=drawing.SERIES[0])
    middle = float(np.median(scores))
    plot.axvline(middle, color=drawing.SERIES[1], linestyle="--", linewidth=1.4)
    left = middle > most / 2
    plot.annotate(
        f"median {middle:g}", (middle, plot.get_ylim()[1]), xytext=(-4 if left else 4, -2), va="top",
        textcoords="offset points", ha="right" if left else "left",
    )  # fmt: skip
    plot.set(xlim=(0, most), xlabel="points", ylabel="submissions")
    plot.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    return drawing.svg(canvas, f"Distribution of {len(scores)} scores, median {middle:g} of {most:g}")


def scatter(points: Sequence[tuple[float, ...]], across: str, up: str) -> Markup:
    """Two measures of each submission against each other.

    Args:
        points: both measures of each, shares from 0 to 1.
        across: what the first is called.
        up: what the second is called.
    """
    canvas, plot = drawing.axes(5.4, 2.7)
    x, y = np.array(points, dtype=float).T
    plot.grid(axis="x")
    plot.plot(x, y, "o", color=drawing.SERIES[0], alpha=0.55, markersize=4.5, markeredgewidth=0)
    plot.set(xlabel=across, ylabel=up)
    for axis in (plot.xaxis, plot.yaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axis.set_major_locator(MaxNLocator(6))
    return drawing.svg(canvas, f"{across} and {up} of {len(x)} submissions")
