"""What the attacked workers can be asked: call one of the student's functions."""

from typing import Any

from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student


@op("call")
def call(student: Student, name: str) -> Any:
    """What the student's function of that name returns."""
    return describe.result(student.get(name)())
