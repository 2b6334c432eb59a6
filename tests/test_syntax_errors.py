"""Statements that cannot be parsed or that end the program: what is said, what it costs, what stays open."""

import dataclasses

import pytest

from grader.assignments.vit.model import heads
from grader.records import CheckResult, Judgement, SyntaxProblem
from grader.syntax_errors import explained, syntax_errors
from tests import harness

MISTAKE = SyntaxProblem("a.ipynb", 2, 7, "'(' was never closed", ("ClassificationHead",))
NEWER = dataclasses.replace(MISTAKE, python="3.12")
HEAD = """
from torch import nn
class LinearEmbeddingHead(nn.Linear):
    def __init__(self, hidden_size, embed_size=64):
        super().__init__(hidden_size, embed_size)
"""
LATE = (
    HEAD
    + "class ClassificationHead(nn.Module):\n    def __init__(self, hidden_size, num_classes=10):\n        Lost()\n"
)


def judged(source: str, problem: SyntaxProblem) -> tuple[Judgement, list[str]]:
    """Judge heads of which a statement cannot be parsed."""
    seen = harness.evidence({"vit_model": source}, [heads.TOPIC])
    seen.submission = dataclasses.replace(seen.submission, syntax_errors=(problem,))
    return harness.judged(harness.fresh(seen), "vit.heads"), [warning.message for warning in syntax_errors(seen)]


@pytest.mark.parametrize("problem, status", [(MISTAKE, "missing"), (NEWER, "error")], ids=["a mistake", "newer"])
def test_a_name_whose_definition_cannot_be_parsed_says_so(problem: SyntaxProblem, status: str) -> None:
    verdict, warnings = judged(HEAD, problem)
    assert verdict.status == status
    assert verdict.feedback == f"{problem}, so `ClassificationHead` is not defined"
    assert len(warnings) == 1 and str(problem) in warnings[0]


def test_the_words_name_file_cell_line_and_python() -> None:
    assert str(MISTAKE) == "a.ipynb, cell 2, line 7 cannot be parsed: '(' was never closed"
    assert "cell 2, line 7 needs Python 3.12 or newer" in str(NEWER)


@pytest.mark.parametrize("problem, status", [(MISTAKE, "failed"), (NEWER, "error")], ids=["a mistake", "newer"])
def test_what_uses_a_name_that_was_lost_says_why(problem: SyntaxProblem, status: str) -> None:
    lost = dataclasses.replace(problem, names=("Lost",))
    message = f"raised NameError: name 'Lost' is not defined, because {lost} at a.ipynb, cell 3, line 1"
    results = (CheckResult("shape", "failed", message), CheckResult("linear", "skipped", "see the other checks"))
    seen = harness.evidence({"vit_model": LATE}, [heads.TOPIC])
    seen.submission = dataclasses.replace(seen.submission, syntax_errors=(lost,))
    assert explained(Judgement("failed", message, results), seen) == dataclasses.replace(
        Judgement(status, message, results), results=(dataclasses.replace(results[0], status=status), results[1])
    )


BY = "could not be judged because of a.b: the evaluation calls `ClassificationHead`, which is "


def test_what_could_not_be_parsed_is_not_called_still_to_be_written() -> None:
    seen = harness.evidence({"vit_model": LATE}, [heads.TOPIC])
    seen.submission = dataclasses.replace(seen.submission, syntax_errors=(MISTAKE,))
    verdict = explained(Judgement("blocked", f"{BY}still to be written", (), "a.b"), seen)
    assert verdict.feedback == f"{BY}not defined: {MISTAKE}"


def test_a_cause_that_ends_with_a_question_ends_its_sentence() -> None:
    asking = dataclasses.replace(MISTAKE, message="Did you mean print(...)?")
    assert judged(HEAD, asking)[0].feedback == f"{asking} So `ClassificationHead` is not defined"


def test_another_fault_beside_what_a_newer_python_knows_still_fails() -> None:
    lost = dataclasses.replace(NEWER, names=("Lost",))
    results = (CheckResult("a", "failed", f"because {lost}"), CheckResult("b", "failed", "wrong shape"))
    seen = harness.evidence({"vit_model": LATE}, [heads.TOPIC])
    seen.submission = dataclasses.replace(seen.submission, syntax_errors=(lost,))
    verdict = explained(Judgement("failed", "because of two", results), seen)
    assert verdict.status == "failed" and [r.status for r in verdict.results] == ["error", "failed"]


ENDS = {
    "SystemExit": "raise SystemExit(2)",
    "exit": "import sys\ndef end():\n    sys.exit(2)\nSIZE = end()",
    "os._exit": "import os\nSIZE = os._exit(2)",
    "parse_args": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--n', required=True)\nSIZE = p.parse_args()",
    "KeyboardInterrupt": "def end():\n    raise KeyboardInterrupt\nSIZE = end()",
}


@pytest.mark.parametrize("source", ENDS.values(), ids=ENDS.keys())
def test_a_statement_that_ends_the_program_costs_only_what_needs_it(source: str) -> None:
    other = HEAD.replace("LinearEmbeddingHead", "ClassificationHead").replace("embed_size", "num_classes")
    sources = {"vit_model": f"{source}\n{HEAD}{other.replace('=64', '=10')}"}
    verdict = harness.verdicts(sources, [heads.TOPIC])["vit.heads"]
    assert verdict.status == "passed", verdict.feedback


def test_what_needs_a_statement_that_ended_the_program_says_so() -> None:
    source = "import os\nSIZE = os._exit(2)\nclass ClassificationHead:\n    size = SIZE\n" + HEAD
    feedback = harness.verdicts({"vit_model": source}, [heads.TOPIC])["vit.heads"].feedback
    assert feedback.startswith("vit_model.py, line 2 raised SystemExit: 2, which ends the program")
    assert feedback.endswith(
        ", so vit_model.py, line 4 raised NameError: name 'SIZE' is not defined, so `ClassificationHead` is not defined"
    )
