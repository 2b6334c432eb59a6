"""The checks of part 1, on answers that are written by hand."""

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.assignments.vit.augmentation import lut, normalisation, tensors, variety
from grader.evidence import Answer, Question
from grader.judging import Blocked, Fail
from grader.observations import fit
from grader.records import Observation
from grader.torchkit.images.answers import ANSWERS
from grader.torchkit.images.calibration import CELLS
from tests.torchkit.images.honest_answers import ASKED, COUNT, LEAF, RAISED, TEST, TRAIN

CELL_MEANS = ASKED["drawn"].reshape(COUNT, CELLS, 7, CELLS, 7).mean((2, 4)).astype(np.float32)
NOTHING_OWN = {"varies": 0.0, "repeats": True, "calibration": None}
SCALE, SHIFT = 1 / 0.353, -0.286 / 0.353


def normalised(levels: Any, scale: float = SCALE, shift: float = SHIFT) -> np.ndarray:
    """(n, 1, 28, 28) images of gray levels as a right transform gives them."""
    images = np.broadcast_to(np.asarray(levels, np.float32).reshape(-1, 1, 1, 1), (len(levels), 1, 28, 28))
    return (images / 255 * scale + shift).astype(np.float32)


RIGHT = {"drawn": CELL_MEANS, "flat": normalised(ASKED["flat"]),
         "levels": (ASKED["levels"][None, None] / 255 * SCALE + SHIFT).astype(np.float32)}  # fmt: skip


def evidence(test: dict[str, Any], train: dict[str, Any]) -> Any:
    """As much of the evidence as the checks look at."""
    answers = {}
    for name, honest, edits in (("test", TEST, test), ("train", {**TRAIN, "rest": NOTHING_OWN}, train)):
        observation = fit(Observation("value", {**honest, **RIGHT, **edits}), ANSWERS[f"transforms.{name}"], ASKED)
        assert observation.outcome == "value", observation.misfit
        answers[f"augmentation.{name}"] = Answer(f"augmentation.{name}", Question({**ASKED, "picks": []}), observation)
    data = SimpleNamespace(train_images=[])
    return type("Evidence", (), {"__getitem__": lambda self, probe: answers[probe], "data": data})()


def failure(check: Any, test: dict[str, Any] | None = None, train: dict[str, Any] | None = None) -> Fail:
    with pytest.raises(Fail) as raised:
        check(evidence(test or {}, train or {}))
    return raised.value


def kind(**edits: Any) -> dict[str, Any]:
    return {"kinds": [{**TEST["kinds"][0], **edits}]}  # type: ignore[index]


def leaves(*names: str, **edits: Any) -> dict[str, Any]:
    return {"leaves": [{**LEAF, "name": name, "text": name, **edits} for name in names], "unreached": []}


@pytest.mark.parametrize(
    "check", [each.function for each in tensors.TOPIC.criteria[0].checks], ids=lambda each: each.__name__
)
def test_right_transforms_pass(check: Any) -> None:
    check(evidence({}, {}))


@pytest.mark.parametrize(
    ("edits", "message", "hint"),
    [
        (kind(type="image", dtype="L", shape=[28, 28]), "a PIL image", "ToTensor"),
        (kind(type="ndarray"), "a NumPy array", "ToTensor"), (kind(type="str", dtype="", shape=[]), "a str", "ToTensor"),
        (kind(dtype="uint8"), "uint8", "0 to 255"), (kind(dtype="float64"), "float64", "float32"),
        (kind(shape=[3, 28, 28]), "(3, 28, 28)", "RGB"), (kind(shape=[28, 28]), "(28, 28)", "channel axis"),
        (kind(shape=[1, 32, 32]), "(1, 32, 32)", "28x28"), (kind(shape=[1, 1, 28, 28]), "(1, 1, 28, 28)", "adds an axis"),
        ({**kind(count=1), "not_finite": 0, "failures": {"count": 255, "first": RAISED}}, "255 of 256", ""),
        ({"not_finite": 3}, "NaN or infinite values for 3 of 256", "zero"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_tensor_as_the_model_takes_it_is_named(edits: dict[str, Any], message: str, hint: str) -> None:
    for check, name in ((tensors.test_tensor, "test"), (tensors.train_tensor, "train")):
        fail = failure(check, **{name: edits})
        assert message in fail.message and hint in fail.hint and f"tfm_{name}" in fail.message


def test_a_random_test_transform_is_named() -> None:
    assert "same image each time" in failure(tensors.test_repeats, {"varies": 0.1}).message


def test_outputs_of_other_images_are_named() -> None:
    shuffled = np.random.default_rng(0).permutation(CELL_MEANS)
    assert "does not depend on the image" in failure(tensors.test_follows, {"drawn": shuffled}).message
    assert "for others" in failure(tensors.test_follows, {"drawn": None}).message


def test_what_is_no_image_is_left_to_another_check() -> None:
    tensors.test_follows(evidence({"drawn": None, **kind(shape=[784])}, {}))
    tensors.test_follows(evidence({"drawn": None, "failures": {"count": 1, "first": RAISED}, **kind(count=9)}, {}))


def test_two_normalisations_are_named() -> None:
    other = {"flat": normalised(ASKED["flat"], 2.0, -1.0), "levels": None}
    message = failure(tensors.same_normalisation, other).message
    assert "tfm_train ends with mean 0.286 and standard deviation 0.353, tfm_test with mean 0.5" in message
    (check,) = (each for each in tensors.TOPIC.criteria[0].checks if each.function is tensors.same_normalisation)
    assert check.comes_after == ("train_tensor", "test_tensor", "test_repeats")


def test_a_normalisation_of_each_image_by_itself_is_named() -> None:
    alone = np.random.default_rng(0).normal(size=(3, 1, 28, 28))
    alone = (alone - alone.mean((2, 3), keepdims=True)) / alone.std((2, 3), keepdims=True)
    other = {"outputs": alone.astype(np.float32), "flat": np.zeros_like(RIGHT["flat"]), "levels": None}
    assert "tfm_test with each image's own mean" in failure(tensors.same_normalisation, other).message
    tensors.same_normalisation(evidence(other, other))


def test_inverted_images_are_named() -> None:
    other = {"flat": normalised(ASKED["flat"], -SCALE, SCALE + SHIFT), "levels": None}
    message = failure(tensors.same_normalisation, other).message
    assert "tfm_test with mean 0.286 and standard deviation 0.353 after black and white have changed places" in message


def test_what_cuts_normalised_values_off_is_named() -> None:
    assert "ColorJitter comes after" in failure(tensors.values_kept, train=leaves("ColorJitter", cut=1.0)).message
    tensors.values_kept(evidence({}, leaves("jitter", cut=1.0, own=True)))


def test_two_kinds_pass_and_one_is_named() -> None:
    variety.two_kinds(evidence({}, leaves("RandomCrop", "RandomRotation")))
    fail = failure(variety.two_kinds, train=leaves("RandomCrop"))
    assert "one kind" in fail.message and "RandomCrop" in fail.message and "another kind" in fail.hint


def test_what_changes_nothing_is_named_with_its_reason() -> None:
    fail = failure(variety.two_kinds, train=leaves("RandomCrop", "RandomRotation", varies=0.0, moves=0.0))
    assert "no random augmentation" in fail.message and "0 degrees" in fail.message and "arguments" in fail.hint


def test_a_seed_that_is_set_each_time_is_asked_for() -> None:
    assert "seed" in failure(variety.two_kinds, train={**leaves("RandomCrop"), "library_only": False}).hint


def test_a_transform_that_always_raises_is_judged_by_the_other_criterion() -> None:
    raising = {"kinds": [], "failures": {"count": 256, "first": RAISED}, "library_only": False}
    with pytest.raises(Blocked):
        variety.two_kinds(evidence({}, {**copy.deepcopy(raising), **leaves()}))


def test_a_transform_of_the_library_that_always_raises_costs_the_other_criterion_alone() -> None:
    idle = {"varies": 0.0, "moves": 0.0}
    raising = {"kinds": [], "failures": {"count": 256, "first": RAISED}}
    variety.two_kinds(evidence({}, {**raising, **leaves("RandomCrop", "RandomResizedCrop", raised=True, **idle)}))
    assert "changes nothing" in failure(variety.two_kinds, train={**raising, **leaves("RandomCrop", **idle)}).message


def test_the_normalisation_is_told_as_a_line_and_as_a_table() -> None:
    seen = evidence({"outputs": (ASKED["texture"][None, None] / 255 * SCALE + SHIFT).astype(np.float32)}, {})
    assert normalisation(seen) == pytest.approx((SCALE, SHIFT), rel=1e-4)
    table = lut(seen)
    assert table is not None and np.allclose(table, np.arange(256) / 255 * SCALE + SHIFT, atol=1e-5)
    assert lut(evidence({"levels": None}, {})) is None
