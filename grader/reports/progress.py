"""What is being done right now: a bar on stderr when that is a terminal, nothing otherwise."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from grader.reports.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class Progress:
    """Shows the step under way and the time that is left; it vanishes when the grade is there.

    Args:
        quiet: whether nothing is shown on a terminal either.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bar: Bar | None = None
        self.task: TaskID | None = None
        self.prefix = ""

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self.quiet:
            from rich import progress  # noqa: PLC0415  rich is slow to import, and without a terminal not needed
            from rich.console import Console  # noqa: PLC0415  as above

            self.bar = progress.Progress(
                progress.SpinnerColumn(), progress.TextColumn("{task.description}", markup=False),
                progress.BarColumn(20), progress.TimeRemainingColumn(),
                console=Console(stderr=True, highlight=False), transient=True,
            )  # fmt: skip
            self.task = self.bar.add_task("starting", total=1.0)
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.stop()

    def begin(self, name: str, number: int, total: int) -> None:
        """Go on to a submission, the ``number``-th of ``total``."""
        self.prefix = f"{name}: " if total == 1 else f"{number} of {total}, {name}: "
        self.step("opening")

    def step(self, what: str, share: float = 0.0) -> None:
        """Name the step under way and how much of the submission's time is behind it, from 0 to 1."""
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, description=printable(self.prefix + what), completed=share)
