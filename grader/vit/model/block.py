"""``ResidualAttentionBlock`` and ``Transformer``, judged through a Transformer of one block.

What every right implementation does, whatever it is made of, with x tokens and f(x) the block:

- all parameters zero: f(x) = x, since both branches vanish and the skip connections stay;
- a constant c_n added to all features of token n: f(x + c) = f(x) + c, since LayerNorm takes a
  token's mean away wherever a branch reads it, and the skip connections carry c through;
- tokens in another order: the outputs in the same order;
- another image in the batch: no change.
"""

from typing import Any

import numpy as np

from grader.checking import Criterion, Fail, Skip, checks, dig, warn
from grader.evidence import Evidence, Probe, Question
from grader.records import Warning_
from grader.vit.model.reading import Array, Builds, build, call, changed, expect_shape, normal, same

ONE, ZERO, ONES, TWO_HEADS, ONE_HEAD, TWO, THREE = range(7)  # builds of Transformer(D, layers, heads)
BATCH, AGAIN, SINGLE, REVERSED, PERMUTED, SHIFTED, OTHER_TOKEN, GRADIENTS, SHIFTED_ONE, LARGE, LARGER, CIRCLE, SCALE = range(13)
B, T, D = 3, 6, 24  # images, tokens, features: all different, so that no axis is taken for another
ANGLES = np.arange(16) * (2 * np.pi / 16)
BIG = 300.0  # so long that what the branches add changes the direction of a token by little


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    x = normal(rng, B, T, D)
    shift = 3 * normal(rng, B, T, 1)
    order = _derangement(rng)
    other, one = x.copy(), x.copy()
    other[1, 2] = normal(rng, D)
    one[1, 2] += 5.0
    calls = [
        call(x), call(x), call(x[1:2]), call(x[::-1].copy()), call(x[:, order]), call(x + shift), call(other),
        call(x, "gradients", weights=normal(rng, B, T, D)), call(one), call(BIG * x), call(10 * BIG * x),
        call(_circle(rng)), call(x, "scale"),
    ]  # fmt: skip
    weights = normal(rng, B, T, D)
    builds = [
        build(D, 1, 4, seed=1, calls=calls),
        build(D, 1, 4, seed=1, kind="zero", calls=[call(x)]),
        build(D, 1, 4, seed=1, kind="zero_but_ones", calls=[call(x)]),
        build(D, 1, 2, seed=1, calls=[call(x)]),
        build(D, 1, 1, seed=1, calls=[call(x)]),
        build(D, 2, 4, seed=1, calls=[call(x), call(x, "gradients", weights=weights)]),
        build(D, 3, 4, seed=1, calls=[call(x), call(x, "gradients", weights=weights)]),
    ]
    known = {"x": x, "shift": shift, "order": order}
    return Question({"name": "Transformer", "builds": builds, "stand_ins": []}, known)


def _ask_block(seen: Evidence, rng: np.random.Generator) -> Question:
    """The block alone, on as many images as tokens: right for either layout of its axes."""
    x, shift = normal(rng, T, T, D), 3 * normal(rng, T, T, 1)
    builds = [
        build(D, 4, seed=1, calls=[call(x), call(x + shift)]),
        build(D, 4, seed=1, kind="zero", calls=[call(x)]),
        build(D, 4, seed=1, kind="zero_but_ones", calls=[call(x)]),
    ]
    return Question({"name": "ResidualAttentionBlock", "builds": builds, "stand_ins": []}, {"x": x, "shift": shift})


def _derangement(rng: np.random.Generator) -> Array:
    """An order of the tokens in which none keeps its place."""
    return np.roll(np.arange(T), int(rng.integers(1, T)))


def _circle(rng: np.random.Generator) -> Array:
    """(16, 1, D) long single tokens, whose normalised versions lie on a circle."""
    plane = np.linalg.qr(rng.standard_normal((D, 3)) - np.array([[1.0, 0, 0]]))[0]
    ones = np.ones((D, 1)) / np.sqrt(D)
    plane = np.linalg.qr(np.hstack([ones, plane]))[0][:, 1:3]  # two directions of mean zero, at right angles
    points = np.cos(ANGLES)[:, None] * plane[:, 0] + np.sin(ANGLES)[:, None] * plane[:, 1]
    return (BIG * np.sqrt(D) * points[:, None, :]).astype(np.float32)


def _seen(seen: Evidence) -> Builds:
    return Builds(seen["transformer"], "Transformer")


def _block(seen: Evidence) -> Builds:
    return Builds(seen["block"], "ResidualAttentionBlock")


def shape(seen: Evidence) -> None:
    """Block and Transformer keep the shape (B, N+1, D), for any batch size and number of blocks."""
    expect_shape(_block(seen), 0, 0, (T, T, D))
    answer = _seen(seen)
    expect_shape(answer, ONE, BATCH, (B, T, D))
    expect_shape(answer, ONE, SINGLE, (1, T, D), "Is the batch size hard-coded?")
    expect_shape(answer, THREE, 0, (B, T, D))
    answer.output(ONE, BATCH)


def batch_mates(seen: Evidence) -> None:
    """An image's tokens do not depend on the other images of its batch, nor on chance."""
    answer = _seen(seen)
    x = answer.output(ONE, BATCH, (B, T, D))
    if not same(answer.output(ONE, AGAIN, (B, T, D)), x):
        raise Fail(
            "in eval mode the same tokens gave different results twice",
            "Something random stays active: use nn.Dropout, or pass training=self.training.",
        )
    touched = changed(answer.output(ONE, OTHER_TOKEN, (B, T, D)), x, axis=(2,))
    alone = answer.output(ONE, SINGLE, (1, T, D))
    if touched[[0, 2]].any() or not same(alone, x[1:2]):
        mixing = "attention mixes the images of a batch" if not _mixes_tokens(touched) else "images of a batch are mixed"
        raise Fail(
            f"{mixing}: changing one image changes the tokens of another",
            "nn.MultiheadAttention expects (sequence, batch, feature) unless batch_first=True; in attention of your "
            "own the tokens, not the images, must be the axis that is summed over.",
        )


def _mixes_tokens(touched: Array) -> bool:
    return bool(np.delete(touched[1], 2).any())


def tokens_attend(seen: Evidence) -> None:
    """Every token sees every other token of its image, wherever it stands."""
    batch_mates_or_skip(seen)
    answer = _seen(seen)
    x = answer.output(ONE, BATCH, (B, T, D))
    touched = changed(answer.output(ONE, OTHER_TOKEN, (B, T, D)), x, axis=(2,), tolerance=1e-5)[1]
    if not np.delete(touched, 2).any():
        raise Fail("the tokens of an image do not see each other", "Attention must be over the axis of the tokens.")
    permuted = answer.output(ONE, PERMUTED, (B, T, D))
    if not same(permuted, x[:, answer.known["order"]]):
        if not touched.all():
            raise Fail("some tokens do not see all others", "An attention mask is not part of this model.")
        raise Fail(
            "with the tokens in another order, other values come out: heads are split or merged by a bare reshape",
            "Split the feature axis into (heads, D / heads) first and then move the axes with transpose; undo it the "
            "same way. A view to (B, heads, N, D / heads) mixes tokens.",
        )


def batch_mates_or_skip(seen: Evidence) -> None:
    """Skip what makes no sense while the images of a batch are mixed."""
    try:
        batch_mates(seen)
    except Fail:
        raise Skip from None


def residual(seen: Evidence) -> None:
    """Both branches are added to their unchanged input: with all parameters zero, nothing changes."""
    block = _block(seen)
    x = block.known["x"]
    out = block.output(1, 0, x.shape)
    if not same(out, x):
        raise Fail(*_residual_words(out, block.output(2, 0, x.shape), block.output(0, 0), block.output(0, 1), block.known))
    answer = _seen(seen)
    x = answer.known["x"]
    zero, ones = answer.output(ZERO, 0, x.shape), answer.output(ONES, 0, x.shape)
    if not same(zero, x) and not same(ones, _layer_norm(x), tolerance=1e-2):
        raise Fail(
            "with all parameters zero a block leaves its input as it is, the Transformer around it does not",
            "The Transformer runs its blocks one after the other and adds nothing of its own.",
        )


def _residual_words(zero: Array, ones: Array, plain: Array, shifted: Array, known: dict[str, Array]) -> tuple[str, str]:
    if same(zero, 2 * known["x"]) or same(zero, 3 * known["x"]) or same(zero, 4 * known["x"]):
        return "the block adds its input more than once", "x + attention(norm(x)), then that + MLP(norm of that)."
    if same(ones, _layer_norm(known["x"]), tolerance=1e-2) and same(plain, shifted, tolerance=1e-2):
        return (
            "the skip connection carries the normalised tokens: x = norm(x) before x + attention(x)",
            "The sum takes x as it came; only what goes into attention and MLP is normalised.",
        )
    if same(ones, _layer_norm(known["x"]), tolerance=1e-2):
        return (
            "the tokens are normalised after the sum (post-norm), expected before attention and MLP (pre-norm)",
            "x + attention(norm(x)), then that + MLP(norm of that).",
        )
    return (
        "with all parameters zero the block should give its input back: a residual connection is missing",
        "x + attention(norm(x)), then that + MLP(norm of that): there are two sums.",
    )


def _layer_norm(x: Array) -> Array:
    x = x.astype(np.float64)
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)


def normalised_before(seen: Evidence) -> None:
    """Query, key and value, and the MLP's input, are all LayerNorm(x)."""
    residual_or_skip(seen)
    block = _block(seen)
    plain, shifted = block.output(0, 0), block.output(0, 1)
    if not same(shifted - block.known["shift"], plain, tolerance=2e-3):
        batch_mates_or_skip(seen)
        raise Fail(*_unnormalised(_seen(seen)))
    answer = _seen(seen)
    plain, shifted = answer.output(ONE, BATCH, (B, T, D)), answer.output(ONE, SHIFTED, (B, T, D))
    if same(shifted, plain, tolerance=2e-3) or same(shifted - answer.known["shift"], plain, tolerance=2e-3):
        return
    batch_mates_or_skip(seen)
    raise Fail(*_unnormalised(answer))


def residual_or_skip(seen: Evidence) -> None:
    """Skip what makes no sense without skip connections."""
    try:
        residual(seen)
    except Fail:
        raise Skip from None


def _unnormalised(answer: Builds) -> tuple[str, str]:
    """Say which input is not normalised: who sees a shifted token, and does the block grow with its input?"""
    x = answer.output(ONE, BATCH, (B, T, D))
    one = answer.output(ONE, SHIFTED_ONE, (B, T, D)) - x
    others = np.abs(np.delete(one[1], 2, axis=0)).max() > 1e-3
    large = np.abs(answer.output(ONE, LARGE, (B, T, D)) - BIG * answer.known["x"]).max()
    larger = np.abs(answer.output(ONE, LARGER, (B, T, D)) - 10 * BIG * answer.known["x"]).max()
    grows = larger > 3 * large
    hint = "Normalise once, y = norm(x), and use attention(y, y, y); the MLP takes a norm of its own."
    if others and grows:
        return "keys and values of attention are not normalised: LayerNorm reaches the query alone", hint
    if others:
        return "the keys of attention are not normalised", hint
    if grows:
        return "the MLP works on tokens that are not normalised", "x + MLP(norm(x)), with a LayerNorm of its own."
    return "the query of attention is not normalised", hint


def heads(seen: Evidence) -> None:
    """The number of heads has its effect."""
    answer = _seen(seen)
    outs = [answer.output(number, 0, (B, T, D)) for number in (ONE, TWO_HEADS, ONE_HEAD)]
    if same(outs[0], outs[1], 1e-5) or same(outs[1], outs[2], 1e-5):
        raise Fail(
            "4, 2 and 1 heads give the same result with the same parameters: the number of heads is not used",
            "Pass it on from Transformer to the block and from there to the attention.",
        )


def nonlinearity(seen: Evidence) -> None:
    """The MLP has a nonlinearity between its layers."""
    residual_or_skip(seen)
    normalised_or_skip(seen)
    answer = _seen(seen)
    circle = answer.question_inputs(ONE, CIRCLE)
    added = (answer.output(ONE, CIRCLE, (len(ANGLES), 1, D)) - circle)[:, 0]
    if _final_norm(answer):
        return  # the block is hidden behind a norm; what it does to a circle cannot be read off
    waves = np.fft.rfft(added, axis=0)  # an affine map of a circle holds no wave beyond the first
    higher = np.linalg.norm(waves[2:6]) / np.linalg.norm(waves[1])
    if higher < NONLINEAR:
        raise Fail(
            "the MLP is linear: no nonlinearity between its layers",
            "Two linear layers without an activation between them are one linear layer; the paper takes GELU.",
        )


NONLINEAR = 0.02  # with GELU, ReLU, SiLU or tanh 0.08 to 0.9, without any below 0.006 (bench/margins.py, 300 seeds)


def normalised_or_skip(seen: Evidence) -> None:
    """Skip what makes no sense where tokens are not normalised."""
    try:
        normalised_before(seen)
    except Fail:
        raise Skip from None


def _final_norm(answer: Builds) -> bool:
    x = answer.known["x"]
    return not same(answer.output(ZERO, 0, x.shape), x)


def blocks_of_their_own(seen: Evidence) -> None:
    """A Transformer has ``layers`` blocks, each with registered weights of its own."""
    answer = _seen(seen)
    one, two, three = (answer.size(number) for number in (ONE, TWO, THREE))
    if two - one != three - two or two <= one:
        if one == 0:
            raise Fail(
                "the Transformer has no parameters: its blocks are not registered",
                "A Python list hides layers from PyTorch: keep them in nn.ModuleList or nn.Sequential.",
            )
        raise Fail(
            f"1, 2 and 3 blocks have {one}, {two} and {three} parameters, expected as many more for each block",
            "Each block needs weights of its own: [block] * layers is one block used again and again, and a Python "
            "list hides layers from PyTorch.",
        )
    outs = [answer.output(number, 0, (B, T, D)) for number in (ONE, TWO, THREE)]
    if same(outs[0], outs[1], 1e-5) or same(outs[1], outs[2], 1e-5):
        raise Fail("1, 2 and 3 blocks give the same result: not all blocks are run")


def gradients(seen: Evidence) -> None:
    """Gradients reach every parameter and every token."""
    answer = _seen(seen)
    for number, which in ((ONE, GRADIENTS), (THREE, 1)):
        facts = answer.raw(number, which)
        unused = untrained(answer.parameters(number), dig(facts, "parameters"))
        if unused:
            raise Fail(
                f"no gradient reaches {unused[0]}" + (f" and {len(unused) - 1} more" if len(unused) > 1 else ""),
                "It is not used in forward, is frozen, or its result is detached.",
            )
        if not isinstance(dig(facts, "inputs"), np.ndarray):
            raise Fail("no gradient reaches the tokens that came in", "Look for detach, .data or a no_grad block.")


def untrained(parameters: list[dict[str, Any]], largest: Any) -> list[str]:
    """Names of the parameters that training would not change.

    A vector whose gradient is zero is let pass: a bias of the keys has none, since softmax ignores it.
    """
    if not isinstance(largest, dict):
        return []
    return [
        p["name"]
        for p in parameters
        if not p["trainable"] or largest.get(p["name"]) is None or (len(p["shape"]) > 1 and largest[p["name"]] == 0)
    ]


def scale_warning(seen: Evidence) -> list[Warning_]:
    """A wrong or missing attention scale costs nothing: a learned temperature is a legitimate variant."""
    if not seen["transformer"].ok:
        return []
    try:
        facts = _seen(seen).raw(ONE, SCALE)
        found, width = dig(facts, "scale"), dig(facts, "width")
    except (Fail, Exception):
        return []
    if not isinstance(found, float) or not isinstance(width, int) or width < 1:
        return []
    expected = width**-0.5
    if abs(found / expected - 1) < 0.02:
        return []
    seen_words = "is not scaled" if abs(found - 1) < 1e-3 else f"is scaled by {found:.3g}"
    return warn(
        "attention.scale",
        f"attention {seen_words} before the softmax; the paper scales by 1/sqrt(D / heads) = {expected:.3g}",
    )


PROBES = (Probe("transformer", "module.run", _ask), Probe("block", "module.run", _ask_block))
CRITERIA = (
    Criterion(
        "vit.attention_block",
        checks(
            shape, residual, normalised_before, batch_mates, tokens_attend,
            heads, nonlinearity, blocks_of_their_own, gradients,
        ),
        ("ResidualAttentionBlock", "Transformer"),
    ),
)  # fmt: skip
WARNINGS = (scale_warning,)
