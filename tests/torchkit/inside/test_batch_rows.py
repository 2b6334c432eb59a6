"""Whether the labels that a loss is given are those of the images that its embeddings were made of."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from grader.torchkit.inside.batch_rows import BatchRows
from grader.torchkit.inside.noted_reads import NotedPairs

ORDER = torch.randperm(8, generator=torch.Generator().manual_seed(1))


class Batch:
    """Eight images that a loader gave, and a model that was followed."""

    def __init__(self, classes: int = 4, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.rows = BatchRows()
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
        self.model.register_forward_pre_hook(self.rows.enter)
        self.model.register_forward_hook(self.rows.leave)
        self.images, self.labels = self.given(classes)

    def given(self, classes: int = 4) -> tuple[Tensor, Tensor]:
        images, labels = torch.rand(8, 1, 2, 2), torch.arange(8) % classes
        self.rows.begin([images, labels])
        return images, labels

    def wrong(self, embeddings: Tensor, labels: Tensor) -> bool | None:
        return self.rows.mislabelled(embeddings, labels)


def test_labels_of_the_images_are_theirs_in_any_order_and_by_any_name() -> None:
    batch = Batch()
    out = batch.model(batch.images)
    assert batch.wrong(out, batch.labels) is False
    assert batch.wrong(nn.functional.normalize(out), batch.labels + 10) is False
    assert batch.wrong(out[ORDER], batch.labels[ORDER]) is False
    assert batch.wrong(batch.model(batch.images[ORDER]), batch.labels[ORDER]) is False
    assert batch.wrong(torch.cat([out, batch.model(batch.images.flip(3))]), batch.labels.repeat(2)) is False


@pytest.mark.parametrize("seed", range(5))
def test_an_order_of_their_own_of_images_embeddings_or_labels_is_seen(seed: int) -> None:
    batch = Batch(seed=seed)
    out = batch.model(batch.images)
    assert batch.wrong(out, batch.labels[ORDER]) is True
    assert batch.wrong(out[ORDER], batch.labels) is True
    assert batch.wrong(batch.model(batch.images[ORDER]), batch.labels) is True
    views = torch.cat([out, batch.model(batch.images.flip(3))])
    assert batch.wrong(views, batch.labels.repeat_interleave(2)) is True


def test_labels_of_another_loader_are_seen() -> None:
    batch = Batch()
    _, others = batch.given(classes=2)
    assert batch.wrong(batch.model(batch.images), others) is True
    assert batch.wrong(batch.model(batch.images), batch.labels) is False


def test_what_no_loader_gave_is_not_judged() -> None:
    batch = Batch()
    assert batch.wrong(batch.model(torch.rand(8, 1, 2, 2)), batch.labels) is None
    assert batch.wrong(torch.rand(8, 3), batch.labels) is None
    assert batch.wrong(batch.model(batch.images), batch.labels[:4]) is None


def test_embeddings_that_were_blurred_on_the_way_are_told_by_their_order() -> None:
    batch = Batch()
    out = batch.model(batch.images)
    blurred = out + 1e-4 * torch.randn(out.shape)
    assert batch.wrong(blurred, batch.labels) is False
    assert batch.wrong(blurred, batch.labels[ORDER]) is True


def test_images_of_the_sets_are_known_whoever_hands_them_out() -> None:
    train, test = (
        NotedPairs(np.random.default_rng(n).random((8, 1, 2, 2), np.float32), np.arange(8) % 4) for n in range(2)
    )
    rows, model = BatchRows(train, test), nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    model.register_forward_pre_hook(rows.enter)
    model.register_forward_hook(rows.leave)
    images = torch.stack([train[0][0], test[1][0], train[5][0], train[6][0]])
    assert rows.mislabelled(model(images), torch.tensor([0, 1, 1, 2])) is False
    assert rows.learned == {0, 5, 6, 8 + 1}  # one set after the other
    rows.learned.clear()
    others = torch.stack([test[2][0], test[6][0], train[1][0], train[7][0]])
    assert rows.mislabelled(model.eval()(others), torch.tensor([1, 2, 1, 2])) is True
    assert rows.learned == set()  # in eval mode it is evaluated


def test_a_model_takes_no_data_sets_along() -> None:
    train = NotedPairs(np.ones((1000, 100)), np.arange(1000))
    rows = BatchRows(train)
    assert copy.deepcopy(rows).sets == (train,) and len(pickle.dumps(rows)) < 1000
