"""The types of what ``--json`` writes; ``grader/grade.schema.json`` is made from them.

    python -m grader.reports.written

writes it anew.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from grader.records import CheckStatus, CriterionStatus, GradeStatus

T = TypeVar("T")
SCHEMA = Path(__file__).resolve().parent.parent / "grade.schema.json"

OrLeftOut: TypeAlias = T | UnsetType  # a field that is there only where it is known
Words = Annotated[str, Meta(min_length=1)]
Amount = Annotated[float, Meta(ge=0)]  # points, or seconds
Share = Annotated[float, Meta(ge=0, le=1)]
SANDBOX = ("filesystem", "network", "syscalls", "limits")  # what is said of each submission that ran


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the JSON with named fields, written in this order; it has no others."""


class WrittenSubmission(Written, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="the student's key, from the file or folder name")]
    path: Annotated[str, Meta(description="what was handed in")]
    sha256: Annotated[
        str,
        Meta(
            pattern="^([0-9a-f]{64})?$",
            description="digest over names and bytes of all files; empty when nothing could be read",
        ),
    ]


class WrittenMeasurement(Written, frozen=True, kw_only=True):
    """The score that was held against a threshold, with half the width of its 95 % interval."""

    value: Share
    plus_minus: Share
    needed: float


class WrittenCheck(Written, frozen=True, kw_only=True):
    name: Annotated[str, Meta(pattern="^[a-z0-9_]+$")]
    status: CheckStatus
    message: str
    hint: OrLeftOut[Annotated[Words, Meta(description="the likely cause and where to look")]] = UNSET
    measurement: OrLeftOut[WrittenMeasurement] = UNSET


class WrittenCriterion(Written, frozen=True, kw_only=True):
    id: Annotated[str, Meta(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")]
    part: Annotated[int, Meta(ge=1)]
    title: Words
    points: Amount
    max_points: Amount
    status: CriterionStatus
    adjusted: OrLeftOut[
        Annotated[
            bool,
            Meta(
                description="a person gave the points; feedback and checks say what was computed",
                extra_json_schema={"const": True},
            ),
        ]
    ] = UNSET
    feedback: Words
    origin: OrLeftOut[
        Annotated[Words, Meta(description="where the definition that counts was found: file, cell, line")]
    ] = UNSET
    checks: list[WrittenCheck]


class WrittenAdjustment(Written, frozen=True, kw_only=True):
    """What a person decided in place of what was computed."""

    criterion: Annotated[
        str, Meta(description="its id; score: the whole score of a submission that could not be graded")
    ]
    points: Amount
    was: Annotated[Amount, Meta(description="points that were computed")]
    why: Words
    comment: OrLeftOut[Annotated[Words, Meta(description="what the student reads instead of the reason")]] = UNSET
    by: Words
    at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class WrittenWarning(Written, frozen=True, kw_only=True):
    code: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9_]+[.][a-z0-9_]+$",
            description="what it is about and what of it; the assignment's and the grader's own",
        ),
    ]
    message: Words


class WrittenGrade(Written, frozen=True, kw_only=True):
    schema_version: Literal[2]
    submission: WrittenSubmission
    status: GradeStatus
    reason: OrLeftOut[Annotated[Words, Meta(description="why it was rejected or needs review")]] = UNSET
    score: Amount
    undecided: Annotated[
        Amount, Meta(description="points of criteria in error: neither in the score nor lost, until a person decides")
    ]
    max_score: Amount
    seed: Annotated[int, Meta(ge=0)]
    assignment: OrLeftOut[Annotated[Words, Meta(description="the name of the assignment that was graded")]] = UNSET
    given: OrLeftOut[
        Annotated[
            str,
            Meta(
                pattern="^[0-9a-f]{64}$",
                description="digest over names and texts of the course's given files, which submissions are held "
                "against",
            ),
        ]
    ] = UNSET
    criteria: list[WrittenCriterion]
    adjustments: OrLeftOut[Annotated[list[WrittenAdjustment], Meta(min_length=1)]] = UNSET
    measured: Annotated[dict[str, Share], Meta(description="what the assignment measures, by name")]
    warnings: Annotated[list[WrittenWarning], Meta(extra_json_schema={"uniqueItems": True})]
    sandbox: Annotated[
        dict[str, str],
        Meta(
            description="what held it; tier: which of the grader's kinds of confinement this machine allowed",
            extra_json_schema={"propertyNames": {"enum": [*SANDBOX, "tier"]}},
        ),
    ]
    timings: Annotated[dict[str, Amount], Meta(description="seconds")]


# What one field demands of another, in the words of JSON Schema.
CONDITIONS: dict[str, dict[str, Any]] = {
    "WrittenGrade": {
        "if": {
            "properties": {"status": {"const": "graded"}},
            "not": {  # a person gave the whole score: the grade counts, and still says why it could not be computed
                "required": ["adjustments"],
                "properties": {"adjustments": {"contains": {"properties": {"criterion": {"const": "score"}}}}},
            },
        },
        "then": {
            "properties": {
                "reason": False,
                "undecided": {"const": 0},
                "criteria": {"minItems": 1},
                "submission": {"properties": {"sha256": {"minLength": 64}}},
                "sandbox": {"required": [*SANDBOX]},
                "timings": {"required": ["total"]},
            }
        },
        "else": {"required": ["reason"]},
        "allOf": [
            {
                "if": {"properties": {"status": {"const": "rejected"}}},
                "then": {"properties": {"score": {"const": 0}, "undecided": {"const": 0}}},
            }
        ],
    },
    "WrittenCriterion": {
        "if": {"properties": {"status": {"enum": ["failed", "missing", "blocked", "error"]}}},
        "then": {"properties": {"points": {"const": 0}}},
    },
}


def schema() -> dict[str, Any]:
    """The schema of one grade, or of a list of several."""
    (grade,), parts = msgspec.json.schema_components([WrittenGrade], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What grade.py --json writes",
        "description": "One grade, or a list of grades when several submissions were graded. Nothing beyond what stands "
        "here is written.",
        "anyOf": [grade, {"type": "array", "items": grade}],
        "$defs": {name: {**part, **CONDITIONS.get(name, {})} for name, part in parts.items()},
    }


def text() -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
