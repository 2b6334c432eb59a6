"""``ViT``: wired right, whatever its parts do.

It is judged with its own parts. Where one of them is broken or missing and something is wrong then, a
stand-in of the grader's takes its place, so that the fault costs its own criterion only.

Shapes: B images, C channels, H and W height and width, N patches, D hidden size.
"""

from collections.abc import Callable

import numpy as np

from grader.assignment import Topic
from grader.assignments.vit.model.positions import cls_is_last
from grader.assignments.vit.model.whole_questions import TOKENS, D, N, builds_of
from grader.evidence import Evidence, Probe, Question
from grader.judging import Blocked, Criterion, Fail, after, checks
from grader.torchkit.modules import lines
from grader.torchkit.modules.answers import NoAttention, NoTokens
from grader.torchkit.modules.arrays import changed, same
from grader.torchkit.modules.judging import (
    expect_alone,
    expect_registered,
    expect_repeatable,
    expect_shape,
    expect_trained,
)
from grader.torchkit.modules.run import ModuleRun

PARTS = {
    "vit.patch_embeddings": "PatchEmbeddings",
    "vit.position_embedding": "PositionEmbedding",
    "vit.attention_block": "Transformer",
}
Judge = Callable[[ModuleRun, Evidence], None]


def _question(rng: np.random.Generator, **more: object) -> Question:
    known = {"rows": lines.rows(rng, 3), "places": rng.permutation(N), "line": lines.places(rng)}
    return Question({"name": "ViT", "builds": builds_of(rng, **known), **more}, known)


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    return _question(rng)


def _ask_on_stand_ins(evidence: Evidence, rng: np.random.Generator) -> Question:
    return _question(rng, stand_ins=broken(evidence))


def broken(evidence: Evidence) -> list[str]:
    """The ViT's parts that do not work."""
    return [name for criterion, name in PARTS.items() if not evidence.passed(criterion)]


def _is_right_as_it_is(evidence: Evidence) -> bool:
    """Whether the ViT does everything right with its own parts, as broken as each may be by itself."""
    run = ModuleRun(evidence["model"], "ViT")
    try:
        for judge in JUDGES:
            judge(run, evidence)
    except Exception:  # whatever is in the way, it was not right; the verdict is made on stand-ins then
        return False
    return True


def _run(evidence: Evidence) -> ModuleRun:
    """The answer that counts: of the ViT with its own parts, or with stand-ins."""
    own = not broken(evidence) or _is_right_as_it_is(evidence)
    return ModuleRun(evidence["model" if own else "model.stand_ins"], "ViT")


def _on_counting_answer(judge: Judge) -> Callable[[Evidence], None]:
    """The check that judges the answer that counts."""

    def function(evidence: Evidence) -> None:
        judge(_run(evidence), evidence)

    function.__name__, function.__doc__ = judge.__name__, judge.__doc__
    function.comes_after = getattr(judge, "comes_after", ())  # type: ignore[attr-defined]
    return function


def shape(run: ModuleRun, evidence: Evidence) -> None:
    """Images (B, C, H, W) become features (B, D), for any sizes, gray and RGB, and any batch size."""
    for build, call, expected, tokens in (
        ("gray", "batch", (3, D), N + 1), ("gray", "alone", (1, D), N + 1), ("rgb", "batch", (2, 24), 17),
    ):  # fmt: skip
        _expect_running(run, evidence, build, call)
        got = run.tensor(build, call).shape
        hint = ""
        if got == (expected[0], tokens, expected[1]):
            hint = (
                "All tokens are returned: the feature of an image is its [CLS] token alone, the first "
                "along the axis of the tokens. Where the ViT is called, nothing is picked out of its result then."
            )
        elif got == (tokens, expected[1]):
            hint = "The tokens of the first image are returned: the axis of the tokens is the second of three."
        elif got == (expected[0], tokens):
            hint = (
                f"{tokens} numbers an image: does a layer for the classes sit inside the ViT, which returns the [CLS] token "
                "alone? Or is one feature of every token returned: the axis of the tokens is the second of three?"
            )
        if hint:
            raise Fail(f"expected output shape {expected}, got {got}", hint)
        sizes = "Is hidden_size hard-coded, or does a layer follow that is not part of the ViT?"
        expect_shape(run, build, call, expected, sizes)
    for build in ("one layer", "three layers"):
        _expect_running(run, evidence, build, "batch")
    run.output("gray")


def _expect_running(run: ModuleRun, evidence: Evidence, build: str, call: str) -> None:
    """Say why a ViT cannot be run, as far as that can be told from the arguments with which it can."""
    try:
        run.result(build, call)
    except Fail as fail:
        runs = any(map(run.works, ("as assigned", "rgb", "by name")))
        if broken(evidence) and not runs and not _raises_by_itself(run, evidence, build, call):
            culprit = next(c for c in PARTS if not evidence.passed(c))
            raise Blocked(culprit, "the ViT cannot be run without this part") from None
        raise Fail(fail.message, _why_not_running(run) or fail.hint) from None


def _raises_by_itself(run: ModuleRun, evidence: Evidence, build: str, call: str) -> bool:
    """Whether a ViT raises what none of its parts makes it raise, unless by what it returns.

    It does so where it raises the same with its own parts and with stand-ins for the broken ones.
    """
    raised = run.raised(build, call)
    if raised is None or "unpack" in raised.message:
        return False
    with_own_parts = ModuleRun(evidence["model"], "ViT").raised(build, call)
    return bool({"NameError", "ValueError"} & set(raised.bases)) or raised == with_own_parts


def _why_not_running(run: ModuleRun) -> str:
    if run.works("by name") and not run.works("one layer"):  # the same arguments, by place
        return (
            "With arguments given by name it works: the constructor takes them in another order than the assignment's."
        )
    if run.works("gray") and run.works("one layer") and not run.works("three layers"):
        return (
            "ViTs of 1 and 2 layers work, and one of 3 does not: are layers and heads passed on in the order that the "
            "Transformer takes them in, Transformer(width, layers, heads)?"
        )
    if run.works("rgb") and not run.works("as assigned"):
        return "Images with 3 channels work: is num_channels passed on to PatchEmbeddings?"
    if run.works("gray") and not run.works("rgb"):
        return "Images with 1 channel work: is num_channels passed on, and no size hard-coded?"
    if run.works("as assigned"):
        usual = "ViT(28, 7, 1, 64, 2, 4) works on two images"
        return f"{usual}: is image_size, patch_size, hidden_size or the batch size hard-coded?"
    return ""


def batch_mates(run: ModuleRun, evidence: Evidence) -> None:
    """An image's feature does not depend on the other images of its batch, nor on chance."""
    base = run.output("gray", "batch", (3, D))
    expect_repeatable(base, run.output("gray", "again", (3, D)), "images", run.built("gray"))
    expect_alone(run, "gray", "alone", base[1:2], "an image")
    if not same(run.output("gray", "reordered", (6, D)), base[run.known["rows"]]):
        raise Fail(
            "an image's feature depends on its place in the batch", "A reshape mixes the batch axis with others."
        )


@after(batch_mates)
def every_patch(run: ModuleRun, evidence: Evidence) -> None:
    """The feature depends on every patch, every channel, and on where each patch lies."""
    base = run.output("gray", "batch", (3, D))
    patches = run.output("gray", "one patch replaced each", (N, D))
    moved = changed(patches, np.broadcast_to(base[:1], patches.shape), axis=(1,), tolerance=1e-5)
    if not moved.any():
        raise Fail(
            "the feature does not depend on the image at all",
            "The [CLS] token must go through the Transformer together with the patch tokens and be read afterwards; "
            "and attention must run over the tokens, not over the images of the batch: which axis is which?",
        )
    if not moved.all():
        raise Fail(
            f"the feature ignores {int((~moved).sum())} of {N} patches",
            "Look at what is returned: the [CLS] token, index 0 of the token axis, after the Transformer. And are all "
            "sizes those of the arguments, none the notebook's own hyperparameters?",
        )
    if same(run.output("gray", "two patches swapped", (3, D)), base, tolerance=1e-6):
        raise Fail(
            "positions are not used: an image whose patches change places should give another feature, and gives the "
            "same",
            "PositionEmbedding belongs between PatchEmbeddings and Transformer.",
        )
    _expect_pixels(run)
    _expect_colours(run)


def _expect_pixels(run: ModuleRun) -> None:
    gradient = run.gradients("gray", "gradients").inputs
    if gradient is None or not gradient.any():
        return  # that no gradient arrives is for `trained` to say
    ignored = int((np.abs(gradient).max(axis=(0, 1)) == 0).sum())
    if ignored:
        raise Fail(
            f"the feature ignores {ignored} of {gradient.shape[2] * gradient.shape[3]} pixels of an image",
            "The projection of a patch must see all of its pixels: a convolution has the patch size as kernel size.",
        )


def _expect_colours(run: ModuleRun) -> None:
    gradient = run.gradients("rgb", "gradients").inputs
    if gradient is None or not gradient.any():
        return  # that no gradient arrives is for `trained` to say
    if (np.abs(gradient).max(axis=(0, 2, 3)) == 0).any():
        raise Fail(
            "a colour channel has no influence on the feature",
            "Pass num_channels on to PatchEmbeddings, and all channels of the image.",
        )
    if same(gradient[:, 1:], np.broadcast_to(gradient[:, :1], gradient[:, 1:].shape)):
        raise Fail("all colour channels count the same: they are averaged", "Pass num_channels on to PatchEmbeddings.")


@after(every_patch)
def follows(run: ModuleRun, evidence: Evidence) -> None:
    """The feature follows the image: it changes a little when the image changes a little."""
    lines.expect_on_line(run, "gray", "line", (D,))


@after(every_patch)
def arguments(run: ModuleRun, evidence: Evidence) -> None:
    """Every constructor argument has its effect, in the order of the assignment; ``hidden_size`` is an attribute."""
    for build, size in (("gray", D), ("rgb", 24)):
        got = run.number(build, "hidden_size")
        if got != size:
            raise Fail(
                f"expected the attribute hidden_size to be {size}, got {'none' if got is None else f'{got:g}'}",
                "Keep it in self in __init__: the heads that come after are built with it.",
            )
    one = run.output("one layer", "batch", (3, D))
    if run.works("by name") and not same(run.output("by name"), one):
        raise Fail(
            "ViT(image_size=…, patch_size=…, …) differs from the same arguments given by place",
            "The constructor takes its arguments in another order than the assignment's.",
        )
    base = run.output("gray", "batch", (3, D))
    sizes = [run.size(build) for build in ("one layer", "gray", "three layers")]
    if not sizes[0] < sizes[1] < sizes[2] or same(one, base, 1e-5):
        raise Fail("ViTs of 1, 2 and 3 layers do not differ: layers has no effect", "Pass it on to the Transformer.")
    if same(run.output("one head", "batch", (3, D)), base, 1e-5):
        raise Fail("ViTs with 1 and 2 heads give the same: heads has no effect", "Pass it on to the Transformer.")
    if run.size("large patches") == sizes[1]:
        raise Fail(
            "ViTs with patches of 4 and of 6 pixels have as many parameters: patch_size has no effect",
            "Pass it on: PatchEmbeddings(image_size, patch_size, hidden_size, num_channels), in this order.",
        )


@after(every_patch)
def cls_token(run: ModuleRun, evidence: Evidence) -> None:
    """What is returned is the feature of the [CLS] token, the first one, after the Transformer."""
    if isinstance(run.result("gray", TOKENS[0]), NoTokens):
        return  # no module inside puts tokens out, so there is nothing to replace
    tokens, others_new, first_new, last_kept, turned = (run.output("gray", call, (3, D)) for call in TOKENS)
    if same(tokens, others_new, 1e-5) and not same(tokens, first_new, 1e-5):
        return
    if same(tokens, last_kept, 1e-5) and cls_is_last(evidence):
        return  # PositionEmbedding puts it there, and loses its points for that
    if same(tokens, turned, 1e-5):
        raise Fail(
            "all tokens count alike: their mean, or the like, is returned",
            "The feature is the [CLS] token's alone.",
        )
    if same(tokens, first_new, 1e-5):
        raise Fail(
            "the feature does not depend on the [CLS] token that comes out of the Transformer",
            "Its place is index 0 of the axis of the tokens, which is the second of three.",
        )
    raise Fail(
        "the feature depends on other tokens than [CLS] after the Transformer",
        "Return the [CLS] token alone, no mean over tokens, and mind which axis is the tokens'.",
    )


@after(cls_token)
def cls_in_front(run: ModuleRun, evidence: Evidence) -> None:
    """The token that is returned begins as [CLS]: what it knows of the image, it knows through attention alone."""
    if broken(evidence):
        return  # then the [CLS] token may lie elsewhere, or attention work otherwise
    try:
        result = run.result("gray", "without attention")
    except Fail:
        return  # it cannot run with gradients, and `trained` says so
    if isinstance(result, NoAttention):
        return
    features = run.output("gray", "without attention", (3, D))
    if not same(features, np.broadcast_to(features[:1], features.shape), 1e-5):
        raise Fail(
            "a patch's token is returned, not the one that begins as [CLS]: with attention switched off, the feature of "
            "[CLS] is the same for every image, and this one differs",
            "[CLS] goes in front of the patches, along the axis of the tokens, and is the token that is returned.",
        )


@after(every_patch)
def trained(run: ModuleRun, evidence: Evidence) -> None:
    """Every parameter is registered, gets a gradient, and is in the state dict; gradients are what they should be."""
    base = run.output("gray", "batch", (3, D))
    expect_trained(run, "gray", "gradients")
    if not run.gradients("gray", "gradients").agree_with_the_output:
        raise Fail(
            "the gradient at the pixels does not tell how the feature changes with them: a part of it is detached",
            "Part of what was computed is cut off: look for detach, .data, NumPy or a no_grad block in forward.",
        )
    expect_registered(run.output("copy", "batch", (3, D)), base, "a ViT")


def _needs_stand_ins(evidence: Evidence) -> bool:
    return bool(broken(evidence)) and not _is_right_as_it_is(evidence)


JUDGES = (shape, batch_mates, every_patch, follows, arguments, cls_token, cls_in_front, trained)
TOPIC = Topic(
    probes=(
        Probe("model", "module.run", _ask),
        Probe("model.stand_ins", "vit.run", _ask_on_stand_ins, when=_needs_stand_ins, needs=tuple(PARTS)),
    ),
    criteria=(Criterion("vit.model", checks(*map(_on_counting_answer, JUDGES)), ("ViT",), needs=tuple(PARTS)),),
)
