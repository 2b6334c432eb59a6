"""What is open: neither in the score nor lost, whatever else is decided, and handed on to nobody."""

import dataclasses
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader import rubric, scoring
from grader.assignment import Assignment
from grader.assignments.vit.assignment import VIT
from grader.commands import grading
from grader.errors import GraderError, Unreadable
from grader.evidence import Answer, Evidence, Probe, Question, Unanswered
from grader.exports import FORMATS
from grader.exports.result import of_entry, of_grade
from grader.gradebook.late import Lateness
from grader.gradebook.reader import GradedSubmission
from grader.judging import Blocked, Criterion, Fail, Skip, Undecided, checks
from grader.probing import ask_all
from grader.records import Grade, Observation, Program, Submission
from grader.reports.html import classroom, inline, student
from grader.rubric import RubricCriterion
from grader.rubric_reads import RubricReads
from grader.sandbox.outside.warm import WarmWorkers
from tests import grades, harness

LOADED = Answer("load", Question({}), Observation("value", {"defined": [], "problems": []}))
OPEN = grades.grade("ef56", vit_model=("error", "out of memory"), vit_heads=("failed", "no"))
OPEN = dataclasses.replace(OPEN, status="needs_review", reason="not decided: vit.model; 5 points stay open")


def passes(seen: Evidence) -> None:
    """It is right."""


def fails(seen: Evidence) -> None:
    """It is wrong."""
    raise Fail("wrong")


def is_open(seen: Evidence) -> None:
    """It is too early to tell."""
    raise Undecided("too early to tell")


def breaks(seen: Evidence) -> None:
    """It is broken."""
    raise RecursionError


def skips(seen: Evidence) -> None:
    """It comes after another."""
    raise Skip


def blocked_by(ident: str) -> Any:
    def waits(seen: Evidence) -> None:
        """It waits."""
        raise Blocked(ident, "not yet")

    return waits


def evidence(criteria: dict[str, tuple[Any, ...]], points: dict[str, dict[str, float]] | None = None) -> Evidence:
    """Evidence of nothing, for criteria of 6 points each with these checks."""
    made = {ident: Criterion(ident, checks(*functions)) for ident, functions in criteria.items()}
    entries = tuple(RubricCriterion(ident, 1, ident, 6.0, (points or {}).get(ident, {})) for ident in criteria)
    whole = dataclasses.replace(rubric.load(VIT.rubric, harness.EVERYTHING), criteria=entries)
    submission = Submission("ab12", Path(), Path(), "", None, Program((), {}, {}), (), {})
    assignment = Assignment("test", VIT.rubric, (), (), (), (), (), made)
    return Evidence(submission, 1, RubricReads(whole), None, assignment, answers={"load": LOADED})  # type: ignore[arg-type]


def graded(criteria: dict[str, tuple[Any, ...]], points: dict[str, dict[str, float]] | None = None) -> Grade:
    return scoring.grade(evidence(criteria, points), {}, {})


CASES = {
    "all passed": ((passes, passes), {}, (6, 0)),
    "a failed check decides it": ((fails, is_open), {}, (0, 0)),
    "one is open": ((passes, is_open), {}, (0, 6)),
    "one broke": ((passes, breaks), {}, (0, 6)),
    "an open check that has points leaves all of it open": ((passes, is_open), {"passes": 4, "is_open": 2}, (0, 6)),
    "whatever failed beside it": ((fails, is_open), {"fails": 4, "is_open": 2}, (0, 6)),
    "one without points decides nothing": ((passes, fails, is_open), {"passes": 4, "fails": 2}, (4, 0)),
    "nothing was looked at": ((skips,), {}, (0, 0)),
}


@pytest.mark.parametrize(("functions", "points", "expected"), CASES.values(), ids=CASES)
def test_what_is_open_is_neither_given_nor_lost(
    functions: tuple[Any, ...], points: dict[str, float], expected: tuple[float, float]
) -> None:
    grade = graded({"a.b": functions}, {"a.b": points})
    assert (grade.score, grade.undecided) == expected
    assert (grade.status == "needs_review") == (grade.undecided > 0) == bool(grade.reason)


def test_what_an_open_criterion_blocks_is_open_too() -> None:
    grade = graded({"a.a": (blocked_by("a.b"),), "a.b": (blocked_by("a.c"),), "a.c": (is_open,), "a.d": (passes,)})
    assert [c.status for c in grade.criteria] == ["error", "error", "error", "passed"]
    assert (grade.score, grade.undecided) == (6, 18)


def test_what_a_failed_criterion_blocks_is_lost_and_a_circle_ends() -> None:
    grade = graded({"a.a": (blocked_by("a.b"),), "a.b": (fails,), "a.c": (blocked_by("a.c"),)})
    assert [c.status for c in grade.criteria] == ["blocked", "failed", "blocked"] and grade.undecided == 0


def test_a_blocked_check_after_a_broken_one_is_open() -> None:
    assert graded({"a.a": (breaks, blocked_by("a.b")), "a.b": (fails,)}).criteria[0].status == "error"


def test_what_nothing_was_looked_at_for_is_open_where_another_question_was_a_fault() -> None:
    seen = evidence({"a.b": (skips,)})
    seen.answers["other"] = Answer("other", Question({}), Observation("fault", detail="out of memory"))
    assert harness.judged(seen, "a.b").status == "error"


def unanswered(outcome: Any) -> Unanswered:
    return Unanswered("first", Observation(outcome, detail="it ended"))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (unanswered("crashed"), "unasked"), (unanswered("fault"), "fault"),
        (Fail("no"), "unasked"), (Blocked("a.b", "no"), "unasked"), (Undecided("early"), "fault"),
        (ValueError("Exceeds the limit (4300 digits)"), "fault"), (RecursionError(), "fault"), (MemoryError(), "fault"),
        (OverflowError(), "fault"), (GraderError("no worker"), "fault"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["build", "when"])
def test_what_stands_for_a_question_that_cannot_be_put_together(part: str, error: Exception, outcome: str) -> None:
    def raises(*_: Any) -> Any:
        raise error

    probe = dataclasses.replace(Probe("p", "p", lambda seen, rng: Question({})), **{part: raises})
    seen = evidence({"a.b": (passes,)})
    ask_all([probe], seen, lambda probe, question: Observation("value", 1))
    assert seen["p"].observation.outcome == outcome
    assert bool(seen.firewall.faults) == (not isinstance(error, Unanswered | Fail | Blocked | Undecided))


@pytest.mark.parametrize("apart", [False, True])
def test_a_worker_that_is_lost_costs_what_it_was_asked(apart: bool) -> None:
    probes = [
        Probe("load", "load", lambda seen, rng: Question({})),
        Probe("p", "p", lambda s, r: Question({}), in_parallel=apart),
    ]

    def ask(probe: Probe, question: Question) -> Observation:
        if probe.id == "p":
            raise BrokenPipeError(32, "Broken pipe")
        return LOADED.observation

    seen = evidence({"a.b": (lambda seen: seen["p"].value and None,), "a.c": (passes,)})
    ask_all(probes, seen, ask)
    grade = scoring.grade(seen, {}, {})
    assert [c.status for c in grade.criteria] == ["error", "passed"]
    assert "the way to the worker for the question p" in grade.warnings[0].message


def test_where_no_worker_can_be_had_at_all_nothing_is_graded() -> None:
    def ask(probe: Probe, question: Question) -> Observation:
        raise GraderError("worker could not start: no space left on device")

    with pytest.raises(GraderError, match="no space"):
        ask_all([Probe("load", "load", lambda seen, rng: Question({}))], evidence({"a.b": (passes,)}), ask)


def test_damaged_evidence_ends_a_regrade_and_no_check() -> None:
    def reads(seen: Evidence) -> None:
        """It reads."""
        raise Unreadable("a kept observation cannot be read")

    with pytest.raises(Unreadable):
        graded({"a.b": (reads,)})


def test_code_longer_than_a_worker_takes_is_the_submissions_own_doing() -> None:
    workers = WarmWorkers([], {}, libraries=["torch"], unconfined=True)
    piece = {"source": f"x = '{'a' * (9 << 20)}'", "file": "a.py", "cell": None, "line": 1}
    worker = workers.open({"main": [piece], "modules": {}, "names": {}}, "")
    try:
        seen = worker.ask("load", {}, 30.0)
    finally:
        worker.close()
        workers.close()
    assert (seen.outcome, seen.detail) == (
        "crashed",
        "the code handed in is too long: 8 MiB at most, data in it included",
    )


def test_every_report_says_what_is_open() -> None:
    words = "93 + 5 open"
    assert OPEN.total == words
    assert f"{words} of 100 points" in FORMATS["md"].write([of_grade(OPEN)]) and words in FORMATS["junit"].write(
        [of_grade(OPEN)]
    )
    assert "93 + 5 open" in inline.fragment(OPEN) and words in student.page(OPEN)
    shown = classroom.page([classroom.ClassRow(OPEN), classroom.ClassRow(grades.grade("a"))])
    assert "<b>93</b> + 5 open" in shown and "<dt>Mean</dt><dd>100</dd>" in shown


def test_an_open_grade_is_hidden_in_gradescope_and_passes_nothing_in_a_classroom() -> None:
    whole = json.loads(FORMATS["gradescope"].write([of_grade(OPEN)]))
    assert (whole["visibility"], whole["score"]) == ("hidden", 93)
    assert "visibility" not in json.loads(FORMATS["gradescope"].write([of_grade(grades.grade())]))
    tests = json.loads(FORMATS["classroom50"].write([of_grade(OPEN)]))["tests"]
    assert [(t["score"], t["passed"]) for t in tests if t["test-name"] == "vit.model"] == [(0, False)]


def test_lateness_is_charged_once_a_grade_is_decided() -> None:
    row: Any = SimpleNamespace(key="ef56", student=None, path=Path())
    kept: Any = SimpleNamespace(grade=OPEN)
    entry = GradedSubmission(row, kept, "ef56", OPEN, Lateness(2, 0, 20.0), ("ef56",))
    assert entry.points == 93 and "charged once the grade is decided" in of_entry(entry).note
    assert dataclasses.replace(entry, grade=grades.grade()).points == 80


@pytest.mark.parametrize("least", [None, 0.0, 50.0])
def test_an_open_grade_never_ends_with_status_0(least: float | None) -> None:
    assert grading.exit_status([OPEN], least) == 1


def test_what_a_warnings_function_gives_that_is_no_warning_is_left_out():
    def says(seen: Evidence) -> Any:
        return ["a text"]

    seen = evidence({"a.b": (passes,)})
    seen.assignment = dataclasses.replace(seen.assignment, warnings=(says,))
    (warning,) = scoring.grade(seen, {}, {}).warnings
    assert warning.code == "grader.error" and "the warning says" in warning.message


def test_what_is_blocked_by_a_criterion_that_is_not_there_stays_open():
    grade = graded({"model": (passes,), "heads": (blocked_by("modle"),)})
    assert [each.status for each in grade.criteria] == ["passed", "error"] and grade.undecided == 6
    assert "there is no criterion 'modle', did you mean 'model'?" in grade.warnings[0].message


def test_a_check_and_a_question_that_end_the_program_end_themselves_alone():
    def ends(seen: Evidence) -> None:
        """It ends the program."""
        sys.exit(3)

    grade = graded({"a": (ends,), "b": (passes,)})
    assert [each.status for each in grade.criteria] == ["error", "passed"] and "SystemExit: 3" in grade.warnings[
        0
    ].message
    seen = evidence({"a": (passes,)})
    probe = Probe("p", "op", lambda seen, rng: sys.exit(3))
    ask_all([probe], seen, lambda probe, question: Observation("value", 1))
    assert seen.answers["p"].observation.outcome == "fault" and "SystemExit: 3" in seen.firewall.lines[0]
