"""The operations on gpt.pt: what the model in it answers to sums, and where it looks; never a score.

Shapes: n prompts.
"""

from typing import Any

import torch
from torch import nn

from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import building, state_dicts
from grader.torchkit.inside.attention_weights import AttentionWeights
from grader.torchkit.inside.building import ModelPart
from grader.torchkit.inside.completions import IndexTokenizer, completions, greedy, shuffle
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.results import raised

SIZES = ("vocab_size", "block_size", "n_layer", "n_head", "d_model")


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
        texts = {"kind": "texts", "texts": completions(model, *asked)}
        shuffle(model)
        shuffled = {"kind": "texts", "texts": completions(model, *asked)}
    except Exception as error:
        return {**found, "texts": raised(error), "shuffled": None}
    return {**found, "texts": texts, "shuffled": shuffled}


def _loaded(
    student: Student, path: str, characters: str, block_size: int, own_tokenizer: bool
) -> tuple[dict[str, Any], nn.Module | None, Any]:
    """What was found of a checkpoint, its model, None where there is none, and the tokenizer that goes with it."""
    content, opening = state_dicts.opened(path, "exact_match")
    vocabulary = student.get("characters") if student.has("characters") else characters
    tokenizer = (student.get("Tokenizer") if own_tokenizer else IndexTokenizer)(vocabulary)
    part = ModelPart("GPT", "model", (len(vocabulary), *SIZES[1:]), SIZES)
    values = building.settings(student, (part,), {"block_size": block_size})
    found: dict[str, Any] = {"opening": opening, "undefined": building.undefined(part, values), "model": None}
    if content is None or found["undefined"]:
        return found, None, tokenizer
    seed_everything(0)
    loading, model = building.loaded(student, part, values, content, ("CausalSelfAttention", "Block"), "GPT")
    return {**found, "model": loading}, model.eval() if loading["kind"] == "loaded" else None, tokenizer


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
