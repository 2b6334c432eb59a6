"""Reading what student code gave: numbers wherever they stand, and words for the rest."""

from typing import Any

import numpy as np
import pytest
import torch

from grader.observations import Result, converted
from grader.sandbox.inside import describe
from grader.torchkit.results import numbers_of, single_numbers, words_of


def described(value: Any) -> Any:
    return converted(describe.result(value), Result)


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (torch.ones(2), [1, 1]), (np.arange(2), [0, 1]), (1.5, 1.5), ([1, 2.0], [1, 2]), (((1,), (2,)), [[1], [2]]),
        ([torch.tensor(1), 2], [1, 2]), ([1, "a"], None), ([1, [2]], None), ("a", None), ({"a": 1}, None), ([], None),
    ],
    ids=str,
)  # fmt: skip
def test_numbers_are_read_from_tensors_arrays_and_lists(value: Any, numbers: Any) -> None:
    found = numbers_of(described(value))
    assert found is None if numbers is None else found is not None and found.tolist() == numbers


@pytest.mark.parametrize(
    ("value", "numbers"),
    [(0.5, [0.5]), ((torch.tensor([0.5]), torch.ones(2), "a"), [0.5]), ({"a": 1, "b": {"c": 2}}, [1.0]), ("a", [])],
    ids=str,
)
def test_single_numbers_are_read_from_what_a_container_holds(value: Any, numbers: list[float]) -> None:
    assert single_numbers(described(value)) == numbers


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"), (torch.ones(2, 3), "a tensor of float32, shape (2, 3)"), ((1, 2), "a tuple of 2 values"),
        (np.arange(2), "a NumPy array of int64, shape (2,)"), (0.5, "the number 0.5"), ("ab", "the text 'ab'"),
        ({}, "a dict of 0"), (object(), "object"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_every_result_has_words(value: Any, words: str) -> None:
    assert words_of(described(value)) == words
