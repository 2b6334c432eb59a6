"""Affine maps are found again from the sources that they give, and taken to pieces."""

import numpy as np
import pytest

from grader.torchkit.images.affine import LINEAR_PARTS, SYMMETRIES, Affine, fit, grid, resampled, sources_of
from grader.torchkit.images.calibration import SIZE
from grader.torchkit.images.pose import pose

ALL = np.ones((SIZE, SIZE), dtype=bool)


def rotation(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


@pytest.mark.parametrize("robust", [False, True])
def test_a_map_is_fitted_to_its_own_sources(robust: bool) -> None:
    made = Affine(rotation(12) * 1.1, np.array([1.5, -2.0]))
    found = fit(sources_of(made, ALL.shape), ALL, robust)
    assert found is not None and found.distance < 1e-6
    np.testing.assert_allclose(found.linear, made.linear, atol=1e-6)
    np.testing.assert_allclose(found.offset, made.offset, atol=1e-6)


def test_a_robust_fit_passes_over_an_erased_patch() -> None:
    made = Affine(rotation(5), np.array([1.0, 0.0]))
    sources = sources_of(made, ALL.shape)
    sources[8:16, 8:18] = 0.0
    found = fit(sources, ALL, robust=True)
    assert found is not None
    np.testing.assert_allclose(found.linear, made.linear, atol=0.01)


def test_nothing_is_fitted_to_a_few_pixels() -> None:
    few = np.zeros_like(ALL)
    few[10:14, 10:14] = True
    assert fit(grid(ALL.shape), few, robust=True) is None


@pytest.mark.parametrize("number", range(len(SYMMETRIES)))
def test_the_linear_part_of_a_symmetry_moves_pixels_as_it_does(number: int) -> None:
    image = np.random.default_rng(number).integers(0, 256, (SIZE, SIZE))
    sources = sources_of(Affine(LINEAR_PARTS[number], np.zeros(2)), image.shape)
    np.testing.assert_allclose(resampled(image, sources), SYMMETRIES[number](image), atol=1e-3)


def test_a_map_is_taken_to_pieces() -> None:
    found = pose(Affine(rotation(-7) * 1.2, np.array([3.0, 0.0])), ALL.shape)
    assert (found.flipped, found.across, found.down) == (1, 1, 1)
    assert found.angle == pytest.approx(-7) and found.zoom == pytest.approx(np.log(1.2))
    assert found.shear == pytest.approx(0, abs=1e-6) and found.aspect == pytest.approx(0, abs=1e-6)
    assert pose(Affine(np.diag([-1.0, 1.0]), np.zeros(2)), ALL.shape).across == -1
