"""What lateness costs: the section ``[late]`` of the rubric, none by default.

    [late]
    deadline = 2026-11-20T23:59:00+01:00
    grace = 15        # minutes
    per_day = 10      # percent of all points, for each day begun
    most = 50         # percent, at most
    closes = 7        # days, after which there are no points

The times are those of the files in the download. Canvas says itself who was late: a submission that it does
not call late is not, and one that it does is late by a day at least, whatever the files' times are.
"""

import math
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import GraderError

DAY = 86_400.0
FIELDS = ("deadline", "grace", "per_day", "most", "closes")


@dataclass(frozen=True)
class LatePolicy:
    """What is taken off for lateness; nothing as it stands.

    Attributes:
        deadline: None: only Canvas's own word counts.
        grace: minutes.
        per_day: percent of all points, for each day begun.
        most: percent.
        closes: days, after which there are no points.
    """

    deadline: datetime | None = None
    grace: float = 0.0
    per_day: float = 0.0
    most: float = 100.0
    closes: float = math.inf

    def days(self, late: bool | None, handed_in: float | None) -> int:
        """How many days late a submission is, begun ones counted whole.

        Args:
            late: what the download says; None where it says nothing.
            handed_in: seconds since 1970, None where that is not known.
        """
        if late is False:
            return 0
        over = 0.0
        if self.deadline is not None and handed_in is not None:
            over = handed_in - self.deadline.timestamp() - 60 * self.grace
        return max(math.ceil(over / DAY), int(bool(late)))

    def deduction(self, days: int, max_score: float) -> float:
        """Points to take off."""
        if days > self.closes:
            return max_score
        return round(max_score * min(self.most, self.per_day * days) / 100, 4)


def load(rubric: Path) -> LatePolicy:
    """Read the policy of a rubric.

    Raises:
        GraderError: one line that names the entry that is wrong.
    """
    raw = tomllib.loads(rubric.read_text(encoding="utf-8")).get("late", {})
    unknown = set(raw) - set(FIELDS)
    if unknown:
        raise GraderError(f"{rubric}: [late] {min(unknown)}: no such entry; there are {', '.join(FIELDS)}")
    deadline = raw.pop("deadline", None)
    if deadline is not None and not isinstance(deadline, datetime):
        raise GraderError(f"{rubric}: [late] deadline: expected a date and time, 2026-11-20T23:59:00+01:00")
    for name, value in raw.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise GraderError(f"{rubric}: [late] {name}: expected a number of 0 or more, got {value!r}")
    return LatePolicy(deadline, **{name: float(value) for name, value in raw.items()})


def when(handed_in: float | None) -> str:
    """A time for people, in UTC; empty where there is none."""
    return "" if handed_in is None else datetime.fromtimestamp(handed_in, UTC).strftime("%Y-%m-%d %H:%M UTC")
