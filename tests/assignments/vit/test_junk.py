"""Whatever stands in an answer, no check and no warning stumbles: an error of the grader's would cost no points."""

import dataclasses
import random
from pathlib import Path

import pytest
import torch

from bench.answer_changes import as_sent
from grader.assignment import Topic
from grader.assignments.vit import application, augmentation, metric_learning, model, settings, thresholds
from grader.assignments.vit.assignment import VIT
from grader.evidence import Evidence
from grader.given import NO_GIVEN_FILES
from grader.records import CellLog, Observation
from grader.torchkit import devices
from grader.torchkit import fashion_mnist as data
from tests import harness
from tests.assignments.vit.junk import JUNK, changed, paths, with_value, without

REFERENCE = Path(__file__).resolve().parents[3] / "reference"
MODULES = ("hyperparameters", "augmentation", "vit_model", "contrastive", "application")
PARTS = (augmentation, model, metric_learning, application, thresholds)
TOPICS = (
    Topic((settings.PROBE,)), *(part.TOPIC for part in PARTS), Topic((*thresholds.training.PROBES, devices.PROBE))
)  # fmt: skip
LOG = CellLog(3, "train_embedding_model(a, b)", "Epoch 1/1\nBest Precision@1: 0.8135\n", ())
PROBES = [
    "hyperparameters", "devices", "augmentation.test", "augmentation.train", "embeddings", "training", "knn",
    "protected.sampler", "protected.evaluation", "transfer", "checkpoint.classifier", "checkpoint.embeddings",
]  # fmt: skip
SCORED = ("augmentation", "checkpoint", "embeddings")  # answers that the two scores rest on
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def honest() -> Evidence:
    """The reference's evidence; without given files its given blocks are asked for as well."""
    torch.set_num_threads(1)  # as in a worker; two threads that wait for each other take longer than one
    sources = {name: (REFERENCE / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
    files = {name: REFERENCE / name for name in ("vit_classifier.pt", "vit_embeds.pt")}
    seen = harness.evidence(sources, TOPICS, data=data.load(), files=files, cells=(LOG,), sample=100, train="never",
                            given=NO_GIVEN_FILES)  # fmt: skip
    submission = dataclasses.replace(seen.submission, notebook="submission.ipynb")
    return dataclasses.replace(seen, submission=submission, assignment=VIT, verdicts={}, measured={})


def assert_no_error(honest: Evidence, seen: Evidence, probe: str, what: object) -> set[str]:
    """Judge all; the criteria that are lost."""
    if not probe.startswith(SCORED):  # it takes a while, and nothing that it rests on has changed
        seen.measured = dict(honest.measured)
    judged = {criterion: harness.judged(seen, criterion) for criterion in VIT.criteria}
    wrong = [(c, r.message) for c, j in judged.items() for r in j.results if r.status == "error"]
    assert not wrong, (what, wrong[:1])
    for warning in VIT.warnings:
        warning(seen)
    for measure in VIT.measures.values():
        measure(seen)
    return {criterion for criterion, judgement in judged.items() if judgement.status != "passed"}


def test_honest_answers_pass(honest):
    assert assert_no_error(honest, honest, "checkpoint", "") == set()


@pytest.mark.parametrize("probe", PROBES)
def test_junk_for_an_answer_costs_something(honest, probe):
    for name, junk in JUNK.items():
        lost = assert_no_error(honest, with_value(honest, probe, (), junk), probe, (probe, name))
        assert lost or probe in ("hyperparameters", "devices")


@pytest.mark.parametrize("probe", PROBES)
def test_junk_inside_an_answer_is_never_an_error_of_the_graders(honest, probe):
    drawn = random.Random(1)
    places = list(paths(as_sent(honest.answers[probe].observation.value), deep=7))
    for place in drawn.sample(places, min(12, len(places))):
        name = drawn.choice(list(JUNK))
        assert_no_error(honest, with_value(honest, probe, place, JUNK[name]), probe, (place, name))


@pytest.mark.parametrize("probe", PROBES)
def test_a_missing_key_is_never_an_error_of_the_graders(honest, probe):
    drawn = random.Random(2)
    places = [
        p for p in paths(as_sent(honest.answers[probe].observation.value), deep=5) if p and isinstance(p[-1], str)
    ]
    assert places or probe == "devices"  # an honest submission names no device: there is no key to leave out
    for place in drawn.sample(places, min(10, len(places))):
        assert_no_error(honest, without(honest, probe, place), probe, place)


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("outcome", ["crashed", "timeout", "memory", "forged"])
def test_no_answer_costs_something(honest, probe, outcome):
    lost = assert_no_error(honest, changed(honest, probe, Observation(outcome, detail="it ended")), probe, outcome)
    assert lost or probe in ("hyperparameters", "devices")


def test_a_fault_of_the_graders_costs_nothing(honest):
    for probe in PROBES:
        seen = changed(honest, probe, Observation("fault", detail="out of memory"))
        statuses = {c: harness.judged(seen, c).status for c in VIT.criteria}
        failed = [c for c, status in statuses.items() if status not in ("passed", "error")]
        assert set(failed) <= {c for c in VIT.criteria if harness.judged(honest, c).status != "passed"}, (probe, failed)
