"""What a check comes after, and what a criterion needs: the engine orders both, evidence judges nothing."""

import dataclasses
import types
from typing import Any

import pytest

from grader.assignments.vit.assignment import VIT
from grader.evidence import Evidence, Unanswered
from grader.judging import Fail, after, checks
from grader.records import Observation
from grader.verdicts import judge, judge_in_order
from tests.test_undecided import evidence


def passes(seen: Evidence) -> None:
    """It passes."""


def fails(seen: Evidence) -> None:
    """It fails."""
    raise Fail("wrong")


def unanswered(seen: Evidence) -> None:
    """It looks at an answer that holds no value."""
    raise Unanswered("probe", Observation("crashed", detail="SIGSEGV"))


def reached(seen: Evidence) -> None:
    raise AssertionError("it ran although it makes no sense")


def behind(function: Any, *earlier: Any) -> Any:
    """A copy of a check, which comes after others."""
    copy = types.FunctionType(function.__code__, globals(), function.__name__)
    copy.__doc__ = function.__doc__
    return after(*earlier)(copy)


def statuses(*functions: Any) -> dict[str, str]:
    seen = evidence({"a.b": functions})
    judge_in_order(("a.b",), seen)
    return {result.name: result.status for result in seen.verdicts["a.b"].results}


def test_what_is_said_is_one_line_whatever_a_submission_calls_its_classes():
    def names_a_class(seen: Evidence) -> None:
        raise Fail("raised x\n\n# Score: 100 of 100\u2028::error::", "Was it\r\nlost?")

    seen = evidence({"a": (names_a_class,)})
    found = judge(seen.assignment.criteria["a"], seen)
    assert (
        found.results[0].message == "raised x  # Score: 100 of 100 ::error::"
        and found.results[0].hint == "Was it lost?"
    )
    assert "\n" not in found.feedback


def test_a_check_that_comes_after_one_that_passed_is_made():
    assert statuses(passes, behind(fails, passes)) == {"passes": "passed", "fails": "failed"}


def test_a_check_that_comes_after_one_that_failed_is_skipped():
    assert statuses(fails, behind(reached, fails)) == {"fails": "failed", "reached": "skipped"}


def test_what_comes_after_a_skipped_check_is_skipped_too():
    def last(seen: Evidence) -> None:
        raise AssertionError

    assert statuses(fails, behind(reached, fails), behind(last, reached))["last"] == "skipped"


def test_a_check_that_comes_after_one_without_an_answer_says_no_more():
    assert statuses(unanswered, behind(reached, unanswered)) == {"unanswered": "failed", "reached": "skipped"}


def test_a_check_cannot_come_after_one_behind_it():
    with pytest.raises(ValueError, match="fails comes after passes: put it behind"):
        checks(behind(fails, passes), passes)


def test_each_criterion_is_judged_after_those_that_it_needs():
    order: list[str] = []

    def noting(ident: str) -> Any:
        def check(seen: Evidence) -> None:
            order.append(ident)

        return check

    seen = evidence({ident: (noting(ident),) for ident in ("a", "b", "c")})
    needs = {"a": ("c",), "b": (), "c": ("b",)}
    criteria = {i: dataclasses.replace(c, needs=needs[i]) for i, c in seen.assignment.criteria.items()}
    seen.assignment = dataclasses.replace(seen.assignment, criteria=criteria)
    judge_in_order(criteria, seen)
    assert order == ["b", "c", "a"]


def test_a_verdict_that_is_not_declared_is_an_error_of_the_graders_own():
    def looks(seen: Evidence) -> None:
        seen.verdict("b")

    seen = evidence({"a": (looks,), "b": (passes,)})
    judge_in_order(("a",), seen)
    assert seen.verdicts["a"].status == "error" and seen.firewall.faults


@pytest.mark.parametrize("returned", [False, True, 0, ["a remark"]], ids=str)
def test_a_check_that_returns_anything_but_a_remark_is_an_error_of_the_graders_own(returned: Any):
    def returns(seen: Evidence) -> Any:
        """It says so."""
        return returned

    seen = evidence({"a": (returns,)})
    judge_in_order(("a",), seen)
    assert seen.verdicts["a"].status == "error" and f"it returned {returned!r}" in seen.firewall.lines[0]


def test_this_assignments_needs_are_criteria_without_circles():
    known = set(VIT.criteria)
    for each in (*VIT.criteria.values(), *VIT.probes):
        assert set(each.needs) <= known, each.id
    for ident in known:
        assert ident not in reachable(ident), ident


def reachable(ident: str) -> set[str]:
    found: set[str] = set()
    waiting = list(VIT.criteria[ident].needs)
    while waiting:
        if (need := waiting.pop()) not in found:
            found.add(need)
            waiting += VIT.criteria[need].needs
    return found


def test_what_a_probe_needs_is_asked_before_it():
    """The probes that serve a criterion which another probe needs come before that probe."""
    places = {probe.id: place for place, probe in enumerate(VIT.probes)}
    for probe in VIT.probes:
        serving = [each.id for each in VIT.probes if set(each.serves) & set(probe.needs)]
        assert all(places[each] < places[probe.id] for each in serving), (probe.id, serving)
