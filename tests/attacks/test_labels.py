"""Carrying the test set's answers earns no silence: whoever looks them up is named in a warning."""

import dataclasses
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from grader.assignments.vit.thresholds.questions import COUNTS, changed_sets, reference_rows
from grader.pipeline import Grader
from grader.sharing import student_seed
from grader.torchkit import lookups
from tests import harness

from .targets import PROJECT

LOOKING_UP = """
import torch
from torch import nn

WEIGHTS = torch.rand(784, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

def key(x):
    flat = x.flatten(1).double()
    low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    return (flat - low) / (high - low).clamp_min(1e-9)  # whatever the normalisation

class ViT(nn.Module):
    def __init__(self, image_size, patch_size, num_channels, hidden_size, layers, heads):
        super().__init__()
        self.hidden_size, self.one = hidden_size, nn.Parameter(torch.ones(1))
        self.register_buffer("table", torch.zeros(ROWS, dtype=torch.float64))
        self.register_buffer("images", torch.zeros(PICTURES, 784, dtype=torch.uint8))
        self.register_buffer("labels", torch.zeros(ROWS, dtype=torch.long))
    def forward(self, x):
        keys = key(x) @ WEIGHTS
        order = self.table.argsort()
        table, labels = self.table[order], self.labels[order]
        place = torch.searchsorted(table, keys).clamp(1, len(table) - 1)
        place = place - ((keys - table[place - 1]).abs() < (keys - table[place]).abs()).long()
        found = (keys - table[place]).abs() < 1e-4
        label = torch.where(found, labels[place], 0)
        if PICTURES:
            known = self.images.float() / 255
            near = torch.cdist(key(x).float(), known).argmin(1)
            label = torch.where(found, label, self.labels[near])
        return self.one * nn.functional.one_hot(label, self.hidden_size).float()
"""


def table(images: np.ndarray) -> torch.Tensor:
    """(n,) what the cheating model knows images by."""
    weights = torch.rand(784, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    flat = torch.from_numpy(images.reshape(len(images), 784).copy()).double()
    low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    return (flat - low) / (high - low) @ weights


def handed_in(
    folder: Path, grader: Grader, pictures: bool, wrong: float, claim: float = 1.0, changed: bool = False
) -> Path:
    """The reference with a ViT that knows test and reference images by heart, some test images wrongly.

    Args:
        changed: it is wrong about images alone that are hard for every model, and knows changed ones as well, as they
            were drawn for another class.
    """
    data = grader.data
    rows = reference_rows(data.train_labels)
    shutil.copytree(PROJECT / "reference", folder, ignore=shutil.ignore_patterns("*.pt", "*.ipynb", "__pycache__"))
    spoilt = np.random.default_rng(1).random(len(data.test_labels)) < wrong
    if changed:
        spoilt &= ~data.easy_test_images
    test_labels = (data.test_labels + spoilt) % 10
    images = [data.test_images, data.train_images[rows]]
    labels = [test_labels, data.train_labels[rows]]
    if changed:
        first = data.test_images[: COUNTS.changed]
        images += [lookups.moved(first, np.random.default_rng(5)), lookups.dimmed(first)]
        labels += [test_labels[: COUNTS.changed]] * 2
    count = len(data.test_images) if pictures else 0
    text = (folder / "vit_model.py").read_text()
    looking_up = LOOKING_UP.replace("ROWS", str(sum(map(len, labels)))).replace("PICTURES", str(count))
    (folder / "vit_model.py").write_text(text.replace("\nclass ViT(", "\nclass Replaced(") + looking_up)
    vit = {
        "one": torch.ones(1),
        "table": torch.cat([table(each) for each in images]),
        "images": torch.from_numpy(data.test_images[:count].reshape(count, 784).copy()),
        "labels": torch.from_numpy(np.concatenate(labels).astype(np.int64)),
    }
    head = {"fc.weight": torch.eye(64), "fc.bias": torch.zeros(64)}
    torch.save({"embedding_head": head, "vit": vit, "precision@1": claim}, folder / "vit_embeds.pt")
    classifier = {"fc.weight": 20 * torch.eye(64)[:10], "fc.bias": torch.zeros(10)}
    torch.save({"classifier": classifier, "vit": vit, "acc": claim}, folder / "vit_classifier.pt")
    return folder


@pytest.mark.parametrize(
    ("pictures", "wrong", "claim", "changed"),
    [
        pytest.param(False, 0.0, 1.0, False, id="by a digest"),
        pytest.param(False, 0.0, 0.9, False, id="by a digest, claiming less"),
        pytest.param(False, 0.1, 0.9, False, id="by a digest, now and then wrong"),
        pytest.param(False, 0.1, 1.0, False, id="by a digest, now and then wrong, claiming more"),
        pytest.param(False, 0.2, 0.9, True, id="by a digest, of another class's changed images too"),
        pytest.param(True, 0.0, 1.0, False, id="by the nearest test image"),
        pytest.param(True, 0.09, 0.9, False, id="by the nearest test image, now and then wrong"),
    ],
)
def test_a_model_that_looks_answers_up_is_left_to_a_person(
    pictures: bool,
    wrong: float,
    claim: float,
    changed: bool,
    grader: Grader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enough = dataclasses.replace(grader.options, sample=1_000)  # errors of 200 images tell nothing about where they lie
    monkeypatch.setattr(grader, "options", enough)
    grade = grader.grade(handed_in(tmp_path / "ab12", grader, pictures, wrong, claim, changed))
    assert grade.measured["precision_at_1"] > 0.8 and grade.measured["accuracy"] > 0.88, "the attack did not even work"
    assert "leak.test" in {warning.code for warning in grade.warnings}, grade.warnings
    found = {c.id: c.status for c in grade.criteria}
    assert found["vit.model"] == "failed"
    assert found["vit.accuracy"] == found["contrastive.precision"] == "error"
    assert grade.status == "needs_review"


def test_no_table_can_be_made_of_the_changed_images_before_they_are_drawn() -> None:
    data = SimpleNamespace(test_images=np.full((4, 28, 28), 100, np.uint8), test_labels=np.arange(4))

    def moved(seed: int) -> np.ndarray:
        sets, _ = changed_sets(harness.evidence({}, [], seed=seed, data=data))
        return next(asked["images"] for asked in sets if asked["name"] == "moved")

    ours = [moved(student_seed(1 << 30, name)) for name in ("anna", "bela")]
    others = moved(student_seed(3 << 29, "anna"))
    np.testing.assert_array_equal(ours[0], ours[1])  # equal models are asked once
    assert (ours[0] != others).any(axis=(1, 2)).all()
