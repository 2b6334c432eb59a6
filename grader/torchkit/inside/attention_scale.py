"""Follow attention from its scores to its softmax."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from grader.torchkit.inside.attention_weights import SOFTMAXES


def attention_scale(module: nn.Module, inputs: Tensor) -> tuple[float | None, int | None]:
    """Find the factor between the products of queries and keys and the first softmax.

    Returns:
        scale: None where attention could not be followed: fused kernels scale by themselves, and a bias or a
            function between product and softmax is no scale.
        width: how many features of a query meet those of a key, None where that is not known.
    """
    with torch.no_grad(), _Follow() as follow:
        module(inputs)
    return follow.found, follow.width


class _Follow(TorchFunctionMode):
    """Remembers products of tensors, the numbers that went into their factors, and what reaches a softmax."""

    moves = frozenset({  # what may copy a tensor without changing its numbers
        Tensor.reshape, Tensor.contiguous, Tensor.clone, Tensor.flatten, torch.reshape, torch.flatten, Tensor.to, Tensor.float,
    })  # fmt: skip
    quotients = frozenset({Tensor.div, Tensor.__truediv__, torch.div, Tensor.__itruediv__, Tensor.div_, torch.divide})
    products_with_a_number = frozenset({
        Tensor.mul, Tensor.__mul__, Tensor.__rmul__, torch.mul, Tensor.__imul__, Tensor.mul_, torch.multiply,
    })  # fmt: skip
    product_functions = frozenset({torch.matmul, torch.bmm, torch.einsum, Tensor.matmul, Tensor.__matmul__, Tensor.bmm})

    def __init__(self) -> None:
        super().__init__()
        self.products: list[tuple[Tensor, float, int | None]] = []  # a copy of each, the factor inside, the width
        self.factors: dict[int, tuple[float, Tensor]] = {}  # by storage, which is kept alive so that none is reused
        self.done = False
        self.found: float | None = None
        self.width: int | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if any(isinstance(each, Tensor) and is_functorch_wrapped_tensor(each) for each in args):
            self.done = True  # under torch.vmap a tensor stands for many, and has no numbers to follow
        if not self.done and func is F.scaled_dot_product_attention:
            scale, self.width = kwargs.get("scale"), args[0].shape[-1]
            self._end(self.width**-0.5 if scale is None else float(scale))
        if not self.done and func in SOFTMAXES:
            self._end(self._scale_of(args[0] if args else kwargs["input"]))
        tensors = [a for a in args if isinstance(a, Tensor)] if not self.done else []
        before = [self._factor(a) for a in tensors]
        out = func(*args, **kwargs)
        if tensors and isinstance(out, Tensor):
            self._note(func, args, tensors, before, out)
        return out

    def _note(self, func: Any, args: Any, tensors: list[Tensor], before: list[float], out: Tensor) -> None:
        if func in self.product_functions and len(tensors) == 2:
            self.products.append((out.clone(), before[0] * before[1], _width(func, args, tensors)))
        elif func in self.products_with_a_number or func in self.quotients:
            number = next((n for n in (_number(a) for a in args[:2]) if n is not None), None)
            if number:
                self._keep(out, math.prod(before) * (1 / number if func in self.quotients else number))
        elif func in self.moves and before[0] != 1:
            self._keep(out, before[0])

    def _factor(self, tensor: Tensor) -> float:
        return self.factors[_storage(tensor)][0] if _storage(tensor) in self.factors else 1.0

    def _keep(self, tensor: Tensor, factor: float) -> None:
        self.factors[_storage(tensor)] = (factor, tensor)

    def _end(self, scale: float | None) -> None:
        self.done, self.found = True, scale

    def _scale_of(self, scores: Tensor) -> float | None:
        for product, inside, width in reversed(self.products):
            if product.numel() != scores.numel():
                continue
            seen = scores.reshape(-1) > -1e4  # what is masked out is -inf, or very low
            if not seen.any():
                return None
            a, b = scores.reshape(-1)[seen].double(), product.reshape(-1)[seen].double()
            ratio = float((a @ b) / (b @ b))
            if not torch.allclose(a, b * ratio, rtol=1e-3, atol=1e-4 * float(a.abs().max())):
                return None
            self.width = width
            return ratio * inside
        return None


def _width(func: Any, args: Any, tensors: list[Tensor]) -> int | None:
    """How many numbers of the one tensor are multiplied with as many of the other and added up."""
    if func is not torch.einsum:
        return tensors[0].shape[-1]
    if not isinstance(args[0], str) or "->" not in args[0]:
        return None
    terms, out = args[0].replace(" ", "").split("->")
    first = terms.split(",")[0].rpartition("...")[2]  # the letters of its last axes
    sizes = dict(zip(reversed(first), reversed(tensors[0].shape), strict=False))
    return math.prod(size for letter, size in sizes.items() if letter not in out)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _number(value: Any) -> float | None:
    """The number that an argument is, or holds everywhere."""
    if isinstance(value, Tensor):
        if (value.dim() > 0 and value.numel() != 1) or not value.is_floating_point():
            return None
        value = value.item()
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
