"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) in float32, all matrices at once.

``torch.optim.Muon`` takes one matrix after the other, in bfloat16: most of its time on a CPU goes into calls and
conversions (docs/trainer.md has the figures).

Shapes: K matrices of a group, n the narrow side that they share.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, as in ``torch.optim.Muon``


class Muon(torch.optim.Optimizer):
    """Momentum whose steps are made orthogonal."""

    def __init__(
        self, matrices: Iterable[Tensor], lr: float, weight_decay: float, momentum: float = 0.95, rounds: int = 5
    ) -> None:
        """Set up the momentum.

        Args:
            matrices: parameters of two dimensions.
            lr: step of a matrix that is not higher than wide; a higher one makes larger steps.
            weight_decay: share of ``lr`` by which weights shrink.
            momentum: of the gradients, Nesterov's.
            rounds: of the Newton-Schulz iteration.
        """
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "rounds": rounds})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override] # torch's own overloads return a loss
        """Make one step with the gradients that are there."""
        for group in self.param_groups:
            by_side: dict[int, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    by_side[min(weight.shape)].append(weight)
            for weights in by_side.values():
                directions = orthogonal([self._momentum_of(w, group["momentum"]) for w in weights], group["rounds"])
                for weight, direction in zip(weights, directions, strict=True):
                    higher = max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.add_(direction, alpha=-group["lr"] * higher)

    def _momentum_of(self, weight: Tensor, momentum: float) -> Tensor:
        gradient = weight.grad
        assert gradient is not None
        mean = self.state[weight].setdefault("mean", torch.zeros_like(gradient)).lerp_(gradient, 1 - momentum)
        return gradient.lerp(mean, momentum)


def orthogonal(matrices: list[Tensor], rounds: int) -> list[Tensor]:
    """Move the singular values of matrices with the same narrow side near to 1.

    Each round of the iteration multiplies a matrix X by a polynomial of X Xᵀ. The products of these polynomials are
    all as small as X Xᵀ, (n, n) whatever the long side is, so matrices of several shapes go through it as one batch.

    Args:
        matrices: (n, …) or (…, n).
        rounds: of the iteration, at least one.

    Returns:
        matrices of the same shapes.
    """
    first, third, fifth = COEFFICIENTS
    flat = [(m if m.shape[0] <= m.shape[1] else m.T).float() for m in matrices]
    scaled = [m / m.norm().clamp(min=1e-7) for m in flat]
    gram = torch.stack([m @ m.T for m in scaled])  # (K, n, n)
    product = None
    for _ in range(rounds):
        factor = torch.baddbmm(gram, gram, gram, beta=third, alpha=fifth)
        factor.diagonal(dim1=1, dim2=2).add_(first)
        product = factor if product is None else factor @ product
        gram = factor @ gram @ factor
    assert product is not None
    found = [p @ m for p, m in zip(product, scaled, strict=True)]
    return [f if m.shape[0] <= m.shape[1] else f.T for f, m in zip(found, matrices, strict=True)]
