"""Precision@1 against the library that the assignment names."""

import numpy as np
import pytest
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

from grader.torchkit.nearest import nearest_rows


@pytest.mark.parametrize("seed", range(3))
def test_precision_is_the_number_of_pytorch_metric_learning(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, reference_labels = (rng.integers(0, 10, n).astype(np.uint8) for n in (400, 200))
    centres = rng.standard_normal((10, 16))
    query, reference = (
        (centres[own] + 1.5 * rng.standard_normal((len(own), 16))).astype(np.float32)
        for own in (labels, reference_labels)
    )
    theirs = AccuracyCalculator(include=("precision_at_1",), k=1).get_accuracy(
        query, labels.astype(np.int64), reference, reference_labels.astype(np.int64)
    )
    ours = (reference_labels[nearest_rows(query, reference)] == labels).mean()
    assert 0.2 < ours < 0.99
    assert ours == pytest.approx(theirs["precision_at_1"])


def test_the_nearest_row_is_the_one_with_the_smallest_distance() -> None:
    rng = np.random.default_rng(1)
    query, reference = (rng.standard_normal((n, 4)).astype(np.float32) for n in (30, 20))
    expected = [min(range(20), key=lambda r: ((q - reference[r]) ** 2).sum()) for q in query]
    assert nearest_rows(query, reference).tolist() == expected
