"""Operations that tell the values of a submission's names, and for which devices it asked."""

from typing import Any

from grader.sandbox.inside import describe, devices
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student


@op("names.values")
def values(student: Student, names: list[str]) -> dict[str, Any]:
    """The plain values of names: numbers and strings, the type of anything else; undefined ones are left out."""
    return {name: describe.result(student.get(name)) for name in names if student.has(name)}


@op("devices.hard_coded")
def hard_coded(student: Student) -> list[str]:
    """What asked for a GPU on a machine without one, so far."""
    return list(devices.hard_coded)
