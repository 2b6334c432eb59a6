"""``ViT``: wired right, whatever its parts do.

It is judged with its own parts. Where one of them is broken or missing and something is wrong then, a
stand-in of the grader's takes its place, so that the fault costs its own criterion only.
"""

from collections.abc import Callable

import numpy as np

from grader.assignments.vit.model import drawn
from grader.assignments.vit.model.positions import cls_is_last
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
from grader.judging import Blocked, Check, Criterion, Fail, Skip, checks

GRAY, RGB, COPY, ONE_LAYER, THREE_LAYERS, ONE_HEAD, BY_NAME, LARGE_PATCHES, USUAL = range(9)  # builds
(
    BATCH,
    AGAIN,
    SINGLE,
    DRAWN,
    PATCHES,
    SWAPPED,
    GRADIENTS,
    LINE,
    TOKENS,
    OTHERS_NEW,
    FIRST_NEW,
    LAST_KEPT,
    TURNED,
) = range(13)  # calls of the first; those of the last line put tokens in the place of the Transformer's
SIZE, PATCH, N, D = 12, 4, 9, 16
PARTS = {
    "vit.patch_embeddings": ("PatchEmbeddings",),
    "vit.position_embedding": ("PositionEmbedding",),
    "vit.attention_block": ("Transformer",),
}  # fmt: skip
Judge = Callable[[Builds, Evidence], None]


def _ask(stand_ins: Callable[[Evidence], list[str]]) -> Callable[[Evidence, np.random.Generator], Question]:
    def ask(seen: Evidence, rng: np.random.Generator) -> Question:
        known = {"rows": drawn.rows(rng, 3), "places": rng.permutation(N), "line": drawn.places(rng)}
        return Question({"name": "ViT", "builds": _builds(rng, **known), "stand_ins": stand_ins(seen)}, known)

    return ask


def _builds(rng: np.random.Generator, rows: Array, places: Array, line: Array) -> list[dict]:
    x = normal(rng, 3, 1, SIZE, SIZE)
    loud = x.copy()
    x[1] *= FAINT
    calls = [
        call(x), call(x, seed=1), call(x[1:2]), call(x[rows]),
        call(_each_patch(x[0], places, lambda patch: normal(rng, *patch.shape))), call(_swapped(rng, x)),
        call(loud, "gradients", weights=normal(rng, 3, D)), call(drawn.points(rng, x[0], line)),
        *(call(x, "replaced", tokens=tokens) for tokens in _tokens(rng)),
    ]  # fmt: skip
    rgb = normal(rng, 2, 3, 20, 20)
    one = [call(x)]
    return [
        build(SIZE, PATCH, 1, D, 2, 2, seed=1, attributes=["hidden_size"], calls=calls),
        build(20, 5, 3, 24, 1, 3, seed=2, attributes=["hidden_size"],
              calls=[call(rgb), call(rgb, "gradients", weights=normal(rng, 2, 24))]),
        build(SIZE, PATCH, 1, D, 2, 2, seed=3, like=GRAY, calls=[call(x, seed=1)]),
        build(SIZE, PATCH, 1, D, 1, 2, seed=1, calls=one),
        build(SIZE, PATCH, 1, D, 3, 2, seed=1, calls=one),
        build(SIZE, PATCH, 1, D, 2, 1, seed=1, calls=one),
        build(seed=1, calls=one, image_size=SIZE, patch_size=PATCH, num_channels=1, hidden_size=D, layers=1, heads=2),
        build(SIZE, 6, 1, D, 2, 2, seed=1, calls=[]),
        build(28, 7, 1, 64, 2, 4, seed=1, calls=[call(normal(rng, 2, 1, 28, 28))]),
    ]  # fmt: skip


def _tokens(rng: np.random.Generator) -> list[Array]:
    """Tokens; the same with all but the first new; with the first new; with all but the last new; in turned order."""
    tokens, new = normal(rng, 3, N + 1, D), normal(rng, 3, N + 1, D)
    others, first, last = new.copy(), tokens.copy(), new.copy()
    others[:, 0], first[:, 0], last[:, -1] = tokens[:, 0], new[:, 0], tokens[:, -1]
    return [tokens, others, first, last, np.roll(tokens, 1, axis=1)]


def _each_patch(image: Array, places: Array, change: Callable[[Array], Array]) -> Array:
    """(N, C, H, W): copies of an image, in each of which the patch at its place is changed."""
    images = np.repeat(image[None], N, axis=0)
    for copy, place in zip(images, places, strict=True):
        copy[_patch(int(place))] = change(image[_patch(int(place))])
    return images


def _patch(n: int) -> tuple[slice, slice, slice]:
    row, column = divmod(n, SIZE // PATCH)
    return slice(None), slice(PATCH * row, PATCH * (row + 1)), slice(PATCH * column, PATCH * (column + 1))


def _swapped(rng: np.random.Generator, images: Array) -> Array:
    """The images with two patches that have changed places; not the first or the last, which may be read for [CLS]."""
    swapped = images.copy()
    one, other = (_patch(int(n)) for n in 1 + rng.choice(N - 2, 2, replace=False))
    for image, original in zip(swapped, images, strict=True):
        image[one], image[other] = original[other], original[one]
    return swapped


def broken(seen: Evidence) -> list[str]:
    """The ViT's parts that do not work."""
    return [name for criterion, names in PARTS.items() if not seen.passed(criterion) for name in names]


def _right_as_it_is(seen: Evidence) -> bool:
    """Whether the ViT does everything right with its own parts, as broken as each may be by itself."""
    answer = Builds(seen["model"], "ViT")
    try:
        for judge in JUDGES:
            judge(answer, seen)
    except Exception:  # whatever is in the way, it was not right; the verdict is made on stand-ins then
        return False
    return True


def _seen(seen: Evidence) -> Builds:
    own = not broken(seen) or _right_as_it_is(seen)
    return Builds(seen["model" if own else "model.stand_ins"], "ViT")


def _check(judge: Judge) -> Check:
    """The check that judges the answer that counts."""

    def function(seen: Evidence) -> None:
        judge(_seen(seen), seen)

    function.__name__, function.__doc__ = judge.__name__, judge.__doc__
    return checks(function)[0]


def shape(answer: Builds, seen: Evidence) -> None:
    """Images (B, C, H, W) become features (B, D), for any sizes, gray and RGB, and any batch size."""
    for number, which, expected in ((GRAY, BATCH, (3, D)), (GRAY, SINGLE, (1, D)), (RGB, 0, (2, 24))):
        _expect_running(answer, seen, number, which)
        got, tokens = answer.tensor(number, which).shape, 17 if number == RGB else N + 1
        hint = ""
        if got == (expected[0], tokens, expected[1]):
            hint = "All tokens are returned: the feature of an image is its [CLS] token alone."
        elif got == (tokens, expected[1]):
            hint = "The tokens of the first image are returned: the tokens' axis is the second one, x[:, 0]."
        elif got == (expected[0], tokens):
            hint = "One feature of every token is returned: the tokens' axis is the second one, x[:, 0]."
        if hint:
            raise Fail(f"expected output shape {expected}, got {got}", hint)
        expect_shape(
            answer,
            number,
            which,
            expected,
            "Is hidden_size hard-coded, or does a layer follow that is not part of the ViT?",
        )
    for number in (ONE_LAYER, THREE_LAYERS):
        _expect_running(answer, seen, number, 0)
    answer.output(GRAY, BATCH)


def _expect_running(answer: Builds, seen: Evidence, number: int, which: int) -> None:
    """Say why a ViT cannot be run, as far as that can be told from the arguments with which it can."""
    try:
        answer.raw(number, which)
    except Fail as fail:
        if broken(seen) and not answer.works(USUAL) and not answer.works(RGB):
            culprit = next(c for c in PARTS if not seen.passed(c))
            raise Blocked(culprit, "the ViT cannot be run without this part") from None
        raise Fail(fail.message, _why(answer) or fail.hint) from None


def _why(answer: Builds) -> str:
    if answer.works(BY_NAME) and not (answer.works(GRAY) and answer.works(ONE_LAYER) and answer.works(THREE_LAYERS)):
        return (
            "With arguments given by name it works: the constructor takes them in another order than the assignment's."
        )
    if answer.works(RGB) and not answer.works(USUAL):
        return "Images with 3 channels work: is num_channels passed on to PatchEmbeddings?"
    if answer.works(GRAY) and not answer.works(RGB):
        return "Images with 1 channel work: is num_channels passed on, and no size hard-coded?"
    if answer.works(USUAL):
        usual = "ViT(28, 7, 1, 64, 2, 4) works on two images"
        return f"{usual}: is image_size, patch_size, hidden_size or the batch size hard-coded?"
    return ""


def batch_mates(answer: Builds, seen: Evidence) -> None:
    """An image's feature does not depend on the other images of its batch, nor on chance."""
    base = answer.output(GRAY, BATCH, (3, D))
    expect_repeatable(answer, base, answer.output(GRAY, AGAIN, (3, D)), "images")
    expect_alone(answer, GRAY, SINGLE, base[1:2], "an image")
    if not same(answer.output(GRAY, DRAWN, (6, D)), base[answer.known["rows"]]):
        raise Fail(
            "an image's feature depends on its place in the batch", "A reshape mixes the batch axis with others."
        )


def every_patch(answer: Builds, seen: Evidence) -> None:
    """The feature depends on every patch, every channel, and on where each patch lies."""
    _after(batch_mates, answer, seen)
    base = answer.output(GRAY, BATCH, (3, D))
    patches = answer.output(GRAY, PATCHES, (N, D))
    moved = changed(patches, np.broadcast_to(base[:1], patches.shape), axis=(1,), tolerance=1e-5)
    if not moved.any():
        raise Fail(
            "the feature does not depend on the image at all",
            "The [CLS] token must go through the Transformer together with the patch tokens and be read "
            "afterwards; and "
            "attention must run over the tokens, not over the images of the batch: which axis is which?",
        )
    if not moved.all():
        raise Fail(
            f"the feature ignores {int((~moved).sum())} of {N} patches",
            "Look at what is returned: the [CLS] token, index 0 of the token axis, after the Transformer.",
        )
    if same(answer.output(GRAY, SWAPPED, (3, D)), base, tolerance=1e-6):
        raise Fail(
            "two patches may change places and the feature stays: positions are not used",
            "PositionEmbedding belongs between PatchEmbeddings and Transformer.",
        )
    _expect_colours(answer)


def _expect_colours(answer: Builds) -> None:
    gradient = answer.gradients(RGB, 1).inputs
    if gradient is None:
        return  # that no gradient arrives is for `trained` to say
    if gradient.any() and (np.abs(gradient).max(axis=(0, 2, 3)) == 0).any():
        raise Fail(
            "a colour channel has no influence",
            "Pass num_channels on to PatchEmbeddings, and all channels of the image.",
        )
    if gradient.any() and same(gradient[:, 1:], np.broadcast_to(gradient[:, :1], gradient[:, 1:].shape)):
        raise Fail("all colour channels count the same: they are averaged", "Pass num_channels on to PatchEmbeddings.")


def follows(answer: Builds, seen: Evidence) -> None:
    """The feature follows the image: it changes a little when the image changes a little."""
    _after(every_patch, answer, seen)
    drawn.expect_on_line(answer, GRAY, LINE, (D,))


def arguments(answer: Builds, seen: Evidence) -> None:
    """Every constructor argument has its effect, in the order of the assignment; ``hidden_size`` is an attribute."""
    _after(every_patch, answer, seen)
    for number, size in ((GRAY, D), (RGB, 24)):
        got = answer.number(number, "hidden_size")
        if got != size:
            raise Fail(
                f"expected the attribute hidden_size to be {size}, got {'none' if got is None else f'{got:g}'}",
                "Keep it in self in __init__: the heads that come after are built with it.",
            )
    one = answer.output(ONE_LAYER, 0, (3, D))
    if answer.works(BY_NAME) and not same(answer.output(BY_NAME, 0), one):
        raise Fail(
            "ViT(image_size=…, patch_size=…, …) differs from the same arguments given by place",
            "The constructor takes its arguments in another order than the assignment's.",
        )
    base = answer.output(GRAY, BATCH, (3, D))
    sizes = [answer.size(number) for number in (ONE_LAYER, GRAY, THREE_LAYERS)]
    if not sizes[0] < sizes[1] < sizes[2] or same(one, base, 1e-5):
        raise Fail("ViTs of 1, 2 and 3 layers do not differ: layers has no effect", "Pass it on to the Transformer.")
    if same(answer.output(ONE_HEAD, 0, (3, D)), base, 1e-5):
        raise Fail("ViTs with 1 and 2 heads give the same: heads has no effect", "Pass it on to the Transformer.")
    if answer.size(LARGE_PATCHES) == sizes[1]:
        raise Fail(
            "ViTs with patches of 4 and of 6 pixels have as many parameters: patch_size has no effect",
            "Pass it on to PatchEmbeddings.",
        )


def cls_token(answer: Builds, seen: Evidence) -> None:
    """What is returned is the feature of the [CLS] token, the first one, after the Transformer."""
    _after(every_patch, answer, seen)
    if answer.raw(GRAY, TOKENS).keys() == {"kind"}:
        return  # no module inside puts tokens out, so there is nothing to replace
    tokens, others, first, last, turned = (
        answer.output(GRAY, which, (3, D)) for which in (TOKENS, OTHERS_NEW, FIRST_NEW, LAST_KEPT, TURNED)
    )
    if same(tokens, others, 1e-5) and not same(tokens, first, 1e-5):
        return
    if same(tokens, last, 1e-5) and cls_is_last(seen):
        return  # PositionEmbedding puts it there, and loses its points for that
    if same(tokens, turned, 1e-5):
        raise Fail(
            "all tokens count alike: their mean, or the like, is returned",
            "The feature is the [CLS] token's alone, x[:, 0].",
        )
    if same(tokens, first, 1e-5):
        raise Fail(
            "the feature does not depend on the [CLS] token that comes out of the Transformer",
            "Its place is index 0 of the token axis: x[:, 0].",
        )
    raise Fail(
        "the feature depends on other tokens than [CLS] after the Transformer",
        "Return x[:, 0], no mean over tokens, and mind which axis is the tokens'.",
    )


def trained(answer: Builds, seen: Evidence) -> None:
    """Every parameter is registered, gets a gradient, and is in the state dict; gradients are what they should be."""
    base = answer.output(GRAY, BATCH, (3, D))
    _after(every_patch, answer, seen)
    expect_trained(answer, GRAY, GRADIENTS)
    if not answer.gradients(GRAY, GRADIENTS).shown:
        raise Fail("the gradient at the pixels is not what the output shows", DETACHED)
    if not same(answer.output(COPY, 0, (3, D)), base):
        raise Fail(
            "a ViT with another one's state dict gives other features: something it computes with is not registered",
            "Layers belong in nn.ModuleList, not in a list, and are made in __init__, not in forward; every tensor "
            "that forward uses is a parameter or a buffer.",
        )


DETACHED = "Part of what was computed is cut off: look for detach, .data, numpy or a no_grad block in forward."


def _after(judge: Judge, answer: Builds, seen: Evidence) -> None:
    try:
        judge(answer, seen)
    except Fail:
        raise Skip from None


def _stand_ins_needed(seen: Evidence) -> bool:
    return bool(broken(seen)) and not _right_as_it_is(seen)


JUDGES = (shape, batch_mates, every_patch, follows, arguments, cls_token, trained)
PROBES = (
    Probe("model", "module.run", _ask(lambda seen: [])),
    Probe("model.stand_ins", "module.run", _ask(broken), when=_stand_ins_needed, needs=tuple(PARTS)),
)
CRITERIA = (Criterion("vit.model", tuple(_check(judge) for judge in JUDGES), ("ViT",), needs=tuple(PARTS)),)
