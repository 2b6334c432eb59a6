"""The small data sets behave like torchvision's: an item is the reader's own, and what it was."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import FashionMNIST
from torchvision.transforms import Compose, ToTensor

from grader.assignments.vit.inside import provided
from grader.assignments.vit.inside.datasets import Garments, in_place_of_fashion_mnist, to_tensor
from grader.torchkit.inside.noted_reads import UNKNOWN, pixels_of


@pytest.fixture
def garments():
    rng = np.random.default_rng(0)
    return Garments(rng.integers(0, 256, (5, 28, 28), np.uint8), rng.integers(0, 10, 5))


def test_an_item_that_is_changed_in_place_is_read_as_it_was_again(garments):
    before = garments[3][0].clone()
    garments[3][0].zero_()
    assert torch.equal(garments[3][0], before)


def test_items_are_those_that_the_way_through_pil_gives(garments):
    fast = [garments[i] for i in range(5)]
    garments.transform = lambda picture: to_tensor(picture)
    for (ours, label), (theirs, same) in zip(fast, (garments[i] for i in range(5)), strict=True):
        assert torch.equal(ours, theirs) and label == same


@pytest.mark.parametrize("transform", [to_tensor, lambda picture: to_tensor(picture) + 1], ids=["plain", "another"])
def test_all_inputs_are_those_of_the_items(garments, transform):
    garments.transform = transform
    assert torch.equal(garments.inputs(), torch.stack([garments[i][0] for i in range(5)]))


class Own(FashionMNIST):
    """A student's subclass."""


@pytest.mark.parametrize("cls", [FashionMNIST, Own])
def test_whoever_builds_fashion_mnist_has_the_small_set_whose_reads_are_noted(garments, cls):
    test = Garments(np.zeros((2, 28, 28), np.uint8), np.zeros(2), train=False)
    with in_place_of_fashion_mnist(garments, test, always_tensors=False):
        built = cls("data", train=True, download=True)
    assert isinstance(built, cls) and len(built) == 5
    assert built[3][1] == garments.targets[3] and garments.reads == [3]


def test_a_batch_holds_what_its_items_are_and_all_are_noted(garments):
    images, labels = next(iter(DataLoader(Subset(garments, [4, 0, 3]), batch_size=3)))
    assert garments.reads == [4, 0, 3]
    for at, row in enumerate(garments.reads[:3]):
        assert torch.equal(images[at], garments[row][0]) and labels[at] == garments[row][1]


def test_items_that_are_left_in_a_narrowed_set_keep_their_numbers(garments):
    garments.data, garments.targets = garments.data[[4, 1]], garments.targets[[4, 1]]
    items = [garments[0], garments[1]]
    assert len(garments) == 2 and garments.reads == [4, 1]
    assert [garments.looks[pixels_of(image)] for image, _ in items] == [(4, items[0][1]), (1, items[1][1])]


def test_other_images_count_by_where_they_stand_and_are_not_known(garments):
    garments.data = garments.data.flip(2)
    image, label = garments[3]
    assert garments.reads == [3] and garments.looks[pixels_of(image)] == (UNKNOWN, label)


def test_a_batch_of_a_subclass_is_made_of_its_own_items(garments):
    class Dark(FashionMNIST):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image * 0, label

    with in_place_of_fashion_mnist(garments, garments, always_tensors=False):
        built = Dark("data", transform=to_tensor)
    images, _ = next(iter(DataLoader(built, batch_size=2)))
    assert not images.any() and garments.reads == [0, 1]


@pytest.fixture
def own_constructor(monkeypatch) -> None:
    """torchvision's, put back afterwards: a worker replaces it for as long as it lives."""
    monkeypatch.setattr(FashionMNIST, "__init__", FashionMNIST.__init__)


@pytest.mark.usefixtures("own_constructor")
def test_fashion_mnist_as_student_code_builds_it_is_there_without_a_download() -> None:
    clothes = provided.names()["FashionMNIST"]
    assert clothes is FashionMNIST
    train = clothes("nowhere", train=True, download=True, transform=ToTensor())
    assert isinstance(train, FashionMNIST) and train.root == "nowhere" and len(train) == len(train.data)
    pixels = torch.stack([image for image, _ in train])
    assert abs(pixels.mean() - 0.286) < 0.001 and abs(pixels.std() - 0.353) < 0.001
    assert torch.equal(pixels[:, 0], train.data / 255)
    assert isinstance(Own("nowhere", transform=ToTensor())[0][0], Tensor)


@pytest.mark.parametrize("transform", [ToTensor(), Compose([ToTensor()])], ids=["alone", "composed"])
def test_the_short_way_gives_the_tensors_of_the_way_through_pil(transform) -> None:
    train = provided.ProvidedSet(True, transform)
    other = provided.ProvidedSet(True, lambda image: ToTensor()(image))
    for index in range(5):
        assert torch.equal(train[index][0], other[index][0]) and train[index][1] == other[index][1]


@pytest.mark.usefixtures("own_constructor")
def test_test_labels_are_not_there() -> None:
    assert not provided.names()["FashionMNIST"]("nowhere", train=False).targets.any()
