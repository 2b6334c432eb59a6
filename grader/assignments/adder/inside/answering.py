"""The operations on gpt.pt: what the model in it answers to sums, and where it looks; never a score.

Shapes: B texts of one length, T tokens, n prompts.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from grader.sandbox.inside import describe, faults
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import building, state_dicts
from grader.torchkit.inside.attention_weights import AttentionWeights
from grader.torchkit.inside.building import ModelPart
from grader.torchkit.inside.results import raised
from grader.torchkit.inside.seeding import seed_everything

MAX_BATCH = 500
PARTS = ("CausalSelfAttention", "Block")  # that a GPT is made of
SIZES = ("vocab_size", "block_size", "n_layer", "n_head", "d_model")


class IndexTokenizer:
    """Ids that are the characters' places: what stands in for a tokenizer that is broken."""

    def __init__(self, characters: str) -> None:
        self.characters = characters

    def encode(self, text: str) -> list[int]:
        return [self.characters.index(character) for character in text]

    def decode(self, ids: Any) -> str:
        return "".join(self.characters[int(number)] for number in ids)


@op("checkpoint.answer")
def answer(
    student: Student, path: str, prompts: list[str], characters: str, block_size: int, new: int, own_tokenizer: bool,
    own_generate: bool, threads: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Let the model in a checkpoint answer, and once more with its weights in another order.

    What comes back has the type ``accuracy.CheckpointAnswer``.

    Args:
        prompts: (n,) texts such as "7+85=".
        characters, block_size: those of the contract; the student's own count where they are defined.
        new: tokens to generate for each.
        own_tokenizer, own_generate: whether the student's are used, or stand-ins.
    """
    torch.set_num_threads(threads)
    found, model, tokenizer = _loaded(student, path, characters, block_size, own_tokenizer)
    if model is None:
        return {**found, "texts": None, "shuffled": None}
    generate = student.get("generate") if own_generate else greedy
    asked = (tokenizer, generate, prompts, new)
    try:
        seed_everything(seed)
        texts = {"kind": "texts", "texts": _texts(model, *asked)}
        _shuffle(model)
        shuffled = {"kind": "texts", "texts": _texts(model, *asked)}
    except Exception as error:
        return {**found, "texts": raised(error), "shuffled": None}
    return {**found, "texts": texts, "shuffled": shuffled}


def _loaded(
    student: Student, path: str, characters: str, block_size: int, own_tokenizer: bool
) -> tuple[dict[str, Any], nn.Module | None, Any]:
    """What was found of a checkpoint, its model, and the tokenizer that goes with it; None where it has no model."""
    content, opening = state_dicts.opened(path, "exact_match")
    vocabulary = student.get("characters") if student.has("characters") else characters
    tokenizer = (student.get("Tokenizer") if own_tokenizer else IndexTokenizer)(vocabulary)
    part = ModelPart("GPT", "model", (len(vocabulary), *SIZES[1:]), SIZES)
    values = building.settings(student, (part,), {"block_size": block_size})
    found: dict[str, Any] = {"opening": opening, "undefined": building.undefined(part, values), "model": None}
    if content is None or found["undefined"]:
        return found, None, tokenizer
    if not student.has("GPT"):
        return {**found, "model": {"kind": "undefined"}}, None, tokenizer
    if "model" not in content:
        return {**found, "model": {"kind": "absent"}}, None, tokenizer
    try:
        seed_everything(0)
        model = building.built(student, part, values)
        loading = state_dicts.load(model, content["model"], PARTS, "GPT")
    except Exception as error:
        return {**found, "model": raised(error)}, None, tokenizer
    return {**found, "model": loading}, model.eval() if loading["kind"] == "loaded" else None, tokenizer


def greedy(model: nn.Module, idx: Tensor, max_new_tokens: int) -> Tensor:
    """What stands in for a ``generate`` that is broken."""
    with torch.no_grad():
        for _ in range(max_new_tokens):
            idx = torch.cat([idx, model(idx)[0][:, -1].argmax(-1, keepdim=True)], dim=1)
    return idx


def _texts(
    model: nn.Module, tokenizer: Any, generate: Callable[..., Tensor], prompts: Sequence[str], new: int
) -> list[str]:
    """(n,) what follows each prompt; prompts of one length are continued together."""
    of_length: dict[int, list[int]] = defaultdict(list)
    for number, prompt in enumerate(prompts):
        of_length[len(prompt)].append(number)
    found = [""] * len(prompts)
    for length, numbers in of_length.items():
        for start in range(0, len(numbers), MAX_BATCH):
            faults.step()
            batch = numbers[start : start + MAX_BATCH]
            idx = torch.tensor([list(tokenizer.encode(prompts[number])) for number in batch])
            ids = generate(model, idx, new)
            for number, row in zip(batch, ids, strict=True):
                found[number] = str(tokenizer.decode(row[length:]))[:40]
    return found


def _shuffle(model: nn.Module) -> None:
    """Put the numbers of each parameter into another order: what the model has learned is lost, and its sizes are not."""
    with torch.no_grad():
        for parameter in model.parameters():
            order = torch.randperm(parameter.numel())
            parameter.copy_(parameter.reshape(-1)[order].reshape(parameter.shape))


@op("checkpoint.look")
def look(
    student: Student, path: str, text: str, characters: str, block_size: int, own_tokenizer: bool
) -> dict[str, Any]:
    """Tell how much each token of a text takes from each one up to it, in each layer, a mean over heads.

    What comes back has the type ``pictures.Looks``.
    """
    _, model, tokenizer = _loaded(student, path, characters, block_size, own_tokenizer)
    if model is None:
        return {"layers": None}
    with torch.no_grad(), AttentionWeights() as weights:
        model(torch.tensor([list(tokenizer.encode(text))]))
    layers = student.get("n_layer") if student.has("n_layer") else 1
    kept = [each for each in weights.kept if each.shape[-1] == len(text)]
    if type(layers) is not int or not 0 < layers <= len(kept) or len(kept) % layers:
        return {"layers": None}
    a_layer = len(kept) // layers
    means = [torch.cat(kept[i : i + a_layer]).mean(0) for i in range(0, len(kept), a_layer)]
    return {"layers": describe.plain(torch.stack(means).float())}
