"""Scores that seem to be looked up are told from those of models that recognise images."""

import numpy as np
import pytest

from grader.torchkit.lookups import Bounds, LookUpSigns, dimmed, easy_errors, moved, suspicion

BOUNDS = Bounds(min_kept={"moved": 0.75, "dimmed": 0.90}, max_easy_errors=0.5, max_score=0.975)


@pytest.mark.parametrize(
    "signs",
    [
        LookUpSigns(0.9, {"moved": 0.88, "dimmed": 0.95}, 0.15),
        LookUpSigns(0.9, {}, None),
        LookUpSigns(0.626, {"moved": 0.80, "dimmed": 0.78}, 0.45),  # an honest model that had hardly learnt
    ],
)
def test_a_score_that_honest_models_have_is_not_suspicious(signs: LookUpSigns) -> None:
    assert suspicion("the accuracy", signs, BOUNDS) == ""


@pytest.mark.parametrize(
    ("signs", "word"),
    [
        (LookUpSigns(0.9, {"moved": 0.5, "dimmed": 1.0}, 0.1), "moved by one pixel"),
        (LookUpSigns(0.9, {"moved": 0.95, "dimmed": 0.8}, 0.1), "dimmed"),
        (LookUpSigns(0.626, {"moved": 0.95, "dimmed": 0.7}, 0.1), "dimmed"),
        (LookUpSigns(0.9, {"moved": 0.95, "dimmed": 1.0}, 1.0), "as frequent on easy images as on hard ones"),
        (LookUpSigns(0.999, {"moved": 1.0, "dimmed": 1.0}, None), "more than any published model"),
    ],
)
def test_each_sign_of_a_look_up_is_said(signs: LookUpSigns, word: str) -> None:
    said = suspicion("the accuracy", signs, BOUNDS)
    assert said.startswith(f"the accuracy is {signs.score:.3f}") and word in said


def test_errors_on_easy_images_are_counted_against_all_errors() -> None:
    rng = np.random.default_rng(1)
    easy = rng.random(2000) < 0.5
    everywhere = rng.random(2000) < 0.1
    assert easy_errors(everywhere, easy) == pytest.approx(1.0, abs=0.3)
    assert easy_errors(everywhere & ~easy, easy) == 0.0
    assert easy_errors(np.zeros(2000, bool), easy) is None


def test_moved_images_are_drawn_and_black_stays_black() -> None:
    images = np.zeros((8, 28, 28), np.uint8)
    images[:, 10:14, 10:14] = 200
    first, again, other = (moved(images, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).all()
    assert first.dtype == np.uint8 and (first != images).any(axis=(1, 2)).all()
    assert (first[:, :9] == 0).all() and (first[:, 15:] == 0).all()


def test_dimmed_images_have_seven_tenths_of_the_light() -> None:
    assert dimmed(np.array([[[0, 100, 255]]], np.uint8)).tolist() == [[[0, 70, 178]]]
