"""Part 1: sums as text, and text as tokens.

The text of a sum ends with the digits of its result from the last to the first: 7+85=29. says that 7 + 85 is 92.
In this order a digit rests on what stands before it, its carry included.

Shapes: M sums of a data set, T tokens of the longest sum but one: ``block_size``.
"""

import random
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from hyperparameters import block_size, characters


class Tokenizer:
    """Each character is one token."""

    def __init__(self, characters: str) -> None:
        """Give each character an id, from 0 to ``vocab_size - 1``; set the attribute ``vocab_size``.

        Args:
            characters: all that a text may hold, each one once.
        """
        raise NotImplementedError("keep the characters and set vocab_size")

    def encode(self, text: str) -> list[int]:
        """Turn a text into ids.

        Raises:
            ValueError: the text holds another character; any other exception does as well.
        """
        raise NotImplementedError("return the id of each character, and refuse unknown ones")

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids, a list or a tensor of one axis, back into a text."""
        raise NotImplementedError("return the text that these are the ids of")


# PROVIDED: no need to change it. The grader asks for such sums, and no training set may hold one.
def held_out(a: int, b: int) -> bool:
    """Tell whether a pair of numbers is kept for testing."""
    return a * b % 11 == 5


# PROVIDED: no need to change it.
def text_of(a: int, b: int) -> str:
    """Write a sum as text."""
    return f"{a}+{b}={str(a + b)[::-1]}."


# PROVIDED: no need to change it.
def sample_pairs(count: int, for_testing: bool, seed: int) -> list[tuple[int, int]]:
    """Draw pairs of numbers of one to three digits, each number of digits as often as the others.

    Args:
        count: how many.
        for_testing: whether they are those that are held out, or those that are not.
        seed: the same one gives the same pairs.
    """
    rng = random.Random(seed)
    pairs = []
    while len(pairs) < count:
        a, b = (rng.randrange(10 ** rng.randint(1, 3)) for _ in range(2))
        if held_out(a, b) == for_testing:
            pairs.append((a, b))
    return pairs


# PROVIDED: no need to change it.
class SumDataset(Dataset):
    """Sums as tokens, each with the tokens that are to be predicted.

    Attributes:
        x: (M, T) the tokens of each sum without its last one; short sums are filled up with dots.
        y: (M, T) the token that follows each of these, where it is a digit of the result or the dot behind it; -100
            elsewhere: nobody can tell what is asked, and what comes after the dot is of no use.
    """

    def __init__(self, pairs: Sequence[tuple[int, int]], tokenizer: Tokenizer) -> None:
        texts = [text_of(a, b) for a, b in pairs]
        rows = [tokenizer.encode(text.ljust(block_size + 1, ".")) for text in texts]
        tokens = torch.tensor(rows)  # (M, T + 1)
        self.x, self.y = tokens[:, :-1], tokens[:, 1:].clone()
        for row, text in zip(self.y, texts):
            row[: text.index("=")] = -100
            row[len(text) - 1 :] = -100

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.x[index], self.y[index]
