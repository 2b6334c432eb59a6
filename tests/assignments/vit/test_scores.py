"""Precision@1 against the library that the assignment names."""

import numpy as np
import pytest
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

from grader.assignments.vit.thresholds.claims import CLASSIFIER, EMBEDDINGS
from grader.assignments.vit.thresholds.lookups import Signs, easy_errors, suspicion
from grader.assignments.vit.thresholds.scores import precision_at_1


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
    ours = precision_at_1(query, labels, reference, reference_labels)
    assert 0.2 < ours < 0.99
    assert ours == pytest.approx(theirs["precision_at_1"])


@pytest.mark.parametrize("probe", [CLASSIFIER, EMBEDDINGS])
def test_a_score_that_honest_models_have_is_not_suspicious(probe: str) -> None:
    assert suspicion(probe, Signs(0.9, {"moved": 0.88, "dimmed": 0.95}, 0.15)) == ""
    assert suspicion(probe, Signs(0.9, {}, None)) == ""


@pytest.mark.parametrize(
    ("signs", "word"),
    [
        (Signs(0.9, {"moved": 0.5, "dimmed": 1.0}, 0.1), "moved by one pixel"),
        (Signs(0.9, {"moved": 0.95, "dimmed": 0.8}, 0.1), "dimmed"),
        (Signs(0.9, {"moved": 0.95, "dimmed": 1.0}, 1.0), "as frequent on easy images as on hard ones"),
        (Signs(0.999, {"moved": 1.0, "dimmed": 1.0}, None), "more than any published model"),
    ],
)
def test_each_sign_of_a_look_up_is_said(signs: Signs, word: str) -> None:
    assert word in suspicion(CLASSIFIER, signs)


def test_errors_on_easy_images_are_counted_against_all_errors() -> None:
    rng = np.random.default_rng(1)
    easy = rng.random(2000) < 0.5
    everywhere = rng.random(2000) < 0.1
    assert easy_errors(everywhere, easy) == pytest.approx(1.0, abs=0.3)
    assert easy_errors(everywhere & ~easy, easy) == 0.0
    assert easy_errors(np.zeros(2000, bool), easy) is None
