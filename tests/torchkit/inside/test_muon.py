"""The trainer's Muon, against the definition of its iteration and against torch's."""

import pytest
import torch
from torch import Tensor

from grader.torchkit.inside import muon
from grader.torchkit.inside.muon import Muon, orthogonal

SHAPES = [(16, 16), (64, 16), (16, 48)]


def drawn(shapes: list[tuple[int, int]], seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in shapes]


def by_definition(matrix: Tensor, rounds: int) -> Tensor:
    """The iteration on the matrix itself, in double precision."""
    a, b, c = muon.COEFFICIENTS
    x = matrix.double() / matrix.double().norm()
    for _ in range(rounds):
        x = a * x + b * (x @ x.T @ x) + c * (x @ x.T @ x @ x.T @ x)
    return x


def test_matrices_of_several_shapes_are_made_orthogonal_as_each_would_be_alone() -> None:
    matrices = drawn(SHAPES)
    for matrix, found in zip(matrices, orthogonal(matrices, rounds=5), strict=True):
        torch.testing.assert_close(found.double(), by_definition(matrix, 5), atol=1e-4, rtol=1e-3)
        assert 0.5 < torch.linalg.svdvals(found).median() < 1.3


def test_a_matrix_of_zeros_stays_one() -> None:
    (found,) = orthogonal([torch.zeros(8, 12)], rounds=5)
    assert torch.equal(found, torch.zeros(8, 12))


def test_directions_of_low_rank_do_not_grow_beyond_bounds() -> None:
    column, row = drawn([(16, 1), (1, 48)])
    (found,) = orthogonal([column @ row], rounds=5)
    assert torch.linalg.matrix_norm(found, 2) < 1.3


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_steps_are_those_of_torch_up_to_bfloat16(weight_decay: float) -> None:
    ours, theirs = ([torch.nn.Parameter(m) for m in drawn(SHAPES)] for _ in range(2))
    optimizers = [
        kind(weights, lr=0.1, weight_decay=weight_decay) for kind, weights in ((Muon, ours), (torch.optim.Muon, theirs))
    ]
    for seed in range(3):
        for weights, optimizer in zip((ours, theirs), optimizers, strict=True):
            for weight, gradient in zip(weights, drawn(SHAPES, seed + 1), strict=True):
                weight.grad = gradient
            optimizer.step()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=0.02, rtol=0)


def test_a_matrix_without_a_gradient_stays() -> None:
    (weight,) = (torch.nn.Parameter(m) for m in drawn([(8, 8)]))
    before = weight.detach().clone()
    Muon([weight], lr=0.1, weight_decay=0.1).step()
    assert torch.equal(weight, before)
