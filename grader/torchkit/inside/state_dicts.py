"""Opening a checkpoint, and loading its state dicts into modules: what was found, and which tensors do not fit.

The descriptions are those of ``grader.torchkit.checkpoints``.
"""

import contextlib
import importlib
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from grader.sandbox.inside import describe
from grader.torchkit.inside.unpickling import Unread, load_plain

MAX_LISTED = 60  # keys of a checkpoint, and tensors of one kind that do not fit, that are told
_MULTIARRAY: Any = importlib.import_module("numpy._core.multiarray")  # what a pickled numpy scalar refers to


def opened(path: str, score: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Read a checkpoint; of pickled objects only tensors, containers, strings and numbers are let in.

    Args:
        score: the key under which it records a score.

    Returns:
        content: None where the file holds no dict.
        description: a ``checkpoints.Opening``.
    """
    numpy_scalars = [
        _MULTIARRAY.scalar, _MULTIARRAY._reconstruct, np.dtype, np.ndarray,
        *(type(np.dtype(name)) for name in ("float64", "float32", "float16", "int64", "int32", "bool")),
    ]  # fmt: skip
    try:
        with torch.serialization.safe_globals(numpy_scalars):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        content = _with_unread_objects(path, numpy_scalars)
        if content is None:
            return None, {"kind": "unopened", "exception": describe.exception(error), **_begins(path)}
    if not isinstance(content, dict):
        return None, {"kind": "no_dict", "type": type(content).__name__[:100]}
    types = {str(key)[:100]: type(value).__name__[:100] for key, value in list(content.items())[:MAX_LISTED]}
    return content, {"kind": "opened", "types": types, "recorded": _number(content.get(score))}


def _with_unread_objects(path: str, numpy_scalars: Collection[Any]) -> dict[str, Any] | None:
    """A checkpoint that holds other objects beside its state dicts, or is written in another protocol; else None."""
    try:
        content = load_plain(path, {(each.__module__, each.__name__): each for each in numpy_scalars})
    except Exception:
        return None
    if not isinstance(content, dict):
        return None
    return None if any(isinstance(value, Unread) and value.is_model for value in content.values()) else content


def _begins(path: str) -> dict[str, Any]:
    """What a file is by its first bytes, its size, and how it begins where it is text."""
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            start = file.read(60)
    except OSError:
        return {"format": "other", "size": 0, "beginning": ""}
    text = start.decode("utf-8", errors="replace").rstrip("\ufffd")
    old_format = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch's magic number, as pickle writes it
    if not start:
        kind = "empty"
    elif start.startswith(b"PK"):
        kind = "zip" if zipfile.is_zipfile(path) else "half a zip"
    elif start.startswith(old_format):
        kind = "old torch"
    elif start.startswith(b"\x80"):
        kind = "pickle"
    else:
        kind = "text" if all(c.isprintable() or c.isspace() for c in text) else "other"
    return {"format": kind, "size": size, "beginning": text if kind == "text" else ""}


def _number(value: Any) -> float | None:
    """A recorded score as a number: a number, a tensor or text of one, or a dict that holds it alone."""
    if isinstance(value, dict) and len(value) == 1:  # {"precision_at_1": 0.8}, as an AccuracyCalculator gives it
        value = next(iter(value.values()))
    with contextlib.suppress(Exception):
        return float(value)
    return None


def load(module: nn.Module, state: Any, classes: Collection[str], root: str) -> dict[str, Any]:
    """Load a state dict strictly, and describe what does not fit.

    Args:
        state: what a checkpoint holds for the module; prefixes of DataParallel and torch.compile are taken off.
        classes: names of classes that may be told as the owners of tensors that do not fit.
        root: the owner of tensors that lie in none of them.

    Returns:
        a ``checkpoints.Loading``.
    """
    if not isinstance(state, dict):
        return {"kind": "no_state_dict", "type": type(state).__name__[:100]}
    saved = _without_prefix({str(name): value for name, value in state.items() if isinstance(value, Tensor)})
    built = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    odd: dict[str, list[dict[str, Any]]] = {
        "missing": [{"name": n, "shape": _shape(built[n])} for n in built if n not in saved],
        "unexpected": [{"name": n, "shape": list(saved[n].shape)} for n in saved if n not in built],
        "reshaped": [
            {"name": n, "built": list(built[n].shape), "saved": list(saved[n].shape)}
            for n in built
            if n in saved and not is_lazy(built[n]) and built[n].shape != saved[n].shape
        ],
    }
    if not any(odd.values()):
        module.load_state_dict(saved, strict=True)
        return {"kind": "loaded"}
    return {
        "kind": "mismatch",
        "built_blocks": _count_blocks(built),
        "saved_blocks": _count_blocks(saved),
        "owners": sorted({_owner(module, row["name"], classes, root) for rows in odd.values() for row in rows}),
        **{f"{kind}_count": len(rows) for kind, rows in odd.items()},
        **{kind: rows[:MAX_LISTED] for kind, rows in odd.items()},
    }


def _shape(tensor: Tensor) -> list[int]:
    """The shape of a tensor; that of a lazy layer has no axes yet."""
    return [] if is_lazy(tensor) else list(tensor.shape)


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names without what DataParallel and torch.compile put before all of them; the weights are the same."""
    for prefix in ("module.", "_orig_mod.") * 2:  # in either order
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _owner(module: nn.Module, name: str, classes: Collection[str], root: str) -> str:
    """The innermost of some classes whose object holds a tensor, as far as its name leads."""
    owner = root
    for part in name.split(".")[:-1]:
        inner = module._modules.get(part)
        if inner is None:
            break
        module = inner
        owner = type(module).__name__ if type(module).__name__ in classes else owner
    return owner


def _count_blocks(state: dict[str, Tensor]) -> int:
    """How many numbered blocks the names tell of: ``transformer.resblocks.5.attn.in_proj_weight`` is of the sixth."""
    stacks: dict[str, set[int]] = {}
    for name in state:
        words = name.split(".")
        at = next((i for i, word in enumerate(words) if word.isdigit()), None)
        if at is not None and len(words) > at + 2:  # a block holds modules that hold tensors
            stacks.setdefault(".".join(words[:at]), set()).add(int(words[at]))
    return max((len(numbers) for numbers in stacks.values()), default=0)
