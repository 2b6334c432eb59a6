"""The transforms inside a transform.

A *leaf* is a transform that calls no other: a torchvision transform or a callable of the student's own.
"""

import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from grader.torchkit.inside.generators import has_value

LIBRARIES = ("torchvision.", "torch.")


@dataclass
class Leaf:
    """One leaf and what it was given.

    Attributes:
        target: the transform itself.
        inputs: by number of the image.
        hits: the calls of the whole transform that came to it.
        nested: whether it called another leaf.
    """

    target: Callable[[Any], Any]
    inputs: dict[int, Any] = field(default_factory=dict)
    hits: set[int] = field(default_factory=set)
    nested: bool = False


def is_own(leaf: Any) -> bool:
    """Whether the behaviour comes from the student, not from a library."""
    return class_name(leaf) == "Lambda" or not type(leaf).__module__.startswith(LIBRARIES)


def is_container(node: Any) -> bool:
    """Whether a transform of the libraries' only calls others."""
    containers = {
        "Compose",
        "RandomApply",
        "RandomChoice",
        "RandomOrder",
        "Sequential",
        "ModuleList",
        "RandomTransforms",
    }
    return class_name(node) in containers and type(node).__module__.startswith(LIBRARIES)


def class_name(leaf: Any) -> str:
    """The name of its class."""
    return type(leaf).__name__


def name_of(leaf: Any) -> str:
    """A class's name, or a function's."""
    function = getattr(leaf, "lambd", leaf) if class_name(leaf) == "Lambda" else leaf
    name = getattr(function, "__name__", None) if callable(function) else None
    return str(name or class_name(function))[:100]


def text_of(leaf: Any) -> str:
    """How a transform shows itself: its class and settings."""
    try:
        return " ".join(repr(leaf).split())[:300]
    except Exception:  # the student may have written __repr__
        return name_of(leaf)


def copied(value: Any) -> Any:
    """A copy of an image that a transform may write to."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, Image.Image | np.ndarray) else value


def walk(node: Any, depth: int = 0, met: set[int] | None = None) -> Iterator[Any]:
    """Every transform below a node, outermost first."""
    met = set() if met is None else met
    if depth > 8 or len(met) > 256:
        return
    for part in _parts(node):
        if id(part) not in met:
            met.add(id(part))
            yield part
            yield from walk(part, depth + 1, met)


def _parts(node: Any) -> list[Any]:
    listed = getattr(node, "transforms", None)
    if isinstance(listed, list | tuple | nn.ModuleList):
        return list(listed)
    if isinstance(node, nn.Module):
        return list(node.children())
    if isinstance(node, types.FunctionType):
        cells = [cell.cell_contents for cell in node.__closure__ or () if has_value(cell)]
        found = [node.__globals__.get(name) for name in node.__code__.co_names]
        return [item for item in [*found, *cells] if _is_library_transform(item)]
    if is_own(node) and not isinstance(node, type) and hasattr(node, "__dict__"):
        values = list(vars(node).values())
        inner = [item for value in values if isinstance(value, list | tuple) for item in value]
        return [item for item in [*values, *inner] if _is_library_transform(item)]
    return []


def _is_library_transform(item: Any) -> bool:
    return callable(item) and not isinstance(item, type) and type(item).__module__.startswith("torchvision.transforms")
