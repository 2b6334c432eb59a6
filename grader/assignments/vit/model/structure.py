"""How ``ResidualAttentionBlock`` and ``Transformer`` are put together: skip connections, norms, MLP, blocks.

Shapes: B images, T tokens, D features of a token.
"""

import numpy as np

from grader.assignments.vit.model.asking import (
    IMAGE,
    TOKEN,
    B,
    D,
    T,
    of_block,
    of_transformer,
    silenced,
    tokens_of,
)
from grader.evidence import Evidence
from grader.judging import Fail, Skip, Verdict, after
from grader.torchkit.modules.arrays import Array, changed, same
from grader.torchkit.modules.blocks import (
    BLOCK_MARGINS,
    LONG,
    expect_nonlinear,
    expect_own_blocks,
    norm_like,
)
from grader.torchkit.modules.judging import expect_registered, expect_repeatable, expect_shape
from grader.torchkit.modules.run import ModuleRun


def shape(evidence: Evidence) -> None:
    """Block and Transformer keep the shape (B, N+1, D), for any batch size and number of blocks."""
    sizes = "Is width or d_model hard-coded?"
    expect_shape(of_block(evidence), "block", "batch", (T, T, D), sizes)
    run = of_transformer(evidence)
    expect_shape(run, "one block", "batch", (B, T, D), sizes)
    expect_shape(run, "one block", "alone", (1, T, D))
    expect_shape(run, "three blocks", "batch", (B, T, D))
    run.output("one block")


def batch_mates(evidence: Evidence) -> None:
    """An image's tokens do not depend on the other images of its batch, nor on chance."""
    run = of_transformer(evidence)
    x = tokens_of(run, "one block")
    expect_repeatable(x, tokens_of(run, "one block", "again"), "tokens", run.built("one block"))
    touched = changed(tokens_of(run, "one block", "one token replaced"), x, axis=(2,))  # (B, T)
    others = np.delete(touched, IMAGE, axis=0)
    if others.any() or not same(run.output("one block", "alone", (1, T, D)), x[IMAGE : IMAGE + 1]):
        same_token = not np.delete(touched, TOKEN, axis=1).any()
        raise Fail(
            ("attention runs over the images of a batch" if same_token else "the images of a batch are mixed")
            + ": changing one image changes the tokens of another",
            "nn.MultiheadAttention expects (sequence, batch, feature) unless batch_first=True. The Transformer takes "
            "(B, N+1, D); in attention of your own the tokens, not the images, must be the axis that is summed over.",
        )


@after(batch_mates)
def registered(evidence: Evidence) -> None:
    """A Transformer with another one's state dict does the same as that one."""
    run = of_transformer(evidence)
    if not run.size("one block"):
        raise Skip  # `blocks_of_their_own` says that nothing is registered at all
    expect_registered(tokens_of(run, "copy"), tokens_of(run, "one block"), "a Transformer")


@after(registered)
def residual(evidence: Evidence) -> None:
    """Both branches are added to their unchanged input: with all parameters zero, nothing changes."""
    block = of_block(evidence)
    x = block.known["x"]
    out = block.output("zero", shape=x.shape)
    if not same(out, x):
        raise Fail(*_residual_words(block, out))
    run = of_transformer(evidence)
    x = run.known["x"]
    zero, ones = tokens_of(run, "zero"), tokens_of(run, "zero but ones")
    if same(zero, x):
        return
    norm = norm_like(ones, x)
    if norm is None:
        raise Fail(
            "the Transformer adds something to what its blocks give: with all parameters zero a block gives its input "
            "back, the Transformer does not",
            "The Transformer runs its blocks one after the other and adds nothing of its own.",
        )
    # a norm of its own before or after the blocks is fine: long tokens then go through pre-norm blocks as they are,
    # or become as long as all others
    long, usual = tokens_of(run, "plain norms", "long"), tokens_of(run, "plain norms")
    ends_normalised = same(long, norm(long), 1e-2)
    if (
        ends_normalised
        and _normalises(block)
        and not same(long, norm(x), BLOCK_MARGINS.max_turn)
        and not same(long, usual, BLOCK_MARGINS.max_turn)
    ):
        raise Fail(
            "`ResidualAttentionBlock` is right, but the Transformer runs other blocks, which normalise after the sum "
            "(post-norm)",
            "Build it of `layers` ResidualAttentionBlocks; nn.TransformerEncoderLayer is post-norm unless "
            "norm_first=True.",
        )


def _residual_words(block: ModuleRun, zero: Array) -> tuple[str, str]:
    """What is wrong with the sums, and a hint.

    Args:
        zero: (T, T, D) the output with all parameters zero.
    """
    x = block.known["x"]
    ones = block.output("zero but ones", shape=x.shape)
    plain, shifted = (block.output("block", call, x.shape) for call in ("batch", "each token shifted"))
    formula = "x + attention(norm(x)), then that + MLP(norm of that)"
    if any(same(zero, times * x) for times in (2, 3, 4)):
        return "the block adds its input more than once", f"{formula}."
    normalised = norm_like(ones, x) is not None
    if normalised and same(plain, shifted, tolerance=1e-2):
        return (
            "the skip connection carries the normalised tokens: x = norm(x) stands before x + attention(x), or a norm "
            "follows the last sum",
            "Both sums take x as it came; only what goes into attention and MLP is normalised.",
        )
    if normalised:
        return (
            "the tokens are normalised after the sum (post-norm), expected before attention and MLP (pre-norm)",
            f"{formula}.",
        )
    if not zero.round(3).any():  # neither sum carries the input through
        long, bound = block.output("block", "long", x.shape), 10 * np.abs(plain).max()
        sums = f"{formula}: there are two sums."
        # The norm before attention takes the length of the tokens away, and no sum brings it back.
        if same(long, plain, 1e-2):
            return "a residual connection is missing: what attention gives is not added to the block's input", sums
        if np.abs(long).max() < bound:  # the norm before the MLP takes it away
            return (
                "a residual connection is missing: what the MLP gives is not added to the tokens that it was given",
                sums,
            )
    return (
        "a residual connection is missing or changed: with all parameters zero the block should give its input back, "
        "and gives something else",
        f"{formula}: there are two sums, and each takes its input as it is.",
    )


@after(residual)
def normalised_before(evidence: Evidence) -> None:
    """Query, key and value, and the MLP's input, are all LayerNorm(x)."""
    block = of_block(evidence)
    if not _normalises(block):
        raise Fail(*_unnormalised(evidence))
    run = of_transformer(evidence)
    plain, shifted = tokens_of(run, "one block"), tokens_of(run, "one block", "each token shifted")
    if not same(shifted, plain) and not same(shifted - run.known["shift"], plain) and not _only_directions_count(block):
        raise Fail(*_unnormalised(evidence))


def _normalises(block: ModuleRun) -> bool:
    """Whether nothing that a block adds depends on what its norms take away."""
    x, shift = block.known["x"], block.known["shift"]
    plain, shifted = (block.output("block", call, x.shape) for call in ("batch", "each token shifted"))
    return same(shifted - shift, plain) or _keeps_the_mean(block)


def _keeps_the_mean(block: ModuleRun) -> bool:
    """Whether the block's norms keep a token's mean: a token alone shows it, whatever query and key are."""
    lone, shifted = (block.output("block", call, (1, 1, D)) for call in ("lone token", "lone token shifted"))
    return not same(shifted - 3, lone) and _only_directions_count(block)


def _only_directions_count(block: ModuleRun) -> bool:
    """Whether long tokens of other lengths get the same added: as after RMSNorm, which keeps the mean.

    With faint matrices, too. With others the biases are lost in what layers make of long tokens, and a norm behind
    such layers, norm(MLP(x)), hides that the tokens were not normalised before.
    """
    x, each = block.known["x"], block.known["each"]
    for build in ("block", "faint"):
        added = block.output(build, "long", x.shape) - LONG * x
        if not same(
            block.output(build, "long, each its own", x.shape) - LONG * each * x, added, BLOCK_MARGINS.max_turn
        ):
            return False
    return True


def _unnormalised(evidence: Evidence) -> tuple[str, str]:
    """Say which input is not normalised, and how to do it.

    Who notices that one token is shifted? Does one notice that all are shifted alike, which softmax makes keys
    ignore? Does a token alone, which needs neither query nor key? Does what is added grow with its input?
    """
    run, block = of_transformer(evidence), of_block(evidence)
    names = [*run.built("one block").buffers, *block.built("block").buffers]
    if any(name.endswith("running_mean") for name in names):
        return (
            "the tokens are not normalised by what they hold: BatchNorm normalises over the batch, and in eval mode "
            "by fixed numbers",
            "Use nn.LayerNorm, which works on the features of each token by itself.",
        )
    x = tokens_of(run, "one block")
    moved = np.abs(tokens_of(run, "one block", "one token shifted") - x).max(axis=2)[IMAGE] > 1e-3
    others = bool(np.delete(moved, TOKEN).any())
    all_alike = not same(tokens_of(run, "one block", "all tokens shifted") - 5, x)
    lone, lone_shifted = (block.output("block", call, (1, 1, D)) for call in ("lone token", "lone token shifted"))
    tokens = block.known["x"]
    added_to_long = np.abs(block.output("block", "long", tokens.shape) - LONG * tokens).max()
    added_to_longer = np.abs(block.output("block", "longer", tokens.shape) - 10 * LONG * tokens).max()
    hint = "Query, key and value are all the normalised tokens; the MLP takes a norm of its own."
    if not same(lone_shifted - 3, lone) or added_to_longer > 3 * added_to_long:
        if others:
            return (
                "the values of attention are not normalised (keys and values, if LayerNorm reaches the query alone)",
                hint,
            )
        return (
            "the MLP works on tokens that are not normalised",
            "The MLP has a LayerNorm of its own, through which the tokens go first; the sum takes them as they are.",
        )
    if not others:
        return "the query of attention is not normalised", hint
    return f"the {'query and the ' if all_alike else ''}keys of attention are not normalised", hint


def _expect_each_once(run: ModuleRun) -> None:
    """Fail where a block, or a branch of it, is run more than once.

    With all parameters zero a block adds nothing but the biases behind attention and MLP, once in each run: a number of
    the output grows with them as many times as they are added. (Four times is left alone: what heads have in common.)
    """
    try:
        largest = run.gradients("zero", "gradients of a number").largest
        of_three = run.gradients("three blocks", "gradients").largest
    except Verdict:
        return
    if not all(of_three.values()):  # some are not run at all, of which another check tells
        return
    times = {round(size, 2) for size in largest.values() if size and size > 0.5}  # the others are noise
    often = times & {2, 3}
    if often and times == often:
        raise Fail(
            f"a Transformer of one block runs it {max(often):.0f} times",
            "Each of the `layers` blocks is run once, on what the one before gave.",
        )
    if often:
        raise Fail(
            f"attention or the MLP of a block adds its result {max(often):.0f} times",
            "A block has two sums: x + attention(norm(x)), then that + MLP(norm of that).",
        )


@after(normalised_before)
def nonlinearity(evidence: Evidence) -> None:
    """The MLP has a nonlinearity between its layers."""
    expect_nonlinear(of_block(evidence), "the paper takes GELU")


def blocks_of_their_own(evidence: Evidence) -> None:
    """A Transformer has ``layers`` blocks, each with registered weights of its own, and runs them all."""
    run, builds = of_transformer(evidence), ("one block", "two blocks", "three blocks")
    one, two, three = map(run.size, builds)
    outs = [tokens_of(run, build) for build in builds]
    if same(outs[0], run.known["x"], 1e-5):
        raise Fail(
            "a Transformer of one block gives back what it got: its block is not run",
            "All `layers` blocks are run, the last one too.",
        )
    if not one:
        raise Fail(
            "the Transformer has no parameters: its blocks are not registered",
            "A Python list hides layers from PyTorch: keep them in nn.ModuleList or nn.Sequential.",
        )
    by_heads = [run.size("one head"), run.size("two heads"), one]  # 1, 2 and 4 heads, one layer
    if one == two == three and 0 < by_heads[1] - by_heads[0] == (by_heads[2] - by_heads[1]) / 2:
        raise Fail(
            "`layers` and `heads` are exchanged: Transformer(width, 1, 4) has as many parameters as 4 blocks, "
            "Transformer(width, 1, 2) as 2",
            "It is called Transformer(width, layers, heads), in this order.",
        )
    expect_own_blocks((one, two, three), outs, "Transformers", "layers")
    _expect_each_once(run)
    _expect_nothing_shared(one, two - one)


def _expect_nothing_shared(one: int, further: int) -> None:
    """Fail where a Transformer has more than its blocks and norms: more blocks, or what all blocks use.

    Args:
        one: numbers in the parameters of a Transformer of one block.
        further: those that each further block adds.
    """
    more, beside = divmod(one - further, further)
    norms = 4 * D  # numbers of a norm before the blocks and one behind them
    if more and beside <= norms:
        raise Fail(
            f"layers=1 makes a Transformer of {1 + more} blocks",
            "It should have exactly as many blocks as layers says.",
        )
    if one - further >= D * D:
        raise Fail(
            f"blocks share weights: a Transformer of one block has {one} parameters, and each further block adds {further} "
            "only",
            "Make attention, MLP and norms anew for each block, inside of it.",
        )


@after(blocks_of_their_own, residual)
def one_after_the_other(evidence: Evidence) -> None:
    """The blocks run one after the other, each with its own weights, on what the one before gave."""
    run = of_transformer(evidence)
    without = [silenced(0), silenced(1), silenced(0, 1)]
    if not all(map(run.is_built, without)):
        return  # which weights are whose is not known
    every = tokens_of(run, "three blocks")
    no_first, no_second, third = (tokens_of(run, build) for build in without)
    unused = next((n for n, other in ((1, no_first), (2, no_second)) if same(other, every, 1e-5)), None)
    if unused is not None:
        raise Fail(
            f"the weights of block {unused} of 3 are not used: with zeros in their place the Transformer does the same",
            "Each block uses weights of its own: is the index in the loop over the blocks always the "
            "same, or is each block given what the Transformer got, not what the block before it gave?",
        )
    if same(every - no_first, no_second - third, 1e-3):
        raise Fail(
            "the blocks run side by side, each on what the Transformer was given, and their results are added",
            "Run them one after the other, each on what the one before gave: x = block(x).",
        )
