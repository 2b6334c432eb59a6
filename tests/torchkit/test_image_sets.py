"""Models on sets of images: every image in order, in batches, and what came instead."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from grader.observations import Misfit, converted
from grader.torchkit import image_sets
from grader.torchkit.image_sets import EmbeddedSets, NoRows, PredictedSets
from grader.torchkit.inside import image_sets as inside

IMAGES = np.random.default_rng(0).integers(0, 256, (250, 4, 4)).astype(np.uint8)
ROWS = np.arange(249, -1, -1)


def student(**names: Any) -> Any:
    return SimpleNamespace(has=names.__contains__, get=names.__getitem__)


def outputs(run: Any, reduce: Any = inside.embedded, **names: Any) -> Any:
    sets = [image_sets.asked("all", IMAGES, ROWS), image_sets.asked("few", IMAGES, ROWS[:3])]
    return inside.outputs(student(**names), run, [nn.Identity()], reduce, sets, {"scale": 255.0}, 1, 0)


def test_each_image_has_its_row_in_the_order_that_was_asked_for() -> None:
    found = converted(outputs(lambda x: x.flatten(1)), EmbeddedSets)
    np.testing.assert_array_equal(found.sets["all"].embeddings, IMAGES[ROWS].reshape(250, 16).astype(np.float32))
    assert found.sets["few"].embeddings.shape == (3, 16)
    image_sets.agree_on_embeddings([{"name": "all", "rows": ROWS}, {"name": "few", "rows": ROWS[:3]}], found)


def test_code_that_knows_one_batch_size_is_given_it() -> None:
    found = converted(outputs(lambda x: x.reshape(64, 16), batch_size=64), EmbeddedSets)
    np.testing.assert_array_equal(found.sets["all"].embeddings, IMAGES[ROWS].reshape(250, 16).astype(np.float32))


def test_predictions_are_classes_and_count_what_is_not_finite() -> None:
    def logits(x: Tensor) -> Tensor:
        rows = x.flatten(1).clone()
        rows[0, 0] = torch.nan
        return rows

    found = converted(outputs(logits, inside.predicted), PredictedSets)
    assert (found.sets["all"].not_finite, found.sets["few"].not_finite) == (3, 1)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda x: x.flatten(1)[0], "gives a tensor of shape (16,) for a batch of 100 images, expected a tensor of shape (100, K)"),
        (lambda x: (x, x), "gives a tuple for a batch of 100 images"),
        (lambda x: x, "gives a tensor of shape (100, 1, 4, 4)"),
    ],
    ids=["one row", "a tuple", "images"],
)  # fmt: skip
def test_other_outputs_than_rows_are_told_with_their_shape(run: Any, words: str) -> None:
    found = converted(outputs(run), NoRows)
    assert words in image_sets.rows_expected(found, "K")


def test_what_a_model_raises_is_described() -> None:
    found = outputs(lambda x: x @ x.new_zeros(3, 3))
    assert found["kind"] == "raised" and found["exception"]["type"] == "RuntimeError"


def test_too_wide_embeddings_are_told_by_their_width() -> None:
    found = converted(outputs(lambda x: x.new_zeros(len(x), 1_025)), EmbeddedSets)
    assert (found.sets["few"].embeddings, found.sets["few"].width) == (None, 1_025)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [({"scale": 2.0, "shift": 1.0}, 2 * 51 / 255 + 1), ({"lut": np.arange(256, dtype=np.float32)}, 51.0),
     ({"transform": "tfm"}, 7.0)],
    ids=["line", "table", "transform"],
)  # fmt: skip
def test_images_become_tensors_as_asked(pixels: dict[str, Any], expected: float) -> None:
    prepare = inside.pixels_of(student(tfm=lambda image: torch.full((1, 4, 4), 7.0)), **pixels)
    found = prepare(np.full((2, 4, 4), 51, np.uint8))
    assert found.shape == (2, 1, 4, 4) and found.dtype == torch.float32
    assert found.flatten().tolist() == pytest.approx([expected] * 32)


ASKED = [{"name": "test", "rows": np.arange(3)}]
PREDICTED = {"kind": "sets", "sets": {"test": {"predicted": np.zeros(3, np.uint8), "not_finite": 0}}}
EMBEDDED = {"kind": "sets", "sets": {"test": {"embeddings": np.zeros((3, 2), np.float32), "width": 2}}}


def predictions(**fields: Any) -> dict[str, Any]:
    return {"kind": "sets", "sets": {"test": {**PREDICTED["sets"]["test"], **fields}}}  # type: ignore[index]


def embeddings(**fields: Any) -> dict[str, Any]:
    return {"kind": "sets", "sets": {"test": {**EMBEDDED["sets"]["test"], **fields}}}  # type: ignore[index]


WRONG_PREDICTIONS = {
    "another set": {"kind": "sets", "sets": {"train": PREDICTED["sets"]["test"]}},  # type: ignore[index]
    "no set": {"kind": "sets", "sets": {}},
    "fewer classes": predictions(predicted=np.zeros(2, np.uint8)),
    "more classes": predictions(predicted=np.zeros(4, np.uint8)),
    "wide integers": predictions(predicted=np.zeros(3, np.uint16)),
    "signed integers": predictions(predicted=np.zeros(3, np.int64)),
    "a matrix": predictions(predicted=np.zeros((3, 1), np.uint8)),
    "a list": predictions(predicted=[0, 0, 0]),
    "more NaN than images": predictions(not_finite=4),
    "a negative count": predictions(not_finite=-1),
    "one more field": predictions(width=10),
}
WRONG_EMBEDDINGS = {
    "another set": {"kind": "sets", "sets": {"train": EMBEDDED["sets"]["test"]}},  # type: ignore[index]
    "fewer rows": embeddings(embeddings=np.zeros((2, 2), np.float32)),
    "doubles": embeddings(embeddings=np.zeros((3, 2))),
    "integers": embeddings(embeddings=np.zeros((3, 2), np.int64)),
    "a vector": embeddings(embeddings=np.zeros(3, np.float32)),
    "another width": embeddings(width=3),
    "none though narrow": embeddings(embeddings=None),
    "too many numbers": embeddings(embeddings=np.broadcast_to(np.float32(0), (20_001, 1_024))),
    "no width": {"kind": "sets", "sets": {"test": {"embeddings": np.zeros((3, 2), np.float32)}}},
}


def test_right_outputs_agree() -> None:
    image_sets.agree_on_predictions(ASKED, converted(PREDICTED, PredictedSets))
    image_sets.agree_on_embeddings(ASKED, converted(EMBEDDED, EmbeddedSets))


@pytest.mark.parametrize("value", WRONG_PREDICTIONS.values(), ids=WRONG_PREDICTIONS)
def test_hostile_predictions_are_refused(value: Any) -> None:
    with pytest.raises(Misfit):
        image_sets.agree_on_predictions(ASKED, converted(value, PredictedSets))


@pytest.mark.parametrize("value", WRONG_EMBEDDINGS.values(), ids=WRONG_EMBEDDINGS)
def test_hostile_embeddings_are_refused(value: Any) -> None:
    with pytest.raises(Misfit):
        image_sets.agree_on_embeddings(ASKED, converted(value, EmbeddedSets))


def test_sets_of_different_widths_are_refused() -> None:
    sets = {
        name: {"embeddings": np.zeros((3, width), np.float32), "width": width} for name, width in (("a", 2), ("b", 3))
    }
    asked = [{"name": name, "rows": np.arange(3)} for name in "ab"]
    with pytest.raises(Misfit, match="one width"):
        image_sets.agree_on_embeddings(asked, converted({"kind": "sets", "sets": sets}, EmbeddedSets))
