"""How ``ResidualAttentionBlock`` and ``Transformer`` are put together: skip connections, norms, MLP, blocks."""

import numpy as np

from grader.assignments.vit.model.asking import (
    AGAIN,
    ANGLES,
    BATCH,
    BLOCK,
    BLOCK_FAINT,
    BLOCK_ONES,
    BLOCK_ZERO,
    CIRCLE,
    COPY,
    IMAGE,
    LENGTH,
    LONE,
    LONE_SHIFTED,
    LONG,
    LONG_EACH,
    LONGER,
    ONE,
    ONES,
    OTHER_TOKEN,
    PLAIN,
    PLAIN_NORMS,
    PLAIN_SHIFTED,
    SHIFTED,
    SHIFTED_ALL,
    SHIFTED_TOKEN,
    SINGLE,
    THREE,
    TOKEN,
    TWO,
    ZERO,
    B,
    D,
    T,
    in_block,
    in_transformer,
    output,
)
from grader.assignments.vit.model.reading import (
    Array,
    Builds,
    changed,
    expect_repeatable,
    expect_shape,
    same,
)
from grader.evidence import Evidence
from grader.judging import Fail, after

NONLINEAR = 0.02  # right MLPs come to 0.046 and more, linear ones to 0.0005 (python -m bench.structure_margins)
DIRECTION = 0.03  # how far long tokens are turned, at most, by what a block adds


def shape(seen: Evidence) -> None:
    """Block and Transformer keep the shape (B, N+1, D), for any batch size and number of blocks."""
    sizes = "Is width or d_model hard-coded?"
    expect_shape(in_block(seen), BLOCK, PLAIN, (T, T, D), sizes)
    answer = in_transformer(seen)
    expect_shape(answer, ONE, BATCH, (B, T, D), sizes)
    expect_shape(answer, ONE, SINGLE, (1, T, D))
    expect_shape(answer, THREE, 0, (B, T, D))
    answer.output(ONE, BATCH)


def batch_mates(seen: Evidence) -> None:
    """An image's tokens do not depend on the other images of its batch, nor on chance."""
    answer = in_transformer(seen)
    x = output(answer, ONE, BATCH)
    expect_repeatable(answer, x, output(answer, ONE, AGAIN), "tokens")
    touched = changed(output(answer, ONE, OTHER_TOKEN), x, axis=(2,))  # images, tokens
    others = np.delete(touched, IMAGE, axis=0)
    if others.any() or not same(answer.output(ONE, SINGLE, (1, T, D)), x[IMAGE : IMAGE + 1]):
        same_token = not np.delete(touched, TOKEN, axis=1).any()
        raise Fail(
            ("attention runs over the images of a batch" if same_token else "the images of a batch are mixed")
            + ": changing one image changes the tokens of another",
            "nn.MultiheadAttention expects (sequence, batch, feature) unless batch_first=True. The Transformer takes "
            "(B, N+1, D); in attention of your own the tokens, not the images, must be the axis that is summed over.",
        )


def registered(seen: Evidence) -> None:
    """A Transformer with another one's state dict does the same as that one."""
    after(batch_mates, seen)
    answer = in_transformer(seen)
    if not same(output(answer, COPY, 0), output(answer, ONE, BATCH)):
        raise Fail(
            "a Transformer with another one's state dict gives other tokens: something it computes with is not "
            "registered",
            "Layers belong in nn.ModuleList or nn.Sequential, not in a Python list, and are made in __init__, not in "
            "forward; tensors that are learned are nn.Parameters.",
        )


def residual(seen: Evidence) -> None:
    """Both branches are added to their unchanged input: with all parameters zero, nothing changes."""
    after(registered, seen)
    block = in_block(seen)
    x = block.known["x"]
    out = block.output(BLOCK_ZERO, 0, x.shape)
    if not same(out, x):
        raise Fail(*_residual_words(block, out))
    answer = in_transformer(seen)
    x = answer.known["x"]
    zero, ones = output(answer, ZERO, 0), output(answer, ONES, 0)
    if same(zero, x):
        return
    norm = next((norm for norm in (_layer_norm, _rms_norm) if same(ones, norm(x), 1e-2)), None)
    if norm is None:
        raise Fail(
            "with all parameters zero a block leaves its input as it is, the Transformer around it does not",
            "The Transformer runs its blocks one after the other and adds nothing of its own.",
        )
    # a norm of its own before or after the blocks is fine: long tokens then go through pre-norm blocks as they are,
    # or become as long as all others
    long, usual = output(answer, PLAIN_NORMS, 0), output(answer, PLAIN_NORMS, 1)
    ends_normalised = same(long, norm(long), 1e-2)
    if ends_normalised and not same(long, norm(x), DIRECTION) and not same(long, usual, DIRECTION):
        raise Fail(
            "`ResidualAttentionBlock` is right, but the Transformer runs other blocks, which normalise after the sum "
            "(post-norm)",
            "Build it of `layers` ResidualAttentionBlocks; nn.TransformerEncoderLayer is post-norm unless "
            "norm_first=True.",
        )


def _residual_words(block: Builds, zero: Array) -> tuple[str, str]:
    x = block.known["x"]
    ones = block.output(BLOCK_ONES, 0, x.shape)
    plain, shifted = block.output(BLOCK, PLAIN, x.shape), block.output(BLOCK, PLAIN_SHIFTED, x.shape)
    formula = "x + attention(norm(x)), then that + MLP(norm of that)"
    if any(same(zero, times * x) for times in (2, 3, 4)):
        return "the block adds its input more than once", f"{formula}."
    normalised = same(ones, _layer_norm(x), tolerance=1e-2)
    if normalised and same(plain, shifted, tolerance=1e-2):
        return (
            "the skip connection carries the normalised tokens: x = norm(x) before x + attention(x)",
            "The sum takes x as it came; only what goes into attention and MLP is normalised.",
        )
    if normalised:
        return (
            "the tokens are normalised after the sum (post-norm), expected before attention and MLP (pre-norm)",
            f"{formula}.",
        )
    return (
        "with all parameters zero the block should give its input back: a residual connection is missing or changed",
        f"{formula}: there are two sums, and each takes its input as it is.",
    )


def _layer_norm(x: Array) -> Array:
    x = x.astype(np.float64)
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)


def _rms_norm(x: Array) -> Array:
    x = x.astype(np.float64)
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True))


def normalised_before(seen: Evidence) -> None:
    """Query, key and value, and the MLP's input, are all LayerNorm(x)."""
    after(residual, seen)
    block = in_block(seen)
    x, shift = block.known["x"], block.known["shift"]
    plain, shifted = block.output(BLOCK, PLAIN, x.shape), block.output(BLOCK, PLAIN_SHIFTED, x.shape)
    if not same(shifted - shift, plain) and not _keeps_the_mean(block):
        raise Fail(*_unnormalised(seen))
    answer = in_transformer(seen)
    plain, shifted = output(answer, ONE, BATCH), output(answer, ONE, SHIFTED)
    if (
        not same(shifted, plain)
        and not same(shifted - answer.known["shift"], plain)
        and not _only_directions_count(block)
    ):
        raise Fail(*_unnormalised(seen))


def _keeps_the_mean(block: Builds) -> bool:
    """Whether the block's norms keep a token's mean: a token alone shows it, whatever query and key are."""
    lone, lone_shifted = (block.output(BLOCK, which, (1, 1, D)) for which in (LONE, LONE_SHIFTED))
    return not same(lone_shifted - 3, lone) and _only_directions_count(block)


def _only_directions_count(block: Builds) -> bool:
    """Whether long tokens of other lengths get the same added: as after RMSNorm, which keeps the mean.

    With faint matrices, too. With others the biases are lost in what layers make of long tokens, and a norm behind
    such layers, norm(MLP(x)), hides that the tokens were not normalised before.
    """
    x, each = block.known["x"], block.known["each"]
    for number, long, long_each in ((BLOCK, LONG, LONG_EACH), (BLOCK_FAINT, 0, 1)):
        added = block.output(number, long, x.shape) - LENGTH * x
        if not same(block.output(number, long_each, x.shape) - LENGTH * each * x, added, DIRECTION):
            return False
    return True


def _unnormalised(seen: Evidence) -> tuple[str, str]:
    """Say which input is not normalised.

    Who sees that one token is shifted? Does one notice that all are shifted alike, which softmax makes keys
    ignore? Does a token alone, which needs neither query nor key? Does what is added grow with its input?
    """
    answer, block = in_transformer(seen), in_block(seen)
    names = [*answer.buffers(ONE), *block.buffers(BLOCK)]
    if any(name.endswith("running_mean") for name in names):
        return (
            "the tokens are not normalised by what they hold: BatchNorm normalises over the batch, and in eval "
            "mode by fixed numbers",
            "Use nn.LayerNorm, which works on the features of each token by itself.",
        )
    x = output(answer, ONE, BATCH)
    moved = np.abs(output(answer, ONE, SHIFTED_TOKEN) - x).max(axis=2)[IMAGE] > 1e-3
    others = bool(np.delete(moved, TOKEN).any())
    all_alike = not same(output(answer, ONE, SHIFTED_ALL) - 5, x)
    lone = not same(block.output(BLOCK, LONE_SHIFTED) - 3, block.output(BLOCK, LONE))
    large = np.abs(block.output(BLOCK, LONG) - LENGTH * block.known["x"]).max()
    larger = np.abs(block.output(BLOCK, LONGER) - 10 * LENGTH * block.known["x"]).max()
    if lone or larger > 3 * large:
        if others:
            return (
                "the values of attention are not normalised (keys and values, if LayerNorm reaches the query alone)",
                NORMALISE,
            )
        return "the MLP works on tokens that are not normalised", "x + MLP(norm(x)), with a LayerNorm of its own."
    if not others:
        return "the query of attention is not normalised", NORMALISE
    return f"the {'query and the ' if all_alike else ''}keys of attention are not normalised", NORMALISE


NORMALISE = "Normalise once, y = norm(x), and use attention(y, y, y); the MLP takes a norm of its own."


def nonlinearity(seen: Evidence) -> None:
    """The MLP has a nonlinearity between its layers."""
    after(normalised_before, seen)
    block = in_block(seen)
    calls = [CIRCLE + n for n in range(len(ANGLES))]
    added = np.stack([(block.output(BLOCK, c, (1, 1, D)) - block.question_inputs(BLOCK, c))[0, 0] for c in calls])
    waves = np.fft.rfft(added, axis=0)  # an affine map of a circle holds no wave beyond the first
    if np.linalg.norm(waves[2:]) < NONLINEAR * np.linalg.norm(waves[1]) or not waves[1:].any():
        raise Fail(
            "the MLP is linear, or there is none: no nonlinearity between its layers",
            "Two linear layers without an activation between them are one linear layer; the paper takes GELU.",
        )


def blocks_of_their_own(seen: Evidence) -> None:
    """A Transformer has ``layers`` blocks, each with registered weights of its own, and runs them all."""
    answer = in_transformer(seen)
    one, two, three = (answer.size(number) for number in (ONE, TWO, THREE))
    outs = [output(answer, number, 0) for number in (ONE, TWO, THREE)]
    if same(outs[0], answer.known["x"], 1e-5):
        raise Fail(
            "a Transformer of one block gives back what it got: its block is not run",
            "All `layers` blocks are run, the last one too.",
        )
    unlike = not (same(outs[0], outs[1], 1e-5) or same(outs[1], outs[2], 1e-5))
    if not one:
        raise Fail(
            "the Transformer has no parameters: its blocks are not registered",
            "A Python list hides layers from PyTorch: keep them in nn.ModuleList or nn.Sequential.",
        )
    if two - one != three - two or two <= one:
        why = (
            "Each block needs weights of its own: [block] * layers is one block used again and again, and a "
            "Python list hides "
            "layers from PyTorch."
        )
        raise Fail(
            f"1, 2 and 3 blocks have {one}, {two} and {three} parameters, expected as many more for each block",
            why if unlike else "1, 2 and 3 blocks do the same: the argument layers has no effect.",
        )
    if not unlike:
        raise Fail("1, 2 and 3 blocks give the same result: not all blocks are run")
    if one >= 2 * (two - one):
        raise Fail(
            f"layers=1 makes a Transformer of {one // (two - one)} blocks",
            "It should have exactly as many blocks as layers says.",
        )
