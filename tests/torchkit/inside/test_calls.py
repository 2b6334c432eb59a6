"""What is told of calls of modules: gradients against their definition, tokens in both layouts, scales of attention."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grader.torchkit.inside.attention_off import without_attention
from grader.torchkit.inside.attention_scale import attention_scale
from grader.torchkit.inside.filling import FAINT_SCALE, fill
from grader.torchkit.inside.gradients import gradients, training_step
from grader.torchkit.inside.tokens import with_tokens_replaced
from grader.torchkit.modules.asking import call, normal

RNG = np.random.default_rng(1)
X, WEIGHTS = normal(RNG, 3, 4), normal(RNG, 3, 2)
LOOSE = torch.ones(4, requires_grad=True)


class Scaled(nn.Module):
    """A layer after a product with something."""

    def __init__(self, scale: Tensor, detached: bool = False) -> None:
        super().__init__()
        self.layer, self.detached = nn.Linear(4, 2), detached
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.layer(x * self.scale)) + self.layer(x.detach() if self.detached else x)


class Mean(nn.Module):
    """The mean of tokens that a layer puts out, in one layout or the other."""

    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.layer, self.batch_first = nn.Linear(4, 4), batch_first

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x).mean(1) if self.batch_first else self.layer(x.transpose(0, 1)).mean(0)


class Attention(nn.Module):
    def __init__(self, scale: float | None) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        if self.scale is None:
            return F.scaled_dot_product_attention(x, x, x)
        return (x @ x.transpose(-2, -1) * self.scale).softmax(-1) @ x


def test_gradients_are_those_of_the_weighted_sum() -> None:
    module = Scaled(torch.ones(4))
    found = gradients(module, call(X, "gradients", weights=WEIGHTS))
    x = torch.from_numpy(X).requires_grad_()
    (expected,) = torch.autograd.grad((module(x) * torch.from_numpy(WEIGHTS)).sum(), x)
    assert np.allclose(found["inputs"], expected.numpy(), atol=1e-6) and found["unregistered"] == []
    assert found["slope"] == pytest.approx(found["measured_slope"], rel=1e-2) and found["reached"] == 10


def test_a_detached_branch_shows_in_the_measured_slope() -> None:
    found = gradients(Scaled(torch.ones(4), detached=True), call(X, "gradients", weights=WEIGHTS))
    assert abs(found["slope"] / found["measured_slope"] - 1) > 0.05


def test_a_learned_tensor_that_is_no_parameter_is_told_by_its_shape() -> None:
    assert gradients(Scaled(LOOSE), call(X, "gradients", weights=WEIGHTS))["unregistered"] == [[4]]


@pytest.mark.parametrize("do", [gradients, training_step])
def test_an_output_of_another_shape_is_not_differentiated(do) -> None:
    assert do(nn.Linear(4, 2), call(X, weights=WEIGHTS.T.copy(), lr=0.1)) == {"kind": "other shape"}


def test_an_output_of_whole_numbers_is_no_step_of_training() -> None:
    class Classes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, :2].long()

    assert training_step(Classes(), call(X, weights=WEIGHTS, lr=0.1)) == {"kind": "other shape"}


@pytest.mark.parametrize("batch_first", [True, False])
def test_tokens_are_replaced_in_either_layout(batch_first: bool) -> None:
    x, tokens = normal(RNG, 2, 5, 4), normal(RNG, 2, 5, 4)
    out = with_tokens_replaced(Mean(batch_first), call(x, tokens=tokens))
    assert np.allclose(out["array"], tokens.mean(1), atol=1e-6)


def test_where_no_module_puts_tokens_out_none_are_replaced() -> None:
    call_ = call(normal(RNG, 2, 5, 4), tokens=normal(RNG, 2, 9, 4))
    assert with_tokens_replaced(Mean(True), call_) == {"kind": "no tokens"}


@pytest.mark.parametrize(("scale", "found"), [(None, 0.5), (1.0, 1.0), (0.25, 0.25)])
def test_the_scale_of_attention_is_followed(scale: float | None, found: float) -> None:
    got, width = attention_scale(Attention(scale), torch.from_numpy(normal(RNG, 2, 5, 4)))
    assert got == pytest.approx(found, rel=1e-3) and width == 4


def test_parameters_are_filled_as_their_kind_says() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
    fill(module, "zero_but_ones")
    assert module[1].weight.eq(1).all() and module[0].weight.abs().max() < 1e-6
    fill(module, "random_but_plain", seed=1)
    assert module[1].weight.eq(1).all() and module[0].weight.abs().max() > 0.1
    fill(module, "random", seed=1)
    usual = module[0].weight.clone()
    fill(module, "faint", seed=1)
    assert torch.allclose(module[0].weight, FAINT_SCALE * usual) and not module[1].weight.eq(1).any()


class OfFirstToken(nn.Module):
    """What the first token is after a layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[:, 0]


ATTENTIONS = {
    "of PyTorch": nn.TransformerEncoder(
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True), 1, enable_nested_tensor=False
    ),
    "with the fused function": Attention(None),
    "by hand": Attention(1.0),
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_without_attention_a_token_knows_nothing_of_the_others(name: str) -> None:
    x = np.repeat(normal(RNG, 1, 5, 4), 2, axis=0)
    x[1, 1:] = normal(RNG, 4, 4)
    module = OfFirstToken(ATTENTIONS[name]).eval()
    with_it = module(torch.from_numpy(x)).detach()
    without = without_attention(module, call(x, layers=1))["array"]
    assert not torch.allclose(with_it[0], with_it[1]) and np.array_equal(without[0], without[1])


def test_attention_that_is_not_found_is_not_left_out() -> None:
    assert without_attention(Mean(True), call(normal(RNG, 2, 5, 4), layers=1)) == {"kind": "no attention"}
