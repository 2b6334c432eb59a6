"""Leaves of a transform are seen, whoever calls them, and the library's random ones can be held still."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from grader.torchkit.inside.leaf_watch import LeafWatch

RANDOM = frozenset({"RandomHorizontalFlip", "RandomCrop", "RandomRotation"})
FLIP = transforms.RandomHorizontalFlip(1.0)
IMAGE = Image.fromarray(np.arange(28 * 28, dtype=np.uint8).reshape(28, 28))


class Noise:
    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return image + 1


def by_function(image: Any) -> Any:
    return FLIP(image)


def watched(root: Any, holding: bool = False) -> tuple[LeafWatch, Any]:
    watch = LeafWatch(root, RANDOM)
    with watch.watching():
        watch.recording, watch.holding = not holding, holding
        watch.begin(0, 0)
        out = root(IMAGE)
    return watch, out


@pytest.mark.parametrize(
    "root",
    [transforms.Compose([FLIP]), torch.nn.Sequential(FLIP), by_function],
    ids=["Compose", "Sequential", "a function"],
)
def test_a_leaf_is_seen_whoever_calls_it(root: Any) -> None:
    watch, _ = watched(root)
    (leaf,) = watch.leaves.values()
    assert leaf.target is FLIP and leaf.hits == {0} and leaf.inputs[0].size == (28, 28)


def test_a_callable_of_the_students_own_is_seen_and_put_back() -> None:
    noise = Noise()
    root = transforms.Compose([transforms.ToTensor(), noise])
    watch, _ = watched(root)
    assert [leaf.target for leaf in watch.leaves.values()] == [noise] and root.transforms[1] is noise
    assert not watch.library_only and LeafWatch(transforms.Compose([FLIP]), RANDOM).library_only


def test_a_leaf_that_is_never_called_is_told() -> None:
    never = transforms.RandomRotation(10)
    watch, _ = watched(transforms.Compose([transforms.RandomApply([never], p=0.0), FLIP]))
    assert watch.unreached() == [never]


def test_a_held_leaf_changes_nothing() -> None:
    _, flipped = watched(transforms.Compose([FLIP]))
    _, held = watched(transforms.Compose([FLIP]), holding=True)
    assert np.array_equal(np.asarray(held), np.asarray(IMAGE)) and not np.array_equal(
        np.asarray(flipped), np.asarray(held)
    )


def test_a_held_leaf_that_changes_sizes_gives_the_same_always_and_disturbs_no_other() -> None:
    root = transforms.Compose([transforms.RandomCrop(20)])
    torch.manual_seed(3)
    watched(root)
    expected = torch.rand(1)
    torch.manual_seed(3)
    _, one = watched(root, holding=True)
    assert torch.equal(torch.rand(1), expected)
    _, other = watched(root, holding=True)
    assert one.size == (20, 20) and np.array_equal(np.asarray(one), np.asarray(other))
