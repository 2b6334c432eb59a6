"""Sentences: the list of all that an audit said, how checks' sentences become feedback, and what none may hold."""

import ast
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader import audit
from grader.assignments.vit.assignment import VIT
from grader.judging import Fail
from grader.records import CheckResult, CriterionResult, Grade, GradeWarning, Observation
from grader.reports import messages
from grader.sandbox.outside.replies import observation
from grader.sentences import number_of, objections, running, type_words
from grader.verdicts import judge_in_order
from tests.test_undecided import evidence as evidence_of

GRADER = Path(__file__).resolve().parents[2] / "grader"
OPERATIONS = {probe.op for probe in VIT.probes if "." in probe.op}


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


SPOILED = {
    "a stand-in": "It runs on a stand-in for the ViT",
    "the probe": "The probe's ViT has 3 heads",
    "a worker": "The worker was killed",
    "an operation": "There was no answer to module.run",
    "a path of the checkout": f"No such file: {GRADER}/raised.py",
    "a path of the libraries": f"cannot import name 'loses' ({sys.prefix}/lib/x.py)",
    "a path of the scratch folder": f"No such file: {tempfile.gettempdir()}/x/vit.pt",
    "a doubled chain": "`a` is not defined, because `b` is not defined, because line 3 raised it",
    "missing twice": "Still to do: a. It is still to do: still to do: b",
    "the same twice": "Run the cells again. The log ends early. Run the cells again.",
    "no capital letter": "The shape is wrong. expected a tensor",
}


@pytest.mark.parametrize("text", SPOILED.values(), ids=SPOILED)
def test_a_sentence_that_is_not_for_students_is_objected_to(text: str) -> None:
    assert len(list(objections(text, OPERATIONS))) == 1


PLAIN = (
    "expected a ViT, got None, because x. num_workers=2 is fine. x[:, 0] is a token. Look at the loss; NN.py is right."
)


def test_a_plain_sentence_is_not_objected_to() -> None:
    assert not list(objections(PLAIN, OPERATIONS))


def test_an_audit_complains_of_a_sentence_that_is_not_for_students() -> None:
    auditor = object.__new__(audit.Auditor)
    auditor.grader = SimpleNamespace(assignment=VIT)  # type: ignore[assignment]
    case = SimpleNamespace(costs=(), word="", warns=(), id="x")
    line = auditor._judged("variant", case, (graded("The worker", "w"), None))
    assert "contrastive.training says the grader's own word 'worker'" in line.complaints


def constants() -> Iterator[tuple[str, str]]:
    """The texts in the code that makes sentences for students, docstrings left out."""
    rooms = [*GRADER.glob("assignments/**/*.py"), *GRADER.glob("torchkit/**/*.py")]
    rooms += [
        GRADER / f"{name}.py" for name in ("judging", "verdicts", "missing", "raised", "observations", "syntax_errors")
    ]
    for path in rooms:
        if {"inside", "corpus", "given", "figures"} & set(path.parts):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                yield f"{path.relative_to(GRADER)}, line {node.lineno}", node.value


def test_no_text_that_checks_are_made_of_holds_what_students_should_not_read() -> None:
    texts = [(where, text) for where, text in constants() if " " in text]
    assert len(texts) > 1_000
    assert not [(where, why) for where, text in texts for why in objections(text, OPERATIONS)]


LINES = ("x[:, 0]", "self.positions", "(y, y, y)", "x.shape[1]", "torch.cat([", "idx[:, -model.block_size")


def test_no_text_gives_a_line_of_the_solution_away() -> None:
    told = [(where, text) for where, text in constants() if " " in text]
    assert not [(where, line) for where, text in told for line in LINES if line in text]


def test_what_checks_demand_is_said_in_words_for_students() -> None:
    sentences = [check.sentence for criterion in VIT.criteria.values() for check in criterion.checks]
    assert not [why for sentence in sentences for why in objections(sentence, OPERATIONS)]


def test_a_sentence_that_two_checks_say_stands_once_and_the_next_begins_with_a_capital_letter() -> None:
    def first(evidence: object) -> None:
        """It."""
        raise Fail("the log is not whole", "Run all cells again.")

    def second(evidence: object) -> None:
        """It."""
        raise Fail("the log's best is another", "Run all cells again. Then hand it in.")

    feedback = audit_feedback(first, second)
    assert feedback == "the log is not whole. Run all cells again. The log's best is another. Then hand it in."


def test_an_exception_that_two_checks_met_is_said_once() -> None:
    def first(evidence: object) -> None:
        """It."""
        raise Fail("on an input of shape (2, 3) it raised KeyError: 'a' of 6 at a.py, line 1")

    def second(evidence: object) -> None:
        """It."""
        raise Fail("on an input of shape (5, 3) it raised KeyError: 'a' of 15 at a.py, line 1")

    def elsewhere(evidence: object) -> None:
        """It."""
        raise Fail("on an input of shape (5, 3) it raised KeyError: 'a' of 15 at a.py, line 2")

    said = "on an input of shape (2, 3) it raised KeyError: 'a' of 6 at a.py, line 1."
    assert audit_feedback(first, second) == said
    assert audit_feedback(first, second, elsewhere).startswith(f"{said} On an input of shape (5, 3) it raised")


def audit_feedback(*checks: object) -> str:
    seen = evidence_of({"a.b": checks})
    judge_in_order(("a.b",), seen)
    return str(seen.verdicts["a.b"].feedback)


def test_names_of_code_keep_their_small_letters() -> None:
    assert (
        running(["a. b", "x += 1 works in place", "num_patches is 4"]) == "a. b x += 1 works in place num_patches is 4"
    )


def test_one_of_a_thing_is_no_plural() -> None:
    assert (number_of(1, "class", "classes"), number_of(5_000, "image")) == ("1 class", "5,000 images")
    assert (number_of(1.0, "point"), number_of(2.5, "point")) == ("1 point", "2.5 points")


def test_nothing_is_called_none() -> None:
    assert (type_words("NoneType", "a "), type_words("tuple", "a ")) == ("None", "a tuple")


FORGED = "what came back from running your code was not written by the grader's own code, so it could not be judged"


def test_an_answer_that_the_grader_did_not_write_is_said_in_plain_words() -> None:
    forged: Observation = observation({"value": 1, "raised": 2}, "", 0.0)
    assert (forged.outcome, forged.detail) == ("forged", FORGED) and "no form" in forged.misfit
