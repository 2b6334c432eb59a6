"""What attention adds to a token comes from its neighbours."""

import numpy as np
import pytest

from grader.judging import Fail
from grader.torchkit.modules.blocks import expect_values_of_others

PAIRS, COPIES, WIDTH = 24, 3, 8


def added(rng: np.random.Generator, same_direction: float, length: float = 1.0) -> np.ndarray:
    """(PAIRS, COPIES, WIDTH): directions of the tokens, the same in both halves, and of their neighbours."""
    of_tokens = np.tile(rng.standard_normal((PAIRS // 2, 1, WIDTH)), (2, 1, 1))
    of_neighbours = rng.standard_normal((PAIRS, 1, WIDTH))
    shares = rng.uniform(0.5, 1, (PAIRS, COPIES, 1))
    return length * shares * (same_direction * of_tokens + (1 - same_direction) * of_neighbours)


@pytest.mark.parametrize("seed", range(3))
def test_a_multiple_of_its_own_value_is_no_attention(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with pytest.raises(Fail, match="not summed over the keys"):
        expect_values_of_others(added(rng, same_direction=1.0))
    expect_values_of_others(added(rng, same_direction=0.0))
    expect_values_of_others(added(rng, same_direction=0.7))


def test_nothing_added_tells_nothing() -> None:
    expect_values_of_others(added(np.random.default_rng(1), same_direction=1.0, length=1e-4))
