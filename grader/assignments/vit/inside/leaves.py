"""The transforms that a transform calls, seen while it works.

A *leaf* is a transform that calls no other: a torchvision transform or a callable of the student's own.
Modules are seen by torch's global hooks, wherever they are called, in a Compose as in a function; the
other callables by standing in for them in the lists that hold them.
"""

import contextlib
import random
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.modules import module as hooks

LIBRARIES = ("torchvision.", "torch.")
CONTAINERS = {"Compose", "RandomApply", "RandomChoice", "RandomOrder", "Sequential", "ModuleList", "RandomTransforms"}
MAX_LEAVES = 64
MAX_INPUTS = 4


def is_own(leaf: Any) -> bool:
    """Whether the behaviour comes from the student, not from a library."""
    return _name_of_type(leaf) == "Lambda" or not type(leaf).__module__.startswith(LIBRARIES)


def is_container(node: Any) -> bool:
    return _name_of_type(node) in CONTAINERS and type(node).__module__.startswith(LIBRARIES)


def _name_of_type(leaf: Any) -> str:
    return type(leaf).__name__


def name_of(leaf: Any) -> str:
    """A class's name, or a function's."""
    function = getattr(leaf, "lambd", leaf) if _name_of_type(leaf) == "Lambda" else leaf
    name = getattr(function, "__name__", None) if callable(function) else None
    return str(name or _name_of_type(function))[:100]


def text_of(leaf: Any) -> str:
    """How a transform shows itself: its class and settings."""
    try:
        return " ".join(repr(leaf).split())[:300]
    except Exception:  # the student may have written __repr__
        return name_of(leaf)


@dataclass
class Leaf:
    """One transform and what it was given."""

    target: Callable[[Any], Any]
    inputs: dict[int, Any] = field(default_factory=dict)  # by number of the image
    hits: set[int] = field(default_factory=set)  # passes that called it
    nested: bool = False  # it called another leaf


class Trace:
    """Watches the leaves that ``root`` calls, and can hold some of them still."""

    def __init__(self, root: Any, still: frozenset[str]) -> None:
        self.root, self.still = root, still
        self.leaves: dict[str, Leaf] = {}
        self.nodes = list(walk(root))
        self.holding = self.recording = False
        self._stack: list[Leaf] = []
        self._pass = self._image = 0

    @property
    def transparent(self) -> bool:
        """Whether the root is made of the libraries' containers and transforms alone."""
        return is_container(self.root) and not any(is_own(node) for node in self.nodes)

    def unreached(self) -> list[Any]:
        """Leaves that stand in the tree and were never called, among those that may be random."""
        return [node for node in self.nodes if self.may_vary(node) and self._key(node) not in self.leaves]

    def may_vary(self, leaf: Any) -> bool:
        """Whether a leaf is one of the library's random ones or the student's own."""
        return callable(leaf) and not is_container(leaf) and (is_own(leaf) or _name_of_type(leaf) in self.still)

    def begin(self, number: int, image: int) -> None:
        """A new pass begins."""
        self._stack.clear()
        self._pass, self._image = number, image

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """See every call of a leaf; with ``holding`` let random leaves of the library change nothing."""
        before = hooks.register_module_forward_pre_hook(lambda leaf, args: self._enter(leaf, args))
        after = hooks.register_module_forward_hook(lambda leaf, args, out: self._leave(leaf, args, out))
        swapped = self._stand_in()
        try:
            yield
        finally:
            before.remove()
            after.remove()
            for items, index, item in swapped:
                items[index] = item

    def _stand_in(self) -> list[tuple[list[Any], int, Any]]:
        swapped = []
        for node in [self.root, *self.nodes]:
            listed = getattr(node, "transforms", None)
            items: list[Any] = listed if isinstance(listed, list) else []
            for index, item in enumerate(items):
                if callable(item) and not isinstance(item, nn.Module | _StandIn) and is_own(item):
                    swapped.append((items, index, item))
                    items[index] = _StandIn(item, self)
        return swapped

    def _key(self, leaf: Any) -> str:
        return f"{name_of(leaf)} {text_of(leaf)}"

    def _enter(self, leaf: Any, args: tuple[Any, ...]) -> None:
        if not args or not self.recording or not self.may_vary(leaf):
            return
        key = self._key(leaf)
        if key not in self.leaves and len(self.leaves) >= MAX_LEAVES:
            return
        kept = self.leaves.setdefault(key, Leaf(leaf))
        for outer in self._stack:
            outer.nested = True
        self._stack.append(kept)
        kept.hits.add(self._pass)
        if self._image not in kept.inputs and len(kept.inputs) < MAX_INPUTS:
            kept.inputs[self._image] = copied(args[0])

    def _leave(self, leaf: Any, args: tuple[Any, ...], out: Any) -> Any:
        if self._stack and self._stack[-1].target is leaf:
            self._stack.pop()
        held = self.holding and args and not is_own(leaf) and _name_of_type(leaf) in self.still
        if not held or not type(leaf).__module__.startswith("torchvision."):
            return out
        return args[0] if _form(args[0]) == _form(out) else _with_fixed_seed(leaf, args[0])


class _StandIn:
    """Stands in a list for a callable that is no module."""

    def __init__(self, leaf: Callable[..., Any], trace: Trace) -> None:
        self.leaf, self.trace = leaf, trace

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.trace._enter(self.leaf, args)
        out = self.leaf(*args, **kwargs)
        return self.trace._leave(self.leaf, args, out)


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
        cells = [cell.cell_contents for cell in node.__closure__ or () if filled(cell)]
        found = [node.__globals__.get(name) for name in node.__code__.co_names]
        return [item for item in [*found, *cells] if _is_transform(item)]
    if is_own(node) and not isinstance(node, type) and hasattr(node, "__dict__"):
        values = list(vars(node).values())
        inner = [item for value in values if isinstance(value, list | tuple) for item in value]
        return [item for item in [*values, *inner] if _is_transform(item)]
    return []


def filled(cell: Any) -> bool:
    """Whether a variable of the function around one has a value yet."""
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _is_transform(item: Any) -> bool:
    return callable(item) and not isinstance(item, type) and type(item).__module__.startswith("torchvision.transforms")


def _form(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.shape, value.dtype
    return (value.size, value.mode) if isinstance(value, Image.Image) else None


def _with_fixed_seed(leaf: nn.Module, value: Any) -> Any:
    """What a leaf that changes sizes gives always, without disturbing the random numbers of the others."""
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    seed(0)
    try:
        return leaf.forward(value)
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])


def seed(number: int, generators: tuple[Any, ...] = ()) -> None:
    """Seed the three global generators, and the student's own ones."""
    # torch.manual_seed asks every kind of device and takes 200 times as long
    torch.default_generator.manual_seed(number)
    np.random.seed(number)
    random.seed(number)
    for generator in generators:
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = type(generator.bit_generator)(number).state  # type: ignore[call-arg]
        elif isinstance(generator, np.random.RandomState | random.Random):
            generator.seed(number)
        else:  # torch's; not asked by its class, which a worker without a GPU puts another in the place of
            generator.manual_seed(number)


def copied(value: Any) -> Any:
    """A copy that a transform may write to."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, Image.Image | np.ndarray) else value
