"""What comes out of the transforms, whatever they change."""

import numpy as np

from grader.assignments.vit.augmentation import following, normalising, reading
from grader.assignments.vit.augmentation.reading import Facts, Kind
from grader.evidence import Evidence
from grader.judging import Criterion, Fail, Malformed, Skip, checks, raised_hint, raised_words

Array = np.ndarray
SHAPE = (1, 28, 28)
OFTEN = 0.5  # of the draws: a narrow crop may show no black and no white by chance
EXPECTED = "a float32 tensor of shape (1, 28, 28)"


def train_tensor(seen: Evidence) -> None:
    """`tfm_train` turns an image into a float32 tensor of shape (1, 28, 28) with finite values."""
    _is_right(Facts(seen["augmentation.train"]), "tfm_train")


def test_tensor(seen: Evidence) -> None:
    """`tfm_test` turns an image into a float32 tensor of shape (1, 28, 28) with finite values."""
    _is_right(Facts(seen["augmentation.test"]), "tfm_test")


def test_repeats(seen: Evidence) -> None:
    """`tfm_test` gives the same tensor for the same image each time."""
    facts = Facts(seen["augmentation.test"])
    if reading.number(facts.value, "varies") > 1e-6:
        raise Fail(
            "tfm_test gives another tensor for the same image each time",
            "A test measures: leave the random transforms to tfm_train.",
        )


def test_follows(seen: Evidence) -> None:
    """What `tfm_test` gives depends on the image that it is given."""
    following.expect_following(Facts(seen["augmentation.test"]), "tfm_test")


def same_normalisation(seen: Evidence) -> None:
    """Both transforms end with the same normalisation."""
    train, test = Facts(seen["augmentation.train"]), Facts(seen["augmentation.test"])
    if not _is_sound(train) or not _is_sound(test) or reading.number(test.value, "varies") > 1e-6:
        raise Skip
    if not normalising.same(train, test):
        raise Fail(
            f"different normalisation: tfm_train ends with {normalising.words(train)}, "
            f"tfm_test with {normalising.words(test)}",
            "The model is tested on images of another brightness and contrast than it learned from.",
        )


def values_kept(seen: Evidence) -> None:
    """What cuts values off at 0 and 1, as `ColorJitter` does, comes before the normalisation."""
    cutting = [x for x in reading.leaves(seen["augmentation.train"].value, "leaves") if not x.own and x.cut > OFTEN]
    if cutting:
        raise Fail(
            f"{cutting[0].name} comes after the normalisation and cuts all values off at 0 and 1: what is darker than "
            "the mean becomes one gray",
            "Put it before Normalize: on tensors it expects values from 0 to 1. Flips, rotations and RandomErasing "
            "may stay behind.",
        )


def _is_sound(facts: Facts) -> bool:
    return not facts.failures and not facts.unfinite and all(_right(kind) for kind in facts.kinds)


def _right(kind: Kind) -> bool:
    return kind.type == "tensor" and kind.dtype == "float32" and kind.shape == SHAPE


def _is_right(facts: Facts, name: str) -> None:
    if facts.raised is not None:
        often = "" if facts.failures == facts.count else f" for {facts.failures} of {facts.count} images"
        raise Fail(f"{name}{often} {raised_words(facts.raised)}", _hint_raised(facts))
    wrong = [kind for kind in facts.kinds if not _right(kind)]
    if wrong:
        often = "" if wrong[0].count == facts.count else f" for {wrong[0].count} of {facts.count} images"
        raise Fail(f"{name}: expected {EXPECTED}, got {_words(wrong[0])}{often}", _hint(wrong[0]))
    if not facts.kinds:
        raise Malformed
    if facts.unfinite:
        raise Fail(
            f"{name} gives NaN or infinite values for {facts.unfinite} of {facts.count} images",
            "Is there a division by zero, such as a standard deviation of 0?",
        )


def _words(kind: Kind) -> str:
    if kind.type == "tensor":
        return f"a {kind.dtype} tensor of shape {kind.shape}"
    if kind.type == "ndarray":
        return f"a NumPy array ({kind.dtype}) of shape {kind.shape}"
    return "a PIL image" if kind.type == "image" else f"a {kind.type}"


def _hint(kind: Kind) -> str:
    if kind.type == "image":
        return "The last steps turn the image into a tensor (ToTensor) and normalise it."
    if kind.type != "tensor":
        return "The model takes tensors: turn it into one (ToTensor) at the end."
    if kind.shape[:1] == (3,):
        return "FashionMNIST is gray, and the model is built for in_channels = 1: is there a conversion to RGB?"
    if kind.shape == SHAPE[1:]:
        return "The channel axis is missing: ToTensor and unsqueeze(0) give it."
    if len(kind.shape) > len(SHAPE):
        return "One image gives one tensor: which step makes several of it, or adds an axis?"
    if kind.shape != SHAPE:
        return "The model is built for images of 28x28 pixels: which step changes the size?"
    if kind.dtype == "uint8":
        return "Pixels are still whole numbers from 0 to 255: ToTensor, or ToDtype(torch.float32, scale=True)."
    return "The model's weights are float32, and its inputs have to be."


def _hint_raised(facts: Facts) -> str:
    assert facts.raised is not None
    message = facts.raised.message
    for signs, hint in RAISED:
        if any(sign in message for sign in signs):
            return hint
    return raised_hint(facts.raised)


RAISED = (
    (
        ("broadcast shape", "doesn't match the broadcast"),
        "Normalize has a mean for each of three channels, but the images have one.",
    ),
    (
        ("should be Tensor Image", "should be a tensor image", "img should be Tensor", "does not support PIL",
         "PIL images", "Tensor is expected", "has no attribute 'shape'", "input tensor should be",
         "got <class 'PIL", "not a torch image"),
        "This step works on tensors: it belongs after ToTensor.",
    ),
    (
        ("should be PIL Image", "pic should be", "img should be PIL", "Unexpected type <class 'torch.Tensor'>"),
        "This step works on PIL images: it belongs before ToTensor.",
    ),
)  # fmt: skip


def normalisation(seen: Evidence) -> tuple[float, float] | None:
    """(scale, shift) such that tfm_train ends with scale * pixel / 255 + shift; None where that cannot be told."""
    try:
        train = Facts(seen["augmentation.train"]) if seen["augmentation.train"].ok else None
        found = normalising.line(train) if train is not None else None
        if train is None or reading.number(train.value, "rest", "varies") <= 0:
            return found
        # where draws change gray levels too, the clean line is tfm_test's, if both agree
        test = Facts(seen["augmentation.test"]) if seen["augmentation.test"].ok else None
        agree = test is not None and _is_sound(test) and normalising.same(train, test)
        return (normalising.line(test) if agree and test is not None else None) or found
    except Fail:
        return None


def lut(seen: Evidence) -> Array | None:
    """(256,) float32 what tfm_test makes of each gray level; None where it does more to a pixel than that."""
    if not seen["augmentation.test"].ok:
        return None
    try:
        facts = Facts(seen["augmentation.test"])
        if not _is_sound(facts) or reading.number(facts.value, "varies") > 0:
            return None
        table = _table(facts)
        return table if table is not None and _explains(table, facts, seen) else None
    except Fail:
        return None


def _table(facts: Facts) -> Array | None:
    levels, outputs = facts.args["levels"], facts.stack("levels", count=1)
    if outputs is None or outputs.shape[1:] != levels.shape:
        return None
    table = np.zeros(256)
    table[levels.ravel()] = outputs.ravel()
    return table.astype(np.float32) if np.abs(table[levels] - outputs[0]).max() < 1e-6 else None


def _explains(table: Array, facts: Facts, seen: Evidence) -> bool:
    """Whether the table gives what was seen of whole images."""
    pictures = [*(np.asarray(seen.data.train_images[pick]) for pick in facts.args["picks"]), facts.args["texture"]]
    outputs = facts.stack("outputs", count=len(pictures))
    if outputs is None or outputs.shape[1:] != pictures[0].shape:
        return False
    return bool(np.abs(table[np.stack(pictures)] - outputs).max() < 1e-5)


CRITERIA = (
    Criterion(
        "augmentation.tensors",
        checks(train_tensor, test_tensor, test_repeats, test_follows, same_normalisation, values_kept),
        ("tfm_train", "tfm_test"),
    ),
)
