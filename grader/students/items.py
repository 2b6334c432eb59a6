"""What pytest collects and runs: a file a part, a node a criterion, an item a check."""

import contextlib
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader import finding, rubric
from grader.assignment import Assignment
from grader.errors import GraderError
from grader.given import GivenFiles, replaced
from grader.judging import Check, Criterion
from grader.records import CheckResult, CriterionResult, Grade
from grader.reports.text import printable, todo

if TYPE_CHECKING:
    from grader.pipeline import Grader, Options


class CheckFailed(Exception):
    """A verdict that is not "passed"; the text is all that a student sees."""


class Session:
    """The grade of one pytest run, made once and before the clock of any test runs."""

    key = pytest.StashKey["Session"]()

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.wanted: set[str] | None = None  # criteria of the selected tests
        self.grade: Grade | None = None
        self.grader: Grader | None = None
        self.begun = False

    @classmethod
    def of(cls, config: pytest.Config) -> "Session":
        """The session of this run, made when it is asked for first."""
        return config.stash.setdefault(cls.key, cls(config))

    @property
    def own(self) -> bool:
        """Whether the submission is the student's own folder, which pytest's user trusts."""
        return not self.config.option.submission

    @property
    def submission(self) -> Path:
        given = self.config.option.submission
        return self.config.invocation_params.dir / given if given else self.config.rootpath / "student"

    @cached_property
    def assignment(self) -> Assignment:
        """The assignment that ``--assignment`` or the settings name, or this project's default.

        Raises:
            pytest.UsageError: there is none.
        """
        option, root = self.config.option.assignment, self.config.rootpath
        named, beside = (
            (option, self.config.invocation_params.dir) if option else (self.config.getini("assignment"), root)
        )
        try:
            with _unwarned():
                return finding.find(str(beside / named) if named and (beside / named).is_dir() else named)
        except GraderError as error:
            raise pytest.UsageError(printable(str(error))) from None

    @property
    def inside(self) -> bool:
        """Whether the submission runs in this process, where a debugger reaches it."""
        option = self.config.option
        return bool(option.in_process or option.usepdb or option.trace)

    def begin(self) -> None:
        """Start the workers while tests are still collected, once; what is in the way is told by ``prepare``."""
        if not (self.begun or self.inside or self.config.option.collectonly):
            self.begun = True
            with _unwarned(), contextlib.suppress(GraderError):
                self._opened()

    def prepare(self) -> None:
        """Grade the submission, unless that was done."""
        if self.grade is None:
            with _unwarned():
                self.grade = self._grade()

    def result(self, criterion: str) -> CriterionResult:
        """The result of a criterion."""
        self.prepare()
        assert self.grade is not None
        return next(result for result in self.grade.criteria if result.id == criterion)

    def origin_of(self, words: str) -> BaseException | None:
        """The exception that a verdict speaks of, where the submission ran in this process."""
        raised = getattr(self.grader.workers, "raised", []) if self.grader is not None else []
        return next((error for told, error in raised if printable(told) in words), None)

    def _opened(self) -> "Grader":
        from grader.pipeline import Options, open_grader  # noqa: PLC0415  slow to import, and collecting needs none of it

        if self.grader is None:
            unconfined = self.own or self.config.option.unconfined
            options = Options(
                seed=self.config.option.grade_seed,
                train="never",
                unconfined=unconfined,
                assignment=self.assignment,
                given=self._given(),
            )
            self.grader = _inside(options) if self.inside else open_grader(options)
        return self.grader

    def _given(self) -> GivenFiles | None:
        """The given files that ``--given`` names."""
        folder = self.config.option.given
        return replaced(self.config.invocation_params.dir / folder, self.assignment) if folder else None

    def _grade(self) -> Grade:
        try:
            grade = self._opened().grade(self.submission, only=self.wanted)
        except GraderError as error:
            pytest.exit(printable(str(error)), returncode=pytest.ExitCode.USAGE_ERROR)
        if grade.status == "rejected":
            pytest.exit(printable(f"{self.submission}: {grade.reason}"), returncode=pytest.ExitCode.USAGE_ERROR)
        return grade

    def close(self) -> None:
        if self.grader is not None:
            self.grader.close()
            self.grader = None


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    """What an import warns of is no error here, whatever pytest was told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _inside(options: "Options") -> "Grader":
    from grader.pipeline import Grader  # noqa: PLC0415  as above
    from grader.students.in_process import InsideWorkers  # noqa: PLC0415  it imports torch

    data = options.load_data()
    return Grader(options, InsideWorkers(options.assignment.ops, data.shared_paths()), data)


class PartFile(pytest.File):
    """The criteria of one part, in the rubric's order."""

    def __init__(self, *, part: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.part = part

    def collect(self) -> Iterator["CriterionNode"]:
        assignment = Session.of(self.config).assignment
        try:
            entries = rubric.load(assignment.rubric, assignment.check_names, assignment.thresholds).criteria
        except GraderError as error:
            raise self.CollectError(printable(str(error))) from None
        for entry in entries:
            if entry.part == self.part:
                criterion = assignment.criteria[entry.id]
                yield CriterionNode.from_parent(self, name=entry.id, part=self.part, criterion=criterion)


class CriterionNode(pytest.Collector):
    """The checks of one criterion."""

    def __init__(self, *, part: int, criterion: Criterion, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.part, self.criterion = part, criterion

    def collect(self) -> Iterator["CheckItem"]:
        trained = Session.of(self.config).assignment.trained
        for check in self.criterion.checks:
            names = {"part": self.part, "criterion": self.criterion, "check": check}
            item = CheckItem.from_parent(self, name=check.name, **names)
            if self.criterion.id in trained:
                item.add_marker("thresholds")
            yield item


class CheckItem(pytest.Item):
    """One check.

    Attributes:
        outcome: "passed", "failed", "to do", "not trained" or "waits" once it ran, "" before.
        words: what a student reads about it.
        is_lost: it is to do, and not because nobody has begun: something was written, and is not found.
    """

    def __init__(self, *, part: int, criterion: Criterion, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.part, self.criterion, self.check = part, criterion, check
        self.outcome, self.words, self.is_lost = "", "", False

    def runtest(self) -> None:
        """Report the check as passed, failed, to do, or not to be judged yet."""
        self.outcome, self.words = self._verdict(Session.of(self.config).result(self.criterion.id))
        if self.outcome in ("not trained", "waits"):
            pytest.skip(self.line)
        if self.outcome == "to do":
            raise CheckFailed(self.line)
        if self.outcome == "failed":
            self._fail(Session.of(self.config).origin_of(self.words))

    def _fail(self, origin: BaseException | None) -> None:
        """Report the failure; a debugger opens at the line of the submission that raised, if one did."""
        if origin is None:
            raise CheckFailed(self.words)
        raise CheckFailed(self.words).with_traceback(origin.__traceback__)

    @property
    def line(self) -> str:
        """Outcome and words in a line."""
        return f"{self.outcome}{' ' if self.words.startswith('for ') else ': '}{self.words}"

    def _verdict(self, result: CriterionResult) -> tuple[str, str]:
        feedback = printable(result.feedback)
        if result.status == "missing":
            trained = self.get_closest_marker("thresholds") is not None
            bare = feedback.startswith("`") and feedback.endswith("not defined")
            self.is_lost = not (trained or bare or feedback.startswith("still to do"))
            return "not trained" if trained else "to do", todo(result.feedback)
        if result.status == "blocked":
            return "waits", feedback.replace("could not be judged because of", "for", 1)
        check = next(check for check in result.checks if check.name == self.name)
        if check.status == "skipped":
            return "waits", printable(check.message)
        return "passed" if check.status == "passed" else "failed", told(self.check, check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The student's words alone, without a traceback of ours."""
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.stem}/{self.criterion.id}::{self.name}"


def told(check: Check, result: CheckResult) -> str:
    """A check that did not pass: what it demands, what was seen, where to look."""
    lines = [check.sentence, printable(result.message), printable(result.hint)]
    if result.status == "error":
        lines.append("This is not decided: no points are lost, and none are given until a person decides.")
    return "\n".join(dict.fromkeys(line for line in lines if line))
