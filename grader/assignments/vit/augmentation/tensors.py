"""What comes out of the transforms, whatever they change."""

from grader.assignment import Topic
from grader.evidence import Evidence
from grader.judging import Criterion, Fail, after, checks
from grader.raised import raised_hint, raised_words
from grader.sentences import return_hint, type_words
from grader.torchkit.images import following, normalisation
from grader.torchkit.images.answers import OutputKind
from grader.torchkit.images.observed import (
    ObservedRandomTransform,
    ObservedTransform,
    observed_random_transform,
    observed_transform,
)

SHAPE = (1, 28, 28)


def train_tensor(evidence: Evidence) -> None:
    """`tfm_train` turns an image into a float32 tensor of shape (1, 28, 28) with finite values."""
    _expect_tensors(train_transform(evidence), "tfm_train")


def test_tensor(evidence: Evidence) -> None:
    """`tfm_test` turns an image into a float32 tensor of shape (1, 28, 28) with finite values."""
    _expect_tensors(test_transform(evidence), "tfm_test")


def test_repeats(evidence: Evidence) -> None:
    """`tfm_test` gives the same tensor for the same image each time."""
    tolerance = 1e-6  # how far two outputs for one image may lie apart
    if test_transform(evidence).did.varies > tolerance:
        raise Fail(
            "tfm_test gives another tensor for the same image each time",
            "Test results must not depend on chance: use random transforms in tfm_train only. Nor may tfm_test keep anything "
            "from one image to the next, such as running statistics.",
        )


def test_follows(evidence: Evidence) -> None:
    """What `tfm_test` gives depends on the image that it is given."""
    expect_following(test_transform(evidence), "tfm_test")


@after(train_tensor, test_tensor, test_repeats)
def same_normalisation(evidence: Evidence) -> None:
    """Both transforms end with the same normalisation."""
    train, test = train_transform(evidence), test_transform(evidence)
    if not normalisation.same(train, test):
        twice = "tfm_train" if normalisation.is_twice(train, test) else ""
        twice = "tfm_test" if normalisation.is_twice(test, train) else twice
        raise Fail(
            f"different normalisation: tfm_train ends with {normalisation.words(train)}, "
            f"tfm_test with {normalisation.words(test)}{f': {twice} normalises twice' if twice else ''}",
            "Use the same mean and standard deviation in both: otherwise the model is tested on images of another "
            "brightness and contrast than it was trained on.",
        )


def values_kept(evidence: Evidence) -> None:
    """What cuts values off at 0 and 1, as `ColorJitter` does, comes before the normalisation."""
    most_draws = 0.5  # a narrow crop may show no black and no white by chance
    cutting = [leaf for leaf in train_transform(evidence).did.leaves if not leaf.own and leaf.cut > most_draws]
    if cutting:
        raise Fail(
            f"{cutting[0].name} comes after the normalisation and cuts all values off at 0 and 1: every pixel darker "
            "than the mean gets the same value",
            f"Put {cutting[0].name} before Normalize: on tensors it expects values from 0 to 1. Flips, rotations and "
            "RandomErasing may come after it.",
        )


def train_transform(evidence: Evidence) -> ObservedRandomTransform:
    """What `tfm_train` was seen to do."""
    return observed_random_transform(evidence["augmentation.train"])


def test_transform(evidence: Evidence) -> ObservedTransform:
    """What `tfm_test` was seen to do."""
    return observed_transform(evidence["augmentation.test"])


def is_sound(transform: ObservedTransform) -> bool:
    """Whether every call gave a tensor as the model takes it."""
    did = transform.did
    return did.failures is None and not did.not_finite and all(_is_right(kind) for kind in did.kinds)


def expect_following(transform: ObservedTransform, name: str) -> None:
    """Fail where the outputs for the drawn images have nothing to do with them."""
    follows = following.follows(transform)
    if follows is None:
        if not following.gives_images(transform):
            return  # another check says what comes instead of images
        raise Fail(
            f"{name} gives an image for some images, and for others it raises an exception or gives something else",
            "Is there a step that works for dark or for bright images only, or only now and then?",
        )
    if not follows:
        raise Fail(
            f"what {name} gives does not depend on the image that it is given",
            "Does each step compute its result from the result of the step before, and is the last one returned?",
        )


def no_tensors(transform: ObservedTransform) -> str:
    """What comes back where nothing is an image or its numbers, so that changes cannot be seen; else empty."""
    kinds = transform.did.kinds
    if not kinds or any(kind.type in ("tensor", "ndarray", "image") for kind in kinds):
        return ""
    return _words(kinds[0])


def _is_right(kind: OutputKind) -> bool:
    return kind.type == "tensor" and kind.dtype == "float32" and kind.shape == SHAPE


def _expect_tensors(transform: ObservedTransform, name: str) -> None:
    did = transform.did
    if did.failures is not None:
        often = "" if transform.always_failed else f" for {did.failures.count} of {did.count} images"
        raise Fail(f"{name}{often} {raised_words(did.failures.first)}", _hint_raised(transform))
    wrong = [kind for kind in did.kinds if not _is_right(kind)]
    if wrong:
        often = "" if wrong[0].count == did.count else f" for {wrong[0].count} of {did.count} images"
        expected = "a float32 tensor of shape (1, 28, 28)"
        raise Fail(f"{name}: expected {expected}, got {_words(wrong[0])}{often}", _hint(wrong[0]))
    if did.not_finite:
        raise Fail(
            f"{name} gives NaN or infinite values for {did.not_finite} of {did.count} images",
            "Is there a division by zero, such as a standard deviation of 0?",
        )


def _words(kind: OutputKind) -> str:
    if kind.type == "tensor":
        return f"a {kind.dtype} tensor of shape {kind.shape}"
    if kind.type == "ndarray":
        return f"a NumPy array ({kind.dtype}) of shape {kind.shape}"
    return "a PIL image" if kind.type == "image" else type_words(kind.type, "a ")


def _hint(kind: OutputKind) -> str:
    if kind.type == "image":
        return "Turn the image into a tensor (ToTensor) and normalise it (Normalize) in the last steps."
    if kind.type != "tensor":
        return return_hint(type_words(kind.type), "The model takes tensors: turn it into one (ToTensor) at the end.")
    if kind.shape[:1] == (3,):
        return "FashionMNIST is gray, and the model is built for in_channels = 1: is there a conversion to RGB?"
    if kind.shape == SHAPE[1:]:
        return "The channel axis is missing: ToTensor adds it, and so does unsqueeze(0)."
    if len(kind.shape) > len(SHAPE):
        return "One image gives one tensor: which step makes several of it, or adds an axis?"
    if kind.shape != SHAPE:
        return "The model is built for images of 28x28 pixels: which step changes the size?"
    if kind.dtype == "uint8":
        return "Pixels are still whole numbers from 0 to 255: use ToTensor, or ToDtype(torch.float32, scale=True)."
    return "The model's weights are float32, so its inputs have to be float32 too."


def _hint_raised(transform: ObservedTransform) -> str:
    assert transform.raised is not None
    message = transform.raised.message
    hints = (
        (
            ("broadcast shape", "doesn't match the broadcast"),
            "Normalize has a mean for each of three channels, but the images have one.",
        ),
        (
            ("should be Tensor Image", "should be a tensor image", "img should be Tensor", "does not support PIL",
             "PIL images", "Tensor is expected", "has no attribute 'shape'", "input tensor should be",
             "got <class 'PIL", "not a torch image"),
            "This step works on tensors: put it after ToTensor.",
        ),
        (
            ("should be PIL Image", "pic should be", "img should be PIL", "Unexpected type <class 'torch.Tensor'>"),
            "This step works on PIL images: put it before ToTensor.",
        ),
        (
            ("should be a float tensor",),
            "Pixels are still whole numbers from 0 to 255, as PILToTensor leaves them, and Normalize takes floats from 0 to 1: "
            "use ToTensor, or ToDtype(torch.float32, scale=True) before this step.",
        ),
    )  # fmt: skip
    for signs, hint in hints:
        if any(sign in message for sign in signs):
            return hint
    return raised_hint(transform.raised)


TOPIC = Topic(
    criteria=(
        Criterion(
            "augmentation.tensors",
            checks(train_tensor, test_tensor, test_repeats, test_follows, same_normalisation, values_kept),
            ("tfm_train", "tfm_test"),
        ),
    )
)
