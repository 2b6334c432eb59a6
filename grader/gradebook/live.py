"""A class while it is graded: a table on stderr when that is a terminal, nothing otherwise."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from grader.gradebook.run import Done, RunListener
from grader.gradebook.task import Task
from grader.reports.text import printable

if TYPE_CHECKING:
    from rich.live import Live


class Table:
    """Counts what is done, shows what is under way, and tells when it may end.

    Args:
        total: submissions.
        quiet: whether nothing is shown on a terminal either.
    """

    def __init__(self, total: int, quiet: bool = False) -> None:
        self.total, self.quiet = total, quiet
        self.counts = {"graded": 0, "kept": 0, "regraded": 0, "given up": 0}
        self.review, self.start = 0, time.monotonic()
        self.running: dict[str, tuple[float, str]] = {}  # by student: since when, and at what
        self.live: Live | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self.quiet:
            from rich.console import Console  # noqa: PLC0415  rich is slow to import, and without a terminal not needed
            from rich.live import Live  # noqa: PLC0415  as above

            self.live = Live(
                console=Console(stderr=True, highlight=False),
                get_renderable=self.render, refresh_per_second=2, transient=True,
            )  # fmt: skip
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.live is not None:
            self.live.stop()

    @property
    def watch(self) -> RunListener:
        return RunListener(self.began, self.done)

    def began(self, task: Task) -> None:
        if not self.running and not self.counts["graded"]:
            self.start = time.monotonic()  # getting ready is done once
        self.running[task.found.key] = (time.monotonic(), "waiting for a worker")

    def step(self, key: str, what: str, share: float) -> None:
        since, _ = self.running.get(key, (time.monotonic(), ""))
        self.running[key] = (since, f"{share:4.0%} {what}")

    def done(self, done: Done) -> None:
        self.running.pop(done.task.found.key, None)
        self.counts[done.how] += 1
        self.review += done.grade.status != "graded"

    @property
    def left(self) -> float | None:
        """Seconds until the end, as far as can be told."""
        graded = self.counts["graded"]
        if not graded:
            return None
        missing = self.total - sum(self.counts.values())
        return (time.monotonic() - self.start) / graded * missing

    def render(self) -> Any:
        """The table as it is now."""
        from rich.console import Group  # noqa: PLC0415  as above
        from rich.table import Table as Grid  # noqa: PLC0415  as above
        from rich.text import Text  # noqa: PLC0415  as above

        done = sum(self.counts.values())
        words = ", ".join(f"{count} {how}" for how, count in self.counts.items() if count and how != "graded")
        left = "" if self.left is None else f", about {_minutes(self.left)} to go"
        head = f"{done} of {self.total} done" + (f" ({words})" if words else "")
        if not self.running and done < self.total:
            head += ", getting ready"
        lines = Grid.grid(padding=(0, 2))
        max_shown = 12  # submissions under way that have a line of their own
        for key, (since, what) in list(self.running.items())[:max_shown]:
            lines.add_row(
                Text(printable(key, 40), "bold"), Text(printable(what, 60)), f"{time.monotonic() - since:.0f} s"
            )
        return Group(Text(f"{head}, {len(self.running)} running, {self.review} to be looked at{left}"), lines)


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
