"""Where submissions are graded: on this machine, in threads that each drive a confined worker."""

import os
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from grader.errors import GraderError
from grader.gradebook.store import PackedGrade
from grader.gradebook.task import Step, Task, grade_task
from grader.pipeline import Grader

MEMORY_OF_ONE = 3 << 29  # bytes: 1.5 GiB a submission, its worker's and what judges it


class PlaceLost(GraderError):
    """The place is no more: what was under way is nobody's fault."""


class GradingPlace(Protocol):
    """This machine, or a cluster."""

    @property
    def width(self) -> int:
        """How many submissions to have under way."""
        ...

    def ready(self) -> None:
        """Get ready, so that what ends the run meanwhile is no submission's fault."""
        ...

    def submit(self, task: Task) -> "Future[PackedGrade]":
        """Begin a submission; the future raises when it is not the submission's grade that is in doubt."""
        ...

    def renew(self) -> None:
        """Start afresh where something may be broken."""
        ...

    def close(self) -> None:
        """Leave, at once: what is under way is given up."""
        ...


class ThisMachine:
    """This machine.

    Args:
        start: opens a grader with warm workers.
        jobs: how many submissions at a time.
        only: criteria to judge.
        step: told what is being done.
    """

    def __init__(self, start: Callable[[], Grader], jobs: int, only: Collection[str] | None = None,
                 step: Step | None = None) -> None:  # fmt: skip
        self.start, self.jobs, self.only, self.step = start, jobs, only, step
        self.pool = ThreadPoolExecutor(jobs, thread_name_prefix="grading")
        self.lock = threading.Lock()
        self._grader: Grader | None = None
        self.closed = False

    @property
    def width(self) -> int:
        return self.jobs

    def grader(self) -> Grader:
        with self.lock:
            if self.closed:
                raise GraderError("the run was ended")
            if self._grader is None:
                self._grader = self.start()
            return self._grader

    def ready(self) -> None:
        _ = self.grader().workers.sandbox  # known when the workers' parent is warm and has been tried

    def submit(self, task: Task) -> "Future[PackedGrade]":
        return self.pool.submit(lambda: grade_task(self.grader(), task, self.only, self.step))

    def renew(self) -> None:
        with self.lock:
            self._stop()

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        with self.lock:
            self.closed = True
            self._stop()
        self.pool.shutdown(wait=True)

    def _stop(self) -> None:
        if self._grader is not None:
            self._grader.close()
            self._grader = None


def default_jobs() -> int:
    """As many as there are cores, and memory for."""
    return max(1, min(cores(), _memory() // MEMORY_OF_ONE))


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> int:
    """Bytes of memory that this process and its workers may use."""
    if not hasattr(os, "sysconf"):
        return MEMORY_OF_ONE
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cgroup_memory = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    limits = [Path(path).read_text().strip() for path in cgroup_memory if Path(path).is_file()]
    return min([whole, *(int(limit) for limit in limits if limit.isdigit())])
