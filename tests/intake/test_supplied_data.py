"""Definitions that rest on a data set that the worker supplies are kept, and on any other are not."""

from pathlib import Path

import pytest

from grader.records import Submission
from tests.intake.building import kept, opened, write_notebook

BUILT = {
    "attribute": "raw = datasets.FashionMNIST('data', train=True, download=True)",
    "name": "from torchvision.datasets import FashionMNIST\nraw = FashionMNIST('data', download=True)",
    "another name": "from torchvision.datasets import FashionMNIST as Clothes\nraw = Clothes('data', download=True)",
    "function": "def get():\n    return datasets.FashionMNIST('data', download=True)\n\nraw = get()",
}


def read(folder: Path, *cells: str, supplied: tuple[str, ...]) -> Submission:
    return opened(write_notebook(folder / "submission.ipynb", *cells), provided=supplied)


@pytest.mark.parametrize("built", BUILT.values(), ids=BUILT)
def test_what_rests_on_a_data_set_that_is_supplied_is_kept(tmp_path: Path, built: str) -> None:
    cells = ("from torchvision import datasets", built, "mean = raw.data.float().mean()", "lr = float(mean)")
    assert "lr = float(mean)" in kept(read(tmp_path / "one", *cells, supplied=("FashionMNIST",)))
    left_out = read(tmp_path / "other", *cells, supplied=("CIFAR10",))
    assert "lr = float(mean)" not in kept(left_out)
    assert any("'lr'" in problem for problem in left_out.problems)


@pytest.mark.parametrize("other", ["MNIST('data')", "ImageFolder('data')", "CIFAR10('data', download=True)"])
def test_no_other_data_set_is_supplied_with_it(tmp_path: Path, other: str) -> None:
    cells = ("from torchvision import datasets", f"raw = datasets.{other}", "lr = len(raw)")
    assert "lr" not in kept(read(tmp_path / "one", *cells, supplied=("FashionMNIST",)))


READ = {
    "a loop": "for x, y in train_loader:\n    lr = float(x.std())",
    "enumerated": "for step, lr in enumerate(train_loader):\n    pass",
    "the first batch": "lr, y = next(iter(train_loader))",
    "a comprehension": "lr = sum(y for x, y in train_dataset)",
}


@pytest.mark.parametrize("cell", READ.values(), ids=READ)
def test_data_that_is_supplied_may_be_gone_through(tmp_path: Path, cell: str) -> None:
    assert kept(read(tmp_path, cell, supplied=("train_dataset",))) == cell


def test_a_definition_is_made_of_the_data_set_that_stands_above_it_and_a_function_gets_the_one_that_is_supplied(
    tmp_path: Path,
) -> None:
    cells = (
        "from torchvision import datasets",
        "train_dataset = datasets.FashionMNIST('data')",
        "lr = len(train_dataset)",
    )
    both = ("FashionMNIST", "train_dataset")
    made = kept(read(tmp_path / "definition", *cells, supplied=both))
    assert "train_dataset = datasets" in made
    asked = kept(
        read(tmp_path / "function", *cells[:2], "def get_embeddings():\n    return len(train_dataset)", supplied=both)
    )
    assert "train_dataset = datasets" not in asked
