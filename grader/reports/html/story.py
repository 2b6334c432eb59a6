"""A grade in the order in which its student reads it: parts, criteria, what each check expected and saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from grader import patterns
from grader.records import Adjustment, CheckResult, CriterionResult, Grade, Origin

if TYPE_CHECKING:
    from grader.evidence import Evidence
    from grader.reports.html.sources import Excerpt

MAX_SEARCHED = 4_000  # characters of a message, for lines that it names

LOST = ("failed", "error")


class FindsLines(Protocol):
    """Finds the lines of a submission that a verdict is about."""

    def named(self, text: str, most: int = 2) -> "list[Excerpt]": ...

    def about(self, origin: Origin | None, words: str) -> "Excerpt | None": ...


class NoLines:
    """Finds none: the submission is not at hand, or what is written shows no code."""

    def named(self, text: str, most: int = 2) -> "list[Excerpt]":
        return []

    def about(self, origin: Origin | None, words: str) -> "Excerpt | None":
        return None


@dataclass(frozen=True)
class CheckStory:
    """One check: what it demands, what was seen instead, where, and what to look at next."""

    name: str
    status: str
    expected: str
    seen: str
    next: str
    excerpts: "tuple[Excerpt, ...]" = ()


@dataclass
class CriterionStory:
    """One criterion; ``waiting`` are those that could not be judged because of it."""

    result: CriterionResult
    told: list[CheckStory]
    passed: list[CheckStory]
    code: "Excerpt | None"
    decision: Adjustment | None = None  # of a person, in place of the verdict that is told
    because: str = ""  # id of the criterion that it waits for
    why: str = ""
    waiting: list["CriterionStory"] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return self.result.id.replace(".", "-")

    @property
    def places(self) -> list[str]:
        """Where the lines stand that are at fault."""
        found = [excerpt for each in self.told for excerpt in each.excerpts] or ([self.code] if self.code else [])
        return [excerpt.place for excerpt in found]

    @property
    def gain(self) -> float:
        """Points that are to be had here, with those of what waits for it."""
        return sum(row.result.lost for row in (self, *self.waiting))


@dataclass(frozen=True)
class AssignmentPart:
    number: int
    title: str
    points: float
    max_points: float
    rows: list[CriterionStory]

    @property
    def open(self) -> float:
        """Points that nobody has decided yet."""
        return sum(row.result.open for row in self.rows)


def sentences(evidence: "Evidence | None") -> dict[str, dict[str, str]]:
    """What each check demands, by criterion and name, in the assignment's words."""
    from grader.judging import sentences as sentences_of  # noqa: PLC0415  slow to import, and an export tells no checks

    return {} if evidence is None else sentences_of(evidence.assignment.criteria)


def tell(grade: Grade, sources: FindsLines, demands: Mapping[str, Mapping[str, str]],
         titles: Mapping[int, str] | None = None) -> list[AssignmentPart]:  # fmt: skip
    """Put a grade in reading order.

    Args:
        sources: finds the lines that verdicts name.
        demands: what each check demands, by criterion and name.
        titles: of the parts, by number; those that the grade brings where there are none.
    """
    titles = grade.parts if titles is None else titles
    decisions = {each.criterion: each for each in grade.adjustments}
    rows = [_row(result, decisions.get(result.id), sources, demands.get(result.id, {})) for result in grade.criteria]
    _fold(rows)
    by_part = groupby(rows, lambda row: row.result.part)
    return [_part(number, titles.get(number, ""), list(those)) for number, those in by_part]


def _part(number: int, title: str, rows: list[CriterionStory]) -> AssignmentPart:
    earned, possible = (sum(getattr(row.result, name) for row in rows) for name in ("points", "max_points"))
    return AssignmentPart(number, title, earned, possible, rows)


def _row(
    result: CriterionResult, decision: Adjustment | None, sources: FindsLines, demands: Mapping[str, str]
) -> CriterionStory:
    verdict = result.computed or result  # what is told is what was computed, with the decision above it
    told = [_told(check, sources, demands.get(check.name, "")) for check in verdict.checks]
    said = [each for each in told if each.status in LOST] if verdict.status in ("failed", "partial", "error") else []
    blocked_because = patterns.compile(r"could not be judged because of ([\w.]+): ?(.*)", dot_all=True)
    blocked = blocked_because.fullmatch(verdict.feedback) if verdict.status == "blocked" else None
    by, why = blocked.groups() if blocked else ("", verdict.feedback)
    excerpts = any(each.excerpts for each in said)
    code = None if verdict.status == "passed" or excerpts else _code(verdict, sources)
    passed = [each for each in told if each.status == "passed"]
    return CriterionStory(result, said, passed, code, decision, by if decision is None else "", why)


def _code(result: CriterionResult, sources: FindsLines) -> "Excerpt | None":
    if result.status == "missing":
        return next(iter(sources.named(result.feedback, most=1)), None)
    return sources.about(
        result.origin,
        " ".join(f"{c.message[:MAX_SEARCHED]} {c.hint[:MAX_SEARCHED]}" for c in result.checks if c.status in LOST),
    )


def _told(check: CheckResult, sources: FindsLines, sentence: str) -> CheckStory:
    seen = "" if check.status == "passed" else check.message
    excerpts = tuple(sources.named(check.message)) if check.status in LOST else ()
    expected = sentence or (check.message if check.status == "passed" else "")
    return CheckStory(check.name, check.status, expected.replace("``", "`"), seen, check.hint, excerpts)


def _fold(rows: list[CriterionStory]) -> None:
    """Put what is blocked under what blocks it, under the first cause where that is blocked itself."""
    by_id = {row.result.id: row for row in rows}
    for row in rows:
        cause, met = by_id.get(row.because), {row.result.id}
        while cause is not None and cause.because and cause.result.id not in met:
            met.add(cause.result.id)
            cause = by_id.get(cause.because)
        if cause is not None and cause.result.status not in ("passed", "blocked"):
            cause.waiting.append(row)


def first_steps(parts: list[AssignmentPart], most: int = 3) -> list[CriterionStory]:
    """What to look at first: faults that cost most, with what waits for them; then what is to do, in order."""
    rows = [row for part in parts for row in part.rows if row.result.lost]
    faults = [row for row in rows if row.result.status in ("failed", "partial")]
    todo = [row for row in rows if row.result.status == "missing"]
    return [*sorted(faults, key=lambda row: -row.gain), *todo][:most]
