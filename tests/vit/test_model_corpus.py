"""Every fault in part 2 costs its own criteria and says why; every correct variant costs nothing."""

import functools
from pathlib import Path

import pytest
import torch

from grader.checking import Judgement
from grader.vit.model import block, heads, patches, positions, shapes, whole
from tests import harness
from tests.corpus.case import Case
from tests.corpus.faults_vit import FAULTS, VARIANTS

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "vit_model.py"
TOPICS = [shapes, patches, positions, block, heads, whole]
# Students' code may warn (nn.TransformerEncoder about nested tensors); that is no fault of it or of ours.
pytestmark = pytest.mark.filterwarnings("ignore")


def source_of(case: Case) -> str:
    """The text of ``vit_model.py`` after the case's edits."""
    edit, text = case.edits["vit_model.py"], REFERENCE.read_text(encoding="utf-8")
    if callable(edit):
        return edit(text.encode()).decode()
    for old, new in edit:
        assert text.count(old) == 1, f"{old!r} stands in the reference {text.count(old)} times"
        text = text.replace(old, new)
    return text


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """As in a worker; two threads that wait for each other take longer than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@functools.cache
def judged(case: Case, seed: int = 1) -> tuple[dict[str, Judgement], set[str]]:
    """The verdicts on a case, and the codes of its warnings."""
    seen = harness.evidence({"vit_model": source_of(case)}, TOPICS, seed=seed)
    codes = {warning.code for topic in (shapes, block) for function in topic.WARNINGS for warning in function(seen)}
    return {ident: seen.judge(ident) for ident in seen.assignment.criteria}, codes


def lost(judgements: dict[str, Judgement]) -> dict[str, str]:
    """The criteria that are not passed, with what the student reads."""
    return {i: f"{j.status}: {j.feedback}" for i, j in judgements.items() if j.status != "passed"}


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.id)
def test_a_fault_costs_its_own_criteria_and_the_message_names_it(case):
    judgements, codes = judged(case, seed=1)
    assert set(lost(judgements)) == set(case.costs), lost(judgements)
    assert case.word.lower() in " ".join(judgements[c].feedback for c in case.costs).lower(), lost(judgements)
    assert codes == set(case.warns)


@pytest.mark.parametrize("case", VARIANTS, ids=lambda case: case.id)
def test_a_correct_variant_costs_nothing(case):
    judgements, codes = judged(case, seed=1)
    assert lost(judgements) == {}
    assert codes == set(case.warns)


def test_no_verdict_is_an_error_of_the_graders():
    """That a check fails in a way of its own must not be hidden by another that fails as it should."""
    for case in FAULTS:
        results = [r for judgement in judged(case, seed=1)[0].values() for r in judgement.results]
        assert not [r for r in results if r.status == "error"], case.id


def test_every_check_is_needed_by_a_fault():
    """A check that fails on no fault could be left out."""
    checks = {
        (criterion.id, check.name) for topic in TOPICS for criterion in topic.CRITERIA for check in criterion.checks
    }
    failed: set[tuple[str, str]] = set()
    for case in FAULTS:
        for ident, judgement in judged(case, seed=1)[0].items():
            failed |= {(ident, result.name) for result in judgement.results if result.status == "failed"}
    assert checks <= failed, checks - failed
