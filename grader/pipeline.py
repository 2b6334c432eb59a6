"""One submission, from its file to its grade: intake, probes, worker, checks, scoring."""

import contextlib
import dataclasses
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from grader import finding, firewall, given, scoring
from grader import rubric as rubrics
from grader.asking import Asking, Doubts, Progress, ReferenceAnswers, paced
from grader.assignment import Assignment
from grader.data import DataSet
from grader.errors import GraderError, Rejected
from grader.evidence import Evidence, KeptAnswer, MeasuredScore, Probe, Question
from grader.given import GivenFiles
from grader.intake import open_submission
from grader.probing import ask_all, asked_when_looked_at
from grader.reading import Reading
from grader.records import Grade, Observation, Submission
from grader.rubric_reads import RubricReads
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside import Workers, choose_workers
from grader.sharing import Shared


@dataclass(frozen=True)
class Options:
    """How to grade."""

    data: Path | None = None  # the folder with the data; where the assignment looks for it if there is none
    out: Path = Path("grades")
    seed: int | None = None  # drawn fresh where there is none
    train: str = "auto"  # auto, never, always
    rubric: Path | None = None  # points and thresholds; None: the assignment's
    unconfined: bool = False
    train_budget: float = 600.0  # seconds for training one submission's model
    sample: int | None = None  # of the test items for the measures; all where there is none
    threads: int | None = None  # cores for one submission; all, four at the most, where there is none
    pictures: bool = False  # ask what pages show besides
    assignment: Assignment = field(default_factory=finding.default)
    given: GivenFiles | None = None  # the course's own given files; None: those of the assignment

    @property
    def rubric_file(self) -> Path:
        """The file with points and thresholds."""
        return self.rubric or self.assignment.rubric

    def load_rubric(self) -> rubrics.Rubric:
        """Points and thresholds.

        Raises:
            GraderError: they do not go with the assignment.
        """
        a = self.assignment
        return rubrics.load(self.rubric_file, a.check_names, a.thresholds, a.threshold_names)

    def load_data(self) -> DataSet:
        """What the assignment's probes use.

        Raises:
            GraderError: it cannot be loaded.
        """
        try:
            return self.assignment.data(self.data)
        except GraderError:
            raise
        except Exception as error:
            where = f"--data {self.data}" if self.data is not None else "no --data was given"
            raise GraderError(f"{where}: the data of {self.assignment.name}: {firewall.words(error)}") from error

    @property
    def given_files(self) -> GivenFiles:
        """The given files that submissions are held against."""
        return given.own(self.assignment) if self.given is None else self.given


@dataclass(frozen=True)
class Graded:
    """A grade and what it rests on."""

    grade: Grade
    evidence: Evidence | None  # None where the submission was rejected


class Grader:
    """Grades submissions one after the other with the same warm workers and the same data."""

    def __init__(self, options: Options, workers: Workers, data: DataSet,
                 rubric: rubrics.Rubric | None = None) -> None:  # fmt: skip
        self.options, self.workers, self.data = options, workers, data
        self.assignment = options.assignment
        self.known = ReferenceAnswers()
        self.shared: Shared | None = None  # what the submissions of a class have in common
        self.rubric = rubric or options.load_rubric()

    def grade(self, path: Path, name: str | None = None, *, files: Mapping[str, Path] | None = None,
              only: Collection[str] | None = None, progress: Progress | None = None) -> Grade:  # fmt: skip
        """Grade one submission.

        Args:
            path: a notebook, a folder or an archive.
            name: the student's key; from the path where there is none.
            files: original name → file, where the submission is some files among others.
            only: criteria to judge; only the probes that these take are asked. All where there is none.
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
               look: Callable[[Evidence], None] = lambda evidence: None) -> "Graded":  # fmt: skip
        """Grade and return the evidence. ``look`` is called before the unpacked files are deleted."""
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="vit-grade-") as workspace:
            try:
                submission = self.open(path, Path(workspace), name, files)
            except Rejected as reason:
                return Graded(self.rejected(path, name, seed, str(reason), time.monotonic() - start), None)
            evidence = self.observe(submission, seed, only=only, progress=progress)
            grade = scoring.grade(evidence, self.workers.sandbox, {})
            evidence.firewall.attempt("keeping what was observed", lambda: look(evidence), None)
            grade = scoring.noted(grade, evidence.firewall)
        timings = {"total": time.monotonic() - start, **evidence.timings}
        return Graded(dataclasses.replace(grade, timings={n: round(t, 3) for n, t in timings.items()}), evidence)

    def open(self, path: Path, workspace: Path, name: str | None = None,
             files: Mapping[str, Path] | None = None) -> Submission:  # fmt: skip
        """Freeze a submission into a folder and gather its definitions."""
        a = self.assignment
        return open_submission(
            path, workspace, a.wanted, a.provided, a.never_called, name, files=files, traced=a.traced, modules=a.modules
        )

    def observe(self, submission: Submission, seed: int, kept: Mapping[str, KeptAnswer] | None = None,
                measured: dict[str, MeasuredScore] | None = None, only: Collection[str] | None = None,
                progress: Progress | None = None, reading: Reading | None = None) -> Evidence:  # fmt: skip
        """Ask all probes that were not answered yet, and gather the evidence.

        Args:
            kept: by probe, answers of an earlier grade.
            measured: scores of an earlier grade that still hold.
            reading: takes notes of what is read; it may take over what an earlier grade came to.
        """
        evidence = self._evidence(submission, seed, only)
        evidence.reading, evidence.shared, evidence.measured = reading or Reading(), self.shared, measured or {}
        probes = self._probes(only)
        beside = self.workers.forks and self.options.threads != 1
        tell, forms = paced(progress, probes), self.assignment.forms
        with Asking(self.workers, submission, self._doubts(seed), tell, beside, forms, self.shared) as asking:
            ask_all(probes, evidence, asking.ask, asking.begin, kept)
        return evidence

    def _evidence(self, submission: Submission, seed: int, only: Collection[str] | None) -> Evidence:
        """What is known of a submission before it is asked anything."""
        return Evidence(submission, seed, RubricReads(self.rubric), self.data, self.assignment,
                        options=self.settings(only), given=self.options.given_files)  # fmt: skip

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

    @contextlib.contextmanager
    def _reference(self) -> Iterator[Submission]:
        """A right submission, opened for a while."""
        assert self.assignment.reference is not None
        with tempfile.TemporaryDirectory(prefix="vit-grade-") as workspace:
            yield self.open(self.assignment.reference, Path(workspace))

    def _doubts(self, seed: int) -> Doubts:
        right = self.assignment.reference
        if right is None or not right.is_dir():
            return Doubts(self.workers, self._hidden, None, self.known)
        own, wanted = partial(self._own_answer, seed), self.assignment.wanted
        return Doubts(self.workers, self._hidden, self._reference, self.known, own, wanted)

    def _own_answer(self, seed: int, probe: Probe) -> Observation:
        """What the reference answers where it is the submission."""
        probes = self._probes(None)
        earlier = probes[: [one.id for one in probes].index(probe.id)]
        with self._reference() as right:
            doubts = Doubts(self.workers, self._hidden, None)
            for before in ([], earlier):  # most questions rest on no other's answer
                evidence = self._evidence(right, seed, None)
                asking = Asking(self.workers, right, doubts, lambda probe: None, False, self.assignment.forms)
                with asking, asked_when_looked_at(probes, evidence, asking.ask):
                    for each in (*before, probe):
                        evidence.ask(each.id)
                if evidence[probe.id].observation.outcome != "unasked":
                    break
            return evidence[probe.id].observation

    def _hidden(self) -> list[str]:
        return hidden_folders(self.assignment, self.data)

    def _probes(self, only: Collection[str] | None) -> list[Probe]:
        load = Probe("load", "load", lambda evidence, rng: Question({}), seconds=60.0)
        return [load, *self.assignment.probes_for(only)]

    def rejected(self, path: Path, name: str | None, seed: int, reason: str, seconds: float) -> Grade:
        """The grade of a submission that could not be opened."""
        return Grade(
            submission={"name": name or path.stem, "path": str(path), "sha256": ""},
            status="rejected", score=0.0, max_score=self.rubric.max_score, seed=seed, criteria=(),
            sandbox=self.workers.sandbox, timings={"total": round(seconds, 3)}, reason=reason,
            given=self.options.given_files.digest, assignment=self.assignment.name,
        )  # fmt: skip

    def close(self) -> None:
        self.workers.close()


def hidden_folders(assignment: Assignment, data: DataSet) -> list[str]:
    """Folders that no worker may read, wherever they lie: answers among the data, the reference, the corpus."""
    own = (assignment.reference, assignment.folder / "corpus")
    return [*data.hidden_folders(), *(os.path.realpath(path) for path in own if path is not None and path.is_dir())]


def open_grader(options: Options) -> Grader:
    """Start workers in the background, read the data meanwhile.

    Raises:
        GraderError: no data, a broken rubric, or no way to confine workers.
    """
    options.load_rubric()
    data = options.load_data()
    hidden = hidden_folders(options.assignment, data)
    limits = Limits(memory=options.assignment.worker_memory)
    workers = choose_workers(list(options.assignment.ops), data.shared_paths(), options.unconfined, hidden, limits)
    return Grader(options, workers, data)


__all__ = ["Grader", "GraderError", "Options", "open_grader"]
