"""Sums as the contract writes them: drawn, as text, and as tokens.

Shapes: n sums, T tokens of a sum, as many as ``BLOCK_SIZE``.
"""

from collections.abc import Sequence

import numpy as np

from grader.assignments.adder.names import BLOCK_SIZE, CHARACTERS
from grader.torchkit.text.token_losses import IGNORED_TARGET

Pairs = list[tuple[int, int]]


def held_out(a: int, b: int) -> bool:
    """Whether a pair is kept for testing: no training set of the course's holds it."""
    return a * b % 11 == 5


def draw(rng: np.random.Generator, count: int, for_testing: bool) -> Pairs:
    """Pairs of numbers of one to three digits, each number of digits as often as the others."""
    pairs: Pairs = []
    while len(pairs) < count:
        drawn = rng.integers(0, 10 ** rng.integers(1, 4, (20 * count if for_testing else 2 * count, 2))).tolist()
        pairs += [(a, b) for a, b in drawn if held_out(a, b) == for_testing]
    return pairs[:count]


def prompt(a: int, b: int) -> str:
    """What is asked."""
    return f"{a}+{b}="


def answer(a: int, b: int) -> str:
    """The digits of the sum from the last to the first, and the dot that ends them."""
    return f"{str(a + b)[::-1]}."


def digits(a: int, b: int) -> int:
    """How many digits the longer of two numbers has."""
    return len(str(max(a, b)))


def items(pairs: Sequence[tuple[int, int]]) -> dict[str, np.ndarray]:
    """What a data set of such sums holds: "x" and "y", (n, T) each."""
    texts = [prompt(*pair) + answer(*pair) for pair in pairs]
    rows = np.array([[CHARACTERS.index(c) for c in text.ljust(BLOCK_SIZE + 1, ".")] for text in texts])
    x, y = rows[:, :-1], rows[:, 1:].copy()
    for row, text in zip(y, texts, strict=True):
        row[: text.index("=")] = IGNORED_TARGET
        row[len(text) - 1 :] = IGNORED_TARGET
    return {"x": x, "y": y}
