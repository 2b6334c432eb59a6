"""The mean cross-entropy over tokens, held against torch's; and the mistake that gives another number."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from grader.torchkit.text.token_losses import IGNORED_TARGET, mean_cross_entropy, why_other_loss

RNG = np.random.default_rng(1)
LOGITS, TARGETS = 2 * RNG.standard_normal((3, 5, 7)), RNG.integers(0, 7, (3, 5))
TARGETS[:, :2] = IGNORED_TARGET
TARGETS[0, 3] = IGNORED_TARGET


def by_torch(logits: np.ndarray, targets: np.ndarray, **options: str) -> float:
    rows, wanted = torch.from_numpy(logits.copy()).flatten(0, 1), torch.from_numpy(targets.copy()).flatten()
    return float(F.cross_entropy(rows, wanted, ignore_index=IGNORED_TARGET, **options))


def test_it_is_what_torch_computes() -> None:
    assert mean_cross_entropy(LOGITS, TARGETS) == pytest.approx(by_torch(LOGITS, TARGETS))


@pytest.mark.parametrize(
    ("loss", "word"),
    [
        (by_torch(LOGITS, TARGETS, reduction="sum"), "sum"),
        (by_torch(LOGITS, TARGETS, reduction="sum") / TARGETS.size, "all tokens"),
        (by_torch(LOGITS[:, :-1], TARGETS[:, 1:]), "shifted once more"),
        (by_torch(LOGITS, np.where(TARGETS == IGNORED_TARGET, 0, TARGETS)), "-100 stands for no class"),
        (123.4, ""),
    ],
    ids=["sum", "divided by all", "shifted twice", "ignored ones count", "unknown"],
)
def test_a_mistake_is_named_by_its_number(loss: float, word: str) -> None:
    said = why_other_loss(loss, LOGITS, TARGETS)
    assert word in said if word else said == ""
