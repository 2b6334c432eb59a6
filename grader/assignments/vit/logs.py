"""The training log that the notebook keeps: read as a marker reads it."""

from grader import patterns
from grader.assignment import Topic
from grader.assignments.vit import thresholds
from grader.assignments.vit.settings import hyperparameter
from grader.evidence import Evidence
from grader.judging import Criterion, Fail, after, checks, warn
from grader.records import GradeWarning
from grader.sentences import number_of
from grader.torchkit import training_logs
from grader.torchkit.printed_runs import NUMBER, VALUE, LogReader, PrintedRun, bars, errors_of, uncountable

PRECISION_AT_1 = r"prec(?:ision)?\s*(?:@|_at_|\s+at\s+)\s*1"  # and no other digit, which what follows must see to
READER = LogReader(
    function="train_embedding_model",
    best=patterns.compile(
        rf"\bbest\b[^\n:=]{{0,24}}?{PRECISION_AT_1}[^\n\d.]{{1,30}}?(?:{PRECISION_AT_1}\W{{1,6}})?{VALUE}",
        ignore_case=True,
    ),
    score=patterns.compile(rf"{PRECISION_AT_1}[^\n\d.]{{1,30}}?{VALUE}", ignore_case=True),
)
SETTINGS = {  # how logs print what they were made with
    "batch_size": r"batch[ _-]?size",
    "margin": r"margin",
    "weight_decay": r"weight[ _-]?decay",
    "embed_size": r"embed(?:ding)?[ _-]?(?:size|dim)",
    "num_epochs": r"(?:num|number of|n)[ _-]?epochs",
}


def _log(evidence: Evidence) -> PrintedRun:
    """The last training of the embedding that the notebook shows.

    Raises:
        Missing: there is none.
    """
    missing = (
        "run train_embedding_model in the notebook and save it with its outputs; `Best Precision@1: …` is what "
        "evaluate_at_end_epoch prints"
    )
    return training_logs.expect_shown(_last_run(evidence), evidence.submission, missing)


def _last_run(evidence: Evidence) -> PrintedRun | None:
    found: PrintedRun | None = evidence.once("training log", lambda: READER.last_run(evidence.submission.cells))
    return found


def without_errors(evidence: Evidence) -> None:
    """The training ran through without an error."""
    training_logs.expect_no_error(_log(evidence))


def whole(evidence: Evidence) -> None:
    """The log is whole by its own count of epochs."""
    log = _log(evidence)
    if not log.best:
        raise Fail(
            "the output of the training holds no line `Best Precision@1: …`",
            "evaluate_at_end_epoch prints it: call it at the end of every epoch and keep the cell's output.",
        )
    for digits in filter(None, map(uncountable, log.cells)):
        raise Fail(
            f"the training log counts epochs with a number of {len(digits):,} digits, {digits[:12]}…",
            f"No training has so many epochs: look whether another number is printed behind the word `epoch`. {training_logs.TRAIN_AGAIN}",
        )
    missing = _missing_epochs(log, hyperparameter(evidence, "num_epochs"))
    if missing:
        raise Fail(
            f"the training log is not whole: {missing}",
            f"It was interrupted, or its output was cut. {training_logs.TRAIN_AGAIN}",
        )


def _missing_epochs(log: PrintedRun, planned: float | None) -> str:
    """Say which epochs the log lacks by its own count; nothing when it is whole."""
    if not log.epochs:
        return _unfinished_bar(log, planned)
    first, last, total = log.epochs[0], log.epochs[-1], log.total
    if first > 1 and log.regular and len(log.epochs) > 1 and log.epochs[1] == first + 1:
        return f"it begins with epoch {first}"
    if total is None:
        return ""
    counts_from_0 = first == 0
    end = total if not counts_from_0 or planned == total + 1 else total - 1
    # a log that prints only what is better says nothing by its gaps, nor by its last epoch
    if log.gaps and not log.regular and len(log.best) < total:
        stood_still = len(set(log.best)) < len(log.best)
        return f"epoch {log.gaps[0]} is not shown" if stood_still else ""
    step = 1 if len(log.epochs) < 2 else log.epochs[1] - log.epochs[0]
    if last + step <= end and len(log.best) < total and not log.stopped_early:
        return f"it counts {number_of(total, 'epoch')}, and epoch {last} is the last one that it shows"
    shown = len(log.epochs) if log.regular else 0
    if log.opened_by_epoch and shown > 1 and len(log.best) == shown - 1:
        return f"epoch {last} was not evaluated"
    return ""


def _unfinished_bar(log: PrintedRun, planned: float | None) -> str:
    """A progress bar that counts the epochs and did not come to its end."""
    for done, total in [bar for cell in log.cells for bar in bars(cell)][-1:]:
        if done < total and total == planned:
            return f"its progress bar ends with {done} of {total} epochs"
    return ""


@after(whole)
def agrees_with_checkpoint(evidence: Evidence) -> str | None:
    """The log's best Precision@1 is the one that vit_embeds.pt records."""
    _expect_honest(evidence)
    log, recorded = _log(evidence), thresholds.recorded_precision(evidence)
    if not log.best or recorded is None:
        return "Not compared: there is no vit_embeds.pt that records one."
    training_logs.expect_recorded(evidence, log, recorded, "Precision@1", "vit_embeds.pt")
    return None


def _expect_honest(evidence: Evidence) -> None:
    """An answer that the worker's own code did not write is none that a log could agree with.

    Raises:
        Unanswered: the answer about the checkpoint was forged.
    """
    if evidence[thresholds.EMBEDDINGS].observation.outcome == "forged":
        _ = evidence[thresholds.EMBEDDINGS].value


def agrees_with_computed(evidence: Evidence) -> str | None:
    """The log's best Precision@1 is near the one computed from vit_embeds.pt."""
    log, computed = _log(evidence), thresholds.computed_precision(evidence)
    if not log.best or computed is None or thresholds.other_code(evidence, thresholds.EMBEDDINGS):
        return "Not compared: there is none that could be computed with the code as it is."
    chance = "Reference images that are augmented at random explain a difference of a few hundredths, and no larger one"
    training_logs.expect_computed(evidence, log, computed, "Precision@1", "vit_embeds.pt", chance)
    return None


def stale(evidence: Evidence) -> list[GradeWarning]:
    """The log was made with other settings than the notebook's."""
    log = _last_run(evidence)
    differences = _other_settings(log, evidence) if log is not None else []
    if not differences:
        return []
    return warn("log.stale", f"the log comes from other settings than the notebook's: {'; '.join(differences)}")


def _other_settings(log: PrintedRun, evidence: Evidence) -> list[str]:
    found = []
    planned = hyperparameter(evidence, "num_epochs")
    interrupted = log.total is None and any(map(errors_of, log.cells))
    if planned is not None and log.count is not None and not interrupted and planned not in (log.count, log.total):
        found.append(f"it counts {number_of(log.count, 'epoch')}, num_epochs is {planned:g}")
    text = "\n".join(cell.text for cell in log.cells)
    for name, pattern in SETTINGS.items():
        value = hyperparameter(evidence, name)
        printed = {
            float(number)
            for number in patterns.compile(rf"\b{pattern}\s*[:=]\s*({NUMBER})", ignore_case=True).findall(text)
        }
        if value is not None and printed and value not in printed:
            found.append(f"it was made with {name} = {min(printed):g}, the notebook sets {value:g}")
    return found


def claim(evidence: Evidence) -> list[GradeWarning]:
    """The log claims clearly more than the checkpoint reaches."""
    log, computed = _last_run(evidence), thresholds.computed_precision(evidence)
    if log is None or not log.best or computed is None or thresholds.other_code(evidence, thresholds.EMBEDDINGS):
        return []
    return training_logs.claim_warning(evidence, log, computed, "a Precision@1")


TOPIC = Topic(
    criteria=(
        Criterion("contrastive.logs", checks(without_errors, whole, agrees_with_checkpoint, agrees_with_computed)),
    ),
    warnings=(stale, claim),
)
