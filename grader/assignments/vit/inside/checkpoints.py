"""Opening a checkpoint and loading it into models built from the student's code and hyperparameters."""

import contextlib
import importlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.sandbox.inside import describe
from grader.sandbox.inside.student import Student

PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile: the weights are the same
LISTED = 60  # tensors named in a mismatch
DEFAULTS: dict[str, Any] = {"image_size": 28, "in_channels": 1}  # given by the data set
_MULTIARRAY: Any = importlib.import_module("numpy._core.multiarray")  # what a pickled numpy scalar refers to
NUMPY_SCALARS = [
    _MULTIARRAY.scalar, _MULTIARRAY._reconstruct, np.dtype, np.ndarray,
    *(type(np.dtype(name)) for name in ("float64", "float32", "float16", "int64", "int32", "bool")),
]  # fmt: skip

PARTS = ("PatchEmbeddings", "PositionEmbedding", "ResidualAttentionBlock", "Transformer")  # that a ViT is made of


@dataclass(frozen=True)
class Part:
    """One model of a checkpoint: the class, what it is built with, and the key of its state dict."""

    name: str
    key: str
    arguments: tuple[str | int, ...]  # names of hyperparameters, or values
    keywords: tuple[str, ...]


VIT = Part(
    "ViT", "vit",
    ("image_size", "patch_size", "in_channels", "hidden_size", "layers", "heads"),
    ("image_size", "patch_size", "num_channels", "hidden_size", "layers", "heads"),
)  # fmt: skip
CLASSIFIER = Part("ClassificationHead", "classifier", ("hidden_size", 10), ("hidden_size", "num_classes"))
EMBEDDING = Part("LinearEmbeddingHead", "embedding_head", ("hidden_size", "embed_size"), ("hidden_size", "embed_size"))


def opened(path: str) -> Any:
    """Read a checkpoint; of pickled objects only tensors, containers and numbers are let in."""
    with torch.serialization.safe_globals(NUMPY_SCALARS):
        return torch.load(path, map_location="cpu", weights_only=True)


def facts(path: str, claim: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe a checkpoint.

    Returns:
        the checkpoint, empty where it is none; and what to tell of it.
    """
    try:
        content = opened(path)
    except Exception as error:
        return {}, {"raised": describe.exception(error)}
    if not isinstance(content, dict):
        return {}, {"type": type(content).__name__[:100]}
    kinds = {str(key)[:100]: type(value).__name__[:100] for key, value in list(content.items())[:LISTED]}
    return content, {"kinds": kinds, "claim": _number(content.get(claim))}


def _number(value: Any) -> float | None:
    if isinstance(value, dict) and len(value) == 1:  # {"precision_at_1": 0.8}, as an AccuracyCalculator gives it
        value = next(iter(value.values()))
    with contextlib.suppress(Exception):
        return float(value)
    return None


def settings(student: Student) -> dict[str, Any]:
    """The hyperparameters that models are built with; those that are not defined are left out."""
    names = {name for part in (VIT, CLASSIFIER, EMBEDDING) for name in part.arguments if isinstance(name, str)}
    return DEFAULTS | {name: student.get(name) for name in sorted(names) if student.has(name)}


def built(student: Student, part: Part, values: dict[str, Any]) -> nn.Module:
    """Build one model by position, or by name where the class takes its arguments in another order.

    An argument that is not defined is left to the class's default.
    """
    make = student.get(part.name)
    pairs = [
        (keyword, values.get(a) if isinstance(a, str) else a)
        for keyword, a in zip(part.keywords, part.arguments, strict=True)
    ]
    while pairs and pairs[-1][1] is None:
        pairs.pop()
    try:
        return make(*(value for _, value in pairs))
    except TypeError as error:
        with contextlib.suppress(TypeError):
            return make(**dict(pairs))
        raise error


def fitted(module: nn.Module, state: Any) -> dict[str, Any]:
    """Load a state dict strictly; tell which tensors do not fit, and how."""
    if not isinstance(state, dict | OrderedDict):
        return {"type": type(state).__name__[:100]}
    saved = _stripped({str(name): value for name, value in state.items() if isinstance(value, Tensor)})
    wanted = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    odd = [
        [n, list(wanted[n].shape), list(saved[n].shape)]
        for n in wanted
        if n in saved and wanted[n].shape != saved[n].shape
    ]
    result = {
        "missing": [[n, list(wanted[n].shape)] for n in wanted if n not in saved],
        "unexpected": [[n, list(saved[n].shape)] for n in saved if n not in wanted],
        "shapes": odd,
    }
    counts = {name: len(items) for name, items in result.items()}
    if not any(counts.values()):
        module.load_state_dict(saved, strict=True)
        bad = [n for n, value in saved.items() if not bool(torch.isfinite(value.float()).all())]
        return {"fits": True, "not_finite": bad[:LISTED]}
    blocks = {"built": _blocks(wanted), "saved": _blocks(saved)}
    return {
        "fits": False,
        "counts": counts,
        "blocks": blocks,
        "owners": sorted({_owner(module, str(row[0])) for rows in result.values() for row in rows}),
        **{name: items[:LISTED] for name, items in result.items()},
    }


def _owner(module: nn.Module, name: str) -> str:
    """The innermost of the assignment's classes whose object holds a tensor, as far as its name leads."""
    owner = "ViT"
    for part in name.split(".")[:-1]:
        inner = module._modules.get(part)
        if inner is None:
            break
        module = inner
        owner = type(module).__name__ if type(module).__name__ in PARTS else owner
    return owner


def _stripped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES * 2:  # compiled and parallel, in either order
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _blocks(state: dict[str, Tensor]) -> int:
    """How many numbered blocks the names tell of: ``transformer.resblocks.5.attn`` is the sixth."""
    stacks: dict[str, set[int]] = {}
    for name in state:
        words = name.split(".")
        at = next((i for i, word in enumerate(words) if word.isdigit()), None)
        if at is not None and len(words) > at + 2:  # a block holds modules that hold tensors
            stacks.setdefault(".".join(words[:at]), set()).add(int(words[at]))
    return max((len(numbers) for numbers in stacks.values()), default=0)
