"""What is asked of ``Transformer`` and ``ResidualAttentionBlock``.

What every right implementation does, whatever it is made of, with x tokens and f(x) the block:

- all parameters zero: f(x) = x, since both branches vanish and the skip connections stay;
- a constant c_n added to all features of token n: f(x + c) = f(x) + c, since LayerNorm takes a
  token's mean away wherever a branch reads it, and the skip connections carry c through;
- tokens in another order: the outputs in the same order;
- another image in the batch: no change;
- x long: f(x) - x is what attention and MLP give for the directions of the tokens alone, since the sum after
  attention hardly turns x any more.
"""

import numpy as np

from grader.assignments.vit.model.reading import Array, Builds, build, call, normal
from grader.evidence import Evidence, Question

# Builds of Transformer(D, layers, heads)
ONE, ZERO, ONES, TWO_HEADS, ONE_HEAD, TWO, THREE, COPY, PLAIN_NORMS = range(9)
(
    BATCH,
    AGAIN,
    SINGLE,
    PERMUTED,
    SHIFTED,
    OTHER_TOKEN,
    GRADIENTS,
    SHIFTED_TOKEN,
    SHIFTED_ALL,
    TWICE,
    SCALE,
    ACROSS,
) = range(12)  # calls of the first
B, T, D = 3, 6, 24  # images, tokens, features: all different, so that no axis is taken for another
IMAGE, TOKEN = 1, 2  # the token that is changed

# Builds of ResidualAttentionBlock(D, heads); the calls of the first and the second begin alike.
BLOCK, BLOCK_ZERO, BLOCK_ONES, BLOCK_ONE_HEAD, BLOCK_FAINT = range(5)
PLAIN, PLAIN_SHIFTED, PLAIN_OTHER, LONG, LONG_EACH, LONGER, LONE, LONE_SHIFTED = range(8)
PAIRS = 24  # sequences of a token v and COPIES of a token u, in one layout of the axes and in the other
COPIES = (0, 1, 2, 4)
CIRCLE = LONE_SHIFTED + 1  # first of the calls with single tokens on a circle
LONG_TOKENS = CIRCLE + 8  # first of the calls with pairs
SHORT_TOKENS = 2 * len(COPIES)  # first of the calls of the block with one head that hold short pairs
ANGLES = np.arange(8) * (2 * np.pi / 8)
LENGTH = 300.0  # so long that what the branches add changes the direction of a token by little


def transformer(seen: Evidence, rng: np.random.Generator) -> Question:
    """Transformers of one to three blocks."""
    x = normal(rng, B, T, D)
    shift, order = 3 * normal(rng, B, T, 1), _derangement(rng)
    other, one = x.copy(), x.copy()
    other[IMAGE, TOKEN] = normal(rng, D)
    one[IMAGE, TOKEN] += 5.0
    weights, across = normal(rng, B, T, D), np.zeros((B, T, D), np.float32)
    across[IMAGE, TOKEN] = normal(rng, D)
    calls = [
        call(x), call(x, seed=1), call(x[IMAGE : IMAGE + 1]), call(x[:, order]), call(x + shift), call(other),
        call(x, "gradients", weights=weights), call(one), call(x + 5), call(np.concatenate([x, x], axis=1)),
        call(x, "scale"), call(x, "gradients", weights=across),
    ]  # fmt: skip
    builds = [
        build(D, 1, 4, seed=1, calls=calls),
        build(D, 1, 4, seed=1, kind="zero", calls=[call(x)]),
        build(D, 1, 4, seed=1, kind="zero_but_ones", calls=[call(x)]),
        build(D, 1, 2, seed=1, calls=[call(x)]),
        build(D, 1, 1, seed=1, calls=[call(x), call(x[:, order])]),
        build(D, 2, 4, seed=1, calls=[call(x)]),
        build(D, 3, 4, seed=1, calls=[call(x), call(x, "gradients", weights=weights)]),
        build(D, 1, 4, seed=2, like=ONE, calls=[call(x, seed=1)]),
        build(D, 1, 4, seed=1, kind="random_but_plain", calls=[call(LENGTH * x), call(x)]),
    ]
    return Question(
        {"name": "Transformer", "builds": builds, "stand_ins": []}, {"x": x, "shift": shift, "order": order}
    )


def block(seen: Evidence, rng: np.random.Generator) -> Question:
    """The block alone, on as many images as tokens, on single tokens, or in both layouts of its axes."""
    x, shift = normal(rng, T, T, D), 3 * normal(rng, T, T, 1)
    other, lone = x.copy(), normal(rng, 1, 1, D)
    other[IMAGE, TOKEN] = normal(rng, D)
    each = rng.uniform(1, 3, (T, T, 1)).astype(np.float32)
    plain = [
        call(x), call(x + shift), call(other), call(LENGTH * x), call(LENGTH * each * x), call(10 * LENGTH * x),
        call(lone), call(lone + 3),
        *(call(point) for point in _circle(rng)),
    ]  # fmt: skip
    pairs, short = ([call(tokens) for tokens in _pairs(rng, length)] for length in (LENGTH, 1.0))
    builds = [
        build(D, 4, seed=1, calls=plain + pairs),
        build(D, 4, seed=1, kind="zero", calls=[call(x)]),
        build(D, 4, seed=1, kind="zero_but_ones", calls=[call(x)]),
        build(D, 1, seed=1, calls=pairs + short),
        build(D, 4, seed=1, kind="faint", calls=[call(LENGTH * x), call(LENGTH * each * x)]),
    ]
    known = {"x": x, "shift": shift, "each": each}
    return Question({"name": "ResidualAttentionBlock", "builds": builds, "stand_ins": []}, known)


def _derangement(rng: np.random.Generator) -> Array:
    """An order of the tokens in which none keeps its place."""
    return np.roll(np.arange(T), int(rng.integers(1, T)))


def _circle(rng: np.random.Generator) -> Array:
    """(8, 1, 1, D): long single tokens, whose normalised versions lie on a circle."""
    ones = np.ones((D, 1)) / np.sqrt(D)
    plane = np.linalg.qr(np.hstack([ones, rng.standard_normal((D, 2))]))[0][:, 1:]  # of mean zero, at right angles
    points = np.cos(ANGLES)[:, None] * plane[:, 0] + np.sin(ANGLES)[:, None] * plane[:, 1]
    return (LENGTH * np.sqrt(D) * points[:, None, None, :]).astype(np.float32)


def _pairs(rng: np.random.Generator, length: float) -> list[Array]:
    """Tokens v followed by 0, 1, 2 and 4 copies of a token u: (PAIRS, 1 + n, D), then (1 + n, PAIRS, D)."""
    v, u = length * normal(rng, PAIRS, 1, D), length * normal(rng, PAIRS, 1, D)
    batch_first = [np.concatenate([v, *[u] * n], axis=1) for n in COPIES]
    return [*batch_first, *(tokens.transpose(1, 0, 2).copy() for tokens in batch_first)]


def in_transformer(seen: Evidence) -> Builds:
    """What Transformers gave."""
    return Builds(seen["transformer"], "Transformer")


def in_block(seen: Evidence) -> Builds:
    """What blocks gave."""
    return Builds(seen["block"], "ResidualAttentionBlock")


def output(answer: Builds, number: int, which: int) -> Array:
    """A Transformer's output for the usual batch, or the check is skipped."""
    return answer.output(number, which, (B, T, D))
