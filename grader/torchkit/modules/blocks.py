"""What tells blocks of a transformer apart by what they give: their norms, their MLP, and their heads.

Shapes: n tokens, D features of a token, P pairs of tokens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grader.judging import Fail
from grader.torchkit.modules.answers import AttentionScale
from grader.torchkit.modules.arrays import Array, same
from grader.torchkit.modules.asking import Call, call
from grader.torchkit.modules.run import ModuleRun

LONG = 300.0  # times a usual token: so long that what the branches add changes the direction of a token by little
COPIES = (0, 1, 2, 4)  # of one token, beside another one
ANGLES = np.arange(8) * (2 * np.pi / 8)  # of single tokens on a circle


@dataclass(frozen=True)
class BlockMargins:
    """Where right blocks end and wrong ones begin; python -m bench.structure_margins prints what is left on both sides.

    Attributes:
        min_harmonics: of what an MLP makes of a circle: right ones come to 0.04 and more, one with a sigmoid to 0.0057,
            linear ones to 0.001 at most.
        max_turn: how far long tokens are turned, at most, by what a block adds.
        max_spread_of_one_head: how near what copies of a token add comes to one direction, in parts of what they add:
            several heads come to 0.1 and more, one to 0.003.
        max_spread_without_mlp: the same of blocks whose MLP sees no attention: they come to 2e-5 at most, right ones to
            0.016 and more.
        min_spread_of_neighbours: what two neighbours make attention add to a token, in directions of their own: right code
            comes to 0.3 and more, one that weighs a token's own value to 0.0001.
        min_added: by attention to a token: right code adds 30 times as much, code that adds nothing 0.3 of it at most.
    """

    min_harmonics: float = 0.0025
    max_turn: float = 0.03
    max_spread_of_one_head: float = 0.03
    max_spread_without_mlp: float = 0.001
    min_spread_of_neighbours: float = 0.05
    min_added: float = 0.03


BLOCK_MARGINS = BlockMargins()


def layer_norm(x: Array) -> Array:
    """(…, D) without a token's mean, and of variance 1."""
    x = x.astype(np.float64)
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)


def rms_norm(x: Array) -> Array:
    """(…, D) of mean square 1."""
    x = x.astype(np.float64)
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True))


def norm_like(normed: Array, x: Array) -> Callable[[Array], Array] | None:
    """The norm, LayerNorm or RMSNorm but for a factor, that made these of tokens; None where neither did.

    Whoever divides by ``x.std()``, which is unbiased, or by a token's length has a factor.

    Args:
        normed, x: (…, D).
    """
    min_factor = 0.05
    for norm in (layer_norm, rms_norm):
        like = norm(x)
        factor = float((normed * like).sum() / (like**2).sum())
        if factor > min_factor and same(normed, factor * like, 1e-2):
            return lambda tokens, norm=norm, factor=factor: factor * norm(tokens)  # type: ignore[misc]
    return None


def circle(rng: np.random.Generator, width: int) -> dict[str, Call]:
    """Calls on single long tokens (1, 1, D), whose normalised versions lie on a circle.

    Args:
        width: D.
    """
    ones = np.ones((width, 1)) / np.sqrt(width)
    plane = np.linalg.qr(np.hstack([ones, rng.standard_normal((width, 2))]))[0][:, 1:]  # of mean zero, at right angles
    points = np.cos(ANGLES)[:, None] * plane[:, 0] + np.sin(ANGLES)[:, None] * plane[:, 1]
    tokens = (LONG * np.sqrt(width) * points[:, None, None, :]).astype(np.float32)
    return {f"circle {n}": call(token) for n, token in enumerate(tokens)}


def expect_nonlinear(run: ModuleRun, example: str) -> None:
    """Fail where a block, called with ``circle``, has no nonlinearity in its MLP.

    Args:
        example: what another one takes, as the end of the hint.
    """
    calls = [f"circle {n}" for n in range(len(ANGLES))]
    tokens = np.stack([run.inputs("block", each) for each in calls])  # (8, 1, 1, D)
    given = np.stack([run.output("block", each, tokens.shape[1:]) for each in calls])
    if bending((given - tokens)[:, 0, 0]) < BLOCK_MARGINS.min_harmonics:
        raise Fail(
            "the MLP is linear, or there is none: no nonlinearity between its layers",
            f"Two linear layers without an activation between them are one linear layer; {example}.",
        )


def expect_mlp_after_attention(added: Array, hint: str) -> None:
    """Fail where the MLP does not see what attention gave: where it does, it turns what copies of a token add.

    Args:
        added: as of ``second_direction``, of one head.
    """
    if is_in_one_direction(added, BLOCK_MARGINS.max_spread_without_mlp):
        raise Fail(
            "the MLP does not see what attention gave: it comes first, or both work on the input of the block, side by side",
            hint,
        )


def expect_values_of_others(added: Array) -> None:
    """Fail where attention adds to a token the same up to a factor, whatever its neighbours are: its own value.

    Args:
        added: as of ``second_direction``, of one head; the second half of the pairs has the tokens of the first half, and
            other neighbours.
    """
    one, other = np.split(added[:, -1], 2)
    telling = np.minimum(*(np.linalg.norm(each, axis=1) for each in (one, other))) > BLOCK_MARGINS.min_added
    spread = second_direction(np.stack([one, other], axis=1))
    if telling.sum() > len(one) / 4 and spread[telling].max() < BLOCK_MARGINS.min_spread_of_neighbours:
        raise Fail(
            "attention gives each token a multiple of its own value, whatever its neighbours are: the values are not "
            "summed over the keys",
            "The weights (query, key) times the values (key, D): weights @ v. In an einsum, the axis of the keys is in the "
            "weights and in the values, and not in the result.",
        )


def expect_own_blocks(sizes: Sequence[int], outputs: Sequence[Array], what: str, argument: str) -> None:
    """Fail unless each further block has parameters of its own, and is run.

    Args:
        sizes, outputs: of models of 1, 2 and 3 blocks.
        what: they are called, as "GPTs".
        argument: the number of blocks.
    """
    one, two, three = sizes
    alike = same(outputs[0], outputs[1], 1e-5) or same(outputs[1], outputs[2], 1e-5)
    if two - one != three - two or two <= one:
        raise Fail(
            f"{what} of 1, 2 and 3 blocks have {one}, {two} and {three} parameters, expected each further block to add "
            "the same number",
            f"1, 2 and 3 blocks do the same: the argument {argument} has no effect." if alike
            else f"Each block needs weights of its own: [block] * {argument} is one block used again and again, and a "
            "Python list hides layers from PyTorch.",
        )  # fmt: skip
    if alike:
        raise Fail(
            f"{what} of 1, 2 and 3 blocks give the same result: not all blocks are run",
            "Run them one after the other, each on what the one before gave.",
        )


def expect_heads_of_width(run: ModuleRun, build: str, heads: int, width: int) -> None:
    """Fail where the number of heads and the size of a head are seen to be exchanged.

    Args:
        build: whose call "attention scale" is looked at.
        heads: that were asked for.
        width: of the tokens, D.
    """
    try:
        result = run.result(build, "attention scale")
    except Fail:
        return
    if isinstance(result, AttentionScale) and result.width == heads != width // heads:
        raise Fail(
            f"a head is {result.width} features wide, expected {width} / {heads} = {width // heads}: the number of heads "
            "and the size of a head are exchanged",
            "The number of heads is given; the size of a head is the tokens' divided by it.",
        )


def bending(added: Array) -> float:
    """How much of what is made of a circle no affine map makes, beside what one does; 0 where nothing is made of it.

    Args:
        added: (8, D) for the tokens of ``circle``.
    """
    waves = np.fft.rfft(added, axis=0)  # an affine map of a circle holds no wave beyond the first
    return float(np.linalg.norm(waves[2:]) / max(float(np.linalg.norm(waves[1])), 1e-12)) if waves[1:].any() else 0.0


def second_direction(added: Array) -> Array:
    """(P,): how much more than one direction there is, 0 where more and more copies add the same up to a factor.

    Args:
        added: (P, 3, D) what more and more copies of one token add to another.
    """
    singular = np.linalg.svd(added, compute_uv=False)  # (P, 3)
    return singular[:, 1] / np.maximum(singular[:, 0], BLOCK_MARGINS.min_added)


def is_in_one_direction(added: Array, bound: float, min_growth: float = 1.15, min_length: float = 0.3) -> bool:
    """Whether copies add more and more, and enough pairs tell that it is the same up to a factor.

    Where weights are all but 0 and 1, copies change nothing, or from next to nothing, and tell nothing.

    Args:
        added: as of ``second_direction``.
        bound: of the second direction.
        min_growth: from the fewest copies to the most: where it is less, copies tell nothing.
        min_length: shorter sums do not show that an MLP is not linear; right code adds 3 to 10.
    """
    fewest, most = (np.linalg.norm(added[:, n], axis=1) for n in (0, -1))
    telling = (most > min_growth * fewest) & (most > min_length)
    return bool(telling.sum() > len(added) / 5 and second_direction(added)[telling].max() < bound)
