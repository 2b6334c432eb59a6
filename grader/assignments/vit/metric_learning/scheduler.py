"""The learning rate over the whole of a student's ``train_embedding_model``."""

from typing import Any

from grader.assignment import Topic
from grader.assignments.vit.metric_learning.watched_runs import TrainingRun, failure, runs, with_any_arguments
from grader.assignments.vit.settings import at_fault
from grader.evidence import Evidence
from grader.judging import Blocked, Criterion, Fail, Skip, checks, warn
from grader.records import GradeWarning
from grader.sentences import sentence
from grader.torchkit.learning_rates import drawn_curve, rate_problem
from grader.torchkit.rate_problem import RateProblem


def judged(evidence: Evidence) -> tuple[TrainingRun, RateProblem | None]:
    """The run to judge by and what is wrong in it: one in which nothing is, else the first that shows anything.

    Raises:
        Blocked: no run came so far.
    """
    attempts = [*runs(evidence), *with_any_arguments(evidence)]
    looked = [run for run in attempts if run.steps or run.schedulers or (run.raised is None and run.epochs)]
    if not looked:
        problem = failure(evidence)
        if isinstance(problem, Blocked):
            raise problem
        raise Blocked("contrastive.training", "the training ended before it had an optimizer's step or a scheduler")
    problems = [(run, rate_problem(run)) for run in looked]
    right = [pair for pair in problems if pair[1] is None]
    whole = [pair for pair in problems if pair[0].raised is None or _far_enough(pair[0])]
    if not right and not whole:
        raise Blocked("contrastive.training", "the training ended before its learning rate could be seen")
    return (right or whole)[0]


def _far_enough(run: TrainingRun) -> bool:
    """Whether a run that ended with an exception came far enough to be believed."""
    return len(run.epochs) > 1 or any(scheduler.raised for scheduler in run.schedulers)


def changes(evidence: Evidence) -> None:
    """The learning rate that the optimizer uses changes over `num_epochs`, through a scheduler that drives it."""
    run, problem = judged(evidence)
    if problem is not None and problem.kind == "constant" and run.ended == "enough" and len(run.epochs) == 1:
        raise Blocked("contrastive.training", "no epoch of the training was seen to end")
    if problem is not None and problem.kind in ("constant", "by hand"):
        raised = next((scheduler.raised for scheduler in run.schedulers if scheduler.raised), None)
        raise Fail(problem.message, (raised and at_fault(evidence, raised)) or problem.hint)


def unit(evidence: Evidence) -> str | None:
    """The scheduler is stepped in the unit that its numbers are meant in: epochs, or batches."""
    problem = judged(evidence)[1]
    if problem is None:
        return None
    if problem.kind == "by hand":
        return "Without a scheduler there is no unit to mistake: the learning rate changes where the training says so."
    if problem.kind == "constant":
        raise Skip
    if problem.kind in ("over", "in epochs"):
        raise Fail(problem.message, problem.hint)
    return f"It changes, and gives full points, but {sentence(problem.message, problem.hint)}"


def collapsed(evidence: Evidence) -> list[GradeWarning]:
    """A schedule meant in epochs is over after a few batches."""
    found = _looked(evidence)
    problem = None if found is None else found[1]
    if problem is None or problem.kind not in ("in batches", "over"):
        return []
    return warn("scheduler.collapsed", problem.message)


def curve(evidence: Evidence) -> dict[str, Any] | None:
    """The learning rate over the whole training, as ``learning_rates.drawn_curve`` gives it; None where none was seen."""
    found = _looked(evidence)
    return None if found is None else drawn_curve(found[0])


def _looked(evidence: Evidence) -> tuple[TrainingRun, RateProblem | None] | None:
    """What is judged by; None where nothing can be."""
    if not evidence["training"].ok:
        return None
    try:
        return judged(evidence)
    except (Fail, Blocked):  # a check says so
        return None


TOPIC = Topic(
    criteria=(Criterion("contrastive.scheduler", checks(changes, unit), ("train_embedding_model",)),),
    warnings=(collapsed,),
)
