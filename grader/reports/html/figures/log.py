"""The log that the notebook keeps, beside what was computed from the checkpoint."""

import re

import numpy as np

from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing
from grader.vit import thresholds
from grader.vit.runs import NUMBER, Run, last_run

LOSS = re.compile(rf"\bloss\b[^\n\d.+-]{{0,12}}({NUMBER})", re.IGNORECASE)
MOST = 400  # values of a curve


def figure(seen: Evidence) -> Figure | None:
    """Loss and Precision@1 by epoch, the recomputed value as a line."""
    run = last_run(seen.submission.cells)
    if run is None or len(run.best) < 2:
        return None
    best, losses = _thin(run.best), _thin(_losses(run))
    computed = thresholds.computed_precision(seen)
    canvas, plot = drawing.axes()
    plot.plot(*best, color=drawing.SERIES[0], marker=".", label="best Precision@1, log")
    if computed is not None:
        plot.axhline(computed, color=drawing.SERIES[1], linestyle="--", label="computed again")
    plot.set_xlabel("epoch")
    plot.set_ylabel("Precision@1")
    if len(losses[0]) == len(best[0]):
        side = plot.twinx()
        side.plot(*losses, color=drawing.SERIES[2], linestyle=":", label="loss, log (right)")
        side.set_ylabel("loss")
        side.spines["right"].set_visible(True)
        lines = [*plot.get_lines(), *side.get_lines()]
    else:
        lines = list(plot.get_lines())
    canvas.legend(handles=lines, loc="outside lower center", ncols=2, frameon=False)
    words = _words(run, computed)
    return Figure("log", "contrastive.logs", "Your log beside the recomputed value", drawing.svg(canvas, words), words)


def _losses(run: Run) -> list[float]:
    """The loss of every line that names an epoch's; what is no curve of as many values is left out."""
    found = [float(value) for cell in run.cells for value in LOSS.findall(cell.text[:200_000])]
    return [value for value in found if np.isfinite(value)] if len(found) == len(run.best) else []


def _thin(values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    rows = np.unique(np.linspace(0, max(0, len(values) - 1), min(MOST, len(values))).astype(int))
    return rows + 1, np.asarray(values, dtype=float)[rows] if len(values) else np.zeros(0)


def _words(run: Run, computed: float | None) -> str:
    said = f"Your log's best Precision@1 is {max(run.best):.4f}"
    if computed is None:
        return f"{said}; there was nothing to compute it from again."
    return f"{said}; the checkpoint that you handed in reaches {computed:.4f} on the 10,000 test images."
