"""How many sums are answered right, by the number of digits."""

import numpy as np

from grader.assignments.adder import accuracy, sums
from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing


def figure(evidence: Evidence) -> Figure | None:
    """A bar for each number of digits of the longer number."""
    right = accuracy.right(evidence)
    count = np.array([sums.digits(*pair) for pair in evidence[accuracy.PROBE].known])
    lengths = [length for length in (1, 2, 3) if (count == length).any()]
    shares = [float(right[count == length].mean()) for length in lengths]
    canvas, plot = drawing.axes()
    bars = plot.bar([str(length) for length in lengths], shares, color=drawing.SERIES[0])
    plot.bar_label(bars, [f"{share:.1%}" for share in shares])
    plot.set_ylim(0, 1.08)
    plot.set_xlabel("digits of the longer number")
    plot.set_ylabel("answered right")
    words = ", ".join(f"{share:.1%} with {length}" for share, length in zip(shares, lengths, strict=True))
    return Figure(
        "digits", "training.accuracy", "Sums answered right by number of digits",
        drawing.svg(canvas, f"Answered right by digits of the longer number: {words}."),
        "Sums with short numbers are few among all that there are, and have other places in the text.",
    )  # fmt: skip
