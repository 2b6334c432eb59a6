"""Changes of one kind, made by hand, are told by what they did to the calibration images."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.torchkit.images import families
from grader.torchkit.images.calibration import calibration_images
from grader.torchkit.images.families import kinds_of_change, loose_kinds_of_change

Array = np.ndarray
DRAWS = 48
Change = Callable[[Array, np.random.Generator], Array]


def erased(image: Array, rng: np.random.Generator) -> Array:
    y, x = rng.integers(4, 16, 2)
    image = image.copy()
    image[y : y + 8, x : x + 8] = 0
    return image


ONE_KIND: dict[str, tuple[Change, str]] = {
    "flipped": (lambda image, rng: image[:, ::-1] if rng.random() < 0.5 else image, families.FLIP),
    "upside down": (lambda image, rng: image[::-1] if rng.random() < 0.5 else image, families.UPSIDE_DOWN),
    "turned": (lambda image, rng: np.rot90(image, rng.integers(4)), families.ROTATION),
    "moved": (lambda image, rng: np.roll(image, rng.integers(-3, 4), 1), families.SHIFT),
    "brighter": (lambda image, rng: image * rng.uniform(0.7, 1.3), families.INTENSITY),
    "noisy": (lambda image, rng: image + rng.normal(0, 20, image.shape), families.NOISE),
    "erased": (erased, families.ERASING),
}


def drawn(change: Change, repeats: bool = True) -> tuple[dict[str, Array], Array]:
    """The outputs for each calibration image, with the same draws for all, or with others."""
    images = calibration_images(np.random.default_rng(1))
    outputs = {}
    for number, (name, image) in enumerate(images.items()):
        seeds = [draw if repeats else 1_000 * number + draw for draw in range(DRAWS)]
        outputs[name] = np.stack([change(image.astype(float), np.random.default_rng(seed)) for seed in seeds])
    return outputs, images["texture"]


@pytest.mark.parametrize(("change", "kind"), ONE_KIND.values(), ids=ONE_KIND)
def test_one_kind_of_change_is_one_kind(change: Change, kind: str) -> None:
    assert kinds_of_change(*drawn(change)) == {kind}


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1 / 255 / 0.353, -0.286 / 0.353), (-1.0, 255.0)])
def test_the_normalisation_is_no_kind_of_change(scale: float, shift: float) -> None:
    assert kinds_of_change(*drawn(lambda image, rng: image * scale + shift)) == frozenset()
    change, kind = ONE_KIND["moved"]
    assert kinds_of_change(*drawn(lambda image, rng: change(image, rng) * scale + shift)) == {kind}


@pytest.mark.parametrize("name", ["flipped", "noisy"])
def test_what_cannot_be_repeated_is_told_from_single_images(name: str) -> None:
    change, kind = ONE_KIND[name]
    outputs, _ = drawn(change, repeats=False)
    assert loose_kinds_of_change(outputs) == {kind}


def test_one_value_for_all_shows_nothing() -> None:
    outputs, texture = drawn(lambda image, rng: np.zeros_like(image))
    assert kinds_of_change(outputs, texture) == loose_kinds_of_change(outputs) == frozenset()
