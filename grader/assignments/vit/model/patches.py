"""``PatchEmbeddings``: each token is a function of its own patch, the same for all, in row-major order."""

import numpy as np

from grader.assignments.vit.model import drawn
from grader.assignments.vit.model.reading import (
    FAINT,
    Array,
    Builds,
    build,
    call,
    changed,
    expect_alone,
    expect_repeatable,
    expect_shape,
    expect_trained,
    normal,
    same,
)
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, after, checks

GRAY, RGB, DEFAULT = 0, 1, 2  # builds
EMPTY, ONE_PATCH, BATCH, AGAIN, SINGLE, DRAWN, GRADIENTS, WRONG, LINE = range(9)  # calls of the first
N, D = 16, 24  # 28x28 images in patches of 7


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    patch, batch = normal(rng, 7, 7), normal(rng, 3, 1, 28, 28)
    batch[1] *= FAINT
    places, rows, line = rng.permutation(N), drawn.rows(rng, 3), drawn.places(rng)
    builds = [
        build(
            28, 7, D, 1, seed=1, attributes=["num_patches"],
            calls=[
                call(np.zeros((1, 1, 28, 28), np.float32)),
                call(_one_patch_each(patch, places)),
                call(batch),
                call(batch, seed=1),
                call(batch[1:2]),
                call(batch[rows]),
                call(batch, "gradients", weights=normal(rng, 3, N, D)),
                call(normal(rng, 2, 3, 28, 28)),
                call(drawn.points(rng, batch[0], line)),
            ],
        ),
        build(
            20, 4, 10, 3, seed=2, attributes=["num_patches"],
            calls=[
                call(normal(rng, 2, 3, 20, 20)),
                call(normal(rng, 2, 3, 20, 20), "gradients", weights=normal(rng, 2, 25, 10)),
                call(normal(rng, 2, 1, 20, 20)),
                call(normal(rng, 2, 4, 20, 20)),
            ],
        ),
        build(12, 6, 8, seed=3, attributes=["num_patches"], calls=[call(normal(rng, 2, 3, 12, 12))]),
    ]  # fmt: skip
    known = {"places": places, "rows": rows, "line": line}
    return Question({"name": "PatchEmbeddings", "builds": builds, "stand_ins": []}, known)


def _one_patch_each(patch: Array, places: Array) -> Array:
    """(16, 1, 28, 28): each image is empty but for the patch at its place, in row-major order, which is ``patch``."""
    images = np.zeros((N, 1, 28, 28), np.float32)
    for image, place in enumerate(places):
        row, column = divmod(int(place), 4)
        images[image, 0, 7 * row : 7 * row + 7, 7 * column : 7 * column + 7] = patch
    return images


def _seen(seen: Evidence) -> Builds:
    return Builds(seen["patches"], "PatchEmbeddings")


def _filled(answer: Builds) -> Array:
    """(N, N, D): the tokens of the image whose patch n alone is not empty, for each n."""
    return answer.output(GRAY, ONE_PATCH, (N, N, D))[np.argsort(answer.known["places"])]


def shape(seen: Evidence) -> None:
    """Images (B, C, H, W) become tokens (B, N, D), one a patch, for any image size, patch size and batch size."""
    answer = _seen(seen)
    for number, which in ((GRAY, BATCH), (RGB, 0), (DEFAULT, 0)):
        _expect_taken(answer, number, which)
    sizes = "Is image_size, patch_size, hidden_size or num_channels hard-coded?"
    expect_shape(answer, GRAY, BATCH, (3, N, D), sizes)
    expect_shape(answer, GRAY, SINGLE, (1, N, D))
    expect_shape(answer, RGB, 0, (2, 25, 10), sizes)
    expect_shape(answer, DEFAULT, 0, (2, 4, 8), sizes)
    answer.output(GRAY, BATCH)


def _expect_taken(answer: Builds, number: int, which: int) -> None:
    """Say more where images of the right number of channels are refused."""
    try:
        answer.raw(number, which)
    except Fail as fail:
        refused = "ValueError" in (answer.raised(number, which) or ()) and "unpack" not in fail.message
        raise Fail(fail.message, CHANNELS) if refused else fail from None


CHANNELS = "That is the right number of channels: axis 1 of (B, C, H, W) is compared with the argument num_channels."


def num_patches(seen: Evidence) -> None:
    """The attribute ``num_patches`` is the number of patches N."""
    for number, expected in ((GRAY, N), (RGB, 25), (DEFAULT, 4)):
        got = _seen(seen).number(number, "num_patches")
        if got == expected and _seen(seen).is_float(number, "num_patches") and _breaks(seen):
            raise Fail(
                f"num_patches is {got}, a float: there can be no tensor of so many tokens",
                "Divide whole numbers with //, so that they stay whole.",
            )
        if got != expected:
            size, patch = ((28, 7), (20, 4), (12, 6))[number]
            what = "there is no such number" if got is None else f"got {got:g}"
            raise Fail(
                f"expected num_patches to be {expected} for images of {size} and patches of {patch} pixels, {what}",
                "There are (image_size // patch_size) squared patches, and the attribute is their number.",
            )


def _breaks(seen: Evidence) -> bool:
    """Whether the submission's own ViT cannot be built."""
    if not seen["model"].ok:
        return False
    try:
        Builds(seen["model"], "ViT").parameters(0)
    except Fail:
        return True
    return False


def own_patch_in_row_major_order(seen: Evidence) -> None:
    """Token n is a function of patch n alone, patches counted along the rows."""
    after(batch_mates, seen)
    answer = _seen(seen)
    empty, filled = answer.output(GRAY, EMPTY, (1, N, D)), _filled(answer)
    moved = changed(filled, np.broadcast_to(empty, filled.shape), axis=(2,))  # image n, token m
    if np.array_equal(moved, np.eye(N, dtype=bool)):
        return
    if (moved.sum(axis=1) == 1).all():
        columns = np.array_equal(moved, np.eye(N, dtype=bool).reshape(4, 4, N).transpose(1, 0, 2).reshape(N, N))
        order = "along the columns" if columns else "in another order"
        raise Fail(
            f"the patches come {order}: the patch in row 0, column 1 should be token 1, it is {_first(moved[1])}",
            "Expected row-major order, left to right and then down: look at what transpose or permute does to "
            "the grid.",
        )
    if not moved.any():
        raise Fail("a patch changes no token at all", "The tokens do not depend on the image's pixels.")
    raise Fail(*_scrambled(moved))


def _scrambled(moved: Array) -> tuple[str, str]:
    touched = int(moved.sum(axis=1).max())
    message = f"one patch changes {touched} of the {N} tokens, and should change only its own"
    row, column = np.divmod(np.arange(N), 4)
    neighbours = (np.abs(row[:, None] - row) <= 1) & (np.abs(column[:, None] - column) <= 1)
    if not moved[~neighbours].any():
        return (
            f"{message}: the patches overlap",
            "Kernel size and stride are both the patch size, and there is no padding.",
        )
    if moved.all():
        return (
            f"{message}: the patches are scrambled, or all tokens are normalised together",
            f"{SCRAMBLED} A norm works on each token by itself: nn.LayerNorm(hidden_size).",
        )
    return f"{message}: the patches are scrambled", SCRAMBLED


SCRAMBLED = (
    "A bare view or reshape of (B, C, H, W) cuts the image along its rows, not into squares, and one of (B, "
    "D, H/P, W/P) mixes tokens: cut or flatten the axes of the image first, then bring them in order with permute or "
    "transpose."
)


def _first(row: Array) -> str:
    return f"token {int(np.flatnonzero(row)[0])}"


def shared_projection(seen: Evidence) -> None:
    """One projection is shared by all patches: the same content gives the same token wherever it lies."""
    after(own_patch_in_row_major_order, seen)
    answer = _seen(seen)
    filled, empty = _filled(answer), answer.output(GRAY, EMPTY, (1, N, D))
    own = filled[np.arange(N), np.arange(N)]
    if not same(own, np.broadcast_to(own[:1], own.shape)) or not same(
        empty, np.broadcast_to(empty[:, :1], empty.shape)
    ):
        raise Fail(
            "the same patch content gives different tokens at different places",
            "All patches go through one and the same projection; positions are added elsewhere.",
        )


def whole_patch(seen: Evidence) -> None:
    """Every pixel of every channel counts, each in its own way."""
    for number, which, size in ((GRAY, GRADIENTS, 7), (RGB, 1, 4)):
        gradient = _seen(seen).gradients(number, which).inputs
        if gradient is None:
            raise Fail("no gradient reaches the pixels", "Look for detach, .data, numpy or a no_grad block in forward.")
        dead = np.abs(gradient).max(axis=0) == 0  # (C, H, W)
        channels = len(dead)
        if dead.all(axis=(1, 2)).any():
            silent = int(dead.all(axis=(1, 2)).sum())
            raise Fail(
                f"{silent} of {channels} channels have no influence on any token",
                "The projection must see all num_channels.",
            )
        if dead.any():
            raise Fail(
                f"{dead.sum()} of {dead.size} pixels have no influence on any token",
                "The projection must see all C x P x P values of a patch.",
            )
        if channels > 1 and same(gradient[:, 1:], np.broadcast_to(gradient[:, :1], gradient[:, 1:].shape)):
            raise Fail(
                "all channels count the same: they are averaged or added up",
                "The projection must see all num_channels.",
            )
        if _flat(gradient, size):
            raise Fail(
                "all pixels inside a patch count the same: the tokens see no more than its mean",
                "The projection takes all C x P x P values of a patch, each with weights of its own.",
            )


def _flat(gradient: Array, size: int) -> bool:
    """Whether a gradient is the same for all pixels inside a patch."""
    images, channels, height, width = gradient.shape
    patches = gradient.reshape(images, channels, height // size, size, width // size, size)
    return same(patches, np.broadcast_to(patches.mean(axis=(3, 5), keepdims=True), patches.shape), 1e-3)


def batch_mates(seen: Evidence) -> None:
    """An image's tokens do not depend on the other images of its batch, nor on chance."""
    answer = _seen(seen)
    batch = answer.output(GRAY, BATCH, (3, N, D))
    expect_repeatable(answer, batch, answer.output(GRAY, AGAIN, (3, N, D)), "images")
    expect_alone(answer, GRAY, SINGLE, batch[1:2], "an image")
    if not same(answer.output(GRAY, DRAWN, (6, N, D)), batch[answer.known["rows"]]):
        raise Fail("an image's tokens depend on its place in the batch", "A reshape mixes the batch axis with others.")


def follows(seen: Evidence) -> None:
    """A token follows its patch: it changes a little when the patch changes a little."""
    after(own_patch_in_row_major_order, seen)
    drawn.expect_on_line(_seen(seen), GRAY, LINE, (N, D))


def learnable(seen: Evidence) -> None:
    """The projection is learned: its parameters are registered, trainable, and gradients reach all of them."""
    expect_trained(_seen(seen), GRAY, GRADIENTS)


def wrong_channels(seen: Evidence) -> None:
    """Images with another number of channels raise a ValueError."""
    answer = _seen(seen)
    answer.raw(GRAY, BATCH), answer.raw(RGB, 0)  # where right images raise, that is what to say
    for number, which, made, given in ((GRAY, WRONG, 1, 3), (RGB, 2, 3, 1), (RGB, 3, 3, 4)):
        bases = answer.raised(number, which)
        if bases is None:
            raise Fail(
                f"images of {given} channels were taken where num_channels is {made}: expected a ValueError",
                "Compare x.shape[1] with num_channels at the start of forward, and raise.",
            )
        if "ValueError" not in bases:
            raise Fail(
                f"images of {given} channels where num_channels is {made} raise {bases[0] if bases else 'something'}: "
                "expected a ValueError",
                "Compare x.shape[1] with num_channels at the start of forward and raise ValueError yourself.",
            )


PROBES = (Probe("patches", "module.run", _ask),)
CRITERIA = (
    Criterion(
        "vit.patch_embeddings",
        checks(
            shape, num_patches, own_patch_in_row_major_order, shared_projection,
            whole_patch, batch_mates, follows, learnable, wrong_channels,
        ),
        ("PatchEmbeddings",),
    ),
)  # fmt: skip
