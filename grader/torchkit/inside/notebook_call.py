"""What a notebook hands to one of its functions: its own statements, executed, while the function notes its arguments."""

import contextlib
import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from grader.sandbox.inside.student import Student
from grader.torchkit.inside.noted_reads import NotedReads


class OutOfTime(BaseException):
    """Ends what takes too long; no ``except Exception`` catches it."""


@dataclass(frozen=True)
class Arguments:
    """What a function was called with."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def first(self, function: Callable[..., Any]) -> Any:
        """The value of the function's first parameter."""
        return next(iter(inspect.signature(function).bind(*self.args, **self.kwargs).arguments.values()))


def arguments(student: Student, name: str, sets: tuple[NotedReads, ...]) -> Arguments | None:
    """The arguments of the last call of a function; None where they cannot be known.

    What the statements bind stays bound: use ``with student.restored():`` around it.

    Args:
        sets: data sets that whatever the statements load gives meanwhile; the first argument must hold items of them.
    """
    function = student.get(name)
    calls: list[Arguments] = []

    def note(*args: Any, **kwargs: Any) -> float:
        calls.append(Arguments(args, kwargs))
        return 0.0

    max_seconds = 5.0  # of the processor, for statements that only build and divide data sets
    with student.overriding(**{name: note}), limited(max_seconds):
        student.execute_call()
    try:
        return calls[-1] if calls and rests_on(calls[-1].first(function), sets) else None
    except (TypeError, ValueError, StopIteration):
        return None


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """End what is done within after some seconds of the processor, where signals can do that."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        with contextlib.suppress(OutOfTime):
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def rests_on(dataset: Any, sets: tuple[NotedReads, ...]) -> bool:
    """Whether a data set may hold items of these: it wraps one of them, or it is of a kind that nobody can tell."""
    pending = [(dataset, 0)]
    max_wrapped = 8  # data sets in one another, and items looked at of a list of them
    while pending:
        current, depth = pending.pop()
        if isinstance(current, NotedReads):
            if any(current.reads is of.reads for of in sets):
                return True
        elif isinstance(current, Dataset) and depth < max_wrapped:
            inner = [value for value in vars(current).values() if isinstance(value, Dataset | list | tuple)]
            flat = [
                x for value in inner for x in ([value] if isinstance(value, Dataset) else list(value)[:max_wrapped])
            ]
            known = [value for value in flat if isinstance(value, Dataset)]
            if not known:
                return True
            pending += [(value, depth + 1) for value in known]
    return False
