"""What a language model writes behind prompts, and stand-ins for what a student's code may do wrong about it.

Shapes: B texts of one length, T tokens, n prompts.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from grader.sandbox.inside import faults


class IndexTokenizer:
    """Ids that are the characters' places: what stands in for a tokenizer that is broken."""

    def __init__(self, characters: str) -> None:
        self.characters = characters

    def encode(self, text: str) -> list[int]:
        return [self.characters.index(character) for character in text]

    def decode(self, ids: Any) -> str:
        places = map(int, ids)
        return "".join(map(self.characters.__getitem__, places))


def greedy(model: nn.Module, idx: Tensor, max_new_tokens: int) -> Tensor:
    """What stands in for a ``generate`` that is broken."""
    with torch.no_grad():
        for _ in range(max_new_tokens):
            idx = torch.cat([idx, model(idx)[0][:, -1].argmax(-1, keepdim=True)], dim=1)
    return idx


def completions(
    model: nn.Module,
    tokenizer: Any,
    generate: Callable[..., Tensor],
    prompts: Sequence[str],
    new: int,
    max_batch: int = 500,
) -> list[str]:
    """(n,) what follows each prompt; prompts of one length are continued together."""
    of_length: dict[int, list[int]] = defaultdict(list)
    for number, prompt in enumerate(prompts):
        of_length[len(prompt)].append(number)
    found = [""] * len(prompts)
    for length, numbers in of_length.items():
        for start in range(0, len(numbers), max_batch):
            faults.step()
            batch = numbers[start : start + max_batch]
            idx = torch.tensor([list(tokenizer.encode(prompts[number])) for number in batch])
            ids = generate(model, idx, new)
            for number, row in zip(batch, ids, strict=True):
                found[number] = str(tokenizer.decode(row[length:]))[:40]
    return found


def shuffle(model: nn.Module) -> None:
    """Put the numbers of each parameter into another order: what the model has learned is lost, and its sizes are not."""
    with torch.no_grad():
        for parameter in model.parameters():
            order = torch.randperm(parameter.numel())
            parameter.copy_(parameter.reshape(-1)[order].reshape(parameter.shape))
