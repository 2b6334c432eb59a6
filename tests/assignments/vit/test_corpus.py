"""A part of the corpus, end to end: intake, confined workers, checks, scoring. The whole is `grade.py --audit`."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import audit
from grader.assignments.vit import corpus
from grader.assignments.vit.assignment import VIT
from grader.audit import AuditedCase, Case
from grader.pipeline import Options

FAULTS, VARIANTS = corpus.load()
Group = tuple[str, ...]


def some(cases: list[Case], group: Callable[[Case], Group], count: Callable[[Group], int]) -> list[Case]:
    """So many of each group, the same ones every time; one that hangs, and is waited for, where there is no other."""
    groups: dict[Group, list[Case]] = {}
    for case in sorted(cases, key=lambda c: (c.id.startswith("time."), hashlib.sha256(c.id.encode()).hexdigest())):
        groups.setdefault(group(case), []).append(case)
    return [case for name, found in groups.items() for case in found[: count(name)]]


CHOSEN = [  # two faults of each criterion alone, one of those that cost several; three variants of each topic
    *some(FAULTS, lambda case: tuple(case.costs), lambda costs: 2 if len(costs) == 1 else 1),
    *some(VARIANTS, lambda case: (case.id.split(".")[0],), lambda topic: 3),
]


@pytest.fixture(scope="module")
def lines() -> dict[str, AuditedCase]:
    """What became of each case."""
    return {line.id: line for line in audit.run(Options(), only={case.id for case in CHOSEN}, parts=True)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.id)
def test_a_fault_costs_its_own_criteria_and_is_named_and_a_variant_costs_nothing(case: Case, lines) -> None:
    assert not lines[case.id].complaints


def test_every_criterion_has_faults_and_every_case_a_name_of_its_own() -> None:
    assert len({case.id for case in FAULTS + VARIANTS}) == len(FAULTS + VARIANTS)
    costs = [ident for case in FAULTS for ident in case.costs]
    assert min(costs.count(ident) for ident in Options().assignment.criteria) >= 2
    assert len(FAULTS) >= 120 and len(VARIANTS) >= 40


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("edited", "asked"),
    [
        ("augmentation.py", {"augmentation"}),
        ("vit_model.py", {"vit_model", "contrastive", "application"}),
        ("hyperparameters.py", set(corpus.PARTS)),
        ("contrastive.py", {"contrastive"}),
        ("application.py", {"application"}),
        ("vit_embeds.pt", set()),
        ("submission.ipynb", set(corpus.PARTS)),
        ("new.py", set(corpus.PARTS)),
    ],
)
def test_what_an_edit_can_reach_is_asked_anew(edited: str, asked: set[str], tmp_path: Path) -> None:
    submission = shutil.copytree(VIT.reference, tmp_path / "submission")
    if edited == "submission.ipynb":
        rewrite(submission / edited, "precision:.4f", "precision:.3f")
    kept = corpus.same_answers([edited], submission, VIT.reference, parts=True)
    assert {module for module, probes in corpus.PARTS.items() if not set(probes) <= set(kept)} == asked
    assert {probe for probes in corpus.PARTS.values() for probe in probes} < {probe.id for probe in VIT.probes}


def test_what_a_notebook_has_printed_reaches_no_answer(tmp_path: Path) -> None:
    submission = shutil.copytree(VIT.reference, tmp_path / "submission")
    rewrite(submission / "submission.ipynb", "0.8119\\n", "0.9119\\n")
    kept = corpus.same_answers(["submission.ipynb"], submission, VIT.reference, parts=True)
    assert {probe for probes in corpus.PARTS.values() for probe in probes} <= set(kept)
