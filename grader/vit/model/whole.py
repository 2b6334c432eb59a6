"""``ViT``: wired right, whatever its parts do.

Where a part is broken or missing, a stand-in of the grader's takes its place, so that the fault costs its
own criterion only.
"""

from collections.abc import Callable

import numpy as np

from grader.checking import Blocked, Criterion, Fail, checks, dig
from grader.evidence import Evidence, Probe, Question
from grader.vit.model.block import untrained
from grader.vit.model.reading import Array, Builds, build, call, changed, expect_shape, normal, same

GRAY, RGB, COPY, ONE_LAYER, THREE_LAYERS, ONE_HEAD, BY_NAME = range(7)  # builds
(
    BATCH, AGAIN, SINGLE, REVERSED, PATCHES, SWAPPED, GRADIENTS,
    TOKENS, TOKENS_OTHERS, TOKENS_CLS, BRIGHT, BRIGHT_PATCHES, BRIGHT_SCALED,
) = range(13)  # calls of the first
SIZE, PATCH, N, D = 12, 4, 9, 16
BRIGHTNESS = 1e4  # so bright that the positions vanish beside the patches
PARTS = {
    "vit.patch_embeddings": ("PatchEmbeddings",),
    "vit.position_embedding": ("PositionEmbedding",),
    "vit.attention_block": ("Transformer",),
}  # fmt: skip


def _ask(stand_ins: Callable[[Evidence], list[str]]) -> Callable[[Evidence, np.random.Generator], Question]:
    def ask(seen: Evidence, rng: np.random.Generator) -> Question:
        return Question({"name": "ViT", "builds": _builds(rng), "stand_ins": stand_ins(seen)})

    return ask


def _builds(rng: np.random.Generator) -> list[dict]:
    x = normal(rng, 3, 1, SIZE, SIZE)
    tokens, fresh = normal(rng, 3, N + 1, D), normal(rng, 3, N + 1, D)
    others, cls = fresh.copy(), tokens.copy()
    others[:, 0], cls[:, 0] = tokens[:, 0], fresh[:, 0]
    bright = BRIGHTNESS * x[:1]
    calls = [
        call(x), call(x), call(x[1:2]), call(x[::-1].copy()),
        call(_each_patch(x[0], lambda patch: normal(rng, *patch.shape))), call(_swapped(x)),
        call(x, "gradients", weights=normal(rng, 3, D)),
        *(call(x, "replaced", tokens=t) for t in (tokens, others, cls)),
        call(bright),
        call(_each_patch(bright[0], lambda patch: BRIGHTNESS * normal(rng, *patch.shape))),
        call(_each_patch(bright[0], lambda patch: 3 * patch)),
    ]  # fmt: skip
    rgb = normal(rng, 2, 3, 20, 20)
    one = [call(x)]
    return [
        build(SIZE, PATCH, 1, D, 2, 2, seed=1, attributes=["hidden_size"], calls=calls),
        build(20, 5, 3, 24, 1, 3, seed=2, attributes=["hidden_size"],
              calls=[call(rgb), call(rgb, "gradients", weights=normal(rng, 2, 24))]),
        build(SIZE, PATCH, 1, D, 2, 2, seed=3, like=GRAY, calls=one),
        build(SIZE, PATCH, 1, D, 1, 2, seed=1, calls=one),
        build(SIZE, PATCH, 1, D, 3, 2, seed=1, calls=one),
        build(SIZE, PATCH, 1, D, 2, 1, seed=1, calls=one),
        build(image_size=SIZE, patch_size=PATCH, num_channels=1, hidden_size=D, layers=2, heads=2, seed=1, calls=one),
    ]  # fmt: skip


def _each_patch(image: Array, change: Callable[[Array], Array]) -> Array:
    """(N, C, H, W): copies of an image, in each of which one patch is changed."""
    images = np.repeat(image[None], N, axis=0)
    for n in range(N):
        images[n][_patch(n)] = change(image[_patch(n)])
    return images


def _patch(n: int) -> tuple[slice, slice, slice]:
    row, column = divmod(n, SIZE // PATCH)
    return slice(None), slice(PATCH * row, PATCH * (row + 1)), slice(PATCH * column, PATCH * (column + 1))


def _swapped(images: Array) -> Array:
    """The images with two patches that have changed places."""
    swapped = images.copy()
    for image, original in zip(swapped, images, strict=True):
        image[_patch(1)], image[_patch(5)] = original[_patch(5)], original[_patch(1)]
    return swapped


def broken(seen: Evidence) -> list[str]:
    """The ViT's parts that do not work."""
    return [name for criterion, names in PARTS.items() if not seen.passed(criterion) for name in names]


def _seen(seen: Evidence) -> Builds:
    name = "model.stand_ins" if broken(seen) else "model"
    return Builds(seen[name], "ViT")


def shape(seen: Evidence) -> None:
    """Images (B, C, H, W) become features (B, D), for any sizes, gray and RGB, and any batch size."""
    answer = _seen(seen)
    if broken(seen) and answer.answer.ok and not _constructible(answer):
        culprit = next(c for c in PARTS if not seen.passed(c))
        raise Blocked(culprit, "the ViT cannot be run without this part, nor on a stand-in for it")
    for number, which, expected in ((GRAY, BATCH, (3, D)), (GRAY, SINGLE, (1, D)), (RGB, 0, (2, 24))):
        got = answer.tensor(number, which).shape
        if len(got) == 3 and got[0] == expected[0]:
            raise Fail(
                f"expected output shape {expected}, got {got}: all tokens are returned",
                "The feature of an image is its [CLS] token alone.",
            )
        expect_shape(answer, number, which, expected)
    answer.output(GRAY, BATCH)


def _constructible(answer: Builds) -> bool:
    """Whether the ViT ran on stand-ins, or failed for reasons of its own."""
    facts = dig(answer.answer.value, GRAY)
    return "raised" not in facts and "raised" not in dig(facts, "calls", BATCH)


def arguments(seen: Evidence) -> None:
    """Every constructor argument has its effect, by place and by name, and ``hidden_size`` is an attribute."""
    answer = _seen(seen)
    base = answer.output(GRAY, BATCH, (3, D))
    if not same(answer.output(BY_NAME, 0, (3, D)), base):
        raise Fail("ViT(image_size=…, patch_size=…, …) differs from the same arguments given by place")
    for number, size in ((GRAY, D), (RGB, 24)):
        got = answer.attribute(number, "hidden_size")
        value = got.get("number") if isinstance(got, dict) else None
        if value != size:
            raise Fail(f"expected the attribute hidden_size to be {size}, got {'none' if value is None else value}")
    one, two, three = answer.size(ONE_LAYER), answer.size(GRAY), answer.size(THREE_LAYERS)
    if not one < two < three or same(answer.output(ONE_LAYER, 0, (3, D)), base, 1e-5):
        raise Fail(
            "ViTs of 1, 2 and 3 layers do not differ: the argument layers has no effect",
            "Pass it on to the Transformer.",
        )
    if same(answer.output(ONE_HEAD, 0, (3, D)), base, 1e-5):
        raise Fail(
            "ViTs with 1 and 2 heads give the same: the argument heads has no effect", "Pass it on to the Transformer."
        )


def every_patch(seen: Evidence) -> None:
    """The feature depends on every patch, every channel, and on where each patch lies."""
    answer = _seen(seen)
    base = answer.output(GRAY, BATCH, (3, D))
    patches = answer.output(GRAY, PATCHES, (N, D))
    moved = changed(patches, np.broadcast_to(base[:1], patches.shape), axis=(1,), tolerance=1e-5)
    if not moved.any():
        raise Fail(
            "the feature does not depend on the image at all",
            "The [CLS] token must go through the Transformer together with the patch tokens, and be read afterwards.",
        )
    if not moved.all():
        raise Fail(
            f"the feature ignores {int((~moved).sum())} of {N} patches",
            "Look at what is returned: the [CLS] token, index 0 of the token axis, after the Transformer.",
        )
    gradient = dig(answer.raw(RGB, 1), "inputs")
    if not isinstance(gradient, np.ndarray) or (np.abs(gradient).max(axis=(0, 2, 3)) == 0).any():
        raise Fail("a colour channel has no influence", "Pass num_channels on to PatchEmbeddings.")
    if same(answer.output(GRAY, SWAPPED, (3, D)), base, tolerance=1e-6):
        raise Fail(
            "two patches may change places and the feature stays: positions are not used",
            "PositionEmbedding belongs between PatchEmbeddings and Transformer.",
        )


def cls_token(seen: Evidence) -> None:
    """What is returned is the feature of the [CLS] token, the first one, after the Transformer."""
    answer = _seen(seen)
    facts = [answer.raw(GRAY, which) for which in (TOKENS, TOKENS_OTHERS, TOKENS_CLS)]
    if any(f.get("replaced") != [[3, N + 1, D]] for f in facts):
        _bright_cls(answer)
        return
    tokens, others, cls = (answer.output(GRAY, which, (3, D)) for which in (TOKENS, TOKENS_OTHERS, TOKENS_CLS))
    if same(tokens, cls, 1e-5):
        raise Fail(
            "the feature does not depend on the [CLS] token that comes out of the Transformer",
            "Its place is index 0 of the token axis: x[:, 0].",
        )
    if not same(tokens, others, 1e-5):
        raise Fail(
            "the feature depends on other tokens than [CLS] after the Transformer",
            "Return x[:, 0], no mean over tokens, and mind which axis is the tokens'.",
        )


def _bright_cls(answer: Builds) -> None:
    """The same without looking inside: on very bright images a patch token is its own patch and little else.

    A [CLS] token sees patches through LayerNorm only, so that a patch three times as bright is the same.
    """
    base = answer.output(GRAY, BRIGHT, (1, D))
    other, scaled = answer.output(GRAY, BRIGHT_PATCHES, (N, D)), answer.output(GRAY, BRIGHT_SCALED, (N, D))
    spread = np.abs(base).max()
    if not (np.abs(other - base).max(axis=1) > 1e-3 * spread).all():
        raise Fail("on bright images the feature ignores some patches: it is not the [CLS] token's", "Return x[:, 0].")
    if (np.abs(scaled - base).max(axis=1) > 3e-2 * spread).any():
        raise Fail("the feature grows with single patches: it is not the [CLS] token's alone", "Return x[:, 0].")


def batch_mates(seen: Evidence) -> None:
    """An image's feature does not depend on the other images of its batch, nor on chance."""
    answer = _seen(seen)
    base = answer.output(GRAY, BATCH, (3, D))
    if not same(answer.output(GRAY, AGAIN, (3, D)), base):
        raise Fail(
            "in eval mode the same images gave different features twice",
            "Something random stays active: use nn.Dropout, or pass training=self.training.",
        )
    turned = answer.output(GRAY, REVERSED, (3, D))[::-1]
    if not same(answer.output(GRAY, SINGLE, (1, D)), base[1:2]) or not same(turned, base):
        raise Fail(
            "an image's feature depends on which other images are in the batch",
            "Are tokens and images confused somewhere? The Transformer takes (batch, tokens, features).",
        )


def trained(seen: Evidence) -> None:
    """Every parameter is registered, gets a gradient, and is in the state dict."""
    answer = _seen(seen)
    facts = answer.raw(GRAY, GRADIENTS)
    unused = untrained(answer.parameters(GRAY), dig(facts, "parameters"))
    if unused:
        raise Fail(
            f"no gradient reaches {unused[0]}" + (f" and {len(unused) - 1} more" if len(unused) > 1 else ""),
            "It is defined but not used in forward, is frozen, or its result is detached.",
        )
    if not isinstance(dig(facts, "inputs"), np.ndarray):
        raise Fail("no gradient reaches the pixels", "Look for detach, .data or a no_grad block in forward.")
    if not same(answer.output(COPY, 0, (3, D)), answer.output(GRAY, BATCH, (3, D))):
        raise Fail(
            "a ViT with another one's state dict gives other features: something it computes with is not in there",
            "Every tensor that forward uses must be a parameter or a buffer; layers belong in nn.ModuleList, not a list.",
        )




PROBES = (
    Probe("model", "module.run", _ask(lambda seen: []), when=lambda seen: not broken(seen)),
    Probe("model.stand_ins", "module.run", _ask(broken), when=lambda seen: bool(broken(seen))),
)
CRITERIA = (Criterion("vit.model", checks(shape, arguments, every_patch, cls_token, batch_mates, trained), ("ViT",)),)
