"""The rubric: points and thresholds, from ``rubric.toml``."""

import dataclasses
import difflib
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from grader.errors import GraderError


@dataclass(frozen=True)
class RubricCriterion:
    id: str
    part: int
    title: str
    points: float
    checks: Mapping[str, float] = field(default_factory=dict)  # points by check, where a part earns a part
    steps: tuple[tuple[float, float], ...] = ()  # scores below the threshold, rising, and the points that they earn

    def earned(self, score: float) -> float:
        """The points of the highest step that a score below the threshold reaches."""
        return max((points for at, points in self.steps if score >= at), default=0.0)


@dataclass(frozen=True)
class Rubric:
    name: str
    criteria: tuple[RubricCriterion, ...]
    thresholds: Mapping[str, float]
    strict: bool  # a protected block that reads differently fails

    @property
    def max_score(self) -> float:
        return sum(criterion.points for criterion in self.criteria)

    def criterion(self, ident: str) -> RubricCriterion | None:
        """A criterion; None where it is not judged."""
        return next((criterion for criterion in self.criteria if criterion.id == ident), None)

    def narrowed(self, only: Collection[str] | None) -> "Rubric":
        """The rubric with some criteria only; all where there is none.

        Raises:
            GraderError: there is no such criterion.
        """
        if only is None:
            return self
        known = [criterion.id for criterion in self.criteria]
        for ident in only:
            if ident not in known:
                raise GraderError(f"--only {ident}: no such criterion; the rubric has {', '.join(known)}")
        return dataclasses.replace(self, criteria=tuple(c for c in self.criteria if c.id in only))


def load(path: Path, known: Mapping[str, Collection[str]], scored: Mapping[str, str] | None = None) -> Rubric:
    """Read a rubric and hold it against the checks that exist.

    Args:
        path: the TOML file.
        known: names of the checks by criterion id.
        scored: by criterion id, the threshold that its score is held against.

    Raises:
        GraderError: one line that names the file, the entry and what was meant, perhaps.
    """
    message = (
        "collapse_fails of [scheduler] means nothing any more and was passed over; write "
        "checks = { changes = 6, unit = 2 } into the criterion of the schedule instead"
    )
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        thresholds = {key: float(value) for key, value in raw["thresholds"].items()}
        below = {ident: thresholds[name] for ident, name in (scored or {}).items() if name in thresholds}
        criteria = tuple(_criterion(path, entry, known, below) for entry in raw["criteria"])
        strict = bool(raw.get("protected", {}).get("strict", False))
        if "collapse_fails" in raw.get("scheduler", {}):
            _say_once(f"{path}: {message}")
        name = str(raw.get("assignment", {}).get("name", path.stem))
        return Rubric(name, criteria, thresholds, strict)
    except FileNotFoundError:
        raise GraderError(f"{path}: no such rubric") from None
    except tomllib.TOMLDecodeError as error:
        raise GraderError(f"{path}: not valid TOML: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        wanted = "a criterion has id, part, title and points"
        raise GraderError(f"{path}: {type(error).__name__}: {error}; {wanted}") from None


def _criterion(
    path: Path, entry: dict[str, Any], known: Mapping[str, Collection[str]], below: Mapping[str, float]
) -> RubricCriterion:
    ident = entry["id"]
    if ident not in known:
        raise GraderError(f"{path}: criterion '{ident}' does not exist{_meant(ident, known)}")
    weights = {name: float(points) for name, points in entry.get("checks", {}).items()}
    for name in weights:
        if name not in known[ident]:
            raise GraderError(f"{path}: criterion '{ident}': check '{name}' does not exist{_meant(name, known[ident])}")
    points = float(entry["points"])
    if points < 0 or (weights and abs(sum(weights.values()) - points) > 1e-9):
        total = sum(weights.values())
        raise GraderError(f"{path}: criterion '{ident}': points are {points:g}, its checks add up to {total:g}")
    steps = tuple((float(at), float(earns)) for at, earns in entry.get("steps", ()))
    if steps and (problem := _wrong_steps(steps, points, bool(weights), below.get(ident))):
        raise GraderError(f"{path}: criterion '{ident}': steps: {problem}")
    return RubricCriterion(ident, int(entry["part"]), str(entry["title"]), points, weights, steps)


def _wrong_steps(steps: Sequence[tuple[float, float]], points: float, by_check: bool, threshold: float | None) -> str:
    """What is wrong with the steps of a criterion; empty where nothing is."""
    if threshold is None:
        return "only a criterion whose score is held against a threshold has steps"
    if by_check:
        return "a criterion has steps or points by check, not both"
    if list(steps) != sorted(set(steps)) or any(low >= high for (_, low), (_, high) in pairwise(steps)):
        return "expected rising scores with rising points, [[0.80, 1], [0.86, 3]]"
    if steps[-1][0] >= threshold:
        return f"{steps[-1][0]:g} is not below the threshold, {threshold:g}"
    if not 0 <= steps[0][1] <= steps[-1][1] <= points:
        return f"expected from 0 to {points:g} points"
    return ""


@cache
def _say_once(line: str) -> None:
    print(line, file=sys.stderr)


def _meant(word: str, among: Collection[str]) -> str:
    close = difflib.get_close_matches(word, list(among), 1)
    return f", did you mean '{close[0]}'?" if close else ""
