"""The training log that the notebook keeps: read as a marker reads it."""

import re
from dataclasses import dataclass
from typing import Any

from grader.checking import Criterion, Fail, Missing, checks, warn
from grader.evidence import Evidence, Probe
from grader.records import CellLog, Warning_
from grader.vit import thresholds
from grader.vit.settings import hyperparameter

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
BEST = re.compile(rf"best\s+prec(?:ision)?\s*@\s*1[^0-9\n]{{0,40}}?({NUMBER})\s*(%?)", re.IGNORECASE)
OF_TOTAL = re.compile(r"epochs?\W{0,4}(\d+)\s*(?:/|of)\s*(\d+)|[\[(]\s*(\d+)\s*/\s*(\d+)\s*[\])]", re.IGNORECASE)
ALONE = re.compile(r"epochs?\W{0,4}(\d+)(?!\s*(?:/|of)\s*\d)", re.IGNORECASE)
TRAINS = re.compile(r"\btrain_embedding_model\s*\(")


@dataclass(frozen=True)
class Log:
    """What the log of the embedding's training says; of several runs the last."""

    cells: tuple[CellLog, ...]  # the cells that hold it, or that should
    best: tuple[float, ...]  # every "Best Precision@1", in order, as fractions
    epochs: tuple[int, ...]  # every epoch number that was printed, in order
    total: int | None  # the number of epochs that it says there are

    @property
    def text(self) -> str:
        return "\n".join(cell.text for cell in self.cells)


def read(cells: tuple[CellLog, ...]) -> Log | None:
    """Find the log among a notebook's outputs; None when there is none."""
    holding = tuple(c for c in cells if BEST.search(c.text))
    training = tuple(c for c in cells if TRAINS.search(c.source) and "def train_embedding_model" not in c.source)
    ours = tuple(c for c in cells if c in holding or (c in training and (c.text.strip() or c.errors)))
    if not ours:
        return None
    text = _last_run("\n".join(c.text for c in holding))
    pairs = [(int(a or c), int(b or d)) for a, b, c, d in OF_TOTAL.findall(text)]
    totals = [total for _, total in pairs]
    epochs = [epoch for epoch, _ in pairs] or [int(number) for number in ALONE.findall(text)]
    total = max(set(totals), key=totals.count) if totals else None
    if total is not None:
        epochs = [epoch for epoch, of in pairs if of == total]
    return Log(ours, tuple(map(_fraction, BEST.findall(text))), tuple(epochs), total)


def _fraction(found: tuple[str, str]) -> float:
    value = float(found[0])
    return value / 100 if found[1] or 1 < value <= 100 else value


def _last_run(text: str) -> str:
    """The part of the text that belongs to the last training: where epochs begin again at 0 or 1."""
    starts = [m.start() for m in re.finditer(r"epochs?\W{0,4}0*[01]\b(?!\d)", text, re.IGNORECASE)]
    firsts = [s for i, s in enumerate(starts) if i == 0 or BEST.search(text, starts[i - 1], s)]
    if len(firsts) < 2:
        return text
    second = re.match(r"epochs?\W{0,4}(\d+)", text[firsts[-1] :], re.IGNORECASE)
    before = re.match(r"epochs?\W{0,4}(\d+)", text[firsts[-2] :], re.IGNORECASE)
    went_on = second and before and int(second[1]) == int(before[1]) + 1  # 0, then 1: the same run
    return text if went_on else text[firsts[-1] :]


def _log(seen: Evidence) -> Log:
    if seen.submission.notebook is None:
        raise Missing("there is no notebook: the log stands in the outputs of its cells")
    log = read(seen.submission.cells)
    if log is None:
        raise Missing(
            "no training log: run train_embedding_model in the notebook and save it with its outputs; "
            "`Best Precision@1: …` is what evaluate_at_end_epoch prints"
        )
    return log


def without_errors(seen: Evidence) -> None:
    """The training ran through without an error."""
    for cell in _log(seen).cells:
        if cell.errors:
            raise Fail(
                f"the log in cell {cell.cell} ends with an error: {cell.errors[0][:200]}",
                "Run the training again until it ends by itself, and save the notebook.",
            )


def whole(seen: Evidence) -> None:
    """The log is whole by its own count of epochs."""
    log = _log(seen)
    if not log.best:
        raise Fail(
            "the output of the training holds no line `Best Precision@1: …`",
            "evaluate_at_end_epoch prints it: call it at the end of every epoch and keep the cell's output.",
        )
    if not log.epochs or log.total is None:
        return
    first, last = min(log.epochs), max(log.epochs)
    if last + (1 if first == 0 else 0) < log.total:
        raise Fail(
            f"the log says that there are {log.total} epochs and shows {last} as the last one: it is not whole",
            "Was the training interrupted, or the output cut? Run it to its end and save the notebook.",
        )


def agrees_with_checkpoint(seen: Evidence) -> None:
    """The log's best Precision@1 is the one that vit_embeds.pt records."""
    log, recorded = _log(seen), thresholds.recorded_precision(seen)
    if not log.best or recorded is None:
        return
    best = max(log.best)
    if abs(best - recorded) > seen.rubric.thresholds["log_checkpoint"]:
        raise Fail(
            f"the log's best Precision@1 is {best:.4f}, vit_embeds.pt records {recorded:.4f}",
            "Log and checkpoint come from different trainings: hand in those of the same run.",
        )


def agrees_with_computed(seen: Evidence) -> None:
    """The log's best Precision@1 is near the one computed from vit_embeds.pt."""
    log, computed = _log(seen), thresholds.computed_precision(seen)
    if not log.best or computed is None:
        return
    best = max(log.best)
    if abs(best - computed) > seen.rubric.thresholds["log_computed"]:
        raise Fail(
            f"the log's best Precision@1 is {best:.4f}, the model in vit_embeds.pt reaches {computed:.4f}",
            "Randomly augmented reference images explain a difference of a few hundredths, not this one.",
        )


def stale(seen: Evidence) -> list[Warning_]:
    """The log was made with other settings than the notebook's."""
    log = read(seen.submission.cells)
    epochs = hyperparameter(seen, "num_epochs")
    if log is None or epochs is None or log.total is None or log.total == epochs:
        return []
    return warn(
        "log.stale",
        f"the log counts {log.total} epochs, the notebook sets num_epochs = {epochs:g}: it comes from other settings",
    )


def claim(seen: Evidence) -> list[Warning_]:
    """The log claims clearly more than the checkpoint reaches."""
    log, computed = read(seen.submission.cells), thresholds.computed_precision(seen)
    if log is None or not log.best or computed is None:
        return []
    best, allowed = max(log.best), seen.rubric.thresholds["log_computed"]
    if best <= computed + allowed:
        return []
    return warn("log.claim", f"the log claims a Precision@1 of {best:.4f}, the checkpoint reaches {computed:.4f}")


PROBES: tuple[Probe, ...] = ()
CRITERIA = (Criterion("contrastive.logs", checks(without_errors, whole, agrees_with_checkpoint, agrees_with_computed)),)
WARNINGS = (stale, claim)
MEASURES: dict[str, Any] = {}
