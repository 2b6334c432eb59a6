"""Which parameters belong to which layer."""

import pytest
import torch
from torch import nn

from grader.torchkit.inside.filling import fill
from grader.torchkit.inside.layers import of_layers


def block() -> nn.Module:
    """Three linear layers, numbered as the blocks are."""
    return nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 2))


class Named(nn.Module):
    """Layers that are attributes with a number."""

    def __init__(self) -> None:
        super().__init__()
        for number in (1, 2, 3):
            setattr(self, f"block{number}", block())
        self.norm = nn.LayerNorm(2)


class Stacked(nn.Module):
    """Layers that are rows of the same parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.ones(3, 2, 4)), nn.Parameter(torch.ones(3, 4, 2))
        self.gain = nn.Parameter(torch.ones(2))


@pytest.mark.parametrize("module", [nn.Sequential(*(block() for _ in range(3))), Named()], ids=["a list", "attributes"])
def test_layers_are_told_from_the_first_number_in_their_names(module: nn.Module) -> None:
    layers = of_layers(module, 3)
    assert [len(layer) for layer in layers] == [6, 6, 6]
    assert all(a is b for a, b in zip(layers[1], list(module.children())[1].parameters(), strict=True))


def test_layers_that_are_stacked_are_rows() -> None:
    module = Stacked()
    fill(module, "random", seed=1, silent=(0, 2), layers=3)
    assert module.first[1].abs().min() > 1e-6 and module.second[[0, 2]].abs().max() < 1e-6
    assert module.gain.abs().min() > 1e-6


class OtherNames(nn.Module):
    """Layers without numbers, with numbered parts."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = (nn.ModuleDict({"a": nn.Linear(2, 2), "mlp": block()}) for _ in range(3))


@pytest.mark.parametrize(
    "module", [OtherNames(), nn.ModuleDict({n: nn.Linear(2, 2) for n in ("a", "b", "c")}), nn.ReLU()]
)
def test_what_cannot_be_told_is_not_guessed(module: nn.Module) -> None:
    with pytest.raises(ValueError, match="whose is not known"):
        of_layers(nn.Sequential(module, module), 3)
