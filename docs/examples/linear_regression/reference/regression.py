"""Linear regression by least squares. Shapes: N points, D features."""

import torch
from torch import Tensor


def fit(x: Tensor, y: Tensor) -> tuple[Tensor, float]:
    """Find the (D,) weights and the bias with the smallest squared error for (N, D) points and (N,) values."""
    with_ones = torch.cat([x, torch.ones(len(x), 1)], dim=1)  # (N, D + 1): the bias is the weight of a 1
    solution = torch.linalg.lstsq(with_ones, y[:, None]).solution[:, 0]
    return solution[:-1], float(solution[-1])


def predict(x: Tensor, weights: Tensor, bias: float) -> Tensor:
    """Give a value for each of (N, D) points."""
    return x @ weights + bias
