"""Part 3: text from a language model, token by token.

Shapes: B batch, T tokens of the prompt, V size of the vocabulary.
"""

import torch
from torch import Tensor, nn


def generate(model: nn.Module, idx: Tensor, max_new_tokens: int, temperature: float = 0.0) -> Tensor:
    """Continue texts.

    Args:
        model: gives ``(logits, loss)`` for ids, and takes ``model.block_size`` of them at most: of a longer text it
            is given the last ones.
        idx: (B, T) the prompts.
        max_new_tokens: how many tokens to add.
        temperature: 0 takes the most likely token each time (greedy); else the next one is drawn from
            softmax(logits / temperature).

    Returns:
        (B, T + max_new_tokens) the prompts, and what follows. The model computes in eval mode and without gradient,
        and is afterwards in the mode in which it was.
    """
    raise NotImplementedError("choose a token from the last logits, append it, again and again")
