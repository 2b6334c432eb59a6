"""Nearest neighbours: cases are drawn far apart, and each mistake has its words."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.torchkit.neighbours import MIN_GAP, Array, LookUpCase, drawn, wrong_distances_hint, wrong_rows_hint

CASE = drawn(np.random.default_rng(1), 60, 16, 5, batched=True)
RANKING = np.argsort(CASE.distances)
QUERY, BANK = CASE.query.ravel(), CASE.bank


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_lie_apart(seed: int) -> None:
    case = drawn(np.random.default_rng(seed), 40, 8, 3, batched=False, in_bank=True)
    assert case.query.shape == (8,) and case.distances.min() == 0
    assert np.diff(np.sort(case.distances)[:4]).min() > MIN_GAP


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (RANKING[::-1][:5], "farthest"), (RANKING[:5][::-1], "order"), (RANKING[1:6], "left out"),
        (RANKING[:5] + 1, "one too large"), (RANKING[RANKING > 0][:5] - 1, "too small"),
        (np.argsort(RANKING)[:5], "ranks"), (np.argsort(-BANK @ QUERY)[:5], "dot product"),
        (np.argsort(np.abs(BANK - QUERY).sum(1))[:5], "L1"), (np.arange(5), "first rows"),
        (np.argsort(np.linalg.norm(BANK - QUERY, axis=0))[:5], "the 16 columns"),
        (np.array([7, 7, 7, 7, 7]), "Compute the L2 distance"),
    ],
)  # fmt: skip
def test_wrong_rows_are_explained(rows: Array, word: str) -> None:
    assert word in wrong_rows_hint(rows, CASE)


@pytest.mark.parametrize(
    ("of", "word"),
    [
        (np.square, "squared"), (np.negative, "negative"), (lambda d: d / 4, "mean of squared"),
        (lambda d: d**2 / 16, "mean of squared"), (np.flip, "same order"), (lambda d: d * np.nan, "NaN"),
        (lambda d: d + 1, "root of the sum"),
    ],
)  # fmt: skip
def test_wrong_distances_are_explained(of: Callable[[Array], Array], word: str) -> None:
    assert word in wrong_distances_hint(of(CASE.distances[CASE.nearest]), CASE.nearest, CASE)


def test_words_say_how_the_function_is_called() -> None:
    case = LookUpCase(np.zeros((1, 2)), np.zeros((3, 2)), 5, k_given=False)
    assert case.words == "a query of shape (1, 2), a ref of shape (3, 2) and k left at its default, 5"


def test_distances_of_other_rows_than_those_returned_are_called_that() -> None:
    assert "of the first 5 rows of `ref`" in wrong_distances_hint(CASE.distances[:5], CASE.nearest, CASE)
    others = wrong_distances_hint(CASE.distances[[7, 8, 9, 10, 11]], CASE.nearest, CASE)
    assert "of the rows 7, 8, 9, 10, 11 of `ref`" in others
