"""What is said of the images that an embedding was trained on, from hand-written observations."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.assignments.vit.inside.lookalike import labels
from grader.assignments.vit.metric_learning import training_items
from grader.torchkit.training_answers import LoadedItems

LABELS = labels(seed=5, per_class=700)
RIGHT = training_items.first_of_each(LABELS)
ALL = np.ones(len(LABELS), dtype=bool)


def first(count: int) -> np.ndarray:
    """The first items of each class."""
    rank = np.zeros(len(LABELS), dtype=int)
    for label in range(10):
        rank[label == LABELS] = np.arange(700)
    return rank < count


def problem(could: np.ndarray, tested: int = 0, samples: tuple[int, ...] = (), **more: Any) -> str:
    facts: dict[str, Any] = {
        "learned": could & False, "could": could, "indices": int(could.sum()), "tested": 0, "unknown": 0,
        "whole": True, "batch": 64, "direct": False, "offered": 0,
    }  # fmt: skip
    counts = {"test_batches": tested, "backwards": 40}
    items = LoadedItems(**facts | more)
    run: Any = SimpleNamespace(items=items, per_class=700, samples=samples, total=counts.__getitem__)
    return training_items._problem(run, items.learned | items.could, LABELS)


def test_the_labels_hold_seven_hundred_of_each_class() -> None:
    assert np.bincount(LABELS).tolist() == [700] * 10


@pytest.mark.parametrize(
    ("could", "more", "words"),
    [
        (ALL, {"direct": True}, "all 60,000 images"),
        (ALL, {"samples": (1_000,)}, "1,000 images of each class instead of 500"),
        (first(600), {}, "600 images of each class"),
        (first(100), {}, "100 images of each class"),
        (first(499), {"offered": 4_990}, "499 images of each class"),
        (first(499), {"samples": (499,)}, "499 images of each class"),
        (first(450), {}, "450 images of each class"),
        (np.roll(RIGHT, 1), {}, "among the first 500"),
        (
            RIGHT & (LABELS < 5),
            {"samples": (500,)},
            "500 images of each of 5 classes and none of the others, instead of",
        ),
        (first(200) & (LABELS < 4), {"samples": (200,)}, "200 images of each of 4 classes and none of the others"),
        (first(500) & (LABELS < 1), {}, "500 images of each of 1 class and none"),
        ((first(100) | (LABELS < 1)) & (LABELS < 3), {}, "900 images, 0 to 700 of a class, instead of 500 of each"),
        (first(100) | (RIGHT & (LABELS < 5)), {}, "3,000 images, 100 to 500 of a class, instead of 500 of each"),
        (RIGHT, {"tested": 3}, "images of the test set: 3 of 40 batches"),
        (ALL & False, {"unknown": 6_000, "indices": 6_000}, "6,000 images instead of 5,000"),
    ],
)
def test_other_images_are_named_as_fashion_mnist_has_them(could: np.ndarray, more: dict[str, Any], words: str) -> None:
    assert words in problem(could, **more)


@pytest.mark.parametrize(
    ("could", "more"),
    [
        (RIGHT, {}),
        (RIGHT & (np.cumsum(RIGHT) <= 4_992), {}),
        (RIGHT & (np.cumsum(RIGHT) <= 4_990), {"offered": 5_000, "samples": (500, 50)}),
        (first(200), {"whole": False}),
        (ALL & False, {"unknown": 5_000, "indices": 5_000}),
        (ALL & False, {"learned": first(100), "whole": False}),
    ],
    ids=["exactly", "last_batch_dropped", "few_sampled_elsewhere", "not_all_looked_at", "unknown_copies", "no_loader"],
)
def test_the_first_five_hundred_of_each_class_are_right(could: np.ndarray, more: dict[str, Any]) -> None:
    assert problem(could, **more) == ""
