"""The slope that is measured is the one of the gradient, unless a part of what was computed is detached."""

import pytest
import torch
from torch import Tensor, nn

from grader.torchkit.inside import filling, gradients
from grader.torchkit.modules.answers import SLOPE_TOLERANCE


class _Residual(nn.Module):
    def __init__(self, activation: nn.Module, detached: bool = False) -> None:
        super().__init__()
        self.norm, self.detached = nn.LayerNorm(24), detached
        self.mlp = nn.Sequential(nn.Linear(24, 96), activation, nn.Linear(96, 24))

    def forward(self, x: Tensor) -> Tensor:
        return (x.detach() if self.detached else x) + self.mlp(self.norm(x))


def _differences(make) -> list[float]:
    """How far both slopes lie apart, as a share, with other weights and inputs each time."""
    found = []
    for seed in range(150):
        torch.manual_seed(seed)
        module = nn.Sequential(make(), make(), make()).eval()
        filling.fill(module, "random", seed)
        call = {"inputs": torch.randn(3, 17, 24).numpy(), "weights": torch.randn(3, 17, 24).numpy()}
        told = gradients.gradients(module, call)
        found.append(abs(told["slope"] / told["measured_slope"] - 1))
    return found


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU, nn.Hardswish, nn.LeakyReLU], ids=lambda each: each.__name__)
def test_kinks_of_an_activation_are_no_detached_part(activation) -> None:
    assert max(_differences(lambda: _Residual(activation()))) < SLOPE_TOLERANCE / 5


def test_a_detached_part_is_seen() -> None:
    apart = _differences(lambda: _Residual(nn.GELU(), detached=True))
    assert sum(each > SLOPE_TOLERANCE for each in apart) > 0.8 * len(
        apart
    )  # what is cut off may tell little, by chance
