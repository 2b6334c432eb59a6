"""What lateness costs: the section ``[late]`` of the rubric, none by default.

    [late]
    deadline = 2026-11-20T23:59:00+01:00
    zone = "America/Edmonton"    # of a deadline without an offset, and of the times in a zip, which have none
    grace = 15        # minutes
    per_day = 10      # percent of all points, for each day begun
    most = 50         # percent, at most
    closes = 7        # days, after which there are no points
    bank = 5          # late days that each student may spend

A student's extension, from the roster, moves the deadline; what is late then is paid from the bank as far as it goes,
in whole days, and only the rest costs points or closes the assignment. A student who hands in again spends only the
days that an earlier submission has not spent.

The times are those of the files in the download. Canvas says itself who was late: a submission that it does not call
late is not, and one that it does is late by a day at least, whatever the files' times are. Where a time zone is needed
and none is given, nobody is late by the files' times, and ``zone_needed`` says what to write.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.errors import GraderError
from grader.rubric import read

Extension = timedelta | datetime  # how much longer, or until when


@dataclass(frozen=True)
class Lateness:
    """How late a submission is for one student.

    Attributes:
        days: after that student's own deadline, begun ones counted whole.
        from_bank: how many of them the bank of late days pays.
        deduction: points that the others cost.
    """

    days: int = 0
    from_bank: int = 0
    deduction: float = 0.0


@dataclass(frozen=True)
class LatePolicy:
    """What is taken off for lateness; nothing as it stands.

    Attributes:
        deadline: None: only Canvas's own word counts.
        zone: of a deadline without an offset, and of files' times that have none.
        grace: minutes.
        per_day: percent of all points, for each day begun.
        most: percent.
        closes: days, after which there are no points.
        bank: late days that each student may spend.
    """

    deadline: datetime | None = None
    zone: ZoneInfo | None = None
    grace: float = 0.0
    per_day: float = 0.0
    most: float = 100.0
    closes: float = math.inf
    bank: int = 0

    def days(
        self, late: bool | None, handed_in: float | None, has_zone: bool = True, extension: Extension | None = None
    ) -> int:
        """How many days late a submission is, begun ones counted whole.

        Args:
            late: what the download says; None where it says nothing.
            handed_in: seconds since 1970, None where that is not known.
            has_zone: whether those are of an instant; else they are what a clock showed, read as if in UTC.
            extension: of the student's.
        """
        if late is False:
            return 0
        deadline, at = self.own_deadline(extension), self.handed_in(handed_in, has_zone)
        if deadline is not None and at is not None:
            seconds_of_a_day = 86_400.0
            days = max(0, math.ceil((at - deadline - 60 * self.grace) / seconds_of_a_day))
            return days if extension is not None else max(days, int(bool(late)))
        covered = extension // timedelta(days=1) if isinstance(extension, timedelta) else 0
        return max(0, int(bool(late)) - covered)  # what Canvas calls late is late by the common deadline

    def own_deadline(self, extension: Extension | None = None) -> float | None:
        """The deadline of a student in seconds since 1970: whole days longer are days on the clock, hours are hours."""
        if isinstance(extension, datetime):
            return self.instant(extension)
        if extension is None or self.deadline is None:
            return self.instant(self.deadline)
        hours = timedelta(seconds=extension.seconds)
        instant = self.instant(self.deadline + (extension - hours))
        return None if instant is None else instant + hours.total_seconds()

    def lateness(self, days: int, late_days: int | None, max_score: float) -> Lateness:
        """What a number of days costs a student.

        Args:
            days: late, by the student's own deadline.
            late_days: how many the student has in the bank; the policy's where None.
            max_score: of the rubric.
        """
        paid = min(days, self.bank if late_days is None else late_days)
        return Lateness(days, paid, self.deduction(days - paid, max_score))

    def instant(self, clock: datetime | None) -> float | None:
        """Return a time in seconds since 1970; None for one without a zone where the policy has none either."""
        if clock is not None and clock.tzinfo is None:
            clock = clock.replace(tzinfo=self.zone) if self.zone else None
        return None if clock is None else clock.timestamp()

    def handed_in(self, seconds: float | None, has_zone: bool) -> float | None:
        if seconds is None or has_zone:
            return seconds
        return self.instant(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))

    def lacks_zone(
        self, late: bool | None, handed_in: float | None, has_zone: bool, extension: Extension | None = None
    ) -> bool:
        """Tell whether lateness was not computed for want of a time zone alone; the arguments are those of ``days``."""
        deadline = extension if isinstance(extension, datetime) else self.deadline
        if deadline is None or self.zone is not None or late is False or handed_in is None:
            return False
        return deadline.tzinfo is None or not has_zone

    def deduction(self, days: int, max_score: float) -> float:
        """Points to take off."""
        if days > self.closes:
            return max_score
        return round(max_score * min(self.most, self.per_day * days) / 100, 4)


def load(rubric: Path, zone: str = "") -> LatePolicy:
    """Read the policy of a rubric.

    Args:
        zone: in place of the policy's own, where there is one.

    Raises:
        GraderError: one line that names the entry that is wrong.
    """
    raw = read(rubric).get("late", {})
    if not isinstance(raw, dict):
        raise GraderError(f"{rubric}: late: expected a table, [late]")
    known_fields = ("deadline", "zone", "grace", "per_day", "most", "closes", "bank")
    unknown = set(raw) - set(known_fields)
    if unknown:
        raise GraderError(f"{rubric}: [late] {min(unknown)}: no such entry; there are {', '.join(known_fields)}")
    deadline = raw.pop("deadline", None)
    if deadline is not None and not isinstance(deadline, datetime):
        raise GraderError(f"{rubric}: [late] deadline: expected a date and time, 2026-11-20T23:59:00+01:00")
    own_zone, bank = raw.pop("zone", None), raw.pop("bank", 0)
    if isinstance(bank, bool) or not isinstance(bank, int) or bank < 0:
        raise GraderError(f"{rubric}: [late] bank: expected a whole number of days, 0 or more, got {bank!r}")
    for name, value in raw.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise GraderError(f"{rubric}: [late] {name}: expected a number of 0 or more, got {value!r}")
    named = zone or own_zone
    numbers = {name: float(value) for name, value in raw.items()}
    return LatePolicy(deadline, zone_named(named, f"{rubric}: [late] zone") if named else None, bank=bank, **numbers)


def zone_named(name: object, where: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        GraderError: there is none of that name; the line begins with ``where``.
    """
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise GraderError(f'{where}: expected a name like "America/Edmonton", got {name!r}') from None


def zone_needed(policy: LatePolicy, rubric: Path, archive: str) -> str:
    """Say that lateness was not computed, and what to write."""
    why = f"the times in {archive} have no time zone"
    if policy.deadline is not None and policy.deadline.tzinfo is None:
        why = f"the deadline in {rubric} has no time zone"
    write = f'write zone = "America/Edmonton", or yours, under [late] in {rubric}, or give --zone'
    return f"{why}: no lateness was computed and no points were taken off; {write}"


def when(handed_in: float | None) -> str:
    """A time for people, in UTC; empty where there is none."""
    return "" if handed_in is None else datetime.fromtimestamp(handed_in, UTC).strftime("%Y-%m-%d %H:%M UTC")
