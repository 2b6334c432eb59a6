"""Seeded faults and variants, judged in this process; the whole, checkpoints too, is `grade.py --audit`."""

import hashlib
import re
from pathlib import Path

import pytest

from grader import audit
from grader.assignments.adder import corpus
from grader.assignments.adder.assignment import ADDER, TOPIC
from grader.audit import Case
from grader.errors import GraderError
from grader.pipeline import Options
from grader.records import Judgement
from tests import harness

FAULTS, VARIANTS = corpus.load()
NOT_HERE = {"training.accuracy", "training.log"}  # what rests on the checkpoint and the notebook


def some(cases: list[Case], count: int) -> list[Case]:
    """The same ones every time, spread over what they cost; of those that only code tells of."""
    groups: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).hexdigest()):
        if all(name.endswith(".py") for name in case.edits) and not set(case.costs) & NOT_HERE:
            groups.setdefault(" ".join(case.costs) or case.id.split(".")[0], []).append(case)
    return [case for group in groups.values() for case in group[:count]]


def judged(folder: Path) -> dict[str, Judgement]:
    """The verdicts that need no checkpoint."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    return harness.verdicts(sources, [TOPIC], of=ADDER)


@pytest.mark.parametrize("case", some(FAULTS, 2), ids=lambda case: case.id)
def test_a_fault_costs_its_own_criterion_and_is_named(case: Case, tmp_path: Path) -> None:
    audit.apply(case.edits, ADDER.reference, tmp_path / "ab12")
    found = judged(tmp_path / "ab12")
    lost = {name: v for name, v in found.items() if v.status != "passed" and name not in NOT_HERE}
    follow = {name for name, v in lost.items() if v.status == "blocked" and v.by in case.costs}
    assert set(lost) - follow == set(case.costs)
    assert case.word.lower() in " ".join(lost[name].feedback for name in case.costs).lower()


@pytest.mark.parametrize("case", some(VARIANTS, 3), ids=lambda case: case.id)
def test_a_correct_variant_costs_nothing(case: Case, tmp_path: Path) -> None:
    audit.apply(case.edits, ADDER.reference, tmp_path / "ab12")
    found = judged(tmp_path / "ab12")
    assert {name: v.feedback for name, v in found.items() if v.status != "passed" and name not in NOT_HERE} == {}


WRONG = {
    "a comma forgotten": (
        Case("a.b", {}, ("training.loss")),
        "case a.b: costs: expected a tuple, got the text 'training.loss': is a comma",
    ),
    "a misspelt criterion": (Case("a.b", {}, ("training.lss",)), "case a.b: costs training.lss: there is no such crit"),
    "a file that is not there": (Case("a.b", {"x.py": [("1", "2")]}), "case a.b: x.py: the reference has no such file"),
    "a text that is not there": (
        Case("a.b", {"model.py": [("?!", "2")]}),
        "case a.b: model.py: '?!' stands there 0 times",
    ),
}


@pytest.mark.parametrize("case, line", WRONG.values(), ids=WRONG)
def test_a_case_that_cannot_be_made_is_named(case: Case, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "load", lambda: ([case], []))
    with pytest.raises(GraderError, match=re.escape(line)):
        audit.run(Options(assignment=ADDER), jobs=1, only="a.b")


def test_every_criterion_has_faults_and_every_case_a_name_of_its_own() -> None:
    assert len({case.id for case in FAULTS + VARIANTS}) == len(FAULTS + VARIANTS)
    costs = [ident for case in FAULTS for ident in case.costs]
    assert min(costs.count(ident) for ident in ADDER.criteria) >= 2
