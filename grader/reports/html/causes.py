"""What a class lost its points to: criteria by how many lost them, and for each the commonest causes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from grader import patterns
from grader.records import CriterionResult, Grade

NUMBERS = patterns.compile(r"-?\d[\d.,:e+-]*%?|\([\d, ]*\)|\[[^\]]*\]")
PLACES = patterns.compile(r" at [^`]{1,200}, line \d+(: `[^`]*`)?|\([^()]*, line \d+\)")


@dataclass(frozen=True)
class Cause:
    """Verdicts that say the same but for numbers and places; ``words`` is the commonest of them."""

    words: str
    hint: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class LostPoints:
    """One criterion of a class."""

    id: str
    title: str
    part: int
    names: tuple[str, ...]  # of those that lost points, blocked ones left out
    missing: int
    blocked: int
    points: float  # lost by all of them together
    share: float
    causes: tuple[Cause, ...]
    others: int  # causes that are not shown


def lost(grades: Sequence[Grade]) -> list[LostPoints]:
    """The criteria of a class, those that most lost points at first."""
    by_id: dict[str, list[tuple[str, CriterionResult]]] = {}
    for grade in grades:
        for result in grade.criteria:
            by_id.setdefault(result.id, []).append((grade.submission["name"], result))
    found = [_lost(results) for results in by_id.values()]
    return sorted(found, key=lambda each: (-len(each.names), -each.points, each.part))


def _lost(results: list[tuple[str, CriterionResult]]) -> LostPoints:
    short = [(name, r) for name, r in results if r.status in ("failed", "partial", "missing")]
    causes = _causes([(name, r) for name, r in short if r.status != "missing"])
    first = results[0][1]
    max_shown = 3
    return LostPoints(
        first.id, first.title, first.part, tuple(name for name, _ in short),
        sum(r.status == "missing" for _, r in short), sum(r.status == "blocked" for _, r in results),
        sum(r.lost for _, r in short), len(short) / len(results),
        tuple(causes[:max_shown]), max(0, len(causes) - max_shown),
    )  # fmt: skip


def _causes(results: list[tuple[str, CriterionResult]]) -> list[Cause]:
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for name, result in results:
        said = next((check for check in result.checks if check.status == "failed"), None)
        words, hint = (said.message, said.hint) if said else (result.feedback, "")
        groups.setdefault(f"{said.name if said else ''} {gist(words)}", []).append((name, words, hint))
    found = []
    for group in groups.values():
        (words, hint), _ = Counter((words, hint) for _, words, hint in group).most_common(1)[0]
        found.append(Cause(words, hint, tuple(name for name, _, _ in group)))
    return sorted(found, key=lambda cause: -len(cause.names))


def gist(words: str) -> str:
    """A message without what differs from student to student."""
    return NUMBERS.sub("#", PLACES.sub("", words[:1_000]))[:300]
