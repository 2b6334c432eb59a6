"""The rubric: points and thresholds, from ``rubric.toml``."""

import dataclasses
import difflib
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
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


@dataclass(frozen=True)
class Rubric:
    name: str
    criteria: tuple[RubricCriterion, ...]
    thresholds: Mapping[str, float]
    strict: bool  # a protected block that reads differently fails

    @property
    def max_score(self) -> float:
        return sum(criterion.points for criterion in self.criteria)

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


def load(path: Path, known: Mapping[str, Collection[str]]) -> Rubric:
    """Read a rubric and hold it against the checks that exist.

    Args:
        path: the TOML file.
        known: names of the checks by criterion id.

    Raises:
        GraderError: one line that names the file, the entry and what was meant, perhaps.
    """
    message = (
        "collapse_fails of [scheduler] means nothing any more and was passed over; write "
        "checks = { changes = 6, unit = 2 } into the criterion of the schedule instead"
    )
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        criteria = tuple(_criterion(path, entry, known) for entry in raw["criteria"])
        thresholds = {key: float(value) for key, value in raw["thresholds"].items()}
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


def _criterion(path: Path, entry: dict[str, Any], known: Mapping[str, Collection[str]]) -> RubricCriterion:
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
    return RubricCriterion(ident, int(entry["part"]), str(entry["title"]), points, weights)


@cache
def _say_once(line: str) -> None:
    print(line, file=sys.stderr)


def _meant(word: str, among: Collection[str]) -> str:
    close = difflib.get_close_matches(word, list(among), 1)
    return f", did you mean '{close[0]}'?" if close else ""
