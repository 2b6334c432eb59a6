"""Follow attention from its scores to its softmax."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

PRODUCTS = (torch.matmul, torch.bmm, torch.einsum, Tensor.matmul, Tensor.__matmul__, Tensor.bmm, torch.baddbmm)
SOFTMAXES = (torch.softmax, F.softmax, Tensor.softmax)
SCALINGS = (Tensor.mul, Tensor.__mul__, Tensor.__rmul__, torch.mul, Tensor.div, Tensor.__truediv__, torch.div,
            Tensor.__imul__, Tensor.__itruediv__, Tensor.mul_, Tensor.div_)  # fmt: skip


def attention_scales(module: nn.Module, inputs: Tensor) -> dict[str, Any]:
    """Find the factor between query-key products and the softmax of one attention.

    Returns:
        {"scale": factor, "width": features per head, as summed over in the product}, or {} where the
        attention could not be followed (fused kernels scale by themselves).
    """
    with torch.no_grad(), _Follow() as follow:
        module(inputs)
    return follow.found or {}


class _Follow(TorchFunctionMode):
    """Remembers products, the scalars that tensors are multiplied with, and what reaches a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.products: list[tuple[Tensor, int]] = []
        self.scalars: list[float] = []
        self.found: dict[str, Any] | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention and self.found is None:
            width = int(args[0].shape[-1])
            scale = kwargs.get("scale")
            self.found = {"scale": float(scale) if scale is not None else width**-0.5, "width": width}
        if func in SCALINGS and len(args) == 2:
            self._note_scalar(func, args)
        if func in SOFTMAXES and self.found is None:
            self._follow(args[0] if args else kwargs["input"])
        out = func(*args, **kwargs)
        if func in PRODUCTS and isinstance(out, Tensor):
            tensors = [a for a in args if isinstance(a, Tensor)]
            if len(tensors) == 2:
                self.products.append((out.clone(), _summed(tensors[0], tensors[1], out)))
        return out

    def _note_scalar(self, func: Any, args: Any) -> None:
        value = args[1]
        single = isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
        number = float(value) if single else 0.0
        if number and math.isfinite(number):
            self.scalars.append(1 / number if "div" in func.__name__ else number)

    def _follow(self, scores: Tensor) -> None:
        for product, width in reversed(self.products):
            if product.numel() != scores.numel() or width < 1:
                continue
            ratio = (scores.reshape(-1) / product.reshape(-1)).median()
            if not torch.allclose(scores.reshape(-1), product.reshape(-1) * ratio, rtol=1e-3, atol=1e-4):
                return  # something else happened in between: a mask, a bias, a learned temperature
            self.found = {"scale": float(ratio) * self._before(width), "width": width}
            return

    def _before(self, width: int) -> float:
        """The scaling of query, key or both before their product, where it is one that scales attention."""
        for scalar in self.scalars:
            if abs(scalar * width**0.5 - 1) < 0.02:
                return scalar
        quarter = [s for s in self.scalars if abs(s * width**0.25 - 1) < 0.02]
        return quarter[0] * quarter[1] if len(quarter) > 1 else 1.0


def _summed(a: Tensor, b: Tensor, out: Tensor) -> int:
    """The length of the axis that a product summed over."""
    total = a.numel() * b.numel() / max(1, out.numel())  # batch axes count once in each factor
    batch = 1
    for size in out.shape[:-2]:
        batch *= size
    return round((total / max(1, batch)) ** 0.5) if total else 0
