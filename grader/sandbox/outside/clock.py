"""How long a worker has had for a request: time in which it only waited for a processor is not counted."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.records import Frame
from grader.sandbox.inside.usage import family, threads

SECONDS_BETWEEN_LOOKS = 0.1
JIFFY = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01


@dataclass
class Hangs:
    """Where a submission's workers hung so far, and how long they were waited for in vain.

    A place is the innermost line of the student's code; None where a worker did not tell.
    """

    places: list[Frame | None] = field(default_factory=list)
    seconds: float = 0.0  # of a ``Clock``

    def add(self, place: Frame | None, seconds: float) -> None:
        """Take note of a request that was not answered."""
        self.places.append(place)
        self.seconds += seconds

    def knows(self, place: Frame | None) -> bool:
        """Whether it hung there before, a line more or less."""
        return any(_near(place, known) for known in self.places)


def _near(one: Frame | None, other: Frame | None) -> bool:
    if one is None or other is None:
        return one is other
    same = (one.file, one.cell, one.function) == (other.file, other.cell, other.function)
    max_lines_apart = 3  # two places of one loop
    return same and abs(one.line - other.line) <= max_lines_apart


@dataclass(frozen=True)
class Patience:
    """How long a worker is waited for, in seconds of a ``Clock``.

    Attributes:
        seconds: for the whole request.
        step: without any sign that it gets further.
        hangs: where it hung before: met there again, it is not waited for any longer.
    """

    seconds: float
    step: float = 8.0
    hangs: Hangs = field(default_factory=Hangs)

    @property
    def on_busy_machine(self) -> float:
        """Seconds on the wall without a sign after which the machine is to blame: ten times the limit, and 20 more."""
        return 10 * min(self.seconds, self.step) + 20.0

    @property
    def on_busy_machine_in_all(self) -> float:
        """The same of a whole request, whatever the signs: a submission can give them too."""
        return 10 * self.seconds + 20.0


class Clock:
    """Counts the time in which a process could have worked, one request long.

    While it sleeps or waits for something that never comes, that is all time that passes. While it wants a
    processor it is what it used of one, so that a busy machine makes no code slow; several threads count once.
    Where a system tells none of this, time that passes is counted.

    Args:
        pid: the worker's process; None where it cannot be looked at.
    """

    def __init__(self, pid: int | None) -> None:
        self.pid = pid
        self.began = self.last = time.monotonic()
        self.used_before = self._used()
        self.idle = 0.0  # seconds that passed while it waited
        self.used = 0.0  # seconds of a processor while it wanted to work
        self.peeked = False  # whether the worker was asked where it is
        self.last_step, self.stepped = 0.0, self.began

    @property
    def due(self) -> bool:
        """Whether it is time for another look."""
        return time.monotonic() - self.last >= SECONDS_BETWEEN_LOOKS

    @property
    def spent(self) -> float:
        """Seconds that count."""
        return self.idle + self.used

    @property
    def passed(self) -> float:
        return time.monotonic() - self.began

    def look(self) -> None:
        """Take note of what the process did since the last look."""
        now, used = time.monotonic(), self._used()
        elapsed, self.last = now - self.last, now
        if used is None or self.used_before is None or self.pid is None:
            self.idle += elapsed
        elif used - self.used_before > 2 * JIFFY or wants_to_run(self.pid):
            self.used += min(elapsed, used - self.used_before)
        else:
            self.idle += elapsed
        self.used_before = used

    def step(self) -> None:
        """Take note that the worker got further."""
        self.last_step, self.stepped = self.spent, time.monotonic()

    @property
    def without_step(self) -> float:
        return self.spent - self.last_step

    def over(self, patience: Patience) -> bool:
        """Whether the worker has had all the time that it is given."""
        return self.spent >= patience.seconds or self.without_step >= patience.step

    def starved(self, patience: Patience) -> bool:
        """Whether the machine is too busy to tell."""
        silent = time.monotonic() - self.stepped >= patience.on_busy_machine
        return silent or self.passed >= patience.on_busy_machine_in_all

    def _used(self) -> float | None:
        """Seconds of processors that the worker has used in its life."""
        if self.pid is None:
            return None
        times = [_seconds(pid) for pid in family(self.pid)]
        return None if None in times else sum(filter(None, times))


def wants_to_run(pid: int) -> bool:
    """Whether a thread of the worker's runs or waits for a processor or a disk."""
    runnable_states = (b"R", b"D")  # it runs, wants to run, or waits for a disk
    return any(_fields(path)[:1] in ([each] for each in runnable_states) for path in _threads(pid))


def _threads(pid: int) -> Iterator[str]:
    return (f"/proc/{each}/task/{task}/stat" for each in family(pid) for task in threads(each))


def _seconds(pid: int) -> float | None:
    fields = _fields(f"/proc/{pid}/stat")
    return (int(fields[11]) + int(fields[12])) * JIFFY if len(fields) > 12 else None


def _fields(path: str) -> list[bytes]:
    """The fields after the name, which may hold anything: state first."""
    try:
        with open(path, "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
