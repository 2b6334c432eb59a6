"""What each piece of judging reads, noted, so that it is known whether it would come to the same once more.

A piece is a criterion's verdict, a probe's question, a score, a measure or a warning. What it reads of its evidence is
either the same whenever a kept grade is computed again (the submission, the seed, the answers), or another piece:
that is noted. What verdicts take from the rubric is noted in ``rubric_reads``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
NOT_PUT_TOGETHER = "a question that was not put together"  # what it would read is not known then


class Reading:
    """Notes of one judging.

    Attributes:
        noted: by piece, the pieces that it reads; "module x" where a piece is computed by code of that module.
        results: by piece, what measures and warnings came to.
    """

    def __init__(self) -> None:
        self.noted: dict[str, list[str]] = {}
        self.results: dict[str, Any] = {}
        self._at_work: list[dict[str, None]] = []

    def note(self, piece: str) -> None:
        """Have whatever piece is at work read another one."""
        if self._at_work:
            self._at_work[-1][piece] = None

    @contextmanager
    def by(self, piece: str) -> Iterator[None]:
        """A piece at work: what is read inside is read by it."""
        self._at_work.append({})
        try:
            yield
        finally:
            self.noted[piece] = list(self._at_work.pop())

    def result(self, piece: str, work: Callable[[], T]) -> T:
        """What a piece comes to."""
        with self.by(piece):
            found = work()
        self.results[piece] = found
        return found

    def reused(self, piece: str) -> bool:
        """Whether a piece came to the same in an earlier grade for certain, so that it need not be computed."""
        return False


def module_of(function: Callable[..., Any]) -> str:
    """The module that a function was written in; of a partial function, of the function inside."""
    return str(getattr(getattr(function, "func", function), "__module__", ""))
