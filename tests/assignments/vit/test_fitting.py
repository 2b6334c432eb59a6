"""A checkpoint that does not fit is blocked by the part that explains it, and the hyperparameter that changed is named."""

from typing import Any
from unittest.mock import MagicMock, Mock

import pytest

from grader.assignments.vit.thresholds import fitting, mismatch
from grader.judging import Blocked, Fail
from grader.observations import RaisedResult
from grader.records import Raised
from grader.torchkit.checkpoints import Mismatch, NamedShape, Reshaped
from grader.torchkit.image_sets import NoRows

NOTEBOOK = {"hidden_size": 64, "patch_size": 7, "in_channels": 1, "embed_size": 64}


def unfit(
    *reshaped: tuple[tuple[int, ...], tuple[int, ...]], missing: Any = (), unexpected: Any = (), blocks: Any = (3, 3)
) -> Mismatch:
    tensors = [Reshaped("a.weight", built, saved) for built, saved in reshaped]
    names = [[NamedShape(name, (8,)) for name in found] for found in (missing, unexpected)]
    counts = (len(names[0]), len(names[1]), len(tensors))
    return Mismatch(blocks[0], blocks[1], ["PatchEmbeddings"], *counts, *names, tensors)


def evidence(failed: tuple[str, ...] = (), **notebook: float) -> Any:
    seen = MagicMock()
    seen.verdict = lambda criterion: Mock(status="failed" if criterion in failed else "passed")
    seen.passed = lambda criterion: criterion not in failed
    return seen


@pytest.fixture(autouse=True)
def _hyperparameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mismatch, "hyperparameter", lambda seen, name: NOTEBOOK.get(name))


@pytest.mark.parametrize(
    ("failed", "by"),
    [
        (("vit.attention_block", "vit.model"), "vit.model"),  # ViT does not pass its channels on
        (("vit.patch_embeddings", "vit.attention_block"), "vit.patch_embeddings"),
        (("vit.attention_block",), "vit.attention_block"),  # nothing better is known
    ],
)
def test_a_mismatch_is_blocked_by_the_part_that_explains_it(failed: tuple[str, ...], by: str) -> None:
    with pytest.raises(Blocked) as blocked:
        fitting._expect_fitting(evidence(failed), "vit_embeds.pt", "vit", unfit(missing=["a"]), [])
    assert blocked.value.by == by


CAUSES = {
    "layers": ("vit", unfit(missing=["a"], blocks=(3, 2)), "has 2 blocks, the notebook builds 3: `layers` was changed"),
    "hidden_size": ("vit", unfit(((64,), (32,)), ((192, 64), (96, 32))), "hidden_size 32, the notebook 64"),
    "patch_size": ("vit", unfit(((64, 1, 7, 7), (64, 1, 4, 4)), ((1, 17, 64), (1, 50, 64))), "patch_size 4, the notebook 7"),
    "in_channels": ("vit", unfit(((64, 1, 7, 7), (64, 3, 7, 7))), "in_channels 3, the notebook 1: `in_channels` was"),
    "in_channels of flat patches": ("vit", unfit(((64, 49), (64, 147))), "in_channels 3, the notebook 1"),
    "classes": ("classifier", unfit(((10, 64), (9, 64)), ((10,), (9,))), "has 9 classes, FashionMNIST 10"),
    "hidden_size of a classifier": ("classifier", unfit(((10, 64), (10, 32))), "hidden_size 32, the notebook 64"),
    "embed_size": ("embedding_head", unfit(((64, 64), (32, 64)), ((64,), (32,))), "embed_size 32, the notebook 64"),
    "hidden_size of an embedding head": ("embedding_head", unfit(((64, 64), (64, 32))), "hidden_size 32, the notebook"),
    "names": ("vit", unfit(missing=["a"], unexpected=["b"]), "were renamed after training"),
    "the code": ("vit", unfit(((64, 5), (64, 11))), "The code was changed after training"),
}  # fmt: skip


@pytest.mark.parametrize(("key", "found", "words"), CAUSES.values(), ids=CAUSES)
def test_what_was_changed_is_named_as_the_cause(key: str, found: Mismatch, words: str) -> None:
    assert words in mismatch.cause(evidence(), key, found)


def test_a_cause_is_the_hint_where_the_code_is_right() -> None:
    with pytest.raises(Fail) as fail:
        fitting._expect_fitting(evidence(), "vit_embeds.pt", "vit", CAUSES["in_channels"][1], [])
    assert fail.value.message.startswith('"vit" in vit_embeds.pt does not fit `ViT`: 1 tensor has another shape')
    assert "`in_channels` was changed" in fail.value.hint


def test_outputs_that_are_no_rows_are_told_as_what_the_model_gives() -> None:
    verdict = fitting._stopped(evidence(), NoRows("Tensor", (17, 64), 100), "number of classes")
    assert isinstance(verdict, Fail)
    assert verdict.message == (
        "the model gives a tensor of shape (17, 64) for a batch of 100 images, expected a tensor of shape "
        "(100, number of classes)"
    )


@pytest.mark.parametrize(
    ("bases", "failed", "by"),
    [
        (("ValueError",), ("vit.heads",), "vit.heads"),
        (("ValueError",), (), None),
        (("NotImplementedError",), (), "vit.model"),
    ],
)
def test_an_exception_is_blamed_on_the_code_where_that_is_wrong(
    bases: tuple[str, ...], failed: tuple[str, ...], by: str | None
) -> None:
    verdict = fitting._stopped(evidence(failed), RaisedResult(Raised(bases[0], bases, "no")), "embed_size")
    assert (verdict.by if isinstance(verdict, Blocked) else None) == by
    assert "running the model on images raised" in str(verdict)


def test_the_keys_of_a_checkpoint_are_told_three_at_most() -> None:
    assert fitting._keys([]) == "nothing"
    assert fitting._keys(["a", "b"]) == '"a", "b"'
    assert fitting._keys(list("abcde")) == '"a", "b", "c" and 2 more'
