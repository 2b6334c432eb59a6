"""Which images a training looks at, and models of unusual numbers."""

from collections import Counter

import pytest
import torch
from torch import Tensor, nn

from grader.torchkit.inside.classifier_training import CyclePlan, Recipe, Training, until_enough

COUNT = 1_000  # images, of which a tenth is held out


class Reader(nn.Module):
    """Reads off an image which class it shows, and is wrong about every second one."""

    def __init__(self) -> None:
        super().__init__()
        self.visits: Counter[int] = Counter()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        rows = images.flatten(1).amax(1).long()
        if self.training:
            self.visits.update(rows.tolist())
        return self.scale * nn.functional.one_hot((rows + rows % 2) % 10, 10).float()


def trained(body: nn.Module, head: nn.Module, *cycles: CyclePlan) -> Training:
    rows = torch.arange(COUNT)
    images = rows.float().view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
    training = Training(
        body, head, images, rows % 10, None, 2.0, 1e12, torch.Generator().manual_seed(0),
        Recipe(batch=30, cycles=cycles),
    )  # fmt: skip
    until_enough(training)
    return training


def test_after_a_pass_over_all_images_the_half_with_the_greatest_losses_is_seen_again() -> None:
    reader = Reader()
    training = trained(reader, nn.Identity(), CyclePlan(1, 1))
    assert reader.visits == {row: 3 if row % 2 else 1 for row in range(COUNT * 9 // 10)}
    assert training.history == [{"passes": 2, "accuracy": 0.5}]


def test_a_plan_without_a_hard_part_sees_all_images_equally_often() -> None:
    reader = Reader()
    trained(reader, nn.Identity(), CyclePlan(2))
    assert set(reader.visits.values()) == {2}


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_a_model_of_another_precision_is_trained(dtype: torch.dtype) -> None:
    class Cast(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1).to(dtype)

    body = nn.Sequential(Cast(), nn.Linear(16, 16, dtype=dtype))
    training = trained(body, nn.Linear(16, 10, dtype=dtype), CyclePlan(0.5, 0.5))
    assert training.losses[: COUNT // 2].isfinite().all()
    assert all(p.isfinite().all() for p in training.models.parameters())


def test_matrices_of_two_precisions_are_trained_together() -> None:
    class Widen(nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            return features.double()

    body = nn.Sequential(nn.Flatten(), nn.Linear(16, 16), Widen(), nn.Linear(16, 16, dtype=torch.float64))
    before = [p.detach().clone() for p in body.parameters()]
    trained(body, nn.Linear(16, 10, dtype=torch.float64), CyclePlan(0.2))
    assert not any(torch.equal(p, b) for p, b in zip(body.parameters(), before, strict=True))
