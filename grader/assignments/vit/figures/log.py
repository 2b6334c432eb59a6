"""The log that the notebook keeps, beside what was computed from the checkpoint."""

import numpy as np

from grader import patterns
from grader.assignments.vit import logs, thresholds
from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing
from grader.torchkit.printed_runs import NUMBER, PrintedRun

LOSS = patterns.compile(rf"\bloss\b[^\n\d.+-]{{0,12}}({NUMBER})", ignore_case=True)


def figure(evidence: Evidence) -> Figure | None:
    """Loss and Precision@1 by epoch, the recomputed value as a line."""
    run = logs.READER.last_run(evidence.submission.cells)
    if run is None or len(run.best) < 2:
        return None
    computed = thresholds.computed_precision(evidence)
    epochs = run.best_epochs
    canvas, plot = drawing.axes()
    # a best value stays until a better one is printed, so it is drawn as steps
    at, best = _thin(epochs or _counted(run.best), run.best)
    plot.step(at, best, where="post", color=drawing.SERIES[0], marker=".", label="best Precision@1, log")
    if computed is not None:
        plot.axhline(computed, color=drawing.SERIES[1], linestyle="--", label="computed again")
    plot.set_xlabel("epoch" if epochs else "value in the log")
    plot.set_ylabel("Precision@1")
    lines = list(plot.get_lines())
    if losses := _losses(run):
        side = plot.twinx()
        side.plot(*_thin(*losses), color=drawing.SERIES[2], linestyle=":", label="loss, log (right)")
        side.set_ylabel("loss")
        side.spines["right"].set_visible(True)
        lines += side.get_lines()
    canvas.legend(handles=lines, loc="outside lower center", ncols=2, frameon=False)
    known = evidence[thresholds.EMBEDDINGS].known["labels"]["test"] if computed is not None else ()
    words = _words(run, computed, len(known))
    return Figure("log", "contrastive.logs", "Your log beside the recomputed value", drawing.svg(canvas, words), words)


def _losses(run: PrintedRun) -> tuple[list[int], list[float]] | None:
    """Epochs and losses, where the log prints one loss for each epoch or for each best value; else None."""
    found = [float(value) for cell in run.cells for value in LOSS.findall(cell.text[:200_000])]
    values = [value for value in found if np.isfinite(value)]
    for epochs in (run.epochs, run.best_epochs or _counted(run.best)):
        if values and len(epochs) == len(values):
            return epochs, values
    return None


def _counted(values: list[float]) -> list[int]:
    return list(range(1, len(values) + 1))


def _thin(epochs: list[int], values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """At most so many points of a curve, both arrays (n,)."""
    max_points = 400  # of a curve
    rows = np.unique(np.linspace(0, len(values) - 1, min(max_points, len(values))).astype(int))
    return np.asarray(epochs)[rows], np.asarray(values, dtype=float)[rows]


def _words(run: PrintedRun, computed: float | None, images: int) -> str:
    said = f"Your log's best Precision@1 is {max(run.best):.4f}"
    if computed is None:
        return f"{said}; there was nothing to compute it from again."
    return f"{said}; the checkpoint that you handed in reaches {computed:.4f} on {images:,} test images."
