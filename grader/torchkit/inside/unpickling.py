"""Reading checkpoints that ``torch.load`` refuses to read safely: another pickle protocol, objects beside the weights.

Tensors, containers and numbers are made; of every other object only the name of its class, so that nothing is executed.
"""

import pickle
import types
from collections import Counter, OrderedDict, defaultdict
from typing import Any

import torch

PLAIN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("collections", "Counter"): Counter,
    ("torch.nn.parameter", "Parameter"): torch.nn.Parameter,
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    **{("builtins", made.__name__): made for made in (set, frozenset, complex, bytearray, slice, range, list, dict)},
}


class Unread:
    """Stands for an object whose class is none of the plain ones: takes all that it is made with, and keeps nothing.

    Attributes:
        is_model: it was an ``nn.Module``, by the attributes that it was saved with.
    """

    is_model = False

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def __setstate__(self, state: Any) -> None:
        """Take the attributes of an object."""
        self.is_model = isinstance(state, dict) and "_parameters" in state

    def __setitem__(self, key: Any, value: Any) -> None: ...
    def append(self, value: Any) -> None:
        """Take an item of a list, which pickle hands over one by one."""

    def extend(self, values: Any) -> None:
        """Take items of a list."""

    def add(self, value: Any) -> None:
        """Take an item of a set."""


class _Unpickler(pickle.Unpickler):
    """Makes the plain objects, and ``Unread`` for any other."""

    known: dict[tuple[str, str], Any]

    def find_class(self, module: str, name: str) -> Any:
        if found := self.known.get((module, name)):
            return found
        rebuilds_tensor = module == "torch._utils" and name.startswith("_rebuild_")
        is_kind = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype | torch.layout)
        if rebuilds_tensor or is_kind:
            return super().find_class(module, name)
        return type(name[:100], (Unread,), {})


def load_plain(path: str, more: dict[tuple[str, str], Any]) -> Any:
    """Read a checkpoint.

    Args:
        more: by module and name, what else may be made.
    """
    unpickler = type("Unpickler", (_Unpickler,), {"known": PLAIN | more})
    reading = types.SimpleNamespace(
        Unpickler=unpickler, load=lambda file, **options: unpickler(file, **options).load(), __name__="pickle"
    )
    return torch.load(path, map_location="cpu", weights_only=False, pickle_module=reading)
