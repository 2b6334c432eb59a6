"""The training log that the notebook keeps: read as a marker reads it."""

from grader import patterns
from grader.assignment import Topic
from grader.assignments.adder import accuracy
from grader.evidence import Evidence
from grader.judging import Criterion, Fail, Missing, after, checks, warn
from grader.records import GradeWarning, Submission
from grader.torchkit.printed_runs import TRAIN_AGAIN, VALUE, LogReader, PrintedRun, errors_of

LINE = patterns.compile(rf"\bexact[ _-]?match(?:es)?\b[^\n\d.]{{0,30}}?{VALUE}", ignore_case=True)
READER = LogReader(function="train_model", best=LINE, score=LINE)


def _log(evidence: Evidence) -> PrintedRun:
    """The last training that the notebook shows.

    Raises:
        Missing: there is none.
    """
    if evidence.submission.notebook is None:
        raise Missing("there is no notebook: the log stands in the outputs of its cells")
    log = READER.last_run(evidence.submission.cells)
    if log is None:
        raise Missing("no training log: run train_model in the notebook and save it with its outputs")
    return log


def whole(evidence: Evidence) -> None:
    """The training ran through without an error, and the log shows each epoch."""
    log = _log(evidence)
    for cell in log.cells:
        for error in errors_of(cell)[:1]:
            raise Fail(
                f"the training in cell {cell.cell} ended with an error: {error.strip().rstrip(':')[:200]}", TRAIN_AGAIN
            )
    if not log.best:
        raise Fail(
            "the output of the training holds no line `exact match …`", "Print it in each epoch, and keep the output."
        )
    if log.gaps and log.regular:
        raise Fail(f"the training log is not whole: epoch {log.gaps[0]} is not shown", TRAIN_AGAIN)
    if log.total is not None and log.epochs and log.epochs[-1] < log.total - (log.epochs[0] == 0):
        last = f"it counts {log.total} epochs, and epoch {log.epochs[-1]} is the last one that it shows"
        if not log.stopped_early:
            raise Fail(f"the training log is not whole: {last}", TRAIN_AGAIN)


@after(whole)
def agrees(evidence: Evidence) -> None:
    """The log's best exact match is the one that gpt.pt records, and near the one computed."""
    if accuracy.has_file(evidence) and evidence[accuracy.PROBE].observation.outcome == "forged":
        _ = evidence[accuracy.PROBE].value  # an answer that is not the worker's own is none that a log could agree with
    best, claim, found = max(_log(evidence).best), accuracy.recorded(evidence), accuracy.score(evidence)
    if claim is not None and evidence.rubric.above("log_checkpoint", abs(best - claim)):
        raise Fail(
            f"the log's best exact match is {best:.4f}, gpt.pt records {claim:.4f}",
            "Log and checkpoint come from different trainings: hand in those of the same run.",
        )
    if found is None or accuracy.other_code(evidence):
        return
    if evidence.rubric.above("log_computed", abs(best - found)):
        raise Fail(
            f"the log's best exact match is {best:.4f}, the model in gpt.pt reaches {found:.4f}",
            "Both are measured on held-out sums, so chance explains hardly a hundredth: hand in the checkpoint that the "
            "logged training wrote.",
        )


def claim(evidence: Evidence) -> list[GradeWarning]:
    """The log claims clearly more than the checkpoint reaches."""
    log, found = READER.last_run(evidence.submission.cells), accuracy.score(evidence)
    if log is None or not log.best or found is None or accuracy.other_code(evidence):
        return []
    best = max(log.best)
    if best <= found + evidence.rubric.thresholds["log_computed"]:
        return []
    return warn("log.claim", f"the log claims an exact match of {best:.4f}, the checkpoint reaches {found:.4f}")


def training_cells(submission: Submission) -> list[int]:
    """The cells whose output shows the last training."""
    run = READER.last_run(submission.cells)
    return [] if run is None else [cell.cell for cell in run.cells]


TOPIC = Topic(
    criteria=(Criterion("training.log", checks(whole, agrees), needs=("model.gpt",)),),
    warnings=(claim,),
)
