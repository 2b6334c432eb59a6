"""The training log that the notebook keeps: read as a marker reads it."""

from grader import patterns
from grader.assignment import Topic
from grader.assignments.adder import accuracy
from grader.evidence import Evidence
from grader.judging import Criterion, Fail, after, checks
from grader.records import GradeWarning
from grader.torchkit import training_logs
from grader.torchkit.printed_runs import VALUE, LogReader, PrintedRun

LINE = patterns.compile(rf"\bexact[ _-]?match(?:es)?\b[^\n\d.]{{0,30}}?{VALUE}", ignore_case=True)
READER = LogReader(function="train_model", best=LINE, score=LINE)


def _log(evidence: Evidence) -> PrintedRun:
    """The last training that the notebook shows.

    Raises:
        Missing: there is none.
    """
    missing = "run train_model in the notebook and save it with its outputs"
    return training_logs.expect_shown(READER.last_run(evidence.submission.cells), evidence.submission, missing)


def whole(evidence: Evidence) -> None:
    """The training ran through without an error, and the log shows each epoch."""
    log = _log(evidence)
    training_logs.expect_no_error(log)
    if not log.best:
        raise Fail(
            "the output of the training holds no line `exact match …`", "Print it in each epoch, and keep the output."
        )
    if log.gaps and log.regular:
        raise Fail(f"the training log is not whole: epoch {log.gaps[0]} is not shown", training_logs.TRAIN_AGAIN)
    if log.total is not None and log.epochs and log.epochs[-1] < log.total - (log.epochs[0] == 0):
        last = f"it counts {log.total} epochs, and epoch {log.epochs[-1]} is the last one that it shows"
        if not log.stopped_early:
            raise Fail(f"the training log is not whole: {last}", training_logs.TRAIN_AGAIN)


@after(whole)
def agrees(evidence: Evidence) -> None:
    """The log's best exact match is the one that gpt.pt records, and near the one computed."""
    if accuracy.has_file(evidence) and evidence[accuracy.PROBE].observation.outcome == "forged":
        _ = evidence[accuracy.PROBE].value  # an answer that is not the worker's own is none that a log could agree with
    log, recorded, found = _log(evidence), accuracy.recorded(evidence), accuracy.score(evidence)
    if recorded is not None:
        training_logs.expect_recorded(evidence, log, recorded, "exact match", accuracy.FILE)
    if found is not None and not accuracy.other_code(evidence):
        chance = "Both are measured on held-out sums, so chance explains hardly a hundredth"
        training_logs.expect_computed(evidence, log, found, "exact match", accuracy.FILE, chance)


def claim(evidence: Evidence) -> list[GradeWarning]:
    """The log claims clearly more than the checkpoint reaches."""
    log, found = READER.last_run(evidence.submission.cells), accuracy.score(evidence)
    if log is None or not log.best or found is None or accuracy.other_code(evidence):
        return []
    return training_logs.claim_warning(evidence, log, found, "an exact match")


TOPIC = Topic(criteria=(Criterion("training.log", checks(whole, agrees), needs=("model.gpt",)),), warnings=(claim,))
