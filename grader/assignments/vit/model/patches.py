"""``PatchEmbeddings``: each token is a function of its own patch, the same for all, in row-major order.

Shapes: B images, C channels, H and W height and width, P patch size, N patches, D hidden size.
"""

import numpy as np

from grader.assignment import Topic
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, after, checks
from grader.torchkit.modules import lines
from grader.torchkit.modules.arrays import Array, changed, same
from grader.torchkit.modules.asking import build, call, normal
from grader.torchkit.modules.judging import (
    LONE_ITEM_SCALE,
    expect_alone,
    expect_learned,
    expect_repeatable,
    expect_shape,
    expect_trained,
    wrong_shape,
)
from grader.torchkit.modules.run import ModuleRun

N, D = 16, 12  # of the build "gray": 28x28 images in patches of 7
SIZES = {"gray": (28, 7), "rgb": (20, 4), "default channels": (12, 6)}  # by build, image size and patch size


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    patch, batch = normal(rng, 7, 7), normal(rng, 3, 1, 28, 28)
    batch[1] *= LONE_ITEM_SCALE
    places, rows, line = rng.permutation(N), lines.rows(rng, 3), lines.places(rng, 8)
    gray = {
        "empty": call(np.zeros((1, 1, 28, 28), np.float32)),
        "one patch each": call(_one_patch_each(patch, places)),
        "batch": call(batch),
        "again": call(batch, seed=1),
        "alone": call(batch[1:2]),
        "reordered": call(batch[rows]),
        "gradients": call(batch, "gradients", weights=normal(rng, 3, N, D)),
        "3 channels": call(normal(rng, 2, 3, 28, 28)),
        "line": call(lines.points(rng, batch[0], line)),
        "in training": call(batch, "in training"),
    }
    coloured, row, column = normal(rng, 2, 3, 20, 20), *(int(place) for place in rng.integers(5, size=2))
    replaced = coloured[:1].copy()
    replaced[..., 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = normal(rng, 1, 3, 4, 4)
    rgb = {
        "batch": call(coloured),
        "one patch replaced": call(replaced),
        "gradients": call(normal(rng, 1, 3, 20, 20), "gradients", weights=normal(rng, 1, 25, 10)),
        "1 channel": call(normal(rng, 2, 1, 20, 20)),
        "4 channels": call(normal(rng, 2, 4, 20, 20)),
    }
    default = {"batch": call(normal(rng, 2, 3, 12, 12))}
    attributes = ["num_patches"]
    builds = {
        "gray": build(28, 7, D, 1, seed=1, attributes=attributes, calls=gray),
        "rgb": build(20, 4, 10, 3, seed=2, attributes=attributes, calls=rgb),
        "default channels": build(12, 6, 8, seed=3, attributes=attributes, calls=default),
        "zero": build(28, 7, D, 1, seed=1, fill="zero", calls={"batch": call(batch)}),
    }
    known = {"places": places, "rows": rows, "line": line, "replaced": 5 * row + column}
    return Question({"name": "PatchEmbeddings", "builds": builds}, known)


def _one_patch_each(patch: Array, places: Array) -> Array:
    """(16, 1, 28, 28): each image is empty but for the patch at its place, in row-major order, which is ``patch``."""
    images = np.zeros((N, 1, 28, 28), np.float32)
    for image, place in enumerate(places):
        row, column = divmod(int(place), 4)
        images[image, 0, 7 * row : 7 * row + 7, 7 * column : 7 * column + 7] = patch
    return images


def _run(evidence: Evidence) -> ModuleRun:
    return ModuleRun(evidence["patches"], "PatchEmbeddings")


def _one_patch_filled(run: ModuleRun) -> Array:
    """(N, N, D): the tokens of the image whose patch n alone is not empty, for each n."""
    return run.output("gray", "one patch each", (N, N, D))[np.argsort(run.known["places"])]


def shape(evidence: Evidence) -> None:
    """Images (B, C, H, W) become tokens (B, N, D), one a patch, for any image size, patch size and batch size."""
    run = _run(evidence)
    for name in SIZES:
        _expect_taken(run, name)
    sizes = "Is image_size, patch_size, hidden_size or num_channels hard-coded?"
    for name, which, expected, hint in (
        ("gray", "batch", (3, N, D), sizes), ("gray", "alone", (1, N, D), ""),
        ("rgb", "batch", (2, 25, 10), sizes), ("default channels", "batch", (2, 4, 8), sizes),
    ):  # fmt: skip
        if run.tensor(name, which).ndim == 4:
            grid = "The patches still lie in a grid: flatten it into one axis of tokens."
            raise wrong_shape(run, name, which, expected, grid)
        size, patch = SIZES[name]
        tokens = run.tensor(name, which).shape[1:2]
        if any(tokens == (((size - patch) // stride + 1) ** 2,) for stride in range(1, patch)):
            hint = "The patches overlap: a convolution or unfold takes stride=patch_size beside its kernel_size."
        elif tokens == (expected[1] - 1,):
            hint = "There is one token too few: is the first or the last patch left out?"
        expect_shape(run, name, which, expected, hint)
    run.output("gray")


def _expect_taken(run: ModuleRun, name: str) -> None:
    """Say more where a build refuses images of the right number of channels."""
    hint = (
        "That is the right number of channels: axis 1 of (B, C, H, W) is compared with the argument num_channels, which "
        "is the last one: PatchEmbeddings(image_size, patch_size, hidden_size, num_channels)."
    )
    try:
        run.result(name, "batch")
    except Fail as fail:
        raised = run.raised(name, "batch") if run.is_built(name) else None
        refused = raised is not None and "ValueError" in raised.bases and "unpack" not in fail.message
        if raised is not None and name == "default channels":  # with num_channels=3 they were taken
            raise Fail(fail.message, "Without num_channels images have 3 channels: is that its default?") from None
        raise Fail(fail.message, hint) if refused else fail from None


def num_patches(evidence: Evidence) -> None:
    """The attribute ``num_patches`` is the number of patches N."""
    run = _run(evidence)
    for name, (size, patch) in SIZES.items():
        got, expected = run.number(name, "num_patches"), (size // patch) ** 2
        if got == expected and run.is_float(name, "num_patches") and _cannot_be_built_on(evidence):
            raise Fail(
                f"num_patches is {got}, a float: there can be no tensor of so many tokens",
                "Divide whole numbers with //, so that they stay whole.",
            )
        if got != expected:
            what = run.not_a_number(name, "num_patches") if got is None else f"got {got:g}"
            raise Fail(
                f"expected the attribute num_patches to be {expected} for image_size={size} and patch_size={patch}, {what}",
                "There are as many patches along a row as along a column: count them all, and keep the number in self.num_patches, "
                "in __init__.",
            )


def _cannot_be_built_on(evidence: Evidence) -> bool:
    """Whether the submission's own ViT cannot be built."""
    return evidence["model"].ok and not ModuleRun(evidence["model"], "ViT").is_built("gray")


def batch_mates(evidence: Evidence) -> None:
    """An image's tokens do not depend on the other images of its batch, nor on chance."""
    run = _run(evidence)
    batch = run.output("gray", "batch", (3, N, D))
    expect_repeatable(batch, run.output("gray", "again", (3, N, D)), "images", run.built("gray"))
    expect_alone(run, "gray", "alone", batch[1:2], "an image")
    if not same(run.output("gray", "reordered", (6, N, D)), batch[run.known["rows"]]):
        raise Fail("an image's tokens depend on its place in the batch", "A reshape mixes the batch axis with others.")


@after(batch_mates)
def own_patch_in_row_major_order(evidence: Evidence) -> None:
    """Token n is a function of patch n alone, patches counted along the rows."""
    run = _run(evidence)
    empty, filled = run.output("gray", "empty", (1, N, D)), _one_patch_filled(run)
    moved = changed(filled, np.broadcast_to(empty, filled.shape), axis=(2,))  # image n, token m
    if np.array_equal(moved, np.eye(N, dtype=bool)):
        _expect_own_patch_of_all_channels(run)
        return
    if (moved.sum(axis=1) == 1).all():
        columns = np.array_equal(moved, np.eye(N, dtype=bool).reshape(4, 4, N).transpose(1, 0, 2).reshape(N, N))
        order = "along the columns" if columns else "in another order"
        tokens = moved.argmax(axis=1)  # of each patch
        patch = int(np.flatnonzero(tokens != np.arange(N))[0])
        raise Fail(
            f"the patches come {order}: the patch in row {patch // 4}, column {patch % 4} should be token {patch}, it is "
            f"token {int(tokens[patch])}",
            "Expected row-major order, left to right and then down: look at what transpose or permute does to the "
            "grid.",
        )
    if not moved.any():
        raise Fail(
            "a patch changes no token at all: the tokens do not depend on the pixels",
            "Compute the tokens from x, and return them.",
        )
    raise Fail(*_scrambled_words(moved))


def _expect_own_patch_of_all_channels(run: ModuleRun) -> None:
    """Fail where a patch of images with several channels changes other tokens than its own."""
    before, after = run.output("rgb", "batch", (2, 25, 10))[:1], run.output("rgb", "one patch replaced", (1, 25, 10))
    moved, own = np.flatnonzero(changed(after, before, axis=(0, 2))), run.known["replaced"]
    if moved.size and moved.tolist() != [own]:
        raise Fail(
            f"with 3 channels, patch {own} changes {len(moved)} of the 25 tokens, {', '.join(map(str, moved[:6]))}"
            f"{', …' if len(moved) > 6 else ''}, and should change only its own: channels and patches are scrambled",
            "Bring the axes in the order (B, H/P, W/P, C, P, P) with permute before they are flattened: a view or reshape "
            "alone takes the numbers as they lie in memory, channel by channel.",
        )


def _scrambled_words(moved: Array) -> tuple[str, str]:
    """What is wrong where one patch changes several tokens, and a hint; ``moved[n, m]``: patch n changes token m."""
    touched = int(moved.sum(axis=1).max())
    message = f"one patch changes {touched} of the {N} tokens, and should change only its own"
    silent = np.flatnonzero(~moved.any(axis=1))
    if touched == 1 and len(silent):
        many = f"{len(silent)} of the {N} patches" if len(silent) > 1 else f"patch {silent[0]}, counted from 0,"
        return (
            f"{many} {'change' if len(silent) > 1 else 'changes'} no token at all: is each of them cut out of the image?",
            "Look at where the loops over the rows and columns of patches begin and end, and whether a token is left as it was made.",
        )
    row, column = np.divmod(np.arange(N), 4)
    neighbours = (np.abs(row[:, None] - row) <= 1) & (np.abs(column[:, None] - column) <= 1)
    if not moved[~neighbours].any():
        return (
            f"{message}: the patches overlap, or a layer after them mixes neighbours",
            "Kernel size and stride are both the patch size, there is no padding, and no other convolution follows.",
        )
    scrambled = (
        "A bare view or reshape of (B, C, H, W) cuts the image along its rows, not into squares, and one of "
        "(B, D, H/P, W/P) mixes tokens: cut or flatten the axes of the image first, then bring them in order with "
        "permute or transpose."
    )
    if moved.all():
        return (
            f"{message}: the patches are scrambled, or all tokens are normalised together",
            f"{scrambled} A norm works on each token by itself: nn.LayerNorm(hidden_size).",
        )
    return f"{message}: the patches are scrambled", scrambled


@after(own_patch_in_row_major_order)
def shared_projection(evidence: Evidence) -> None:
    """One projection is shared by all patches: the same content gives the same token wherever it lies."""
    run = _run(evidence)
    filled, empty = _one_patch_filled(run), run.output("gray", "empty", (1, N, D))
    own = filled[np.arange(N), np.arange(N)]
    if not same(own, np.broadcast_to(own[:1], own.shape)) or not same(
        empty, np.broadcast_to(empty[:, :1], empty.shape)
    ):
        raise Fail(
            "the same patch content gives different tokens at different places",
            "All patches go through one and the same projection; positions are added elsewhere.",
        )


def whole_patch(evidence: Evidence) -> None:
    """Every pixel of every channel counts, each in its own way."""
    for name in ("gray", "rgb"):
        gradient = _run(evidence).gradients(name, "gradients").inputs
        if gradient is None:
            raise Fail("no gradient reaches the pixels", "Look for detach, .data, NumPy or a no_grad block in forward.")
        _expect_each_pixel(gradient.astype(np.float64), SIZES[name][1])


def _expect_each_pixel(gradient: Array, patch: int) -> None:
    """Fail unless the gradient (B, C, H, W) reaches every pixel, another one for each inside a patch."""
    dead = np.abs(gradient).max(axis=0) == 0  # (C, H, W)
    silent, channels = int(dead.all(axis=(1, 2)).sum()), len(dead)
    every_channel = "The projection must see all num_channels."
    if silent:
        raise Fail(f"{silent} of {channels} channels have no influence on any token", every_channel)
    if dead.any():
        raise Fail(
            f"{dead.sum()} of {dead.size} pixels have no influence on any token",
            "The projection must see all C x P x P values of a patch.",
        )
    if channels > 1 and same(gradient[:, 1:], np.broadcast_to(gradient[:, :1], gradient[:, 1:].shape)):
        raise Fail("all channels count the same: they are averaged or added up", every_channel)
    if _is_flat(gradient, patch):
        raise Fail(
            "all pixels inside a patch count the same: the tokens see no more than its mean",
            "The projection takes all C x P x P values of a patch, each with weights of its own.",
        )


def _is_flat(gradient: Array, patch: int) -> bool:
    """Whether a gradient (B, C, H, W) is the same for all pixels inside a patch."""
    images, channels, height, width = gradient.shape
    patches = gradient.reshape(images, channels, height // patch, patch, width // patch, patch)
    return same(patches, np.broadcast_to(patches.mean(axis=(3, 5), keepdims=True), patches.shape), 1e-3)


@after(own_patch_in_row_major_order)
def follows(evidence: Evidence) -> None:
    """A token follows its patch: it changes a little when the patch changes a little."""
    lines.expect_on_line(_run(evidence), "gray", "line", (N, D))


@after(batch_mates)
def learnable(evidence: Evidence) -> None:
    """The projection is learned: its parameters are registered, trainable, and gradients reach all of them."""
    expect_trained(_run(evidence), "gray", "gradients")
    expect_learned(_run(evidence), "gray", (3, N, D))


def wrong_channels(evidence: Evidence) -> None:
    """Images with another number of channels raise a ValueError."""
    run = _run(evidence)
    run.result("gray", "batch"), run.result("rgb", "batch")  # where right images raise, that is what to say
    for name, given, made in (("gray", "3 channels", 1), ("rgb", "1 channel", 3), ("rgb", "4 channels", 3)):
        raised = run.raised(name, given)
        if raised is None or "ValueError" not in raised.bases:
            expected = f"expected a ValueError for images of {given} where num_channels is {made}"
            if raised is None and (returned := run.returned(name, given)):
                raise Fail(
                    f"{expected}: nothing was raised, {returned} was returned",
                    "`raise` is what stops the call: what is printed or returned does not.",
                )
            came = "they were taken" if raised is None else f"{raised.type} was raised"
            raise Fail(
                f"{expected}: {came}",
                "Before anything is computed, forward looks at the number of channels of its images, and raises a ValueError of its own "
                "where that is another than num_channels.",
            )


TOPIC = Topic(
    probes=(Probe("patches", "module.run", _ask),),
    criteria=(
        Criterion(
            "vit.patch_embeddings",
            checks(
                shape, num_patches, batch_mates, own_patch_in_row_major_order, shared_projection,
                whole_patch, follows, learnable, wrong_channels,
            ),
            ("PatchEmbeddings",),
        ),
    ),
)  # fmt: skip
