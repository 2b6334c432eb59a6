"""Which mistake gives a wrong accuracy."""

import numpy as np
import pytest

from grader.torchkit.accuracy import ObservedAccuracy, StateEvaluation, wrong_accuracy_hint

RIGHT = np.arange(103) % 5 < 2  # 42 of 103
BATCHES = np.array_split(RIGHT, [50, 100])
ALL = ObservedAccuracy(RIGHT, 110, 0.9, [0.3, 0.41], StateEvaluation(BATCHES, 103))


@pytest.mark.parametrize(
    ("acc", "word"),
    [
        (42, "how many"), (1 - 42 / 103, "error rate"), (100 * (1 - 42 / 103), "error rate"),
        (42 / 110, "training set"), (0.9, "training items"), (BATCHES[-1].mean(), "last batch"),
        (42 / 150, "smaller than the others"), (0.3 + 0.41, "goes on"), (float("nan"), "Count the right ones"),
        (0.123, "Count the right ones"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(acc: float, word: str) -> None:
    assert word in wrong_accuracy_hint(float(acc), ALL)


def test_a_part_of_the_test_set_is_named() -> None:
    first = ObservedAccuracy(RIGHT, 110, 0.9, [], StateEvaluation([BATCHES[0][:8]], 8))
    assert "on 8 of 103 test items" in wrong_accuracy_hint(float(BATCHES[0][:8].mean()), first)
