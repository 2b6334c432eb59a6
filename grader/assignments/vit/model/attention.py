"""What attention does, judged from outside: who attends to whom, with which weights, in how many heads.

Shapes: B images, T tokens, D features of a token.
"""

import numpy as np

from grader.assignments.vit.model.asking import (
    IMAGE,
    PAIRS,
    TOKEN,
    B,
    D,
    T,
    is_batch_first,
    of_block,
    of_pairs,
    of_transformer,
    only,
    tokens_of,
)
from grader.assignments.vit.model.structure import (
    batch_mates,
    blocks_of_their_own,
    nonlinearity,
    normalised_before,
    one_after_the_other,
)
from grader.evidence import Evidence, Unanswered
from grader.judging import Fail, Verdict, after
from grader.records import GradeWarning
from grader.torchkit.modules.answers import AttentionScale, Gradients
from grader.torchkit.modules.arrays import Array, changed, same
from grader.torchkit.modules.asking import LAYERS
from grader.torchkit.modules.blocks import (
    BLOCK_MARGINS,
    COPIES,
    expect_heads_of_width,
    expect_mlp_after_attention,
    expect_values_of_others,
    is_in_one_direction,
    second_direction,
)
from grader.torchkit.modules.judging import expect_trained
from grader.torchkit.modules.run import ModuleRun


@after(batch_mates, blocks_of_their_own)
def tokens_attend(evidence: Evidence) -> None:
    """Every token sees every other token of its image, wherever it stands."""
    run = of_transformer(evidence)
    x = tokens_of(run, "one block")
    touched = changed(tokens_of(run, "one block", "one token replaced"), x, axis=(2,), tolerance=1e-5)[IMAGE]
    if not np.delete(touched, TOKEN).any():
        raise Fail(
            "the tokens of an image do not see each other, expected every token to attend to all of them",
            "Attention must be over the axis of the tokens, and what it gives be added to them.",
        )
    order = run.known["order"]
    if same(tokens_of(run, "one block", "reordered"), x[:, order]):
        return
    if same(tokens_of(run, "one head", "reordered"), tokens_of(run, "one head")[:, order]):
        raise Fail(
            "heads are split or merged by a bare reshape, which mixes tokens: with several heads, tokens in another "
            "order give other values, and should give the same ones in that order",
            "Split the feature axis into (heads, D / heads) first and then move the axes with transpose; undo it the "
            "same way. A view to (B, heads, N, D / heads) mixes tokens.",
        )
    if not touched.all():
        raise Fail(
            "some tokens do not see all others: there is an attention mask, which is not part of this model",
            "Call the attention without a mask: no attn_mask, no is_causal.",
        )
    raise Fail(
        "attention depends on the places of the tokens: in another order they give other values, and should give the "
        "same ones in that order",
        "Positions are added once, in PositionEmbedding; and a reshape that mixes tokens and features does this too.",
    )


@after(normalised_before, tokens_attend)
def attention_weights(evidence: Evidence) -> None:
    """A token takes from all tokens a weighted mean: its weights add up to 1, by a softmax over the keys."""
    run = of_transformer(evidence)
    x, twice = tokens_of(run, "one block"), run.output("one block", "tokens twice", (B, 2 * T, D))
    hint = "The softmax runs over the keys, the last axis of the scores (query, key): softmax(dim=-1)."
    if not same(twice, np.concatenate([x, x], axis=1)):
        if not _sees_itself(evidence):
            raise Fail(
                "a token alone gets NaN: each token is hidden from itself by a mask, which is not part of this model",
                "Call the attention without a mask: a token sees all tokens, itself too.",
            )
        raise Fail(
            "the weights of attention do not add up to 1: each token given twice should change no token, and does", hint
        )
    if np.abs(_added_by_copies(evidence, "block", "long")).max() < BLOCK_MARGINS.min_added:
        raise Fail(
            "the result of attention is not added to the tokens",
            "The tokens as they came and what attention gives are added; the MLP comes after that sum.",
        )
    one_head = _added_by_copies(evidence, "one head", "long")
    expect_values_of_others(one_head)
    if second_direction(one_head).max() > BLOCK_MARGINS.max_spread_of_one_head and not _number_of_heads_is_unused(run):
        expect_heads_of_width(run, "one block", 4, D)
        raise Fail(
            "attention should add to each token a mean of the values, with weights that add up to 1, and adds "
            "something else",
            f"{hint} Or are there other numbers of heads than were asked for, is the result of attention normalised before "
            "the sum, or does the MLP work on another sum than x + attention?",
        )


def _sees_itself(evidence: Evidence) -> bool:
    """Whether attention has something to look at where there is one token only."""
    try:
        of_block(evidence).output("block", "lone token", (1, 1, D))
    except Fail:
        return False
    return True


@after(attention_weights, nonlinearity)
def mlp_after_attention(evidence: Evidence) -> None:
    """The MLP works on the sum of the tokens and what attention gave."""
    hint = "One after the other: the sum of x and attention is the new x, of which the MLP takes the norm."
    expect_mlp_after_attention(_added_by_copies(evidence, "one head", "short"), hint)


def _added_by_copies(evidence: Evidence, build: str, length: str) -> Array:
    """(PAIRS, 3, D): what is added to a token when 1, 2 or 4 copies of another stand beside it.

    Args:
        length: of the tokens, "long" or "short".
    """
    batch_first = is_batch_first(of_block(evidence))
    run, tokens = of_pairs(evidence), []
    for n in COPIES:
        shape = (PAIRS, 1 + n, D) if batch_first else (1 + n, PAIRS, D)
        of_all = run.output(build, f"{length}, {n}", shape)
        tokens.append(of_all[:, 0] if batch_first else of_all[0])
    return np.stack([token - tokens[0] for token in tokens[1:]], axis=1)


def _number_of_heads_is_unused(run: ModuleRun) -> bool:
    four, two, one = (tokens_of(run, build) for build in ("one block", "two heads", "one head"))
    return same(four, two, 1e-5) or same(two, one, 1e-5)


@after(blocks_of_their_own, one_after_the_other, attention_weights)
def heads(evidence: Evidence) -> None:
    """The number of heads has its effect: each head has weights of its own."""
    if _number_of_heads_is_unused(of_transformer(evidence)):
        raise Fail(
            "4, 2 and 1 heads give the same result with the same parameters: the number of heads is not used",
            "Pass it on from Transformer to the block and from there to the attention.",
        )
    _expect_heads_of_each(of_transformer(evidence))
    if is_in_one_direction(_added_by_copies(evidence, "block", "long"), BLOCK_MARGINS.max_spread_of_one_head):
        raise Fail(
            "all 4 heads have the same weights of attention: the features are not split into heads",
            "Each head makes a softmax of its own, of its own part of queries and keys.",
        )


def _expect_heads_of_each(run: ModuleRun) -> None:
    """Fail where some blocks of three have the same number of heads whatever is asked for."""
    builds = [(only(number, 4), only(number, 1)) for number in range(LAYERS)]
    if not all(run.is_built(build) for pair in builds for build in pair):
        return  # which weights are whose is not known
    outputs = [(tokens_of(run, many), tokens_of(run, one)) for many, one in builds]
    unused = [str(number) for number, (many, one) in enumerate(outputs, 1) if same(many, one, 1e-5)]
    if unused:
        raise Fail(
            f"4 heads and 1 head give the same in block {' and '.join(unused)} of {LAYERS}: the number of heads does not "
            "reach each block",
            "Give `heads` to every block that the Transformer makes.",
        )


@after(blocks_of_their_own, tokens_attend, normalised_before)
def gradients(evidence: Evidence) -> None:
    """Gradients reach every parameter and every token, and are what they should be."""
    run = of_transformer(evidence)
    whole = _gradients_of_vit(evidence)
    expect_trained(run, "one block", "gradients", whole)
    expect_trained(run, "three blocks", "gradients", whole)
    _expect_all_of_each(run)
    of_all, of_one = (run.gradients("one block", call) for call in ("gradients", "gradients of one token"))
    cut_off = "Part of what was computed is cut off: look for detach, .data, NumPy or a no_grad block in forward."
    if of_one.inputs is None or not np.abs(of_one.inputs[IMAGE]).max(axis=1).all():
        raise Fail("no gradient passes from a token to the others: attention is detached", cut_off)
    if not (of_all.agree_with_the_output and of_one.agree_with_the_output):
        raise Fail(
            "the gradient at the tokens does not tell how the output changes with them: a part of it is detached",
            cut_off,
        )


def _expect_all_of_each(run: ModuleRun) -> None:
    """Fail where one layer makes query, key and value, and a third of its weights gets no gradient.

    Units of an MLP that are silent for all tokens get none either; they are 8 % of a layer at most.
    """
    found = run.gradients("one block", "gradients")
    for parameter in run.built("one block").parameters:
        left_out = parameter.size - found.reached_of.get(parameter.name, parameter.size)
        if parameter.size == 3 * D * D and 0.95 * D * D < left_out < parameter.size:
            raise Fail(
                f"{left_out} of {parameter.size} numbers of `{parameter.name}` get no gradient: a part of what it gives "
                "is not used",
                "Are query, key and value all used, each in its place? The scores are query times key.",
            )


def _gradients_of_vit(evidence: Evidence) -> Gradients | None:
    """The gradients in the submission's own ViT; None where it has none.

    A ViT may apply what its Transformer registers, as the norm behind the blocks.
    """
    try:
        return ModuleRun(evidence["model"], "ViT").gradients("gray", "gradients")
    except (Verdict, Unanswered):
        return None


def scale_warning(evidence: Evidence) -> list[GradeWarning]:
    """A wrong or missing attention scale costs nothing: a learned temperature is a legitimate variant."""
    try:
        result = of_transformer(evidence).result("one block", "attention scale")
    except Exception:
        return []
    if not isinstance(result, AttentionScale) or result.scale is None:
        return []
    widths = {result.width or D // 4, D // 4}  # heads may be wider than D / heads
    if any(abs(result.scale * size**0.5 - 1) < 0.02 for size in widths):
        return []
    words = "is not scaled" if abs(result.scale - 1) < 1e-3 else f"is scaled by {result.scale:.3g}"
    message = (
        f"attention {words} before the softmax; the paper scales by 1/sqrt(D / heads), here {(D // 4) ** -0.5:.3g}"
    )
    return [GradeWarning("attention.scale", message)]
