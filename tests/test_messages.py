"""The list of all sentences that an audit said: each once, whatever numbers and places differ."""

from grader.records import CheckResult, CriterionResult, Grade, GradeWarning
from grader.reports import messages


def graded(message: str, warning: str) -> Grade:
    checks = (
        CheckResult("steps", "failed", message, "Call optimizer.step()."),
        CheckResult("runs", "passed", "It runs."),
    )
    criterion = CriterionResult("contrastive.training", 3, "Training", 0.0, 12.0, "failed", message, checks)
    return Grade({"name": "x"}, "graded", 0.0, 12.0, 1, (criterion,), warnings=(GradeWarning("miner.unused", warning),))


def test_a_sentence_is_listed_once_with_its_hint_and_the_case_that_shows_it() -> None:
    cases = [("first", graded("0 of 40 steps", "w")), ("second", graded("3 of 50 steps", "w"))]
    assert list(messages.listed(messages.said(cases))) == [
        "",
        "contrastive.training/steps",
        "  failed: 0 of 40 steps  Hint: Call optimizer.step().  [first]",
        "",
        "warning miner.unused",
        "  w  [first]",
    ]
