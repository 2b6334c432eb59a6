"""Which line a failed criterion shows: that of the name that its failed check is about."""

import dataclasses

import pytest

from grader import scoring
from grader.evidence import Answer, Evidence
from grader.judging import Fail, about
from grader.records import Observation, Origin
from tests.test_undecided import evidence, fails, passes

PLACES = {"First": Origin("a.py", None, 3, None), "Second": Origin("a.py", None, 9, None)}


@about("Second")
def second_fails(seen: Evidence) -> None:
    raise Fail("the second is wrong")


@pytest.mark.parametrize(
    ("functions", "line"),
    [((passes,), 3), ((fails,), 3), ((second_fails,), 9), ((passes, second_fails), 9), ((fails, second_fails), 3)],
    ids=["right", "the first", "the second", "the second alone", "both"],
)
def test_the_line_shown_is_that_of_what_failed(functions, line):
    found = evidence({"a.b": functions})
    program = dataclasses.replace(found.submission.program, names=PLACES)
    criterion = dataclasses.replace(found.assignment.criteria["a.b"], names=tuple(PLACES))
    load = found.answers["load"]
    defined = Observation("value", {"defined": list(PLACES), "problems": []})
    seen = dataclasses.replace(
        found, answers={"load": Answer("load", load.question, defined)}, submission=dataclasses.replace(found.submission, program=program),
        assignment=dataclasses.replace(found.assignment, criteria={"a.b": criterion}),
    )  # fmt: skip
    (result,) = scoring.grade(seen, {}, {}).criteria
    assert result.origin is not None and result.origin.line == line
