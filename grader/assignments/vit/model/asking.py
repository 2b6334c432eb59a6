"""What is asked of ``Transformer`` and ``ResidualAttentionBlock``.

What every right implementation does, whatever it is made of, with x tokens and f(x) the block:

- all parameters zero: f(x) = x, since both branches vanish and the skip connections stay;
- a constant c_n added to all features of token n: f(x + c) = f(x) + c, since LayerNorm takes a
  token's mean away wherever a branch reads it, and the skip connections carry c through;
- tokens in another order: the outputs in the same order;
- another image in the batch: no change;
- x long: f(x) - x is what attention and MLP give for the directions of the tokens alone, since the sum after
  attention hardly turns x any more.

Shapes: B images, T tokens, D features of a token.
"""

import numpy as np

from grader.evidence import Evidence, Question
from grader.judging import Verdict
from grader.torchkit.modules.arrays import Array, changed
from grader.torchkit.modules.asking import LAYERS, Call, build, call, normal
from grader.torchkit.modules.blocks import COPIES, LONG, circle
from grader.torchkit.modules.run import ModuleRun

B, T, D = 3, 6, 24  # all different, so that no axis is taken for another
IMAGE, TOKEN = 1, 2  # the token that is changed
PAIRS = 24  # sequences of a token v and ``COPIES`` of a token u; the second half has the v of the first, and other u


def transformer(evidence: Evidence, rng: np.random.Generator) -> Question:
    """Transformers of one to three blocks, on B images of T tokens."""
    x = normal(rng, B, T, D)
    shift, order = 3 * normal(rng, B, T, 1), order_of_tokens(rng)
    other, shifted = x.copy(), x.copy()
    other[IMAGE, TOKEN] = normal(rng, D)
    shifted[IMAGE, TOKEN] += 5.0
    weights, of_token, of_number = (
        normal(rng, B, T, D),
        np.zeros((B, T, D), np.float32),
        np.zeros((B, T, D), np.float32),
    )
    of_token[IMAGE, TOKEN] = normal(rng, D)
    of_number[IMAGE, TOKEN, 0] = 1
    batch, gradients = {"batch": call(x)}, call(x, "gradients", weights=weights)
    calls = batch | {
        "again": call(x, seed=1),
        "alone": call(x[IMAGE : IMAGE + 1]),
        "reordered": call(x[:, order]),
        "each token shifted": call(x + shift),
        "one token shifted": call(shifted),
        "all tokens shifted": call(x + 5),
        "one token replaced": call(other),
        "tokens twice": call(np.concatenate([x, x], axis=1)),
        "gradients": gradients,
        "gradients of one token": call(x, "gradients", weights=of_token),
        "attention scale": call(x, "attention scale"),
        "in training": call(x, "in training"),
    }
    builds = {
        "one block": build(D, 1, 4, seed=1, calls=calls),
        "zero": build(
            D,
            1,
            4,
            seed=1,
            fill="zero",
            calls=batch | {"gradients of a number": call(x, "gradients", weights=of_number)},
        ),
        "zero but ones": build(D, 1, 4, seed=1, fill="zero_but_ones", calls=batch),
        "two heads": build(D, 1, 2, seed=1, calls=batch),
        "one head": build(D, 1, 1, seed=1, calls=batch | {"reordered": call(x[:, order])}),
        "two blocks": build(D, 2, 4, seed=1, calls=batch),
        "three blocks": build(D, 3, 4, seed=1, calls=batch | {"gradients": gradients}),
        **{
            silenced(*silent): build(D, LAYERS, 4, seed=1, silent=silent, calls=batch)
            for silent in ((0,), (1,), (0, 1))
        },
        **{
            only(number, heads): build(D, LAYERS, heads, seed=1, silent=others(number), calls=batch)
            for number in range(LAYERS)
            for heads in (4, 1)
        },
        "copy": build(D, 1, 4, seed=2, like="one block", calls={"batch": call(x, seed=1)}),
        "plain norms": build(D, 1, 4, seed=1, fill="random_but_plain", calls=batch | {"long": call(LONG * x)}),
    }
    return Question({"name": "Transformer", "builds": builds}, {"x": x, "shift": shift, "order": order})


def silenced(*numbers: int) -> str:
    """The name of the build of three blocks of which some have all parameters zero, and give what they get."""
    return f"three blocks without {' and '.join(map(str, numbers))}"


def only(number: int, heads: int) -> str:
    """The name of the build of three blocks of which one alone does anything."""
    return f"block {number} of three with {heads} heads"


def others(number: int) -> list[int]:
    return [other for other in range(LAYERS) if other != number]


def block(evidence: Evidence, rng: np.random.Generator) -> Question:
    """The block alone, on as many images as tokens, and on single tokens."""
    x, shift = normal(rng, T, T, D), 3 * normal(rng, T, T, 1)
    other, lone = x.copy(), normal(rng, 1, 1, D)
    other[IMAGE, TOKEN] = normal(rng, D)
    each = rng.uniform(1, 3, (T, T, 1)).astype(np.float32)
    batch = {"batch": call(x)}
    long = {"long": call(LONG * x), "long, each its own": call(LONG * each * x)}
    calls = batch | long | {
        "each token shifted": call(x + shift),
        "one token replaced": call(other),
        "longer": call(10 * LONG * x),
        "lone token": call(lone),
        "lone token shifted": call(lone + 3),
    }  # fmt: skip
    calls |= circle(rng, D)
    builds = {
        "block": build(D, 4, seed=1, calls=calls),
        "zero": build(D, 4, seed=1, fill="zero", calls=batch),
        "zero but ones": build(D, 4, seed=1, fill="zero_but_ones", calls=batch),
        "faint": build(D, 4, seed=1, fill="faint", calls=long),
    }
    return Question({"name": "ResidualAttentionBlock", "builds": builds}, {"x": x, "shift": shift, "each": each})


def pairs(evidence: Evidence, rng: np.random.Generator) -> Question:
    """The block on tokens that have company, in the layout of its axes."""
    try:
        batch_first = is_batch_first(of_block(evidence))
    except Verdict:  # the checks of these outputs say what is wrong with them
        batch_first = True
    long, short = _pairs(rng, "long", LONG, batch_first), _pairs(rng, "short", 1.0, batch_first)
    builds = {"block": build(D, 4, seed=1, calls=long), "one head": build(D, 1, seed=1, calls=long | short)}
    return Question({"name": "ResidualAttentionBlock", "builds": builds}, {"batch first": batch_first})


def is_batch_first(run: ModuleRun) -> bool:
    """Whether the tokens that a block lets see each other lie along its second axis."""
    x, replaced = (run.output("block", call, (T, T, D)) for call in ("batch", "one token replaced"))
    touched = changed(replaced, x, axis=(2,))
    return bool(np.delete(touched[IMAGE], TOKEN).sum() > np.delete(touched[:, TOKEN], IMAGE).sum())


def order_of_tokens(rng: np.random.Generator) -> Array:
    """An order of the tokens in which none keeps its place and the two halves are mixed.

    Heads that are split by a bare reshape mix the tokens of a half: halves that change places would not show them.
    """
    while True:
        order = rng.permutation(T)
        halves_mixed = len({*order[: T // 2] // (T // 2)}) == 2
        if halves_mixed and (order != np.arange(T)).all():
            return order


def _pairs(rng: np.random.Generator, what: str, length: float, batch_first: bool) -> dict[str, Call]:
    """Calls on tokens v followed by copies of a token u, (PAIRS, 1 + copies, D), or the first two axes exchanged.

    The calls are named "<what>, <copies>".
    """
    v, u = np.tile(length * normal(rng, PAIRS // 2, 1, D), (2, 1, 1)), length * normal(rng, PAIRS, 1, D)
    calls = {}
    for n in COPIES:
        tokens = np.concatenate([v, *[u] * n], axis=1)
        calls[f"{what}, {n}"] = call(tokens if batch_first else tokens.transpose(1, 0, 2).copy())
    return calls


def of_transformer(evidence: Evidence) -> ModuleRun:
    """What Transformers gave."""
    return ModuleRun(evidence["transformer"], "Transformer")


def of_block(evidence: Evidence) -> ModuleRun:
    """What blocks gave."""
    return ModuleRun(evidence["block"], "ResidualAttentionBlock")


def of_pairs(evidence: Evidence) -> ModuleRun:
    """What blocks gave for tokens that have company."""
    return ModuleRun(evidence["block.pairs"], "ResidualAttentionBlock")


def tokens_of(run: ModuleRun, build: str, call: str = "batch") -> Array:
    """(B, T, D): a Transformer's output for the usual batch; the check is skipped where it has another shape."""
    return run.output(build, call, (B, T, D))
