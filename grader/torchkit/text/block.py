"""``Block(d_model, n_head, block_size)``: x + attention(norm(x)), then that + MLP(norm of that).

What every right block f does, whatever it is made of:

- all parameters zero: f(x) = x;
- a constant added to all features of a token: the same constant is added to what comes out, since a norm takes it away
  wherever a branch reads it; or, with norms that keep the mean, what is added to a long token tells its direction alone.

Shapes: B texts, T tokens, D features of a token.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from grader.assignment import Topic
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, after, checks
from grader.torchkit.modules.arrays import same
from grader.torchkit.modules.asking import build, call, normal
from grader.torchkit.modules.blocks import (
    BLOCK_MARGINS,
    LONG,
    circle,
    expect_mlp_after_attention,
    expect_nonlinear,
    norm_like,
)
from grader.torchkit.modules.judging import (
    expect_alone,
    expect_registered,
    expect_repeatable,
    expect_shape,
    expect_trained,
)
from grader.torchkit.modules.run import ModuleRun
from grader.torchkit.text.attention import B, D, N, T
from grader.torchkit.text.causality import (
    added_by_copies,
    copies,
    each_replaced,
    expect_all_before,
    expect_causal,
    influence,
)

StandIns = Callable[[Evidence], list[str]]
NAME = "Block"
FORMULA = "x = x + attention(ln_1(x)), then x = x + mlp(ln_2(x)): two sums, and each takes its input as it is."


def _ask(stand_ins: StandIns, evidence: Evidence, rng: np.random.Generator) -> Question:
    x, shift, each = normal(rng, B, T, D), 3 * normal(rng, B, T, 1), rng.uniform(1, 3, (B, T, 1)).astype(np.float32)
    batch = {"batch": call(x)}
    calls = batch | {
        "again": call(x, seed=1),
        "alone": call(x[1:2]),
        "shifted": call(x + shift),
        "long": call(LONG * x),
        "long, each its own": call(LONG * each * x),
        "each token replaced": call(each_replaced(x[0], normal(rng, T, D))),
        "gradients": call(x, "gradients", weights=normal(rng, B, T, D)),
        **circle(rng, D),
    }
    builds = {
        "block": build(D, 4, N, seed=1, calls=calls),
        "one head": build(D, 1, N, seed=1, calls=copies(rng, D)),
        "zero": build(D, 4, N, seed=1, fill="zero", calls=batch),
        "zero but ones": build(D, 4, N, seed=1, fill="zero_but_ones", calls=batch),
        "narrow": build(4, 2, N, seed=2, calls={"longest": call(normal(rng, 1, N, 4))}),
        "copy": build(D, 4, N, seed=2, like="block", calls=batch),
    }
    return Question({"name": NAME, "builds": builds, "stand_ins": stand_ins(evidence)}, {"shift": shift, "each": each})


def of_block(evidence: Evidence) -> ModuleRun:
    """What blocks gave."""
    return ModuleRun(evidence["block"], NAME)


def shape(evidence: Evidence) -> None:
    """Tokens (B, T, D) become (B, T, D), each text by itself and without chance."""
    run = of_block(evidence)
    expect_shape(run, "block", "batch", (B, T, D))
    expect_shape(run, "narrow", "longest", (1, N, 4), "Is block_size passed on to the attention?")
    x = run.output("block")
    expect_repeatable(x, run.output("block", "again"), "tokens")
    expect_alone(run, "block", "alone", x[1:2], "a text")


@after(shape)
def residual(evidence: Evidence) -> None:
    """Both branches are added to their unchanged input: with all parameters zero, nothing changes."""
    run = of_block(evidence)
    x, zero, ones = run.inputs("block", "batch"), run.output("zero"), run.output("zero but ones")
    if same(zero, x):
        return
    if any(same(zero, times * x) for times in (2, 3, 4)):
        raise Fail("the block adds its input more than once", FORMULA)
    if norm_like(ones, x):
        raise Fail(
            "the tokens that are added, or the sum, are normalised: expected the norms before attention and MLP alone "
            "(pre-norm)",
            FORMULA,
        )
    raise Fail(
        "a residual connection is missing or changed: with all parameters zero the block should give its input back, "
        "and gives something else",
        FORMULA,
    )


@after(residual)
def normalised_before(evidence: Evidence) -> None:
    """Attention and MLP both work on normalised tokens."""
    run = of_block(evidence)
    x, shift, each = run.inputs("block", "batch"), run.known["shift"], run.known["each"]
    if same(run.output("block", "shifted") - shift, run.output("block")):
        return
    added = run.output("block", "long") - LONG * x  # as after RMSNorm, which keeps the mean
    if not same(run.output("block", "long, each its own") - LONG * each * x, added, BLOCK_MARGINS.max_turn):
        raise Fail("attention or the MLP works on tokens that are not normalised", FORMULA)


@after(normalised_before)
def nonlinearity(evidence: Evidence) -> None:
    """The MLP has a nonlinearity between its layers."""
    expect_nonlinear(of_block(evidence), "GPT-2 takes GELU")


@after(shape)
def looks_back(evidence: Evidence) -> None:
    """Each token depends on all tokens up to it, and on no later one."""
    found = influence(of_block(evidence).output("block", "each token replaced", (T + 1, T, D)))
    if (found == np.eye(T, dtype=bool)).all():
        raise Fail("the tokens do not see each other: the result of attention is not added", FORMULA)
    expect_causal(found, "what the block gives")
    expect_all_before(found, "what the block gives")


@after(looks_back, nonlinearity)
def mlp_after_attention(evidence: Evidence) -> None:
    """The MLP works on the sum of the tokens and what attention gave."""
    expect_mlp_after_attention(added_by_copies(of_block(evidence), "one head"), FORMULA)


@after(shape)
def gradients(evidence: Evidence) -> None:
    """Gradients reach every parameter and the tokens; all that is computed with is registered."""
    run = of_block(evidence)
    expect_trained(run, "block", "gradients")
    expect_registered(run.output("copy"), run.output("block"), "a block")


def topic(criterion: str, op: str, stand_ins: StandIns, needs: tuple[str, ...]) -> Topic:
    """All that is asked and judged of the block.

    Args:
        criterion: its id.
        op: that builds and calls a class while stand-ins take the place of others.
        stand_ins: the names of these.
        needs: the criteria that tell.
    """
    judged = checks(shape, residual, normalised_before, nonlinearity, looks_back, mlp_after_attention, gradients)
    return Topic(
        probes=(Probe("block", op, partial(_ask, stand_ins), lambda evidence: evidence.has(NAME), needs=needs),),
        criteria=(Criterion(criterion, judged, (NAME,), needs=needs),),
    )
