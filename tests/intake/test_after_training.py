"""What a notebook puts in the place of a value after its last training: the training was not done with it."""

from pathlib import Path

import pytest

from tests.intake.building import opened, run, write_notebook

pytestmark = pytest.mark.usefixtures("in_process")

MADE = "class ViT: pass\nnum_epochs = 20\ntfm_train, tfm_test = 1, 2\ndef train_embedding_model(train, test): pass"
CALL = "train_embedding_model(None, None)"
LATER = "ViT = ViT()\nnum_epochs = 1\ntfm_train = tfm_test"


def values(folder: Path, *cells: str) -> dict[str, object]:
    submission = opened(write_notebook(folder / "a.ipynb", *cells), traced="train_embedding_model")
    return run(submission)


@pytest.mark.parametrize("call", [CALL, f"def main():\n    {CALL}\nmain()"], ids=["plain", "in a function"])
def test_what_the_training_was_done_with_counts(tmp_path: Path, call: str) -> None:
    found = values(tmp_path, MADE, call, LATER)
    assert isinstance(found["ViT"], type) and (found["num_epochs"], found["tfm_train"]) == (20, 1)


@pytest.mark.parametrize(
    "cells",
    [(MADE, LATER), (MADE, LATER, CALL), (MADE, CALL, LATER, CALL)],
    ids=["without a training", "before the training", "before the last training"],
)
def test_before_the_last_training_the_last_value_counts(tmp_path: Path, cells: tuple[str, ...]) -> None:
    found = values(tmp_path, *cells)
    assert not isinstance(found["ViT"], type) and (found["num_epochs"], found["tfm_train"]) == (1, 2)


def test_what_is_defined_after_the_training_counts(tmp_path: Path) -> None:
    later = "lr = 0.5\nclass ViT: new = True"
    found = values(tmp_path, MADE, CALL, later)
    assert found["lr"] == 0.5 and found["ViT"].new  # type: ignore[attr-defined]
