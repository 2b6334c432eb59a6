"""Probes, what they ask, and the answers, kept together so that a grade can be computed from them again."""

import hashlib
import json
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from grader.errors import Unreadable
from grader.firewall import Firewall
from grader.given import NONE, GivenFiles
from grader.records import Observation, Submission

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.judging import Judgement
    from grader.rubric import Rubric

T = TypeVar("T")
FAULTED = "a piece of the grader's own raised"  # noted as a setting that no rubric has: such a finding is not reused


@dataclass(frozen=True)
class Question:
    """What one probe asks.

    ``args`` go to the worker: dicts, lists, numbers, strings, arrays, and {"$shared": name} for the
    images of the data set. ``known`` stays on this side: expected values, labels.
    """

    args: dict[str, Any]
    known: Any = None


def question_digest(question: Question, aside: Collection[str] = ()) -> str:
    """Tell whether two questions are the same; arguments named in ``aside`` are no part of it."""
    digest = hashlib.sha256()
    _digest({name: arg for name, arg in question.args.items() if name not in aside}, digest.update)
    return digest.hexdigest()[:16]


def _digest(value: Any, update: Callable[[bytes], None]) -> None:
    if isinstance(value, np.ndarray):
        update(f"{value.dtype}{value.shape}".encode())
        update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        update(b"{")
        for key, item in value.items():
            update(f"{key}:".encode())
            _digest(item, update)
        update(b"}")
    elif isinstance(value, list | tuple):
        update(b"[")
        for item in value:
            _digest(item, update)
        update(b"]")
    else:
        item = value.item() if isinstance(value, np.generic) else value
        update(f"{json.dumps(item)},".encode())


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
    aside: tuple[str, ...] = ()  # arguments that change what it costs, not what is asked: paths, threads
    usual: float = 0.1  # seconds that it takes for the reference: for the progress bar alone
    apart: bool = False  # it takes long: asked beside the others where that can be, waited for after them

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
        """What stayed on this side.

        Raises:
            Unanswered: there was no question; the engine turns it into words.
        """
        if self.question is UNASKED:
            raise Unanswered(self.probe, self.observation)
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


class Later(Answer):
    """An answer that was kept, read when it is looked at, and with it the question."""

    def __init__(self, probe: str, question: Callable[[], Question], observation: Callable[[], Observation]) -> None:
        self.__dict__.update(probe=probe, _question=question, _observation=observation)

    @cached_property
    def question(self) -> Question:  # type: ignore[override]
        return self._question()  # type: ignore[attr-defined,no-any-return]

    @cached_property
    def observation(self) -> Observation:  # type: ignore[override]
        return self._observation()  # type: ignore[attr-defined,no-any-return]


@dataclass(frozen=True)
class Kept:
    """An observation of an earlier grade.

    Attributes:
        read: unpacks it.
        asked: digest of the question that it answers.
        sure: the probes' code has not changed since, so the question is the same; it is not put together again.
        seconds: how long the answer took.
    """

    read: Callable[[], Observation]
    asked: str
    sure: bool
    seconds: float


@dataclass(frozen=True)
class Finding:
    """What was computed from evidence, and the settings of the rubric that it rests on."""

    value: Any
    reads: dict[str, float] = field(default_factory=dict)
    code: str = ""  # the module that computed it; empty: all that judges


class Watched(Mapping[str, float]):
    """The rubric's thresholds and switches; notes which of them are looked at.

    It knows the list of what is being computed, not the evidence: in a circle, the arrays of a dozen submissions
    would wait for the garbage collector.
    """

    def __init__(self, rubric: "Rubric", reading: list[dict[str, float]]) -> None:
        self.rubric, self.reading = rubric, reading

    def note(self, name: str, value: float) -> None:
        if self.reading:
            self.reading[-1][name] = value

    def __getitem__(self, name: str) -> float:
        self.note(name, self.rubric.thresholds[name])
        return self.rubric.thresholds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rubric.thresholds)

    def __len__(self) -> int:
        return len(self.rubric.thresholds)

    @property
    def thresholds(self) -> "Watched":
        return self

    @property
    def strict(self) -> bool:
        self.note("strict", self.rubric.strict)
        return self.rubric.strict

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rubric, name)


@dataclass
class Evidence:
    """All that is known of one submission: its files, what it was asked, what it answered."""

    submission: Submission
    seed: int
    rubric: "Rubric"
    data: Any  # what the assignment loads
    assignment: "Assignment"
    answers: dict[str, Answer] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    given: GivenFiles = NONE  # what the course handed out
    timings: dict[str, float] = field(default_factory=dict)  # seconds by probe
    kept: Mapping[str, Kept] = field(default_factory=dict)  # by probe, what need not be asked again
    findings: dict[str, Finding] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)  # by probe, the digest of its question
    firewall: Firewall = field(default_factory=Firewall)
    _reading: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rubric: Rubric = Watched(self.rubric, self._reading)  # type: ignore[assignment]

    def __getitem__(self, probe: str) -> Answer:
        """The answer to a probe; one that was not asked holds the outcome "unasked"."""
        unasked = Observation("unasked", detail=f"{probe} was not asked")
        return self.answers.get(probe) or Answer(probe, UNASKED, unasked)

    def rng(self, probe: str) -> np.random.Generator:
        """A generator for one probe, from the grade's seed and the probe's id."""
        return np.random.default_rng([self.seed, zlib.crc32(probe.encode())])

    def judge(self, criterion: str) -> "Judgement":
        """The verdict on a criterion from the answers so far; its probes must have been asked."""
        from grader.judging import judge, undecided

        asked = self.assignment.criteria[criterion]

        def guarded() -> "Judgement":
            return self.attempt(f"the judging of {criterion}", lambda: judge(asked, self), undecided(asked))

        found: Judgement = self.once(f"verdict {criterion}", guarded)
        return found

    def attempt(self, piece: str, work: Callable[[], T], otherwise: T) -> T:
        """What a piece of the grader's own returns, or a default where it raises.

        Raises:
            Unreadable: kept evidence is damaged; the earlier grade stays as it is then.
        """
        try:
            return work()
        except Unreadable:
            raise
        except Exception as error:
            self.note(piece, error)
            return otherwise

    def note(self, piece: str, error: Exception) -> None:
        """Remember that a piece raised; what is being computed is not reused for another grade."""
        self.firewall.note(piece, error)
        if self._reading:
            self._reading[-1][FAULTED] = 1.0

    def once(self, key: str, compute: Callable[[], Any], code: str = "") -> Any:
        """The value of a pure function of this evidence: computed once, and kept with the grade.

        Args:
            key: what it is, kind first: "verdict vit.model", "score checkpoint.embeddings test".
            compute: what it raises is raised, and not kept.
            code: the module whose change makes a kept value void; any change of what judges where there is none.
        """
        if key not in self.findings:
            self._reading.append({})
            try:
                value = compute()
            finally:
                reads = self._reading.pop()
                if self._reading:
                    self._reading[-1].update(reads)
            self.findings[key] = Finding(value, reads, code)
        elif self._reading:
            self._reading[-1].update(self.findings[key].reads)
        return self.findings[key].value

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
