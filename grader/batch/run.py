"""Grade a class: what is missing, and only that.

A submission is either done, with its grade and observations committed in one transaction, or not begun;
so a run may be killed at any instant and started again. One that was begun three times without an end is
suspected of taking the grader with it: it runs last and alone, and after more such ends it is given up
with the grade ``needs_review``.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from grader.batch import digests, keeping
from grader.batch.gradebook import Digests, Gradebook
from grader.errors import GraderError
from grader.grading import Graded, Grader
from grader.intake import Found
from grader.records import Grade

SUSPECT = 3  # starts without an end, after which a submission runs alone
GIVEN_UP = 6  # … and after which it is not started again


@dataclass(frozen=True)
class Task:
    """One submission to be graded."""

    found: Found
    fingerprint: str
    seed: int


@dataclass(frozen=True)
class Done:
    """One submission with its grade; ``how`` is "graded", "kept" from an earlier run, or "given up"."""

    task: Task
    grade: Grade
    how: str


class Place(Protocol):
    """Where submissions are graded: this machine, or a cluster."""

    def submit(self, task: Task) -> "Future[Graded]": ...

    def close(self) -> None: ...


class Here:
    """This machine: threads that each drive a confined worker process."""

    def __init__(self, grader: Grader, jobs: int) -> None:
        self.grader, self.jobs = grader, jobs
        self.pool = ThreadPoolExecutor(jobs, thread_name_prefix="grading")

    def submit(self, task: Task) -> "Future[Graded]":
        return self.pool.submit(grade_task, self.grader, task)

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)


def grade_task(grader: Grader, task: Task) -> Graded:
    """Grade one submission; whatever goes wrong is a grade that needs review, and nobody else's problem."""
    found = task.found
    try:
        graded = grader.graded(found.path, task.seed, found.key, found.files or None)
    except GraderError as error:  # a folder with nothing to grade in it
        return Graded(grader.rejected(found.path, found.key, task.seed, str(error), 0.0), None)
    except Exception as error:  # the grader's own fault
        return Graded(in_review(grader.rejected(found.path, found.key, task.seed, "", 0.0), error), None)
    return graded


def in_review(grade: Grade, error: Exception) -> Grade:
    """A grade that says that the grader failed."""
    reason = f"the grader itself failed: {type(error).__name__}: {error}"
    return replace(grade, status="needs_review", reason=reason)


def run(
    found: Iterable[Found],
    book: Gradebook,
    place: Place,
    now: Digests,
    class_seed: int,
    told: Callable[[Done], None] = lambda done: None,
    began: Callable[[Task], None] = lambda task: None,
    stop: threading.Event | None = None,
    width: int = 2,
) -> list[Done]:
    """Grade what the gradebook lacks.

    Args:
        found: the submissions of the class.
        book: where grades are kept, and looked for first.
        place: where the others are graded.
        now: what today's grades rest on; a kept grade counts when it rests on the same.
        class_seed: what the students' seeds are drawn from.
        told: told of each submission when its grade is committed.
        began: told of each submission when it is begun.
        stop: set from elsewhere, it ends the run when what was begun is done.
        width: how many to have under way at once.
    """
    done: list[Done] = []

    def finish(task: Task, graded: Graded, how: str = "graded") -> None:
        commit(book, task, graded, now)
        done.append(Done(task, graded.grade, how))
        told(done[-1])

    todo: list[Task] = []
    for each in found:
        task = Task(each, digests.fingerprint(each), digests.seed(class_seed, each.key))
        kept = book.latest(each.key)
        if kept and kept.fingerprint == task.fingerprint and kept.digests == now and kept.seed == task.seed:
            done.append(Done(task, kept.grade, "kept"))
            told(done[-1])
        else:
            todo.append(task)
    suspects = [task for task in todo if book.attempts(task.found.key, task.fingerprint) >= SUSPECT]
    rest = [task for task in todo if task not in suspects]
    for tasks, many in ((rest, width), (suspects, 1)):
        _run(tasks, book, place, many, finish, began, stop or threading.Event())
    return done


def _run(
    tasks: list[Task], book: Gradebook, place: Place, width: int,
    finish: Callable[..., None], began: Callable[[Task], None], stop: threading.Event,
) -> None:  # fmt: skip
    waiting = iter(tasks)
    running: dict[Future[Graded], Task] = {}
    while True:
        while len(running) < width and not stop.is_set() and (task := next(waiting, None)) is not None:
            found = task.found
            details = {"id": found.id, "attempt": found.attempt}
            if book.begin(found.key, str(found.path), task.fingerprint, found.late, details) > GIVEN_UP:
                finish(task, Graded(_given_up(task), None), "given up")
                continue
            began(task)
            running[place.submit(task)] = task
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            finish(running.pop(future), future.result())


def commit(book: Gradebook, task: Task, graded: Graded, now: Digests) -> None:
    """Keep a grade and what it rests on."""
    seen = graded.evidence
    submission = keeping.pack_submission(seen.submission) if seen else None
    observed = {probe: answer.observation for probe, answer in seen.answers.items()} if seen else None
    observations = keeping.pack_observations(observed) if observed is not None else None
    book.finish(task.found.key, task.fingerprint, now, graded.grade, submission, observations)


def _given_up(task: Task) -> Grade:
    return Grade(
        submission={"name": task.found.key, "path": str(task.found.path), "sha256": ""},
        status="needs_review", score=0.0, max_score=100.0, seed=task.seed, criteria=(),
        reason=f"the grader came to no end with it {GIVEN_UP} times; a person should look at it",
    )  # fmt: skip


def default_jobs(memory_each: int = 3 << 30) -> int:
    """As many as there are cores, and memory for: 3 GiB a worker at the most."""
    import os

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else memory_each
    return max(1, min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, pages // memory_each))


def gradebook_of(out: Path) -> Path:
    """Where the gradebook of an output folder lies."""
    return out / "gradebook.sqlite"
