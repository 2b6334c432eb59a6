"""Putting probes in their turn: which are asked, with which question, and what stands for one that cannot be asked."""

from collections.abc import Callable, Iterable
from functools import partial

from grader.errors import GraderError, Unreadable
from grader.evidence import UNASKED, Answer, Evidence, Kept, Later, Probe, Question, Unanswered, question_digest
from grader.firewall import words
from grader.judging import Fail, Malformed, Undecided, Verdict
from grader.observations import fit
from grader.records import Observation

Ask = Callable[[Probe, Question], Observation]
Begin = Callable[[Probe, Question], Callable[[], Observation]]
LOAD = "load"  # the first request; where no worker can be had for it, nothing can be graded here


def ask_all(probes: Iterable[Probe], evidence: Evidence, ask: Ask, begin: Begin | None = None) -> None:
    """Ask what has not been answered yet, in order; those apart are begun in their turn and waited for at the end.

    What a probe's own code raises, or the way to its worker, costs that probe alone: the answer is a fault.

    Args:
        ask: puts one question to a worker; never called for an answer that is kept already.
        begin: the same beside the others; what it returns waits for the answer. Where there is none, a probe
            apart is asked when its answer is looked at.
    """
    begin = begin or (lambda probe, question: partial(ask, probe, question))
    begun = [probe.id for probe in probes if _ask_one(probe, evidence, ask, begin)]
    for probe_id in begun:
        answer = evidence.answers[probe_id]
        evidence.answers[probe_id] = Answer(probe_id, answer.question, answer.observation)
        evidence.timings[probe_id] = answer.observation.seconds


def _ask_one(probe: Probe, evidence: Evidence, ask: Ask, begin: Begin) -> bool:
    """Ask, or take what was kept; whether the answer has yet to be waited for."""

    def build() -> Question:
        return probe.build(evidence, evidence.rng(probe.id))

    try:
        if not probe.when(evidence):
            return False
        kept = evidence.kept.get(probe.id)
        if kept is not None and kept.sure:
            evidence.answers[probe.id] = Later(probe.id, build, partial(_kept, probe, evidence, kept))
            evidence.asked[probe.id], evidence.timings[probe.id] = kept.asked, kept.seconds
            return False
        question = build()
        asked = question_digest(question, probe.aside)
    except Unreadable:
        raise
    except Exception as error:
        evidence.answers[probe.id] = Answer(probe.id, UNASKED, _not_asked(probe, evidence, error))
        return False
    evidence.asked[probe.id] = asked
    known = kept is not None and kept.asked == asked
    if probe.apart and not known:
        waiting = _begun(probe, evidence, partial(begin, probe, question))
        evidence.answers[probe.id] = Later(probe.id, lambda: question, lambda: _got(probe, evidence, waiting))
        return True
    got = (
        partial(_kept, probe, evidence, kept)
        if kept is not None and known
        else lambda: _got(probe, evidence, partial(ask, probe, question))
    )
    observation = got()
    evidence.answers[probe.id] = Answer(probe.id, question, observation)
    evidence.timings[probe.id] = observation.seconds
    return False


def _kept(probe: Probe, evidence: Evidence, kept: Kept) -> Observation:
    """A kept answer, converted to its type; it was compared with its question when it arrived."""
    return fit(kept.read(), evidence.assignment.forms.get(probe.op), None)


def _begun(
    probe: Probe, evidence: Evidence, begin: Callable[[], Callable[[], Observation]]
) -> Callable[[], Observation]:
    """What waits for an answer; a fault at once where no worker could be had to begin with."""
    try:
        return begin()
    except Exception as error:
        evidence.note(f"the way to the worker for the question {probe.id}", error)
        fault = Observation("fault", detail=f"the worker could not be asked: {words(error)}")
        return lambda: fault


def _got(probe: Probe, evidence: Evidence, ask: Callable[[], Observation]) -> Observation:
    """An answer; a fault where the way to the worker raised.

    Raises:
        GraderError, OSError, MemoryError: there is no worker for the first request, so nothing can be graded.
    """
    try:
        return ask()
    except Exception as error:
        if probe.id == LOAD and isinstance(error, GraderError | OSError | MemoryError):
            raise
        evidence.note(f"the way to the worker for the question {probe.id}", error)
        return Observation("fault", detail=f"the worker could not be asked: {words(error)}")


def _not_asked(probe: Probe, evidence: Evidence, error: Exception) -> Observation:
    """What stands for an answer where the question could not be put together.

    Earlier answers may be the reason: one of the wrong form is the submission's own doing, and one that is a fault
    makes another.
    """
    if isinstance(error, Unanswered):
        first = error.observation
        return first if first.outcome == "fault" else Observation("unasked", detail=f"{probe.id} was not asked")
    if isinstance(error, Malformed):
        return Observation("forged", detail=error.message)
    if isinstance(error, Undecided):
        return Observation("fault", detail=str(error))
    if isinstance(error, Verdict):
        why = error.message if isinstance(error, Fail) else str(error)
        return Observation("unasked", detail=f"{probe.id} was not asked: {why}")
    evidence.note(f"the question {probe.id}", error)
    return Observation("fault", detail="the grader could not put its question together")
