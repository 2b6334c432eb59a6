"""Checkpoints for variants that name their parameters otherwise than the reference.

The reference's weights are put into the variant's model, tensor by tensor in the order of registration,
where that gives a model that computes the same. A few known orders are tried, as that of a block whose
layers are made in another order, or of query, key and value as three layers.
"""

import functools
import itertools
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from grader.assignments.vit import files

SIZES: tuple[int, ...] = (28, 7, 1, 64, 3, 2)  # of the reference
KEYS = {"vit_classifier.pt": "classifier", "vit_embeds.pt": "embedding_head"}
HEADS = {"classifier": ("ClassificationHead", (64, 10)), "embedding_head": ("LinearEmbeddingHead", (64, 64))}
Weights = dict[str, Tensor]


def transplant(folder: Path) -> bool:
    """Put the weights of a folder's checkpoints into its own classes; take both files away where that cannot be done."""
    found = _fitted(folder)
    for file in KEYS:
        if found is None:
            (folder / file).unlink(missing_ok=True)
        else:
            torch.save(found[file], folder / file)
    return found is not None


def _fitted(folder: Path) -> dict[str, dict[str, Any]] | None:
    classes = _classes(folder)
    found = {}
    for file, key in KEYS.items():
        content = torch.load(folder / file, weights_only=True)
        for name in ("vit", key):
            weights = _moved(_built(classes, name), content[name], _expected(name, content[name]), name)
            if weights is None:
                return None
            content[name] = weights
        found[file] = content
    return found


def _classes(folder: Path) -> dict[str, Any]:
    sys.path.insert(0, str(folder))
    try:
        return runpy.run_path(str(folder / "vit_model.py"))
    finally:
        sys.path.remove(str(folder))


def _built(classes: dict[str, Any], name: str) -> nn.Module:
    made, sizes = ("ViT", SIZES) if name == "vit" else HEADS[name]
    module: nn.Module = classes[made](*sizes)
    return module


@functools.cache
def _reference() -> dict[str, Any]:
    return _classes(files.REFERENCE)


def _expected(name: str, weights: Weights) -> tuple[Tensor, Tensor]:
    """What the reference's model makes of an input."""
    torch.manual_seed(1)
    reference = _reference()
    module = _built(reference, name)
    module.load_state_dict(weights)
    x = torch.randn(3, 1, 28, 28) if name == "vit" else torch.randn(3, 64)
    with torch.no_grad():
        return x, module.eval()(x)


def _moved(module: nn.Module, weights: Weights, expected: tuple[Tensor, Tensor], name: str) -> Weights | None:
    """The weights under the module's own names, where it then computes the same."""
    x, y = expected
    with torch.no_grad():
        module.eval()(x)  # lazy layers take their shapes from an input
    wanted = module.state_dict()
    for source in _orders(list(weights.values()), name):
        moved = _filled(wanted, source)
        if moved is None:
            continue
        module.load_state_dict(moved)
        with torch.no_grad():
            if torch.allclose(module.eval()(x), y, atol=1e-4):
                return moved
    return None


def _orders(values: list[Tensor], name: str) -> Iterator[list[Tensor]]:
    """The reference's tensors in the orders that are tried."""
    if name != "vit":
        yield values
        return
    projection, tokens, pre, post = values[:2], values[2:4], values[4:6], values[-2:]
    blocks = [values[i : i + 12] for i in range(6, len(values) - 2, 12)]
    places: tuple[list[Any], ...] = ([*pre, "blocks", *post], [*pre, *post, "blocks"])
    for block, norms, token in itertools.product(BLOCKS, places, (1, -1)):
        inside = [tensor for one in blocks for part in block for tensor in _part(one, part)]
        middle = [inside if isinstance(item, str) else [item] for item in norms]
        yield [*projection, *tokens[::token], *(tensor for items in middle for tensor in items)]


# The parts of a block in the reference's order: ln_1 (1), attention in (i) and out (o), ln_2 (2), MLP (m)
BLOCKS = ("1io2m", "io12m", "12iom", "io1m2", "iom12", "1sio2m", "so12m", "12som", "1so2m", "som12", "som21", "so1m2")


def _part(block: list[Tensor], part: str) -> list[Tensor]:
    ln_1, qkv, out, ln_2, mlp = block[:2], block[2:4], block[4:6], block[6:8], block[8:]
    split = [tensor for pair in zip(qkv[0].chunk(3), qkv[1].chunk(3), strict=True) for tensor in pair]
    return {"1": ln_1, "i": qkv, "s": split, "o": out, "2": ln_2, "m": mlp}[part]


def _filled(wanted: Weights, source: list[Tensor]) -> Weights | None:
    """The tensors by name, where their sizes agree, a kernel and a matrix with the same numbers included."""
    if len(wanted) != len(source):
        return None
    pairs = list(zip(wanted.items(), source, strict=True))
    if any(target.numel() != tensor.numel() for (_, target), tensor in pairs):
        return None
    return {name: tensor.reshape(target.shape).clone() for (name, target), tensor in pairs}
