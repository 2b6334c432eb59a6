"""The grader writes sums as the template does."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from grader.assignments.adder import sums
from grader.assignments.adder.assignment import ADDER
from grader.assignments.adder.names import BLOCK_SIZE, CHARACTERS


@pytest.fixture(scope="module")
def given() -> dict:
    assert ADDER.reference is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ADDER.reference))
        patch.delitem(sys.modules, "hyperparameters", raising=False)
        found = runpy.run_path(str(Path(ADDER.reference) / "data.py"))
        sys.modules.pop("hyperparameters", None)
    return found


def test_the_same_pairs_are_held_out(given: dict) -> None:
    pairs = [(a, b) for a in range(0, 1000, 7) for b in range(0, 1000, 13)]
    assert [given["held_out"](*pair) for pair in pairs] == [sums.held_out(*pair) for pair in pairs]


def test_a_sum_is_the_same_text_and_the_same_tokens(given: dict) -> None:
    pairs = sums.draw(np.random.default_rng(1), 50, for_testing=True)
    assert [given["text_of"](*pair) for pair in pairs] == [sums.prompt(*p) + sums.answer(*p) for p in pairs]
    assert (given["characters"], given["block_size"]) == (CHARACTERS, BLOCK_SIZE)
    own, ours = given["SumDataset"](pairs, given["Tokenizer"](CHARACTERS)), sums.items(pairs)
    np.testing.assert_array_equal(own.x.numpy(), ours["x"])
    np.testing.assert_array_equal(own.y.numpy(), ours["y"])


@pytest.mark.parametrize("for_testing", [True, False])
def test_what_is_drawn_is_of_one_kind_and_of_all_lengths(for_testing: bool) -> None:
    pairs = sums.draw(np.random.default_rng(2), 500, for_testing)
    assert {sums.held_out(*pair) for pair in pairs} == {for_testing}
    assert {sums.digits(*pair) for pair in pairs} == {1, 2, 3}
