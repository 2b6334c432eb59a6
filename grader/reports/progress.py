"""What is being done right now: a line on stderr when that is a terminal, nothing otherwise."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.status import Status


class Progress:
    """Shows the step under way; it vanishes when the grade is there."""

    def __init__(self) -> None:
        self.status: Status | None = None
        self.prefix = ""

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console

            self.status = Console(stderr=True, highlight=False).status("starting")
            self.status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.status is not None:
            self.status.stop()

    def begin(self, name: str, number: int, total: int) -> None:
        """Go on to a submission, the ``number``-th of ``total``."""
        self.prefix = f"{name}: " if total == 1 else f"{number} of {total}, {name}: "
        self.step("opening")

    def step(self, what: str, share: float = 0.0) -> None:
        """Name the step under way and how much of the submission is behind it."""
        if self.status is not None:
            from rich.text import Text

            from grader.reports.text import printable

            self.status.update(Text(f"{share:4.0%} {printable(self.prefix + what)}"))
