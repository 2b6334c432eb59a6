"""A class while it is graded, where no terminal shows a table: a line on stderr for each submission as it is done."""

import contextlib
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

from grader.gradebook.live import Table
from grader.gradebook.run import Done, RunListener
from grader.gradebook.task import Task
from grader.intake import Found
from grader.records import Grade
from grader.reports.text import printable

# How a run tells what it does: a table on a terminal and lines elsewhere, lines of more, nothing, or JSON.
Telling = Literal["auto", "verbose", "quiet", "json"]


def shown(total: int, telling: Telling) -> "Table | Lines":
    """What tells of a run over ``total`` submissions."""
    if telling == "json":
        return JsonLines(total)
    if telling == "verbose" or (telling == "auto" and not sys.stderr.isatty()):
        return Lines(total, telling == "verbose")
    return Table(total, quiet=telling == "quiet")


def told(found: Found, telling: Telling, grade: Callable[[], Grade]) -> Grade:
    """Make the grade of one submission, and tell of it as of one in a class."""
    with shown(1, telling) as lines:
        task = Task(0, found, 0)
        lines.began(task)
        done = Done(task, grade(), "graded")
        lines.done(done)
    return done.grade


class Lines:
    """A line for each submission: "12 of 60: ab12: 91.5 of 100 points, graded, 3.2 s".

    Args:
        total: submissions.
        verbose: whether it also tells what is begun and what was kept from before.
    """

    def __init__(self, total: int, verbose: bool = False) -> None:
        self.total, self.verbose = total, verbose
        self.number = self.review = 0
        self.start = time.monotonic()
        self.since: dict[str, float] = {}  # by student

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    @property
    def watch(self) -> RunListener:
        """What the run tells of itself."""
        return RunListener(self.began, self.done)

    def began(self, task: Task) -> None:
        """A submission is begun."""
        self.since[task.found.key] = time.monotonic()
        if self.verbose:
            _say(f"{task.found.key}: begun")

    def step(self, key: str, what: str, share: float) -> None:
        """A step of a submission: too little for a line."""

    def done(self, done: Done) -> None:
        """A submission has its grade."""
        key, grade = done.task.found.key, done.grade
        self.number += 1
        self.review += grade.status != "graded"
        since = self.since.pop(key, None)
        self.tell(done, 0.0 if since is None else time.monotonic() - since)

    def tell(self, done: Done, seconds: float) -> None:
        """Say what a submission has got.

        Args:
            seconds: that it took; 0 where its grade was there.
        """
        grade = done.grade
        if done.how == "kept" and not self.verbose:
            return
        why = f": {grade.reason}" if grade.status != "graded" and grade.reason else ""
        status = grade.status.replace("_", " ")
        how = status if done.how == "graded" else f"{done.how}, {status}"
        points = f"{grade.total} of {grade.max_score:g} points"
        _say(f"{self.number} of {self.total}: {done.task.found.key}: {points}, {how}, {seconds:.1f} s{why}")


class JsonLines(Lines):
    """The same as one JSON object a line, with a first and a last line for the run."""

    def __enter__(self) -> Self:
        self._tell("begun", submissions=self.total)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        seconds = round(time.monotonic() - self.start, 3)
        stopped = "" if error is None else printable(str(error) or type(error).__name__)
        self._tell(
            "ended", done=self.number, submissions=self.total, to_be_looked_at=self.review, stopped=stopped,
            seconds=seconds,
        )  # fmt: skip

    def tell(self, done: Done, seconds: float) -> None:
        """Say what a submission has got."""
        grade = done.grade
        self._tell(
            "submission", number=self.number, key=done.task.found.key, how=done.how, status=grade.status,
            score=grade.score, undecided=grade.undecided, max_score=grade.max_score, reason=grade.reason,
            seconds=round(seconds, 3),
        )  # fmt: skip

    def _tell(self, event: str, **facts: Any) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        _write(json.dumps({"event": event, "at": at, **facts}, allow_nan=False))


def _say(line: str) -> None:
    _write(printable(line, 500))


def _write(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # a reader who has gone costs no grade
        sys.stderr.write(f"{line}\n")  # one write, so that lines of several threads do not mix
        sys.stderr.flush()
