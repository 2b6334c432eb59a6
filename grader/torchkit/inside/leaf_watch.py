"""Watch the leaves of a transform while it works, and hold random ones still.

Modules are seen by torch's global hooks, wherever they are called, in a Compose as in a function; the other callables
by standing in for them in the lists that hold them.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.nn.modules import module as hooks

from grader.torchkit.inside.generators import seed_everything, undisturbed
from grader.torchkit.inside.leaves import Leaf, class_name, copied, is_container, is_own, name_of, text_of, walk


class LeafWatch:
    """Watches the leaves that a transform calls, and can hold some of them still.

    Args:
        root: the transform.
        random: the library's classes that change images at random.

    Attributes:
        leaves: those that were called, by name and text.
        recording: whether calls are noted.
        holding: whether the library's random leaves change nothing.
    """

    def __init__(self, root: Any, random: frozenset[str]) -> None:
        self.root, self.random = root, random
        self.leaves: dict[str, Leaf] = {}
        self.nodes = list(walk(root))
        self.holding = self.recording = False
        self._open: list[Leaf] = []
        self._call = self._image = 0

    @property
    def library_only(self) -> bool:
        """Whether the root is made of the libraries' containers and transforms alone."""
        return is_container(self.root) and not any(is_own(node) for node in self.nodes)

    def unreached(self) -> list[Any]:
        """Leaves that stand in the tree and were never called, among those that may be random."""
        return [node for node in self.nodes if self._may_be_random(node) and self._key(node) not in self.leaves]

    def begin(self, call: int, image: int) -> None:
        """Another call of the whole transform begins, on the image of that number."""
        self._open.clear()
        self._call, self._image = call, image

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """See every call of a leaf; with ``holding`` let random leaves of the library change nothing."""
        before = hooks.register_module_forward_pre_hook(lambda leaf, args: self.enter(leaf, args))
        after = hooks.register_module_forward_hook(lambda leaf, args, out: self.leave(leaf, args, out))
        replaced = self._stand_in()
        try:
            yield
        finally:
            before.remove()
            after.remove()
            for items, index, item in replaced:
                items[index] = item

    def _stand_in(self) -> list[tuple[list[Any], int, Any]]:
        replaced = []
        for node in [self.root, *self.nodes]:
            listed = getattr(node, "transforms", None)
            items: list[Any] = listed if isinstance(listed, list) else []
            for index, item in enumerate(items):
                if callable(item) and not isinstance(item, nn.Module | _WatchedCallable) and is_own(item):
                    replaced.append((items, index, item))
                    items[index] = _WatchedCallable(item, self)
        return replaced

    def _may_be_random(self, leaf: Any) -> bool:
        """Whether a leaf is one of the library's random ones or the student's own."""
        return callable(leaf) and not is_container(leaf) and (is_own(leaf) or class_name(leaf) in self.random)

    def _key(self, leaf: Any) -> str:
        return f"{name_of(leaf)} {text_of(leaf)}"

    def enter(self, leaf: Any, args: tuple[Any, ...]) -> None:
        """A leaf is called."""
        if not args or not self.recording or not self._may_be_random(leaf):
            return
        key = self._key(leaf)
        max_leaves = 64
        if key not in self.leaves and len(self.leaves) >= max_leaves:
            return
        kept = self.leaves.setdefault(key, Leaf(leaf))
        for outer in self._open:
            outer.nested = True
        self._open.append(kept)
        kept.hits.add(self._call)
        max_inputs = 4  # images that are kept for each leaf
        if self._image not in kept.inputs and len(kept.inputs) < max_inputs:
            kept.inputs[self._image] = copied(args[0])

    def leave(self, leaf: Any, args: tuple[Any, ...], out: Any) -> Any:
        """A leaf returns; what it gives, or its input where it is held."""
        if self._open and self._open[-1].target is leaf:
            self._open.pop()
        held = self.holding and args and not is_own(leaf) and class_name(leaf) in self.random
        if not held or not type(leaf).__module__.startswith("torchvision."):
            return out
        return args[0] if _form(args[0]) == _form(out) else _with_fixed_seed(leaf, args[0])


class _WatchedCallable:
    """Stands in a list for a callable that is no module."""

    def __init__(self, leaf: Callable[..., Any], watch: LeafWatch) -> None:
        self.leaf, self.watch = leaf, watch

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.watch.enter(self.leaf, args)
        out = self.leaf(*args, **kwargs)
        return self.watch.leave(self.leaf, args, out)


def _form(value: Any) -> Any:
    """What has to stay for an input to take an output's place: shape and dtype, size and mode."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.dtype
    return (value.size, value.mode) if isinstance(value, Image.Image) else None


def _with_fixed_seed(leaf: nn.Module, value: Any) -> Any:
    """What a leaf that changes sizes gives always, without disturbing the random numbers of the others."""
    with undisturbed():
        seed_everything(0)
        return leaf.forward(value)
