"""What a ViT that was followed computes with the weights that it had before it was trained."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from grader.assignments.vit.metric_learning.training import IMAGES_ON_LINE
from grader.torchkit.inside.followed_models import FollowedModel
from grader.torchkit.inside.untrained import outputs_before_training
from grader.torchkit.modules import lines
from grader.torchkit.modules.asking import normal

SIZES = {"as drawn": (1, 28, 28), "in colours": (3, 28, 28), "enlarged": (1, 32, 32)}


class Small(nn.Module):
    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, 8), nn.GELU(), nn.BatchNorm1d(8))

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self.layers(images)
        return output


class Random(Small):
    def forward(self, images: Tensor) -> Tensor:
        return dropout(super().forward(images))


def line(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    at = lines.places(rng, IMAGES_ON_LINE)
    return lines.points(rng, normal(rng, 1, 28, 28), at), at


def trained(module: nn.Module, shape: tuple[int, int, int]) -> FollowedModel:
    """A note of a module whose weights have changed since."""
    note = FollowedModel("vit", module, shape=shape)
    note.remember()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(100).add_(1)
    return note


@pytest.mark.parametrize("shape", SIZES.values(), ids=SIZES)
def test_features_before_the_training_lie_on_the_line(shape: tuple[int, int, int]) -> None:
    module = Small(shape[0], shape[1])
    images, at = line()
    before = trained(module, shape)
    after = {name: parameter.clone() for name, parameter in module.named_parameters()}
    outputs = outputs_before_training(before, images)
    assert outputs is not None
    off = lines.off_line(outputs["first"], at)
    assert off is not None and off < lines.MAX_OFF / 3
    assert np.array_equal(*outputs.values())
    assert all(torch.equal(parameter, after[name]) for name, parameter in module.named_parameters())
    assert module.training


def test_features_of_another_line_do_not_lie_on_it() -> None:
    outputs = outputs_before_training(trained(Small(1, 28), (1, 28, 28)), line(1)[0])
    assert outputs is not None
    off = lines.off_line(outputs["first"], line(2)[1])
    assert off is not None and off > 2 * lines.MAX_OFF


def test_chance_in_a_vit_shows_in_features_that_differ() -> None:
    outputs = outputs_before_training(trained(Random(1, 28), (1, 28, 28)), line()[0])
    assert outputs is not None and not np.array_equal(*outputs.values())


def test_a_vit_that_refuses_images_and_one_that_was_not_used_give_nothing() -> None:
    for note in (trained(Small(1, 12), (1, 28, 28)), FollowedModel("vit", Small(1, 28))):
        assert outputs_before_training(note, line()[0]) is None
