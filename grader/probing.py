"""Putting probes in their turn: which are asked, with which question, and what stands for one that cannot be asked."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from grader.errors import GraderError, Unreadable
from grader.evidence import (
    UNASKED,
    Answer,
    Evidence,
    KeptAnswer,
    Probe,
    Question,
    Unanswered,
    ask_nobody,
    question_digest,
)
from grader.judging import Fail, Undecided, Verdict
from grader.reading import NOT_PUT_TOGETHER
from grader.records import Observation
from grader.verdicts import judge_in_order

Ask = Callable[[Probe, Question], Observation]
Begin = Callable[[Probe, Question], Callable[[], Observation]]


class Circle(Exception):
    """A question that waits for its own answer."""

    def __init__(self, probes: list[str]) -> None:
        first, *others = probes
        super().__init__(f"the question {first} waits for the answer to {', which waits for that to '.join(others)}")


def ask_all(
    probes: Collection[Probe], evidence: Evidence, ask: Ask, begin: Begin | None = None,
    kept: Mapping[str, KeptAnswer] | None = None,
) -> None:  # fmt: skip
    """Ask what has not been answered yet, in order; what runs in parallel is begun in its turn and waited for at the end.

    A probe whose answer is looked at by a check that an earlier one needs is asked before that.
    What a probe's own code raises, or the way to its worker, costs that probe alone: the answer is a fault.

    Args:
        ask: puts one question to a worker; never called for an answer that is kept already.
        begin: the same in parallel; what it returns waits for the answer. Where there is none, such a probe is asked
            when its answer is looked at.
        kept: by probe, answers of an earlier grade.
    """
    with asked_when_looked_at(probes, evidence, ask, begin, kept):
        for probe in probes:
            evidence.ask(probe.id)
    for answer in evidence.answers.values():
        if answer.running:
            _ = answer.observation


@contextmanager
def asked_when_looked_at(
    probes: Collection[Probe], evidence: Evidence, ask: Ask, begin: Begin | None = None,
    kept: Mapping[str, KeptAnswer] | None = None,
) -> Iterator[None]:  # fmt: skip
    """Ask each probe as soon as somebody looks at its answer, for a while; the arguments are those of ``ask_all``."""
    begin = begin or (lambda probe, question: partial(ask, probe, question))
    to_ask = {probe.id: probe for probe in probes}
    in_turn: list[str] = []  # probes whose questions are put together, each for the sake of the one before it

    def ask_now(ident: str) -> None:
        if ident in in_turn:
            raise Circle([*in_turn[in_turn.index(ident) :], ident])
        if (probe := to_ask.pop(ident, None)) is None:
            return
        in_turn.append(ident)
        asking = evidence.ask
        answer = _answer(probe, evidence, ask, begin, (kept or {}).get(ident))
        in_turn.pop()
        evidence.ask = asking
        if answer is not None:
            evidence.answers[ident] = answer

    evidence.ask = ask_now
    try:
        yield
    finally:
        evidence.ask = ask_nobody  # or it would hold itself, and all its answers


def _answer(probe: Probe, evidence: Evidence, ask: Ask, begin: Begin, kept: KeptAnswer | None) -> Answer | None:
    """Ask, or take what was kept; None where the probe is not to be asked."""

    def build() -> Question:
        return probe.build(evidence, evidence.rng(probe.id))

    try:
        judge_in_order(probe.needs, evidence)
        evidence.ask = ask_nobody  # a question may look which others have been asked so far
        if evidence.reading.reused(f"question {probe.id}"):
            return None if kept is None else kept.again(probe.id, build)
        with evidence.reading.by(f"question {probe.id}"):
            if not probe.when(evidence):
                return None
            if kept is not None and kept.code_unchanged:
                evidence.reading.note(NOT_PUT_TOGETHER)
                return kept.again(probe.id, build)
            question = build()
        asked = question_digest(question, probe.not_compared)
    except Unreadable:
        raise
    except (Exception, SystemExit) as error:
        return Answer(probe.id, UNASKED, _not_asked(probe, evidence, error))
    if kept is not None and kept.asked == asked:
        return Answer(probe.id, question, kept.read(), asked)
    if probe.in_parallel:
        waiting = _begun(probe, evidence, partial(begin, probe, question))
        return Answer(probe.id, question, lambda: _got(probe, evidence, waiting), asked, running=True)
    return Answer(probe.id, question, _got(probe, evidence, partial(ask, probe, question)), asked)


NOT_RUN = "the grader could not run this code; the warning grader.error says why"


def _begun(
    probe: Probe, evidence: Evidence, begin: Callable[[], Callable[[], Observation]]
) -> Callable[[], Observation]:
    """What waits for an answer; a fault at once where no worker could be had to begin with."""
    try:
        return begin()
    except Exception as error:
        evidence.firewall.note(f"the way to the worker for the question {probe.id}", error)
        fault = Observation("fault", detail=NOT_RUN)
        return lambda: fault


def _got(probe: Probe, evidence: Evidence, ask: Callable[[], Observation]) -> Observation:
    """An answer; a fault where the way to the worker raised.

    Raises:
        GraderError, OSError, MemoryError: there is no worker for the first request, so nothing can be graded.
    """
    try:
        return ask()
    except Exception as error:
        # Where no worker can be had for the first request, nothing can be graded here.
        if probe.id == "load" and isinstance(error, GraderError | OSError | MemoryError):
            raise
        evidence.firewall.note(f"the way to the worker for the question {probe.id}", error)
        return Observation("fault", detail=NOT_RUN)


def _not_asked(probe: Probe, evidence: Evidence, error: BaseException) -> Observation:
    """What stands for an answer where the question could not be put together.

    Earlier answers may be the reason: one of the wrong form is the submission's own doing, and one that is a fault
    makes another.
    """
    if isinstance(error, Unanswered):
        first = error.observation
        return first if first.outcome == "fault" else Observation("unasked", detail=f"{probe.id} was not asked")
    if isinstance(error, Undecided):
        return Observation("fault", detail=str(error))
    if isinstance(error, Verdict):
        why = error.message if isinstance(error, Fail) else str(error)
        return Observation("unasked", detail=f"{probe.id} was not asked: {why}")
    evidence.firewall.note(f"the question {probe.id}", error)
    return Observation("fault", detail="the grader could not put its question together")
