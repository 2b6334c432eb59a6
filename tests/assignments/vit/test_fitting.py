"""A checkpoint that does not fit is blocked by the part that explains it, not by the first that is broken."""

from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from torch import nn

from grader.assignments.vit.inside.checkpoints import fitted
from grader.assignments.vit.thresholds import fitting
from grader.judging import Blocked


class PatchEmbeddings(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(channels, 8, 7, 7)


class ViT(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.patches = PatchEmbeddings(channels)
        self.norm = nn.LayerNorm(8)


def test_the_owner_of_a_tensor_is_the_innermost_class_of_the_assignment() -> None:
    assert fitted(ViT(3), ViT(1).state_dict())["owners"] == ["PatchEmbeddings"]


@pytest.mark.parametrize(
    ("failed", "by"),
    [
        (("vit.attention_block", "vit.model"), "vit.model"),  # ViT does not pass its channels on
        (("vit.patch_embeddings", "vit.attention_block"), "vit.patch_embeddings"),
        (("vit.attention_block",), "vit.attention_block"),  # nothing better is known
    ],
)
def test_a_mismatch_is_blocked_by_the_part_that_explains_it(failed: tuple[str, ...], by: str) -> None:
    facts: dict[str, Any] = fitted(ViT(3), ViT(1).state_dict())
    seen = MagicMock()
    seen.verdict = lambda criterion: Mock(status="failed" if criterion in failed else "passed")
    seen.__getitem__.return_value.ok = False
    with pytest.raises(Blocked) as blocked:
        fitting._fits(seen, "vit_embeds.pt", "vit", facts)
    assert blocked.value.by == by
