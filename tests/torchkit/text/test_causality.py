"""Who looks at whom, told from what replacing a token changed."""

import numpy as np
import pytest

from grader.judging import Fail
from grader.torchkit.text.causality import each_replaced, expect_all_before, expect_causal, influence

T = 5
CAUSAL = np.triu(np.ones((T, T), bool))  # token, place: a token changes what comes out at its own place and later


def test_each_row_has_one_token_replaced() -> None:
    texts = each_replaced(np.arange(3), np.array([7, 8, 9]))
    assert texts.tolist() == [[0, 1, 2], [7, 1, 2], [0, 8, 2], [0, 1, 9]]


def test_influence_is_where_outputs_differ() -> None:
    outputs = np.zeros((3, 2, 4))
    outputs[1, 1, 2] = 0.5
    assert influence(outputs).tolist() == [[False, True], [False, False]]


def test_a_causal_model_passes() -> None:
    expect_causal(CAUSAL, "it")
    expect_all_before(CAUSAL, "it")


@pytest.mark.parametrize(
    ("found", "word"),
    [(np.ones((T, T), bool), "comes later"), (np.triu(np.ones((T, T), bool), -1), "off by one")],
    ids=["no mask", "one ahead"],
)
def test_a_look_ahead_is_named(found: np.ndarray, word: str) -> None:
    with pytest.raises(Fail) as fail:
        expect_causal(found, "it")
    assert word in f"{fail.value.message} {fail.value.hint}"


@pytest.mark.parametrize(
    ("found", "word"),
    [(np.triu(np.ones((T, T), bool), 1), "themselves"), (CAUSAL & ~np.triu(np.ones((T, T), bool), 3), "before it")],
    ids=["not itself", "a window"],
)
def test_a_token_that_is_ignored_is_named(found: np.ndarray, word: str) -> None:
    with pytest.raises(Fail) as fail:
        expect_all_before(found, "it")
    assert word in fail.value.message
