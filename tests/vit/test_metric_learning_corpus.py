"""Every fault in part 3 costs its own criteria and says why; every correct variant costs nothing."""

from pathlib import Path

import pytest

import grader.vit.metric_learning as topic
from grader.checking import Judgement
from grader.evidence import Evidence
from tests import harness
from tests.corpus.case import Case
from tests.corpus.faults_contrastive import FAULTS, VARIANTS

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
MODULES = ("hyperparameters", "vit_model", "contrastive")
# Students' code may warn (schedulers about their order); that is no fault of it or of ours.
pytestmark = pytest.mark.filterwarnings("ignore")


def sources_of(case: Case | None) -> dict[str, str]:
    """The modules after the case's edits."""
    sources = {name: (REFERENCE / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
    edit = case.edits["contrastive.py"] if case else []
    if callable(edit):
        return {**sources, "contrastive": edit(sources["contrastive"].encode()).decode()}
    for old, new in edit:
        assert sources["contrastive"].count(old) == 1, f"{old!r} does not stand in the reference once"
        sources["contrastive"] = sources["contrastive"].replace(old, new)
    return sources


def graded(case: Case | None, seed: int = 1) -> tuple[Evidence, dict[str, Judgement]]:
    """The evidence on a case, and the criteria that it loses."""
    seen = harness.evidence(sources_of(case), [topic], seed=seed)
    judged = {criterion.id: seen.judge(criterion.id) for criterion in topic.CRITERIA}
    return seen, {ident: verdict for ident, verdict in judged.items() if verdict.status != "passed"}


def codes(seen: Evidence) -> set[str]:
    return {warning.code for function in topic.WARNINGS for warning in function(seen)}


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.id)
def test_a_fault_costs_its_own_criteria_and_is_named(case: Case) -> None:
    seen, lost = graded(case)
    assert set(lost) == set(case.costs), {ident: verdict.feedback for ident, verdict in lost.items()}
    assert case.word.lower() in " ".join(verdict.feedback for verdict in lost.values()).lower()
    assert "error" not in {verdict.status for verdict in lost.values()}
    assert codes(seen) == set(case.warns)


@pytest.mark.parametrize("case", VARIANTS, ids=lambda case: case.id)
def test_a_correct_variant_costs_nothing(case: Case) -> None:
    seen, lost = graded(case)
    assert not lost, {ident: verdict.feedback for ident, verdict in lost.items()}
    assert codes(seen) == set(case.warns)


@pytest.mark.parametrize("seed", range(5))
def test_the_reference_loses_nothing_with_any_seed(seed: int) -> None:
    seen, lost = graded(None, seed)
    assert not lost and not codes(seen)
