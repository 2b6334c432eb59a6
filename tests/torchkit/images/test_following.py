"""Whether outputs of transforms go with the images that were put in: hard right ones, and answers to other images."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d
from torchvision import transforms

from grader.torchkit.images.calibration import CELL, CELLS, coarse_images
from grader.torchkit.images.following import MIN_CLEARNESS, clearness

Array = np.ndarray


def each_to_its_own_spread(image: torch.Tensor) -> torch.Tensor:
    return (image - image.mean()) / (image.std() + 1e-3)


HARD: dict[str, list[Any]] = {
    "turned and each to its own spread": [transforms.RandomRotation(180), transforms.ToTensor(), each_to_its_own_spread],
    "brightness and contrast": [transforms.ColorJitter((0, 2), (0, 2)), transforms.ToTensor()],
    "inverted": [transforms.RandomInvert(), transforms.RandomHorizontalFlip(), transforms.ToTensor()],
    "elastic": [transforms.ElasticTransform(120.0), transforms.ToTensor(), each_to_its_own_spread],
    "equalised": [transforms.RandomEqualize(1.0), transforms.ToTensor()],
    "noise": [transforms.ToTensor(), lambda image: image + torch.randn_like(image)],
    "enlarged": [transforms.CenterCrop(20), transforms.Resize(28), transforms.ToTensor(), each_to_its_own_spread],
}  # fmt: skip


def cells(images: Array) -> Array:
    return images.reshape(len(images), CELLS, CELL, CELLS, CELL).mean((2, 4))


def applied(transform: Callable[[Any], torch.Tensor], images: Array) -> Array:
    outputs = [adaptive_avg_pool2d(transform(Image.fromarray(image)), CELLS).mean(0) for image in images]
    return torch.stack(outputs).double().numpy()


@pytest.mark.parametrize("steps", HARD.values(), ids=HARD)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_made_of_images_follows_them(steps: list[Any], seed: int) -> None:
    torch.manual_seed(seed)
    images = coarse_images(np.random.default_rng(seed))
    assert clearness(cells(images), applied(transforms.Compose(steps), images)) > 1.5 * MIN_CLEARNESS


@pytest.mark.parametrize("seed", range(10))
def test_what_was_made_of_other_images_does_not(seed: int) -> None:
    images, others = (coarse_images(np.random.default_rng(number)) for number in (seed, seed + 1_000))
    assert clearness(cells(images), cells(others)) < 0.8 * MIN_CLEARNESS


def test_outputs_that_are_all_the_same_do_not_follow() -> None:
    images = cells(coarse_images(np.random.default_rng(1)))
    assert clearness(images, np.zeros_like(images)) == 0
