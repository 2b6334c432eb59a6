"""Putting one submission's probes to workers, the long ones beside the others, and whose fault a lack of time is."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.evidence import Probe, Question, question_digest
from grader.firewall import Firewall
from grader.observations import Answered, fit, type_words
from grader.probing import Ask
from grader.records import Observation, Submission
from grader.sandbox.outside import Workers, control
from grader.sandbox.outside.clock import Hangs, Patience
from grader.sandbox.outside.connection import Worker
from grader.sharing import Shared, content_of
from grader.unavailable import noted

EXHAUSTED = ("timeout", "memory")
REFERENCE_UNFIT = "the grader's own operation failed, for the reference as well; the warning grader.error says how"
Progress = Callable[[str, float], None]  # what is being done, and how much of it
Telling = Callable[[Probe], None]


@dataclass
class ReferenceAnswers:
    """What the reference answered in this run, so that it is asked once.

    Attributes:
        answers: by probe, to a question about a submission.
        own: by probe, to the question about the reference itself.
    """

    answers: dict[str, Observation] = field(default_factory=dict)
    own: dict[str, Observation] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Doubts:
    """Settles whether a submission is to blame for what came of a probe.

    Args:
        workers: to start others with.
        hidden: finds the folders that no worker may read.
        reference: opens a right submission until its exit; students have none.
        known: what it answered earlier in this run.
        own: asks the reference a probe's question about itself.
        wanted: names that a submission defines.
    """

    not_to_blame = (*EXHAUSTED, "crashed", "fault")  # outcomes of the reference's that say nothing against a submission

    def __init__(self, workers: Workers, hidden: Callable[[], Sequence[str]],
                 reference: Callable[[], AbstractContextManager[Submission]] | None,
                 known: ReferenceAnswers | None = None, own: Callable[[Probe], Observation] | None = None,
                 wanted: Collection[str] = ()) -> None:  # fmt: skip
        self.workers, self.hidden, self.reference = workers, hidden, reference
        self.own, self.wanted = own, wanted
        self.known = known or ReferenceAnswers()
        self.open = ExitStack()  # the reference and its worker, while there are doubts
        self.right: tuple[Submission, Worker] | None = None
        self.tried: dict[str, bool] = {}  # imports that an empty worker was tried with, and whether it could not

    def close(self) -> None:
        with self.known.lock:
            self.open.close()
            self.right = None

    def settled(self, worker: Worker, probe: Probe, question: Question, first: Observation,
                patience: Patience) -> Observation:  # fmt: skip
        """An observation, or a fault where the submission is not to blame for it."""
        if first.outcome in EXHAUSTED:
            return self._second_opinion(worker, probe, question, first, patience)
        if probe.op == "load" and first.raised is not None and not self._loads_nothing(probe.seconds):
            why = f"{first.raised.type}: {first.raised.message}"
            return Observation("fault", detail=f"a worker with nothing in it cannot be made ready either ({why})")
        refused = control.refused(self.workers, first, tuple(self.hidden()), self.tried)
        if probe.op == "load":
            return noted(first, refused)
        if refused:
            return Observation("fault", detail=f"workers cannot have what is installed here: {refused[0]}")
        return first

    def _second_opinion(self, worker: Worker, probe: Probe, question: Question, first: Observation,
                        patience: Patience) -> Observation:  # fmt: skip
        """Before a submission is blamed for time or memory, the reference answers the same in a worker of its own.

        Memory may have been short because of others, so it is asked once more where that is refused. Without a
        reference, as students have it, a worker with nothing in it tells whether the machine is busy.
        """
        if self.reference is None:
            return self._asked_again(worker, probe, question, first, patience)
        answer = self._by_reference(probe, question)
        if answer.outcome in self.not_to_blame:
            return Observation("fault", detail=f"{first.detail}, but the reference got no further: {answer.detail}")
        if first.outcome == "timeout":
            return first
        again = worker.ask(probe.op, question.args, patience)
        return again if again.outcome == "value" else first

    def _by_reference(self, probe: Probe, question: Question) -> Observation:
        """What the reference answers; asked once in a run, or again where it got no further.

        A submission may keep the machine busy: its neighbours' doubts are not settled by what came of that.
        """
        assert self.reference is not None
        with self.known.lock:
            if probe.id not in self.known.answers:
                if self.right is None:
                    right = self.open.enter_context(self.reference())
                    self.right = right, started(self.workers, right)
                    self.open.callback(self.right[1].close)
                right, worker = self.right
                args = _own(question.args, right)
                answer = worker.ask(probe.op, args, Patience(probe.seconds))
                if answer.outcome in self.not_to_blame:
                    return answer
                self.known.answers[probe.id] = answer
            return self.known.answers[probe.id]

    def excused(self, probe: Probe, observation: Observation, declared: Answered | None) -> Observation:
        """An observation, or a fault where the reference answers no better: the operation is wrong then, or its type.

        What the reference is asked rests on nothing of the submission, which so has no say in this.
        """
        if self.own is None or probe.op == "load" or not self._is_unfit(observation):
            return observation
        with self.known.lock:
            answer = self.known.own.get(probe.id) or self.own(probe)
            if answer.outcome not in (*EXHAUSTED, "fault"):
                self.known.own[probe.id] = answer
        if not self._is_unfit(answer):
            return observation
        return replace(
            observation, outcome="fault", value=None, raised=None, detail=REFERENCE_UNFIT, misfit="",
            slip=f"the operation {probe.op}{_unfit_words(answer, declared)}; no points were lost by it",
        )  # fmt: skip

    def _is_unfit(self, observation: Observation) -> bool:
        """Whether an answer may be the operation's own doing: no line of the submission's is told with it."""
        if observation.outcome == "undefined":
            return observation.detail not in self.wanted
        raised = observation.outcome == "raised" and observation.raised is not None and not observation.raised.frames
        return raised or observation.outcome in ("forged", "crashed")

    def _asked_again(self, worker: Worker, probe: Probe, question: Question, first: Observation,
                     patience: Patience) -> Observation:  # fmt: skip
        max_share = 0.1  # of a probe's time, which an empty worker of a machine that is not to blame needs at most
        if self._answers_at_once(max_share * probe.seconds):
            return first
        again = worker.ask(probe.op, question.args, patience)
        if again.outcome not in EXHAUSTED:
            return again
        return Observation(
            "fault", detail=f"{again.detail}, twice, but this machine is too busy to tell whose fault it is"
        )

    def _answers_at_once(self, seconds: float) -> bool:
        """Whether a worker with nothing in it starts and answers in that time."""
        start = time.monotonic()
        return self._loads_nothing(seconds) and time.monotonic() - start < seconds

    def _loads_nothing(self, seconds: float) -> bool:
        """Whether a worker can load a submission with nothing in it."""
        empty = self.workers.open({"main": [], "modules": {}, "names": {}}, "")
        try:
            return empty.ask("load", {}, seconds).outcome == "value"
        finally:
            empty.close()


def _unfit_words(answer: Observation, declared: Answered | None) -> str:
    """What an operation does for the reference, for the author of an assignment."""
    whom = "for the reference as well"
    if answer.raised is not None:
        at = f" ({answer.raised.at})" if answer.raised.at else ""
        return f"{at} raises, {whom}, {answer.raised.type}: {answer.raised.message}"
    if answer.outcome == "undefined":
        return f" asks for {answer.detail!r}, {whom}, which is none of the names in wanted"
    if answer.misfit:
        return f" answers, {whom}, what does not fit {type_words(declared)}: {answer.misfit}"
    return f" has no answer, {whom}: {answer.detail}"


def _own(args: dict[str, Any], right: Submission) -> dict[str, Any]:
    """The same question about the reference's own file where it is about a file of the submission's."""
    file = right.files.get(Path(args["path"]).name) if isinstance(args.get("path"), str) else None
    return args if file is None else {**args, "path": str(file)}


class Asking:
    """A submission's workers: one for most probes, one more for each that is asked beside them.

    Args:
        forms: by operation, what an answer to it looks like.
        shared: answers of other submissions of the run.
    """

    def __init__(self, workers: Workers, submission: Submission, doubts: Doubts, tell: Telling, beside: bool,
                 forms: Mapping[str, Any] | None = None, shared: Shared | None = None) -> None:  # fmt: skip
        self.workers, self.submission, self.doubts, self.tell = workers, submission, doubts, tell
        self.forms, self.shared = forms or {}, shared
        self.opened: list[Worker] = []
        self.hangs = Hangs()
        self.unloadable: Observation | None = None  # what came of loading where that never ended
        self.pool = ThreadPoolExecutor(4, "asking") if beside else None  # probes asked at a time beside the others
        self.first = self._asker()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for worker in self.opened:  # all answers are there: one that cannot be ended costs nobody anything
            Firewall().attempt("ending a worker", worker.close, None)
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
        self.doubts.close()

    def ask(self, probe: Probe, question: Question) -> Observation:
        """Put a question to the first worker."""
        self.tell(probe)
        return self._once(probe, question, self.first)

    def begin(self, probe: Probe, question: Question) -> Callable[[], Observation]:
        """Put a question to a worker of its own, where there may be others; what it returns waits for the answer."""
        if self.pool is None:
            return lambda: self.ask(probe, question)
        asked = self.pool.submit(self._once, probe, question, self._asker())

        def wait() -> Observation:
            self.tell(probe)
            return asked.result()

        return wait

    def _once(self, probe: Probe, question: Question, ask: Ask) -> Observation:
        """An answer; that of another submission of the run where it must be the same."""
        if self.shared is None or not probe.of_content:
            return ask(probe, question)
        asked = question_digest(question, probe.not_compared)
        return self.shared.answer(probe.op, f"{self.content} {probe.op} {asked}", lambda: ask(probe, question))

    @cached_property
    def content(self) -> str:
        """Digest of all that its workers are given."""
        return content_of(self.submission)

    def _asker(self) -> Ask:
        worker = started(self.workers, self.submission)
        self.opened.append(worker)
        loads: list[tuple[Observation, Observation]] = []  # what came of loading, which may be the answer to everything

        def ask(probe: Probe, question: Question) -> Observation:
            if self.unloadable is not None:
                return self.unloadable
            max_seconds_in_vain = 45.0  # waited in vain, after which nothing is asked any more
            words = "not asked: {seconds:.0f} s went by in earlier calls without an answer"
            if self.hangs.seconds >= max_seconds_in_vain:
                return Observation("timeout", detail=words.format(seconds=self.hangs.seconds))
            patience = self._patience(probe)
            first = worker.ask(probe.op, question.args, patience)
            if loads and first is loads[0][0]:
                return loads[0][1]
            if first.outcome == "memory":
                self.hangs.seconds += first.seconds
            settled = self.doubts.settled(worker, probe, question, first, patience)
            fitted = fit(settled, self.forms.get(probe.op), question.args)
            observation = self.doubts.excused(probe, fitted, self.forms.get(probe.op))
            if observation.outcome == "forged":  # reading a long one takes the grader's own time
                self.hangs.seconds += observation.seconds
            if probe.op == "load":
                loads.append((first, observation))
                self.unloadable = observation if observation.outcome in EXHAUSTED else None
            return observation

        return ask

    def _patience(self, probe: Probe) -> Patience:
        """How long to wait for a probe, after what was waited in vain for others."""
        seconds_in_vain = 16.0  # waited for answers that never came, after which a submission …
        if self.hangs.seconds < seconds_in_vain:
            return Patience(probe.seconds, hangs=self.hangs)
        short_step, share = 1.0, 4  # … is waited for that long without a sign, and a quarter of the time in all
        return Patience(probe.seconds / share, short_step, self.hangs)


def started(workers: Workers, submission: Submission) -> Worker:
    """A worker for a submission; it starts when it is first asked."""
    return workers.open(program_to_load(submission), str(submission.root))


def paced(progress: Progress | None, probes: list[Probe]) -> Telling:
    """Tell of each probe that is begun how much of the usual time is behind it.

    Those apart are waited for after the others. A probe that few submissions need and that takes minutes counts
    only once it is begun.
    """
    ordered, wall = sorted(probes, key=lambda probe: probe.in_parallel), Firewall()

    def tell(probe: Probe) -> None:
        rare = 60.0  # seconds of a probe that few submissions need: training
        if progress is not None:
            at = ordered.index(probe)
            before, after = (
                sum(p.typical_seconds for p in part if p.typical_seconds < rare)
                for part in (ordered[:at], ordered[at + 1 :])
            )
            share = before / (before + probe.typical_seconds + after)
            wall.attempt("the progress bar", lambda: progress(probe.id, share), None)

    return tell


def program_to_load(submission: Submission) -> dict[str, Any]:
    """A submission's program in the form that a worker loads."""
    program = submission.program
    return {
        "main": [dict(vars(piece)) for piece in program.main],
        "modules": {name: [dict(vars(piece)) for piece in pieces] for name, pieces in program.modules.items()},
        "names": {name: origin.module for name, origin in program.names.items()},
        "call": [{"module": module, **vars(piece)} for module, piece in program.call],
        "called": program.called,
        "lost": program.undefined
        | {name: str(problem) for problem in submission.syntax_errors for name in problem.names},
    }
