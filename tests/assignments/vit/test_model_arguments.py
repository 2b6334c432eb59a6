"""What is said of the arguments that a training builds its models with, from hand-written observations."""

from types import SimpleNamespace
from typing import Any

import pytest

from grader.assignments.vit.metric_learning import model_arguments
from grader.judging import Fail
from grader.records import Raised
from grader.torchkit.training_answers import ModelCall

ORDER = ("image_size", "patch_size", "num_channels", "hidden_size", "layers", "heads")
SMALL = {
    "image_size": 28,
    "patch_size": 14,
    "in_channels": 1,
    "hidden_size": 36,
    "layers": 1,
    "heads": 3,
    "embed_size": 20,
}
FULL = {
    "image_size": 28,
    "patch_size": 7,
    "in_channels": 1,
    "hidden_size": 64,
    "layers": 8,
    "heads": 4,
    "embed_size": 64,
}
RAISED = Raised("RuntimeError", ("RuntimeError",), "no")


def vit(*arguments: Any) -> ModelCall:
    given = dict(zip(ORDER, arguments, strict=True))
    numbers = {name: value for name, value in given.items() if type(value) is int}
    others = {name: repr(value) for name, value in given.items() if name not in numbers}
    return ModelCall("ViT", f"ViT{arguments}", numbers, others, None, RAISED, ())


def head(*arguments: int) -> ModelCall:
    given = dict(zip(("hidden_size", "embed_size"), arguments, strict=True))
    return ModelCall("LinearEmbeddingHead", f"LinearEmbeddingHead{arguments}", given, {}, None, None, ())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (vit(28, 7, 64, 1, 8, 4), "num_channels is 64 and hidden_size is 1: compare the order"),
        (vit(28, 7, 1, (64,), 8, 4), "hidden_size is (64,), and not a whole number: take away the comma"),
        (vit(28, 7, 1, 64, 8.0, 4), "layers is 8.0, and not a whole number."),
        (vit(28, 7, 3, 64, 8, 4), "num_channels is not 1"),
        (vit(32, 8, 1, 64, 8, 4), "image_size is not 28"),
        (vit(28, 7, 1, 64, 8, 5), "64 cannot be divided by heads=5"),
        (vit(28, 7, 1, 64, 8, 4), "The order is ViT("),
    ],
)
def test_why_a_model_cannot_be_built_is_told_by_its_arguments(call: ModelCall, words: str) -> None:
    assert words in model_arguments._why(call, FULL)


def compared(small: ModelCall, full: ModelCall) -> str | None:
    evidence: Any = SimpleNamespace(has=lambda name: False)
    runs: Any = [SimpleNamespace(calls=[small], sizes=SMALL), SimpleNamespace(calls=[full], sizes=FULL)]
    return model_arguments._compared(evidence, *runs)


@pytest.mark.parametrize(
    ("small", "full", "words"),
    [
        (vit(28, 14, 1, 36, 3, 1), vit(28, 7, 1, 64, 4, 8), "`heads` in the place of `layers`"),
        (vit(28, 14, 1, 36, 1, 36), vit(28, 7, 1, 64, 8, 64), "in the place of `heads`"),
        (head(36, 3), head(64, 4), "`heads` in the place of `embed_size`"),
    ],
    ids=["exchanged", "another size", "of the head"],
)
def test_a_hyperparameter_in_the_place_of_another_fails(small: ModelCall, full: ModelCall, words: str) -> None:
    with pytest.raises(Fail) as failed:
        compared(small, full)
    assert words in failed.value.message


@pytest.mark.parametrize(
    ("small", "full"),
    [
        (vit(28, 14, 1, 36, 1, 3), vit(28, 7, 1, 64, 8, 4)),
        (vit(28, 7, 1, 36, 8, 4), vit(28, 7, 1, 64, 8, 4)),
        (head(36, 36), head(64, 64)),
    ],
    ids=["in their places", "literals", "of the same number"],
)
def test_the_right_numbers_pass_however_they_are_written(small: ModelCall, full: ModelCall) -> None:
    assert compared(small, full) is None


def test_a_number_that_is_no_hyperparameter_is_remarked() -> None:
    assert "embed_size=32, though `embed_size` is 64" in str(compared(head(36, 32), head(64, 32)))
