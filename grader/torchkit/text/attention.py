"""``CausalSelfAttention(d_model, n_head, block_size)``: who looks at whom, with which weights, in how many heads.

Causality is judged with one head, so that heads that mix tokens cost their own criterion and not this one.

Shapes: B texts, T tokens, D features of a token, N most tokens of a text.
"""

from functools import partial

import numpy as np

from grader.assignment import Topic
from grader.evidence import Evidence, Probe, Question
from grader.judging import Blocked, Criterion, Fail, after, checks
from grader.records import GradeWarning
from grader.torchkit.modules import lines
from grader.torchkit.modules.answers import AttentionScale
from grader.torchkit.modules.arrays import Array, same
from grader.torchkit.modules.asking import build, call, normal
from grader.torchkit.modules.blocks import BLOCK_MARGINS, expect_heads_of_width, is_in_one_direction, second_direction
from grader.torchkit.modules.judging import (
    expect_alone,
    expect_registered,
    expect_repeatable,
    expect_shape,
    expect_trained,
    noise_alone,
)
from grader.torchkit.modules.run import ModuleRun
from grader.torchkit.text.causality import (
    MASK_HINT,
    added_by_copies,
    copies,
    each_replaced,
    expect_all_before,
    expect_causal,
    influence,
)

B, T, D, N = 3, 6, 24, 9  # all different, so that no axis is taken for another
NAME, GRADIENTS = "CausalSelfAttention", ("gradients", "other gradients", "more gradients")


def _ask(causality: str, evidence: Evidence, rng: np.random.Generator) -> Question:
    """Ask for attention of one, two and four heads; ``causality`` is the criterion of the first."""
    x, line = normal(rng, B, T, D), lines.places(rng)
    # small, since a sharp softmax hides who looks at whom: a weight of 0 and one of 1e-7 are the same
    replaced = each_replaced(x[0] / 3, normal(rng, T, D) / 3)
    batch = {"batch": call(x), "each token replaced": call(replaced)}
    calls = batch | {
        "again": call(x, seed=1),
        "alone": call(x[1:2]),
        "longest": call(normal(rng, 2, N, D)),
        "one token again and again": call(np.repeat(normal(rng, B, 1, D), T, axis=1)),
        **{name: call(2 * x, "gradients", weights=normal(rng, B, T, D)) for name in GRADIENTS},
        "line": call(lines.points(rng, x[0], line)),
        "attention scale": call(x, "attention scale"),
    }
    of_copies = copies(rng, D)
    builds = {
        "one head": build(D, 1, N, seed=1, calls=calls | of_copies),
        "two heads": build(D, 2, N, seed=1, calls={"batch": call(x)}),
        "four heads": build(
            D, 4, N, seed=1, calls=batch | of_copies | {name: calls[name] for name in ("again", "gradients")}
        ),
        "narrow": build(4, 2, N, seed=2, calls={"longest": call(normal(rng, 1, N, 4))}),
        "copy": build(D, 1, N, seed=2, like="one head", calls={"batch": call(x)}),
    }
    return Question({"name": NAME, "builds": builds}, {"line": line, "causality": causality})


def of_attention(evidence: Evidence) -> ModuleRun:
    """What attention gave."""
    return ModuleRun(evidence["attention"], NAME)


def shape(evidence: Evidence) -> None:
    """Tokens (B, T, D) become (B, T, D), for any batch size and any T up to block_size."""
    run = of_attention(evidence)
    expect_shape(run, "one head", "batch", (B, T, D), "Is the mask cut to the T tokens that there are, mask[:T, :T]?")
    expect_shape(run, "one head", "alone", (1, T, D))
    expect_shape(run, "one head", "longest", (2, N, D), "block_size tokens are allowed.")
    expect_shape(run, "narrow", "longest", (1, N, 4), "block_size tokens are allowed, however wide they are.")
    run.output("one head")


@after(shape)
def batch_mates(evidence: Evidence) -> None:
    """A text's tokens do not depend on the other texts of the batch, nor on chance."""
    run = of_attention(evidence)
    x = run.output("one head", "batch", (B, T, D))
    expect_repeatable(x, run.output("one head", "again", (B, T, D)), "tokens")
    expect_alone(run, "one head", "alone", x[1:2], "a text")


@after(batch_mates)
def causal(evidence: Evidence) -> None:
    """No token depends on a later one."""
    hint = MASK_HINT if _weights_add_up(of_attention(evidence)) else SOFTMAX_HINT
    expect_causal(_influence(evidence, "one head"), "what attention gives", hint)


@after(batch_mates)
def all_before(evidence: Evidence) -> None:
    """Each token depends on itself and on every token before it."""
    expect_all_before(_influence(evidence, "one head"), "what attention gives")


def _influence(evidence: Evidence, build: str) -> Array:
    return influence(of_attention(evidence).output(build, "each token replaced", (T + 1, T, D)))


@after(causal, all_before)
def follows(evidence: Evidence) -> None:
    """What comes out follows the tokens: it changes a little when they change a little."""
    lines.expect_on_line(of_attention(evidence), "one head", "line", (T, D))


@after(batch_mates)
def gradients(evidence: Evidence) -> None:
    """Gradients reach every parameter and the tokens; all that is computed with is registered."""
    run = of_attention(evidence)
    expect_trained(run, "one head", "gradients")
    slopes = [run.gradients("one head", name) for name in GRADIENTS]
    # right code is within 0.0001; where the weights are detached, two of three differ by 0.02 and more
    if any(abs(each.slope - each.measured_slope) > 0.005 * abs(each.measured_slope) for each in slopes):
        raise Fail(
            "the gradient at the tokens does not tell how the output changes with them",
            "Rounding, detach and NumPy break it.",
        )
    reached, size = run.gradients("one head", "gradients").reached, run.size("one head")
    if reached < 0.9 * size:  # the bias of the keys has none, one number in a hundred
        raise Fail(
            f"{size - reached} of the {size} numbers in its parameters get no gradient: they have no part in what it gives, "
            "or are cut off from it",
            "Queries, keys and values each have a projection of their own: are all three used, each once?",
        )
    expect_registered(run.output("copy"), run.output("one head"), "attention")


@after(follows, gradients)
def weights(evidence: Evidence) -> None:
    """A token takes from the tokens up to it a mean of their values: its weights add up to 1."""
    run = of_attention(evidence)
    if not _weights_add_up(run):
        raise Fail(
            "the weights of attention do not add up to 1: of one token again and again all outputs should be the same, "
            "and are not",
            SOFTMAX_HINT,
        )
    if second_direction(added_by_copies(run, "one head")).max() > BLOCK_MARGINS.max_spread_of_one_head:
        expect_heads_of_width(run, "one head", 1, D)
        raise Fail("one head should give a mean of the values, and gives something else", SOFTMAX_HINT)


def _weights_add_up(run: ModuleRun) -> bool:
    """Whether all outputs are the same for one token again and again."""
    once = run.output("one head", "one token again and again", (B, T, D))
    return same(once, np.broadcast_to(once[:, :1], once.shape))


SOFTMAX_HINT = (
    "The softmax runs over the keys, the last axis of the scores (query, key), after later tokens were set to -inf: "
    "softmax(dim=-1)."
)


def heads_shape(evidence: Evidence) -> None:
    """Attention of several heads keeps the shape (B, T, D)."""
    run = of_attention(evidence)
    try:
        run.output("one head")
    except Fail as fail:
        raise Blocked(run.known["causality"], f"with one head {fail.message}") from None
    expect_shape(run, "four heads", "batch", (B, T, D))
    expect_shape(run, "two heads", "batch", (B, T, D))


@after(heads_shape)
def heads_repeatable(evidence: Evidence) -> None:
    """Attention of several heads gives the same each time, as that of one head does."""
    run = of_attention(evidence)
    four, again = (run.output("four heads", name, (B, T, D)) for name in ("batch", "again"))
    try:
        expect_repeatable(
            run.output("one head", "batch", (B, T, D)), run.output("one head", "again", (B, T, D)), "tokens"
        )
    except Fail as fail:
        if noise_alone(four, again):  # dropout leaves enough to tell the heads by
            raise Blocked(run.known["causality"], f"with one head, {fail.message}") from None
    else:
        expect_repeatable(four, again, "tokens")


@after(heads_repeatable)
def heads_count(evidence: Evidence) -> None:
    """The number of heads has its effect."""
    run = of_attention(evidence)
    four, two, one = (run.output(build, "batch", (B, T, D)) for build in ("four heads", "two heads", "one head"))
    if _same_but_for_a_factor(four, two) or _same_but_for_a_factor(two, one):
        raise Fail(
            "4, 2 and 1 heads give the same with the same parameters: the number of heads is not used",
            "Each head makes a softmax of its own, of its own D / n_head features of queries and keys.",
        )


def _same_but_for_a_factor(first: Array, second: Array) -> bool:
    """Whether the first is the second times a number plus a number, as where a result is multiplied by the heads."""
    flat = second.ravel().astype(np.float64)
    line = np.stack([flat, np.ones_like(flat)], axis=1)
    factor, added = np.linalg.lstsq(line, first.ravel().astype(np.float64), rcond=None)[0]
    return same(first, second, 1e-5) or same(first, factor * second + added, 1e-5)


@after(heads_count)
def heads_apart(evidence: Evidence) -> None:
    """Splitting into heads and merging them mixes no tokens, and each head has weights of its own."""
    run, right = of_attention(evidence), np.tril(np.ones((T, T), bool)).T
    one, four = (_influence(evidence, build) for build in ("one head", "four heads"))
    if (one == right).all() and not (four == right).all():
        raise Fail(
            "with several heads, tokens are mixed that one head keeps apart: heads are split or merged by a bare reshape",
            "Split the features into (n_head, D / n_head) first, then move the axes with transpose(1, 2), and undo it "
            "the same way: a view to (B, n_head, T, D / n_head) mixes tokens.",
        )
    if not evidence.passed(run.known["causality"]):
        return  # what is wrong with one head leaves nothing to tell several by
    if is_in_one_direction(added_by_copies(run, "four heads"), BLOCK_MARGINS.max_spread_of_one_head):
        raise Fail(
            "all 4 heads have the same weights of attention",
            "Each head makes a softmax of its own: do not sum the scores over the heads.",
        )


def scale_warning(evidence: Evidence) -> list[GradeWarning]:
    """A wrong or missing scale costs nothing: a learned one is a legitimate variant."""
    try:
        result = of_attention(evidence).result("one head", "attention scale")
    except Exception:
        return []
    if not isinstance(result, AttentionScale) or result.scale is None or abs(result.scale * D**0.5 - 1) < 0.02:
        return []
    words = "is not scaled" if abs(result.scale - 1) < 1e-3 else f"is scaled by {result.scale:.3g}"
    right = f"the paper scales by 1/sqrt(D / n_head), here {D**-0.5:.3g}"
    return [GradeWarning("attention.scale", f"attention {words} before the softmax; {right}")]


def topic(causality: str, heads: str) -> Topic:
    """All that is asked and judged of attention.

    Args:
        causality: the id of the criterion of attention with one head.
        heads: of the one of several heads.
    """
    of_one = checks(shape, batch_mates, causal, all_before, follows, gradients, weights)
    of_several = checks(heads_shape, heads_repeatable, heads_count, heads_apart)
    return Topic(
        probes=(Probe("attention", "module.run", partial(_ask, causality), lambda evidence: evidence.has(NAME)),),
        criteria=(Criterion(causality, of_one, (NAME,)), Criterion(heads, of_several, (NAME,), needs=(causality,))),
        warnings=(scale_warning,),
    )
