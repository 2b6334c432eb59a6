"""Submissions without vit_classifier.pt: what is trained, and what is said when that does not get far."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from grader.assignment import Topic
from grader.assignments.vit import augmentation, model, settings, thresholds
from grader.assignments.vit.thresholds import suspicion, training
from grader.assignments.vit.thresholds.sources import LONGER_TRAINING, TRAINING
from grader.evidence import Answer
from grader.records import Judgement
from grader.torchkit.inside import classifier_training
from grader.torchkit.inside.classifier_training import Recipe
from tests import harness

ROOT = Path(__file__).resolve().parents[3]
SMALL = "patch_size, hidden_size, layers, heads, image_size, in_channels = 14, 32, 1, 2, 28, 1\n"
BREAKS = "        return self.fc(x).reshape(3) if len(x) > 40 else self.fc(x)\n"
TOPICS = [
    Topic((settings.PROBE,)), augmentation.TOPIC, model.TOPIC, thresholds.TOPIC, Topic(thresholds.training.PROBES)
]  # fmt: skip


def sources(folder: str = "reference", **more: str) -> dict[str, str]:
    """Part 1 and 2 of the reference or the template, with a model small enough for a test."""
    names = ("augmentation", "vit_model")
    return (
        {n: (ROOT / folder / f"{n}.py").read_text(encoding="utf-8") for n in names} | {"hyperparameters": SMALL} | more
    )


def garments(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Images with a bright bar whose place tells the class."""
    labels = np.arange(count) % 10
    images = rng.integers(0, 60, (count, 28, 28))
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4 : 2 * label + 6] += 150
    return images.astype(np.uint8), labels.astype(np.uint8)


@pytest.fixture(scope="module")
def data() -> Any:
    rng = np.random.default_rng(0)
    (train, train_labels), (test, test_labels) = garments(6_000, rng), garments(1_000, rng)
    return SimpleNamespace(  # as many as there are in FashionMNIST: probes look at any of them
        train_images=np.tile(train, (10, 1, 1)), train_labels=np.tile(train_labels, 10),
        test_images=np.tile(test, (10, 1, 1)), test_labels=np.tile(test_labels, 10),
        easy_test_images=np.zeros(10_000, bool),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _short_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_training, "RECIPE", Recipe(cycles=(0.1, 0.2)))
    monkeypatch.setattr(suspicion, "suspicion", lambda *_: "")  # bars tell their class by the row: a pixel is too much


def accuracy(texts: dict[str, str], data: Any, **options: Any) -> tuple[Judgement, Any]:
    """The verdict on the accuracy, and the evidence."""
    seen = harness.evidence(
        texts, TOPICS, data=data, **{"train": "auto", "threads": 1, "train_budget": 300.0} | options
    )
    return harness.judged(seen, "vit.accuracy"), seen


def test_a_right_vit_without_a_checkpoint_is_trained_and_passes(data: Any) -> None:
    verdict, seen = accuracy(sources(), data)
    assert verdict.status == "passed", verdict.feedback
    assert seen[TRAINING].value.stopped == "target"
    assert LONGER_TRAINING not in seen.answers


def test_the_same_vit_is_trained_to_the_same_predictions_twice(data: Any) -> None:
    first, second = (accuracy(sources(), data)[1][TRAINING].value.outputs.sets["test"].predicted for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_nothing_is_trained_where_that_was_not_asked_for(data: Any) -> None:
    verdict, seen = accuracy(sources(), data, train="never")
    assert (verdict.status, seen[TRAINING].observation.outcome) == ("missing", "unasked")


def test_the_template_is_not_trained(data: Any) -> None:
    verdict, seen = accuracy(sources("student"), data)
    assert (verdict.status, seen[TRAINING].observation.outcome) == ("blocked", "unasked")


@pytest.mark.parametrize(("seconds", "status"), [(0.02, "error"), (0.001, "failed")], ids=["it had ended", "a claim"])
def test_a_training_is_open_where_the_graders_own_clock_saw_the_budget_end(
    seconds: float, status: str, data: Any
) -> None:
    _, seen = accuracy(sources(), data, train_budget=0.01)
    answer = seen.answers[TRAINING]
    observation = dataclasses.replace(answer.observation, seconds=seconds)
    seen.answers[TRAINING] = Answer(TRAINING, answer.question, observation)
    verdict = harness.judged(harness.fresh(seen, measured={}), "vit.accuracy")
    assert verdict.status == status
    assert ("budget of 0 s" in verdict.feedback) == (status == "error")


def test_a_training_that_held_out_images_ended_too_soon_goes_on(data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_training, "RECIPE", Recipe(margin=-0.85, cycles=(0.003, 0.1, 0.2)))
    monkeypatch.setattr(training, "LIMITS", training.TrainingLimits(raised_by=0.86))
    verdict, seen = accuracy(sources(), data)
    assert [seen[probe].value.stopped for probe in (TRAINING, LONGER_TRAINING)] == ["target", "target"]
    first, second = (seen[probe].value.history for probe in (TRAINING, LONGER_TRAINING))
    assert second[: len(first)] == first and len(second) > len(first)
    assert verdict.status == "passed", verdict.feedback


def test_a_vit_that_learns_nothing_fails_when_it_had_its_time(data: Any) -> None:
    _, seen = accuracy(sources(), data, train_budget=0.01)
    answer = seen.answers[TRAINING]
    value = msgspec.structs.replace(answer.value, passes=12.0)
    seen.answers[TRAINING] = Answer(TRAINING, answer.question, dataclasses.replace(answer.observation, value=value))
    verdict = harness.judged(harness.fresh(seen, measured={}), "vit.accuracy")
    assert verdict.status == "failed"
    assert "after training by the grader" in verdict.feedback


def test_what_training_raises_is_told_with_its_line(data: Any) -> None:
    broken = sources()["vit_model"].replace("        return self.fc(x)\n", BREAKS, 1)
    verdict, _ = accuracy(sources(vit_model=broken), data)
    assert verdict.status == "failed"
    assert "vit_model.py, line" in verdict.feedback
