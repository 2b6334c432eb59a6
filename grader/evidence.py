"""Probes, what they ask, and the answers, kept together so that a grade can be computed from them again."""

import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.records import Observation, Submission

if TYPE_CHECKING:
    from grader.checking import Assignment, Judgement
    from grader.data import FashionMNIST
    from grader.rubric import Rubric


@dataclass(frozen=True)
class Question:
    """What one probe asks.

    ``args`` go to the worker: dicts, lists, numbers, strings, arrays, and {"$shared": name} for the
    images of the data set. ``known`` stays on this side: expected values, labels.
    """

    args: dict[str, Any]
    known: Any = None


@dataclass(frozen=True)
class Probe:
    """One request to the worker.

    ``build`` makes the question from the evidence so far and a generator of its own, so that the same
    seed asks the same and a new probe changes no other. ``when`` says whether to ask at all; it may look
    at earlier answers and at verdicts that rest on them.
    """

    id: str
    op: str
    build: Callable[["Evidence", np.random.Generator], Question]
    when: Callable[["Evidence"], bool] = lambda seen: True
    seconds: float = 20.0
    serves: tuple[str, ...] = ()  # criteria that need it; empty: any may

    def wanted(self, only: Collection[str]) -> bool:
        """Whether it is of use when only some criteria are judged."""
        return not self.serves or bool(set(self.serves) & set(only))


class Unanswered(Exception):
    """A check looked at an answer that holds no value."""

    def __init__(self, probe: str, observation: Observation) -> None:
        super().__init__(probe)
        self.probe, self.observation = probe, observation


@dataclass(frozen=True)
class Answer:
    """A question and what was observed."""

    probe: str
    question: Question
    observation: Observation

    @property
    def ok(self) -> bool:
        return self.observation.outcome == "value"

    @property
    def known(self) -> Any:
        return self.question.known

    @property
    def value(self) -> Any:
        """The observed value.

        Raises:
            Unanswered: the submission raised, crashed, or was not asked; the engine turns it into words.
        """
        if not self.ok:
            raise Unanswered(self.probe, self.observation)
        return self.observation.value


UNASKED = Question({})


@dataclass
class Evidence:
    """All that is known of one submission: its files, what it was asked, what it answered."""

    submission: Submission
    seed: int
    rubric: "Rubric"
    data: "FashionMNIST"
    assignment: "Assignment"
    answers: dict[str, Answer] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)  # seconds by probe
    _judged: dict[str, "Judgement"] = field(default_factory=dict)

    def __getitem__(self, probe: str) -> Answer:
        """The answer to a probe; one that was not asked holds the outcome "unasked"."""
        unasked = Observation("unasked", detail=f"{probe} was not asked")
        return self.answers.get(probe) or Answer(probe, UNASKED, unasked)

    def rng(self, probe: str) -> np.random.Generator:
        """A generator for one probe, from the grade's seed and the probe's id."""
        return np.random.default_rng([self.seed, zlib.crc32(probe.encode())])

    def judge(self, criterion: str) -> "Judgement":
        """The verdict on a criterion from the answers so far; its probes must have been asked."""
        if criterion not in self._judged:
            from grader.checking import judge

            self._judged[criterion] = judge(self.assignment.criteria[criterion], self)
        return self._judged[criterion]

    def passed(self, criterion: str) -> bool:
        """Whether a criterion has full marks."""
        return self.judge(criterion).status == "passed"

    @cached_property
    def defined(self) -> frozenset[str]:
        """The assignment's names that the submission defines, as far as its definitions could be executed."""
        load = self["load"].observation
        return frozenset(load.value["defined"]) if load.outcome == "value" else frozenset()

    def has(self, *names: str) -> bool:
        """Whether all the names are defined."""
        return self.defined.issuperset(names)


def ask_all(probes: Iterable[Probe], evidence: Evidence, ask: Callable[[Probe, Question], Observation]) -> None:
    """Ask what has not been answered yet, in order.

    Args:
        ask: puts one question to a worker; never called for an answer that is kept already.
    """
    for probe in probes:
        kept = evidence.answers.get(probe.id)
        if not probe.when(evidence):
            continue
        question = probe.build(evidence, evidence.rng(probe.id))
        observation = kept.observation if kept is not None else ask(probe, question)
        evidence.answers[probe.id] = Answer(probe.id, question, observation)
        evidence.timings[probe.id] = observation.seconds
