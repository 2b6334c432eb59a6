"""The learning rate over the whole training, as the submission's own schedulers drive it."""

import numpy as np

from grader.assignments.vit.metric_learning import scheduler
from grader.evidence import Evidence
from grader.reports.html.figures import Figure, drawing


def figure(evidence: Evidence) -> Figure | None:
    """The curve, its beginning larger where all of it happens there."""
    curve = scheduler.curve(evidence)
    if curve is None:
        return None
    rates, epochs = np.asarray(curve["lr"], dtype=float), int(curve["epochs"])
    if not len(rates) or not np.isfinite(rates).all():
        return None
    at, rates = np.append(curve["epoch"], epochs), np.append(rates, rates[-1])
    early = _all_is_early(at, rates)
    canvas, plots = drawing.panels(2 if early else 1)
    for plot, end in zip(plots, (epochs, 1), strict=False):
        plot.plot(at, rates, color=drawing.SERIES[0], drawstyle="steps-post")
        plot.set_xlabel("epoch")
        plot.set_xlim(0, end)
        plot.set_ylim(0, rates.max() * 1.08 or 1)
        plot.yaxis.set_major_formatter(lambda value, _: f"{value:.1e}" if value else "0")
    plots[0].set_ylabel("learning rate")
    if early:
        plots[0].set_title("the whole run")
        plots[1].set_title("its first epoch")
    words = f"From {rates[0]:.2g} over {rates.max():.2g} at most to {rates[-1]:.2g} in the end, {epochs} epochs"
    body = drawing.svg(canvas, f"Learning rate by epoch. {words}.")
    caption = f"{words}, as your schedulers set it when stepped the way that your training steps them."
    return Figure("schedule", "contrastive.scheduler", "Your learning rate over the whole run", body, caption)


def _all_is_early(at: np.ndarray, rates: np.ndarray) -> bool:
    """Whether what happens in a long run happens in its first epoch."""
    changes = np.abs(np.diff(rates))
    return bool(at[-1] >= 5 and changes.sum() > 0 and changes[at[1:] <= 1].sum() > 0.9 * changes.sum())
