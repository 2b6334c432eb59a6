"""Schedules meant in epochs and stepped once a batch: what they cost, and what a student is told."""

from pathlib import Path

import pytest

from grader import rubric, scoring
from grader.assignments.vit.assignment import VIT
from grader.assignments.vit.corpus.contrastive_lines import LAST, LR, MADE, SCHEDULE
from grader.assignments.vit.metric_learning import scheduler, training
from grader.records import Judgement
from tests import harness

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("contrastive", "hyperparameters", "vit_model")


def verdict(made: str, per_batch: bool) -> Judgement:
    """The verdict on the reference with another scheduler."""
    texts = {name: (ROOT / "reference" / f"{name}.py").read_text(encoding="utf-8") for name in NAMES}
    text = texts["contrastive"].replace(MADE, f"    scheduler = {made}\n")
    if not per_batch:
        text = text.replace(SCHEDULE, "").replace(LAST, "        scheduler.step()\n" + LAST)
    return harness.verdicts(texts | {"contrastive": text}, [training.TOPIC, scheduler.TOPIC])["contrastive.scheduler"]


@pytest.mark.parametrize(
    ("built", "wrongly"),
    [
        ("ViT(image_size, patch_size, in_channels, ", "ViT(image_size, patch_size, 3, "),
        (
            "ViT(image_size, patch_size, in_channels, hidden_size, ",
            "ViT(image_size, patch_size, hidden_size, in_channels, ",
        ),
        ("LinearEmbeddingHead(hidden_size, ", "LinearEmbeddingHead(heads, "),
    ],
    ids=["channels", "exchanged", "head"],
)
def test_models_that_are_built_with_wrong_arguments_cost_the_scheduler_nothing(built: str, wrongly: str) -> None:
    texts = {name: (ROOT / "reference" / f"{name}.py").read_text(encoding="utf-8") for name in NAMES}
    text = texts["contrastive"].replace(f"= {built}", f"= {wrongly}")
    assert text != texts["contrastive"]
    found = harness.verdicts(texts | {"contrastive": text}, [training.TOPIC, scheduler.TOPIC])
    assert (found["contrastive.training"].status, found["contrastive.scheduler"].status) == ("failed", "passed")


def points(found: Judgement) -> tuple[float, str]:
    criteria = rubric.load(VIT.rubric, harness.EVERYTHING).criteria
    return scoring._points(next(c for c in criteria if c.id == "contrastive.scheduler"), found)


def test_a_schedule_in_epochs_that_is_over_after_a_few_batches_keeps_six_of_eight_points() -> None:
    found = verdict(f"{LR}.MultiStepLR(optimizer, milestones=[10, 15])", per_batch=True)
    assert points(found) == (6.0, "partial")


def test_the_number_of_batches_is_the_students_own() -> None:
    found = verdict(f"{LR}.MultiStepLR(optimizer, milestones=[10, 15])", per_batch=True)
    assert "79 batches make an epoch" in found.feedback  # 5,000 images in batches of 64


@pytest.mark.parametrize("made", ["StepLR(optimizer, step_size=5)", "CosineAnnealingLR(optimizer, num_epochs)"])
def test_the_same_schedules_stepped_once_an_epoch_have_all_points(made: str) -> None:
    assert points(verdict(f"{LR}.{made}", per_batch=False)) == (8.0, "passed")


def test_a_constant_learning_rate_has_no_points() -> None:
    assert points(verdict(f"{LR}.ExponentialLR(optimizer, gamma=1.0)", per_batch=True)) == (0.0, "failed")


def test_a_rubric_with_the_old_switch_loads_and_says_what_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rubric.toml"
    text = VIT.rubric.read_text(encoding="utf-8")
    path.write_text(f"{text}\n[scheduler]\ncollapse_fails = false\n", encoding="utf-8")
    loaded = rubric.load(path, harness.EVERYTHING)
    assert loaded == rubric.load(VIT.rubric, harness.EVERYTHING)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "checks = { changes = 6, unit = 2 }" in said
