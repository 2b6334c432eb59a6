"""The rubric: points and thresholds, from ``rubric.toml``."""

import dataclasses
import difflib
import math
import sys
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from grader.conversion import convert
from grader.errors import GraderError
from grader.sentences import did_you_mean


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


def read(path: Path) -> dict[str, Any]:
    """The content of a rubric's file.

    Raises:
        GraderError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GraderError(f"{path}: no such rubric") from None
    except OSError as error:
        raise GraderError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise GraderError(f"{path}: not in UTF-8: save it with that encoding") from None
    except tomllib.TOMLDecodeError as error:
        raise GraderError(f"{path}: not valid TOML: {error}") from None


class CriterionEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One of the file's ``[[criteria]]``."""

    id: str
    part: int
    title: str
    points: float
    checks: dict[str, float] = {}
    steps: list[tuple[float, float]] = []


class ProtectedEntry(msgspec.Struct, forbid_unknown_fields=True):
    """The file's ``[protected]``."""

    strict: bool = False


TABLES = ("assignment", "thresholds", "protected", "late", "criteria")
OLD_TABLES = ("scheduler",)  # which mean nothing any more
Entry = TypeVar("Entry")


def load(path: Path, known: Mapping[str, Collection[str]], scored: Mapping[str, str] | None = None,
         named: Collection[str] | None = None) -> Rubric:  # fmt: skip
    """Read a rubric and hold it against the checks that exist.

    Args:
        path: the TOML file.
        known: names of the checks by criterion id.
        scored: by criterion id, the threshold that its score, a share from 0 to 1, is held against.
        named: the names that thresholds may have; any where there is none.

    Raises:
        GraderError: one line that names the file, the entry and what was meant, perhaps.
    """
    raw = read(path)
    for name in raw:
        if name not in (*TABLES, *OLD_TABLES):
            raise GraderError(f"{path}: [{name}]: no such table{did_you_mean(name, TABLES)}")
    if "collapse_fails" in _converted(raw.get("scheduler", {}), dict[str, Any], f"{path}: [scheduler]"):
        _say_once(
            f"{path}: collapse_fails of [scheduler] means nothing any more and was passed over; write "
            "checks = { changes = 6, unit = 2 } into the criterion of the schedule instead"
        )
    entries = _converted(raw.get("thresholds", {}), dict[str, Any], f"{path}: [thresholds]")
    thresholds = {name: _number(value, f"{path}: [thresholds] {name}") for name, value in entries.items()}
    for name in dict.fromkeys((scored or {}).values()):
        _expect_share(name, thresholds, path)
    for name in thresholds:
        if named is not None and name not in named:
            raise GraderError(f"{path}: [thresholds] {name}: no such threshold{did_you_mean(name, named)}")
    below = {ident: thresholds[name] for ident, name in (scored or {}).items()}
    criteria = tuple(_criterion(path, entry, known, below) for entry in _entries(raw, path))
    for ident, times in Counter(criterion.id for criterion in criteria).items():
        if times > 1:
            raise GraderError(f"{path}: criterion '{ident}' stands there {times} times, expected once")
    strict = _converted(raw.get("protected", {}), ProtectedEntry, f"{path}: [protected]").strict
    title = raw.get("assignment", {})
    name = str(title.get("name", path.stem) if isinstance(title, dict) else path.stem)
    return Rubric(name, criteria, thresholds, strict)


def _entries(raw: Mapping[str, Any], path: Path) -> list[dict[str, Any]]:
    entries = raw.get("criteria")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise GraderError(f"{path}: expected criteria, each a table [[criteria]] with id, part, title and points")
    return entries


def _converted(value: Any, kind: type[Entry], where: str) -> Entry:
    """What stands in the file, as what it should be.

    Raises:
        GraderError: it is something else; the line begins with ``where``.
    """
    try:
        return convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        raise GraderError(f"{where}: {place.strip('.`[]')}{': ' * bool(place)}{what[:1].lower()}{what[1:]}") from None


def _number(value: Any, where: str) -> float:
    number = _converted(value, float, where)
    if not math.isfinite(number):
        raise GraderError(f"{where}: expected a number, got {number}")
    return number


def _expect_share(name: str, thresholds: Mapping[str, float], path: Path) -> None:
    """See that a threshold for a score is there, and one that a score can reach."""
    if name not in thresholds:
        raise GraderError(f"{path}: [thresholds] expected {name}, a share from 0 to 1{_meant_in(name, thresholds)}")
    if not 0 <= thresholds[name] <= 1:
        raise GraderError(
            f"{path}: [thresholds] {name}: expected a share from 0 to 1, as 0.88, got {thresholds[name]:g}"
        )


def _criterion(
    path: Path, raw: dict[str, Any], known: Mapping[str, Collection[str]], below: Mapping[str, float]
) -> RubricCriterion:
    ident = str(raw.get("id", ""))
    where = f"{path}: criterion '{ident}'" if ident else f"{path}: a criterion without an id"
    if ident and ident not in known:
        raise GraderError(f"{where} does not exist{did_you_mean(ident, known)}")
    for name in raw:
        if name not in CriterionEntry.__struct_fields__:
            raise GraderError(f"{where}: {name}: no such entry{did_you_mean(name, CriterionEntry.__struct_fields__)}")
    entry = _converted(raw, CriterionEntry, where)
    if not ident:
        raise GraderError(f"{where}: expected one of {', '.join(known)}")
    for name in entry.checks:
        if name not in known[ident]:
            raise GraderError(f"{where}: check '{name}' does not exist{did_you_mean(name, known[ident])}")
    points, total = entry.points, sum(entry.checks.values())
    for name, value in {"points": points, **{f"checks: {name}": value for name, value in entry.checks.items()}}.items():
        if not (math.isfinite(value) and value >= 0):
            raise GraderError(f"{where}: {name}: expected a number of 0 or more, got {value:g}")
    if entry.checks and not abs(total - points) <= 1e-9:
        raise GraderError(f"{where}: points are {points:g}, its checks add up to {total:g}")
    steps = tuple(entry.steps)
    if steps and (problem := _wrong_steps(steps, points, bool(entry.checks), below.get(ident))):
        raise GraderError(f"{where}: steps: {problem}")
    return RubricCriterion(ident, entry.part, entry.title, points, entry.checks, steps)


def _wrong_steps(steps: Sequence[tuple[float, float]], points: float, by_check: bool, threshold: float | None) -> str:
    """What is wrong with the steps of a criterion; empty where nothing is."""
    if threshold is None:
        return "only a criterion whose score is held against a threshold has steps"
    if by_check:
        return "a criterion has steps or points by check, not both"
    if not all(map(math.isfinite, chain(*steps))):
        return "expected numbers"
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


def _meant_in(wanted: str, there: Collection[str]) -> str:
    close = difflib.get_close_matches(wanted, list(there), 1)
    return f"; is '{close[0]}' meant for it?" if close else ""
