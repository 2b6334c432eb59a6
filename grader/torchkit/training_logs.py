"""What any printed log of a training must be: there, without an error, and of the training that wrote the checkpoint."""

from grader.evidence import Evidence
from grader.judging import Fail, Missing, warn
from grader.records import GradeWarning, Submission
from grader.torchkit.printed_runs import PrintedRun, errors_of

TRAIN_AGAIN = "Run the training again until it ends by itself, and save the notebook with its outputs."


def expect_shown(log: PrintedRun | None, submission: Submission, missing: str) -> PrintedRun:
    """Return the last training that the notebook shows.

    Args:
        missing: what to do where it shows none.

    Raises:
        Missing: there is none.
    """
    if submission.notebook is None:
        raise Missing("there is no notebook: the log stands in the outputs of its cells")
    if log is None:
        raise Missing(f"no training log: {missing}")
    return log


def expect_no_error(log: PrintedRun) -> None:
    """Fail where the training ended with an error."""
    for cell in log.cells:
        for error in errors_of(cell)[:1]:
            mend = "" if error.startswith("KeyboardInterrupt") else "Mend this error first. "
            raise Fail(
                f"the training in cell {cell.cell} ended with an error: {error.strip().rstrip(':')[:200]}",
                f"{mend}{TRAIN_AGAIN}",
            )


def expect_recorded(evidence: Evidence, log: PrintedRun, recorded: float, score: str, file: str) -> None:
    """Fail where the log's best score is not the one that the checkpoint records.

    Args:
        score: what it is called.
        file: the checkpoint's name.
    """
    best = max(log.best)
    if evidence.rubric.above("log_checkpoint", abs(best - recorded)):
        raise Fail(
            f"the log's best {score} is {best:.4f}, {file} records {recorded:.4f}",
            "Log and checkpoint come from different trainings: hand in those of the same run.",
        )


def expect_computed(evidence: Evidence, log: PrintedRun, computed: float, score: str, file: str, chance: str) -> None:
    """Fail where the log's best score is not near the one computed.

    Args:
        score, file: as of ``expect_recorded``.
        chance: how much of a difference chance explains.
    """
    best = max(log.best)
    if evidence.rubric.above("log_computed", abs(best - computed)):
        raise Fail(
            f"the log's best {score} is {best:.4f}, the model in {file} reaches {computed:.4f}",
            f"{chance}: hand in the checkpoint that the logged training wrote.",
        )


def claim_warning(evidence: Evidence, log: PrintedRun, computed: float, score: str) -> list[GradeWarning]:
    """Warn of a log that claims clearly more than the checkpoint reaches.

    Args:
        score: what it is called, with its article.
    """
    best = max(log.best)
    if best <= computed + evidence.rubric.thresholds["log_computed"]:
        return []
    return warn("log.claim", f"the log claims {score} of {best:.4f}, the checkpoint reaches {computed:.4f}")
