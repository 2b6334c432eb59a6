"""A part of the corpus, end to end: intake, confined workers, checks, scoring. The whole is `grade.py --audit`."""

import hashlib

import pytest

from grader import audit
from grader.assignments.vit import corpus
from grader.audit import AuditedCase, Case
from grader.pipeline import Options

FAULTS_A_CRITERION, VARIANTS_A_TOPIC = 2, 3
FAULTS, VARIANTS = corpus.load()


def some(cases: list[Case], count: int, kind: str) -> list[Case]:
    """The same ones every time, spread over all."""
    groups: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).hexdigest()):
        groups.setdefault(" ".join(case.costs) if kind == "fault" else case.id.split(".")[0], []).append(case)
    return [case for group in groups.values() for case in group[: count if len(group) > 1 else 1]]


CHOSEN = some(FAULTS, FAULTS_A_CRITERION, "fault") + some(VARIANTS, VARIANTS_A_TOPIC, "variant")


@pytest.fixture(scope="module")
def lines() -> dict[str, AuditedCase]:
    """What became of each case."""
    return {line.id: line for line in audit.run(Options(), only={case.id for case in CHOSEN})}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.id)
def test_a_fault_costs_its_own_criteria_and_is_named_and_a_variant_costs_nothing(case: Case, lines) -> None:
    assert not lines[case.id].complaints


def test_every_criterion_has_faults_and_every_case_a_name_of_its_own() -> None:
    assert len({case.id for case in FAULTS + VARIANTS}) == len(FAULTS + VARIANTS)
    costs = [ident for case in FAULTS for ident in case.costs]
    assert min(costs.count(ident) for ident in Options().assignment.criteria) >= 2
    assert len(FAULTS) >= 120 and len(VARIANTS) >= 40
