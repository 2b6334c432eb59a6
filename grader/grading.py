"""One submission, from its file to its grade: intake, probes, worker, checks, scoring."""

import dataclasses
import secrets
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import data as datasets
from grader import rubric as rubrics
from grader import scoring
from grader.checking import Assignment
from grader.confinement import Workers, choose_workers, control
from grader.confinement.connection import Worker
from grader.errors import GraderError, Rejected
from grader.evidence import Evidence, Finding, Kept, Probe, Question, ask_all
from grader.intake import open_submission
from grader.records import Grade, Observation, Submission, program_of
from grader.vit.assignment import VIT

PROMPT = 10  # an empty worker of a machine that is not to blame needs less than a tenth of a probe's time
EXHAUSTED = ("timeout", "memory")
PATIENCE = 2  # probes that a submission may hang in or run out of memory in, before it is given a quarter of the time
RARE = 60.0  # seconds of a probe that few submissions need: training
Progress = Callable[[str, float], None]  # what is being done, and how much of it is


@dataclass(frozen=True)
class Options:
    """How to grade."""

    data: Path | None = None  # torchvision root; else $FASHION_MNIST_ROOT, the user's cache, a download
    out: Path = Path("grades")
    seed: int | None = None  # drawn fresh where there is none
    train: str = "auto"  # auto, never, always
    rubric: Path = rubrics.DEFAULT
    unconfined: bool = False
    train_budget: float = 600.0  # seconds for training one submission's ViT
    sample: int | None = None  # of the test images for accuracy and Precision@1; all where there is none
    threads: int | None = None  # of torch where many images go through a model; as many as CPUs where there is none
    pictures: bool = False  # ask what pages show besides
    assignment: Assignment = VIT
    assignment_file: Path | None = None  # where it was loaded from; None: it is this project's own


@dataclass(frozen=True)
class Graded:
    """A grade and what it rests on."""

    grade: Grade
    evidence: Evidence | None  # None where the submission was rejected


class Grader:
    """Grades submissions one after the other with the same warm workers and the same data."""

    def __init__(self, options: Options, workers: Workers, data: datasets.FashionMNIST,
                 rubric: rubrics.Rubric | None = None) -> None:  # fmt: skip
        self.options, self.workers, self.data = options, workers, data
        self.assignment = options.assignment
        self.rubric = rubric or rubrics.load(options.rubric, check_names(self.assignment))

    def grade(self, path: Path, name: str | None = None, *, files: Mapping[str, Path] | None = None,
              only: Collection[str] | None = None, progress: Progress | None = None) -> Grade:  # fmt: skip
        """Grade one submission.

        Args:
            path: a notebook, a folder or an archive.
            name: the student's key; from the path where there is none.
            files: original name → file, where the submission is some files among others.
            only: criteria to judge; the probes of the others are not asked. All where there is none.
            progress: told what is being done.

        Raises:
            GraderError: there is nothing to grade at that path.
        """
        return self.graded(path, self.seed(), name, files, only, progress).grade

    def seed(self) -> int:
        """The seed of the next grade: the given one, or a fresh one."""
        return self.options.seed if self.options.seed is not None else secrets.randbelow(2**31)

    def graded(self, path: Path, seed: int, name: str | None = None, files: Mapping[str, Path] | None = None,
               only: Collection[str] | None = None, progress: Progress | None = None,
               look: Callable[[Evidence], None] = lambda seen: None) -> "Graded":  # fmt: skip
        """The same with the evidence; ``look`` sees it while the files are there, afterwards they are gone."""
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="vit-grade-") as workspace:
            try:
                submission = self.open(path, Path(workspace), name, files)
            except Rejected as reason:
                return Graded(self.rejected(path, name, seed, str(reason), time.monotonic() - start), None)
            seen = self.observe(submission, seed, only=only, progress=progress)
            grade = scoring.grade(seen, self.workers.sandbox, {})
            look(seen)
        timings = {"total": time.monotonic() - start, **seen.timings}
        return Graded(dataclasses.replace(grade, timings={n: round(t, 3) for n, t in timings.items()}), seen)

    def open(self, path: Path, workspace: Path, name: str | None = None,
             files: Mapping[str, Path] | None = None) -> Submission:  # fmt: skip
        """Freeze a submission into a folder and gather its definitions."""
        a = self.assignment
        return open_submission(path, workspace, a.wanted, a.provided, a.never_called, name, files=files)

    def observe(self, submission: Submission, seed: int, kept: Mapping[str, Kept] | None = None,
                findings: dict[str, Finding] | None = None, only: Collection[str] | None = None,
                progress: Progress | None = None) -> Evidence:  # fmt: skip
        """Put all probes that were not answered yet, and gather the evidence."""
        seen = Evidence(submission, seed, self.rubric, self.data, self.assignment, options=self.settings(only))
        seen.kept, seen.findings = kept or {}, findings or {}
        worker = self.workers.open(program_of(submission), str(submission.root))
        try:
            probes = self._probes(only)
            ask_all(probes, seen, self._asker(worker, _paced(progress, probes)))
        finally:
            worker.close()
        return seen

    def settings(self, only: Collection[str] | None = None) -> dict[str, Any]:
        """What probes are told of the options."""
        o = self.options
        return {
            "train": o.train,
            "train_budget": o.train_budget,
            "sample": o.sample,
            "pictures": o.pictures,
            "threads": o.threads,
            "only": only,
        }

    def _asker(self, worker: Worker, began: Callable[[Probe], None]) -> Callable[[Probe, Question], Observation]:
        loads: list[tuple[Observation, Observation]] = []  # what came of loading, which may be the answer to everything
        convicted = 0  # how often it hung or ate all memory where the reference did not

        def ask(probe: Probe, question: Question) -> Observation:
            nonlocal convicted
            began(probe)
            known = convicted >= PATIENCE
            first = worker.ask(probe.op, question.args, probe.seconds / (4 if known else 1))
            if loads and first is loads[0][0]:
                return loads[0][1]
            if known and first.outcome in EXHAUSTED:
                return first
            observation = self._blamed(worker, probe, question, first)
            convicted += observation.outcome in EXHAUSTED
            if probe.op == "load":
                loads.append((first, observation))
            return observation

        return ask

    def _blamed(self, worker: Worker, probe: Probe, question: Question, first: Observation) -> Observation:
        """An observation, or a fault where the submission is not to blame for it."""
        if first.outcome in EXHAUSTED:
            return self._second_opinion(worker, probe, question, first)
        if why := control.fault(self.workers, first, tuple(datasets.folders(self.data))):
            return Observation("fault", detail=f"workers cannot have what is installed here: {why}")
        return first

    def _second_opinion(self, worker: Worker, probe: Probe, question: Question, first: Observation) -> Observation:
        """Before a submission is blamed for time or memory, the reference answers the same in a worker of its own.

        Without a reference, as students have it, a worker with nothing in it tells whether the machine is busy.
        """
        right = self.assignment.reference
        if right is None or not right.is_dir():
            return self._asked_again(worker, probe, question, first)
        with tempfile.TemporaryDirectory(prefix="vit-grade-") as workspace:
            reference = self.open(right, Path(workspace))
            control = self.workers.open(program_of(reference), str(reference.root))
            try:
                answer = control.ask(probe.op, question.args, probe.seconds)
            finally:
                control.close()
        if answer.outcome in ("timeout", "memory", "crashed", "fault"):
            return Observation("fault", detail=f"{first.detail}, but the reference got no further: {answer.detail}")
        again = worker.ask(probe.op, question.args, probe.seconds)
        return again if again.outcome == "value" else first

    def _asked_again(self, worker: Worker, probe: Probe, question: Question, first: Observation) -> Observation:
        again = worker.ask(probe.op, question.args, probe.seconds)
        if again.outcome != "timeout" or self._answers_at_once(probe.seconds / PROMPT):
            return again
        return Observation(
            "fault", detail=f"{again.detail}, twice, but this machine is too busy to tell whose fault it is"
        )

    def _answers_at_once(self, seconds: float) -> bool:
        """Whether a worker with nothing in it starts and answers in that time."""
        start = time.monotonic()
        empty = self.workers.open({"main": [], "modules": {}, "names": {}}, "")
        try:
            return empty.ask("load", {}, seconds).outcome == "value" and time.monotonic() - start < seconds
        finally:
            empty.close()

    def _probes(self, only: Collection[str] | None) -> list[Probe]:
        load = Probe("load", "load", lambda seen, rng: Question({}), seconds=60.0)
        return [load, *(p for p in self.assignment.probes if only is None or p.wanted(only))]

    def rejected(self, path: Path, name: str | None, seed: int, reason: str, seconds: float) -> Grade:
        """The grade of a submission that could not be opened."""
        return Grade(
            submission={"name": name or path.stem, "path": str(path), "sha256": ""},
            status="rejected", score=0.0, max_score=self.rubric.max_score, seed=seed, criteria=(),
            sandbox=self.workers.sandbox, timings={"total": round(seconds, 3)}, reason=reason,
        )  # fmt: skip

    def close(self) -> None:
        self.workers.close()


def _paced(progress: Progress | None, probes: list[Probe]) -> Callable[[Probe], None]:
    """Tell of each probe that is begun how much of the usual time is behind it.

    A probe that few submissions need and that takes minutes counts only once it is begun.
    """

    def began(probe: Probe) -> None:
        if progress is not None:
            at = probes.index(probe)
            before, after = (sum(p.usual for p in part if p.usual < RARE) for part in (probes[:at], probes[at + 1 :]))
            progress(probe.id, before / (before + probe.usual + after))

    return began


def open_grader(options: Options) -> Grader:
    """Start workers in the background, read the data meanwhile.

    Raises:
        GraderError: no data, a broken rubric, or no way to confine workers.
    """
    rubrics.load(options.rubric, check_names(options.assignment))
    data = datasets.load(options.data) if options.assignment.fashion_mnist else datasets.NONE
    shared, hidden = datasets.shared_paths(data), datasets.folders(data)
    workers = choose_workers(list(options.assignment.ops), shared, options.unconfined, hidden)
    return Grader(options, workers, data)


def check_names(assignment: Assignment) -> dict[str, list[str]]:
    """The names of the checks by criterion."""
    return {ident: [check.name for check in c.checks] for ident, c in assignment.criteria.items()}


__all__ = ["Grader", "GraderError", "Options", "open_grader"]
