"""Parameters are given values that hide nothing, in whatever form they are kept."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from grader.torchkit.inside import filling


@pytest.mark.parametrize(
    "make",
    [parametrizations.orthogonal, parametrizations.weight_norm, parametrizations.spectral_norm],
    ids=lambda make: make.__name__,
)
@pytest.mark.parametrize("size", [(24, 64), (64, 24), (24, 24)], ids=str)
def test_a_parametrized_layer_is_trained_after_it_was_filled(make, size) -> None:
    torch.manual_seed(0)
    layer = make(nn.Linear(*size))
    filling.fill(layer, "random", seed=1)
    (layer(torch.randn(6, size[0])) * torch.randn(6, size[1])).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0.1 for p in layer.parameters())


@pytest.mark.parametrize(
    "shape", [(24, 24), (3, 4, 24, 6), (4, 3, 6, 24), (24, 3, 4, 6), (3, 1, 24, 24)], ids=lambda shape: "x".join(map(str, shape))
)  # fmt: skip
def test_several_matrices_in_one_parameter_are_as_large_as_one(shape) -> None:
    module = nn.Module()
    module.own = nn.Parameter(torch.empty(shape))
    filling.fill(module, "random", seed=1)
    assert 0.18 < float(module.own.detach().std()) < 0.23  # 1 / sqrt(24)


def test_a_kernel_is_filled_by_what_it_sums_over() -> None:
    layer = nn.Conv2d(3, 64, 7)
    filling.fill(layer, "random", seed=1)
    assert 0.075 < float(layer.weight.detach().std()) < 0.09  # 1 / sqrt(3 * 7 * 7)
