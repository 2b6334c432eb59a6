"""A grade as ``--json`` writes it, in the types of ``written``, and back again."""

import contextlib
import dataclasses
import json
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET

from grader import patterns
from grader.errors import GraderError, writing
from grader.records import (
    Adjustment,
    CheckResult,
    CheckStatus,
    CriterionResult,
    Grade,
    GradeWarning,
    Measurement,
    Origin,
)
from grader.reports.written import (
    WrittenAdjustment,
    WrittenCheck,
    WrittenCriterion,
    WrittenGrade,
    WrittenMeasurement,
    WrittenSubmission,
    WrittenWarning,
)

SCHEMA_VERSION: Final = 2


def to_dict(grade: Grade) -> dict[str, Any]:
    """A grade as plain data, keys in the order of the schema; what is optional only where it is known."""
    written = WrittenGrade(
        schema_version=SCHEMA_VERSION,
        submission=WrittenSubmission(
            **{key: _text(grade.submission.get(key, "")) for key in ("name", "path", "sha256")}
        ),
        status=grade.status,
        reason=_text(grade.reason) or UNSET,
        score=_points(grade.score),
        undecided=_points(grade.undecided),
        max_score=_points(grade.max_score),
        seed=grade.seed,
        assignment=grade.assignment or UNSET,
        given=grade.given or UNSET,
        criteria=[_criterion(result) for result in grade.criteria],
        adjustments=[_adjustment(each) for each in grade.adjustments] or UNSET,
        measured={name: round(float(value), 6) for name, value in grade.measured.items() if math.isfinite(value)},
        warnings=[WrittenWarning(code=warning.code, message=_text(warning.message)) for warning in grade.warnings],
        sandbox={key: _text(value) for key, value in grade.sandbox.items()},
        timings={name: round(float(value), 3) for name, value in grade.timings.items()},
    )
    record: dict[str, Any] = msgspec.to_builtins(written)
    return record


def _criterion(result: CriterionResult) -> WrittenCriterion:
    return WrittenCriterion(
        id=result.id,
        part=result.part,
        title=_text(result.title),
        points=_points(result.points),
        max_points=_points(result.max_points),
        status=result.status,
        adjusted=True if result.computed is not None else UNSET,
        feedback=_text(result.feedback),
        origin=_text(str(result.origin)) if result.origin else UNSET,
        checks=[_check(check) for check in result.checks],
    )


def _check(check: CheckResult) -> WrittenCheck:
    measured = check.measurement
    return WrittenCheck(
        name=check.name,
        status=check.status,
        message=_text(check.message),
        hint=_text(check.hint) or UNSET,
        measurement=WrittenMeasurement(**{name: float(value) for name, value in vars(measured).items()})
        if measured
        else UNSET,
    )


def _adjustment(each: Adjustment) -> WrittenAdjustment:
    return WrittenAdjustment(
        criterion=each.criterion, points=_points(each.points), was=_points(each.was), why=_text(each.why),
        comment=_text(each.comment) or UNSET, by=_text(each.by), at=each.at,
    )  # fmt: skip


def _points(value: float) -> float:
    return round(float(value), 4)


def _text(text: str) -> str:
    """Text that every JSON reader takes: half a surrogate pair, as in an undecodable file name, becomes U+FFFD."""
    surrogate = re.compile("[\ud800-\udfff]")
    return surrogate.sub("\ufffd", text)


def from_dict(record: dict[str, Any]) -> Grade:
    """Read a grade back; one of version 1 gave the points of criteria in error, which are open now.

    Raises:
        GraderError: the record is of another schema version, or none.
    """
    if record.get("schema_version") == 1:
        record = _from_version_1(record)
    if record.get("schema_version") != SCHEMA_VERSION:
        seen = record.get("schema_version")
        raise GraderError(f"not a grade of schema version {SCHEMA_VERSION}: schema_version is {seen!r}")
    try:
        adjustments = tuple(Adjustment(**entry) for entry in record.get("adjustments", ()))
        was = {each.criterion: each.was for each in adjustments}
        return Grade(
            submission=dict(record["submission"]),
            status=record["status"],
            score=record["score"],
            max_score=record["max_score"],
            seed=record["seed"],
            criteria=tuple(_read_criterion(entry, was) for entry in record["criteria"]),
            measured=dict(record["measured"]),
            warnings=tuple(GradeWarning(entry["code"], entry["message"]) for entry in record["warnings"]),
            sandbox=dict(record["sandbox"]),
            timings=dict(record["timings"]),
            reason=record.get("reason", ""),
            undecided=record["undecided"],
            given=record.get("given", ""),
            assignment=record.get("assignment", ""),
            adjustments=adjustments,
        )
    except (KeyError, TypeError) as error:
        raise GraderError(f"not a grade: {type(error).__name__}: {error}") from None


def _from_version_1(record: dict[str, Any]) -> dict[str, Any]:
    try:
        criteria = [{**c, "points": 0.0} if c["status"] == "error" else c for c in record["criteria"]]
        was_open = sum(c["points"] for c in record["criteria"] if c["status"] == "error")
        if record["status"] == "needs_review" and not criteria:
            was_open, record = record["max_score"], {**record, "score": record["max_score"]}
        return {
            **record, "schema_version": SCHEMA_VERSION, "criteria": criteria,
            "score": _points(record["score"] - was_open), "undecided": _points(was_open),
        }  # fmt: skip
    except (KeyError, TypeError) as error:
        raise GraderError(f"not a grade: {type(error).__name__}: {error}") from None


def _read_criterion(entry: dict[str, Any], was: Mapping[str, float]) -> CriterionResult:
    found = CriterionResult(
        entry["id"], entry["part"], entry["title"], entry["points"], entry["max_points"],
        entry["status"], entry["feedback"], tuple(map(_read_check, entry["checks"])),
        _read_origin(entry.get("origin", "")),
    )  # fmt: skip
    if not entry.get("adjusted"):
        return found
    return dataclasses.replace(found, computed=dataclasses.replace(found, points=was[found.id]))  # its words are lost


def _read_check(entry: dict[str, Any]) -> CheckResult:
    name, status, message, hint = entry["name"], entry["status"], entry["message"], entry.get("hint", "")
    if "measurement" in entry:
        return CheckResult(name, status, message, hint, Measurement(**entry["measurement"]))
    return _check_result(name, status, message, hint)


@lru_cache(maxsize=4096)  # a class holds a hundred for each submission, and nearly all of them say the same
def _check_result(name: str, status: CheckStatus, message: str, hint: str) -> CheckResult:
    return CheckResult(name, status, message, hint)


@lru_cache(maxsize=4096)  # most of the time of reading a class: they say the same places again and again
def _read_origin(place: str) -> Origin | None:
    place_pattern = patterns.compile(r"(?P<file>.*?)(?:, cell (?P<cell>\d+))?, line (?P<line>\d+)", dot_all=True)
    found = place_pattern.fullmatch(place)
    if found is None:
        return None
    cell = int(found["cell"]) if found["cell"] else None
    return Origin(found["file"], cell, int(found["line"]), None)  # the module's name is not kept


def write(grades: Sequence[Grade], destination: str) -> None:
    """Write one grade as an object, several as a list; "-" is standard output.

    A file is replaced in one step, so that a reader never finds half of it.
    """
    put(text(grades), destination)


def text(grades: Sequence[Grade]) -> str:
    """One grade as an object, several as a list, in JSON."""
    records = [to_dict(grade) for grade in grades]
    whole = records[0] if len(records) == 1 else records
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def put(content: str, destination: str) -> None:
    """Write text to a file, or to standard output where that is "-"."""
    if destination == "-":
        sys.stdout.buffer.write(content.encode())
        sys.stdout.flush()
    else:
        replace(Path(destination), content)


def _is_stream(path: Path) -> bool:
    """Whether what is written there goes on to somewhere else: /dev/null, a pipe, /dev/stderr, whatever that is."""
    return str(path.parent) in ("/dev", "/dev/fd") or (path.exists() and not path.is_file())


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all; what is written to a stream comes behind what was there.

    Raises:
        GraderError: it cannot be written there.
    """
    if _is_stream(path):
        with writing(path), path.open("a", encoding="utf-8") as stream:
            stream.write(text)
        return
    path = Path(os.path.realpath(path))  # a link keeps pointing where it did
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise GraderError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
