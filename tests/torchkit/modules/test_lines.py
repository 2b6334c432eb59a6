"""Outputs for the points of a line, told from outputs for another line."""

import numpy as np
import pytest
import torch
from torch import Tensor

from grader.assignments.vit.metric_learning.training import IMAGES_ON_LINE
from grader.assignments.vit.metric_learning.watched_runs import MAX_WANDER
from grader.torchkit.modules import lines
from grader.torchkit.modules.asking import normal

SHARPNESS = {"as it should be": 1 / 6, "no scale": 1.0, "times the root of the size": 6.0}
SIZE = 36  # of tokens, as small models have it


def attended(tokens: Tensor, scale: float, blocks: int) -> Tensor:
    """The first token after some blocks of attention with random weights.

    Args:
        tokens: (B, N, SIZE).

    Returns:
        (B, SIZE).
    """
    for _ in range(blocks):
        normed = torch.nn.functional.layer_norm(tokens, (SIZE,))
        query, key, value = (normed @ (torch.randn(SIZE, SIZE) / SIZE**0.5) for _ in range(3))
        tokens = tokens + (query @ key.transpose(1, 2) * scale).softmax(-1) @ value
    return tokens[:, 0]


@pytest.mark.parametrize("scale", SHARPNESS.values(), ids=SHARPNESS)
@pytest.mark.parametrize("seed", range(10))
def test_what_attention_of_any_sharpness_makes_of_a_line_follows_it(scale: float, seed: int) -> None:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    at = lines.places(rng, IMAGES_ON_LINE)
    tokens = torch.from_numpy(lines.points(rng, normal(rng, 5, SIZE), at))
    assert lines.wander(attended(tokens, scale, blocks=3).numpy(), at) < MAX_WANDER / 2


def test_answers_to_another_line_wander() -> None:
    rng = np.random.default_rng(1)
    found = [
        lines.wander(lines.places(rng, IMAGES_ON_LINE)[:, None], lines.places(rng, IMAGES_ON_LINE))
        for _ in range(2_000)
    ]
    assert np.mean(np.array(found) <= MAX_WANDER) < 0.005
    assert 0.85 < np.mean(found) < 1


def test_one_jump_on_the_way_is_no_wandering() -> None:
    at = np.array([0.0, 1.0, *np.linspace(0.05, 0.95, IMAGES_ON_LINE)])
    assert lines.wander((at > 0.4)[:, None] * np.ones(3), at) < 0.1
