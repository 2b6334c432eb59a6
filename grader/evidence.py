"""Probes, what they ask, and the answers: all that the checks of one submission may look at."""

import hashlib
import json
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.firewall import Firewall
from grader.given import NO_GIVEN_FILES, GivenFiles
from grader.reading import Reading, module_of
from grader.records import Judgement, Observation, Submission
from grader.sharing import Shared, common_seed

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.rubric_reads import RubricReads


@dataclass(frozen=True)
class Question:
    """What one probe asks.

    Attributes:
        args: travel to the worker: dicts, lists, numbers, strings, arrays, and {"$shared": name} for the images of
            the data set.
        known: stays on this side: expected values, labels.
    """

    args: dict[str, Any]
    known: Any = None


def question_digest(question: Question, not_compared: Collection[str] = ()) -> str:
    """Tell whether two questions are the same; arguments named in ``not_compared`` are no part of it."""
    digest = hashlib.sha256()
    _digest({name: arg for name, arg in question.args.items() if name not in not_compared}, digest.update)
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

    Attributes:
        id: unique in its assignment.
        op: the operation that it asks for.
        build: makes the question from the evidence so far and a generator of its own, so that the same seed asks the
            same and a new probe changes no other.
        when: whether to ask at all.
        seconds: that it may take.
        serves: criteria that need it; empty: any may.
        not_compared: arguments that change what the question costs, not what is asked: paths, threads.
        typical_seconds: that it takes for the reference: for the progress bar alone.
        in_parallel: it takes long: asked beside the others where that can be, and waited for after them.
        needs: criteria that are judged before it: ``build`` and ``when`` may look at their verdicts.
        of_content: its answer rests on the question, the program and the files alone, and is the same for all
            submissions that have the same.
    """

    id: str
    op: str
    build: Callable[["Evidence", np.random.Generator], Question]
    when: Callable[["Evidence"], bool] = lambda evidence: True
    seconds: float = 20.0
    serves: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    typical_seconds: float = 0.1
    in_parallel: bool = False
    needs: tuple[str, ...] = ()
    of_content: bool = False

    def wanted(self, only: Collection[str]) -> bool:
        """Whether it is of use when only some criteria are judged."""
        return not self.serves or bool(set(self.serves) & set(only))


class Unanswered(Exception):
    """A check looked at an answer that holds no value."""

    def __init__(self, probe: str, observation: Observation) -> None:
        super().__init__(probe)
        self.probe, self.observation = probe, observation


UNASKED = Question({})


class Answer:
    """A question and what was observed.

    Either may be a function: a kept question is put together, and a kept observation read, when somebody looks at it.
    """

    def __init__(self, probe: str, question: Question | Callable[[], Question],
                 observation: Observation | Callable[[], Observation], asked: str = "",
                 seconds: float | None = None, running: bool = False) -> None:  # fmt: skip
        self.probe, self.asked = probe, asked  # the digest of the question
        self.running = running  # asked in parallel, and perhaps not answered yet
        self._question, self._observation, self._seconds = question, observation, seconds

    # No cached_property: in Python 3.11 it holds one lock for all answers while it waits for one of them.
    @property
    def question(self) -> Question:
        if callable(self._question):
            self._question = self._question()
        return self._question

    @property
    def observation(self) -> Observation:
        if callable(self._observation):
            self._observation = self._observation()
        return self._observation

    @property
    def seconds(self) -> float:
        """How long the answer took."""
        return self.observation.seconds if self._seconds is None else self._seconds

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
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
        """The observed value, of the type that the operation declares.

        Raises:
            Unanswered: the submission raised, crashed, or was not asked; the engine turns it into words.
        """
        if not self.ok:
            raise Unanswered(self.probe, self.observation)
        return self.observation.value


@dataclass(frozen=True)
class KeptAnswer:
    """An answer of an earlier grade.

    Attributes:
        read: gives its observation.
        asked: digest of the question that it answers; empty where there was none.
        code_unchanged: the code that asks has not changed since, so the question is the same and is not put together.
        seconds: how long the answer took.
    """

    read: Callable[[], Observation]
    asked: str
    code_unchanged: bool
    seconds: float

    def again(self, probe: str, question: Callable[[], Question]) -> Answer:
        """It, as an answer of today: what could not be asked then has no question now either."""
        return Answer(probe, question if self.asked else UNASKED, self.read, self.asked, self.seconds)


@dataclass(frozen=True)
class MeasuredScore:
    """A score that is expensive to compute, kept beside the answers that it was computed from.

    Attributes:
        value: a number, a text, or a list of texts.
        code: the module that computed it, whose change makes it void; "" where it is not kept.
    """

    value: Any
    code: str


def ask_nobody(probe: str) -> None:
    """Leave a probe unasked."""


@dataclass
class Evidence:
    """All that is known of one submission: its files, what it was asked, what it answered. It judges nothing.

    Attributes:
        data: what the assignment loads.
        options: what probes are told of the command line.
        given: what the course handed out.
        answers: by probe.
        verdicts: by criterion, as far as the engine has judged.
        measured: scores that were computed from the answers, by name.
        firewall: notes which pieces of the grader's own raised.
        reading: notes what each piece reads of the others.
        shared: what other submissions of the same run have in common with it.
        ask: asks a probe whose turn has not come yet, while there is somebody to ask.
    """

    submission: Submission
    seed: int
    rubric: "RubricReads"
    data: Any
    assignment: "Assignment"
    options: dict[str, Any] = field(default_factory=dict)
    given: GivenFiles = NO_GIVEN_FILES
    answers: dict[str, Answer] = field(default_factory=dict)
    verdicts: dict[str, Judgement] = field(default_factory=dict)
    measured: dict[str, MeasuredScore] = field(default_factory=dict)
    firewall: Firewall = field(default_factory=Firewall)
    reading: Reading = field(default_factory=Reading)
    shared: Shared | None = None
    ask: Callable[[str], None] = ask_nobody

    def __getitem__(self, probe: str) -> Answer:
        """The answer to a probe, which is asked first where its turn is yet to come; one that is not to be asked holds
        the outcome "unasked".

        Raises:
            KeyError: the assignment has no such probe.
        """
        self.reading.note(f"question {probe}")
        if probe not in self.answers and probe not in self.assignment.probe_ids:
            raise KeyError(f"there is no probe {probe!r}")
        if probe not in self.answers:
            self.ask(probe)
        unasked = Observation("unasked", detail=f"{probe} was not asked")
        return self.answers.get(probe) or Answer(probe, UNASKED, unasked)

    def was_asked(self, probe: str) -> bool:
        """Whether a probe was asked so far."""
        self.reading.note(f"question {probe}")
        return probe in self.answers

    def rng(self, probe: str) -> np.random.Generator:
        """A generator for one probe, from the grade's seed and the probe's id."""
        return np.random.default_rng([self.seed, zlib.crc32(probe.encode())])

    def class_rng(self, purpose: str) -> np.random.Generator:
        """A generator that is the same for a whole class, and that nobody knows before it is graded.

        Args:
            purpose: what is drawn from it.
        """
        return np.random.default_rng([common_seed(self.seed), zlib.crc32(purpose.encode())])

    def verdict(self, criterion: str) -> Judgement:
        """The verdict on a criterion, which must be among the ``needs`` of whoever asks.

        Raises:
            KeyError: the engine has not judged it: it is not declared.
        """
        self.reading.note(f"criterion {criterion}")
        return self.verdicts[criterion]

    def passed(self, criterion: str) -> bool:
        """Whether a criterion, which must be declared as above, has full marks."""
        return self.verdict(criterion).status == "passed"

    def once(self, name: str, compute: Callable[[], Any], code: str = "", of: Collection[str] = ()) -> Any:
        """A score that is computed from answers alone: once, and kept with the grade.

        Args:
            name: "score checkpoint.embeddings test".
            compute: what it raises is raised, and not kept.
            code: the module whose change makes a kept value void; "" where it is not kept.
            of: probes, where it is computed from their answers and what is the same for a whole class, and from nothing
                else: others with the same answers have it, too.
        """
        self.reading.note(f"score {name}")
        if name not in self.measured:
            with self.reading.by(f"score {name}"):
                self.reading.note(f"module {module_of(compute)}")
                self.measured[name] = MeasuredScore(self._shared(name, compute, of), code)
        return self.measured[name].value

    def _shared(self, name: str, compute: Callable[[], Any], of: Collection[str]) -> Any:
        """What is computed, or has been for another submission with the same answers."""
        contents = [self[probe].observation.content for probe in of]
        if self.shared is None or not contents or not all(contents):
            return compute()
        return self.shared.score(name, contents, compute)

    @cached_property
    def defined(self) -> frozenset[str]:
        """The assignment's names that the submission defines, as far as its definitions could be executed."""
        load = self["load"].observation
        return frozenset(load.value["defined"]) if load.outcome == "value" else frozenset()

    def has(self, *names: str) -> bool:
        """Whether all the names are defined."""
        return self.defined.issuperset(names)

    @property
    def timings(self) -> dict[str, float]:
        """Seconds that each answer took, by probe."""
        return {probe: answer.seconds for probe, answer in self.answers.items()}
