"""What attention does, seen from outside: who sees whom, with which weights, in how many heads."""

import numpy as np

from grader.assignments.vit.model.asking import (
    ACROSS,
    BATCH,
    BLOCK,
    BLOCK_ONE_HEAD,
    COPIES,
    GRADIENTS,
    IMAGE,
    LONG_TOKENS,
    ONE,
    ONE_HEAD,
    OTHER_TOKEN,
    PAIRS,
    PERMUTED,
    PLAIN,
    PLAIN_OTHER,
    SCALE,
    SHORT_TOKENS,
    THREE,
    TOKEN,
    TWICE,
    TWO_HEADS,
    B,
    D,
    T,
    in_block,
    in_transformer,
    output,
)
from grader.assignments.vit.model.reading import Array, changed, expect_trained, same
from grader.assignments.vit.model.structure import batch_mates, blocks_of_their_own, nonlinearity, normalised_before
from grader.evidence import Evidence
from grader.judging import Fail, after
from grader.records import Warning_

# Right heads come to 0.1 and more, a single one to 0.003 (python -m bench.structure_margins)
COLLINEAR = 0.03
TURNED = 0.001  # right blocks give 0.016 and more, those whose MLP sees nothing of attention 2e-5 at the most
ADDED = 0.03  # right code adds 30 times as much, code that adds nothing 0.3 of it at most
SOFTER = 1.15
BENDS = 0.3  # shorter sums are too short to show that an MLP is not linear; right code adds 3 to 10


def tokens_attend(seen: Evidence) -> None:
    """Every token sees every other token of its image, wherever it stands."""
    after(batch_mates, seen)
    after(blocks_of_their_own, seen)
    answer = in_transformer(seen)
    x = output(answer, ONE, BATCH)
    touched = changed(output(answer, ONE, OTHER_TOKEN), x, axis=(2,), tolerance=1e-5)[IMAGE]
    if not np.delete(touched, TOKEN).any():
        raise Fail("the tokens of an image do not see each other", "Attention must be over the axis of the tokens.")
    order = answer.known["order"]
    if same(output(answer, ONE, PERMUTED), x[:, order]):
        return
    if same(output(answer, ONE_HEAD, 1), output(answer, ONE_HEAD, 0)[:, order]):
        raise Fail(
            "with the tokens in another order other values come out, but not with one head: heads are split or "
            "merged by a bare "
            "reshape",
            "Split the feature axis into (heads, D / heads) first and then move the axes with transpose; undo it "
            "the same way. A "
            "view to (B, heads, N, D / heads) mixes tokens.",
        )
    if not touched.all():
        raise Fail("some tokens do not see all others: an attention mask, which is not part of this model")
    raise Fail(
        "with the tokens in another order other values come out: attention depends on the places of the tokens",
        "Positions are added once, in PositionEmbedding; and a reshape that mixes tokens and features does this too.",
    )


def attention_weights(seen: Evidence) -> None:
    """A token takes from all tokens a weighted mean: its weights add up to 1, by a softmax over the keys."""
    after(normalised_before, seen)
    after(tokens_attend, seen)
    answer = in_transformer(seen)
    x, twice = output(answer, ONE, BATCH), answer.output(ONE, TWICE, (B, 2 * T, D))
    if not same(twice, np.concatenate([x, x], axis=1)):
        raise Fail(
            "with every token there twice the tokens come out different: the weights of attention do not add up to 1",
            SOFTMAX,
        )
    if np.abs(taken_from_copies(seen, BLOCK, LONG_TOKENS)).max() < ADDED:
        raise Fail(
            "the result of attention is not added to the tokens",
            "x = x + attention(norm(x)), and the MLP comes after that sum.",
        )
    if second_direction(taken_from_copies(seen, BLOCK_ONE_HEAD)).max() > COLLINEAR:
        raise Fail(
            "what is added to a token is no mean of what the others give, with weights that add up to 1",
            f"{SOFTMAX} Or is the result of attention normalised before the sum, or does the MLP work on another sum "
            "than x + attention?",
        )


SOFTMAX = "The softmax runs over the keys, the last axis of the scores (query, key): softmax(dim=-1)."


def mlp_after_attention(seen: Evidence) -> None:
    """The MLP works on the sum of the tokens and what attention gave."""
    after(attention_weights, seen)
    after(nonlinearity, seen)
    # what attention adds, more and more of it in one direction, turns where the MLP sees it
    if _in_one_direction(taken_from_copies(seen, BLOCK_ONE_HEAD, SHORT_TOKENS), TURNED):
        raise Fail(
            "the MLP does not see what attention gave: both work on the input of the block, side by side",
            "One after the other: the sum of x and attention is the new x, of which the MLP takes the norm.",
        )


def taken_from_copies(seen: Evidence, number: int, first: int = 0) -> Array:
    """(PAIRS, 3, D): what is added to a token when 1, 2 or 4 copies of another stand beside it."""
    block = in_block(seen)
    touched = changed(block.output(BLOCK, PLAIN_OTHER, (T, T, D)), block.output(BLOCK, PLAIN, (T, T, D)), axis=(2,))
    batch_first = np.delete(touched[IMAGE], TOKEN).sum() > np.delete(touched[:, TOKEN], IMAGE).sum()
    first += 0 if batch_first else len(COPIES)
    shapes = [(PAIRS, 1 + n, D) if batch_first else (1 + n, PAIRS, D) for n in COPIES]
    outs = [block.output(number, first + n, shape) for n, shape in enumerate(shapes)]
    tokens = [out[:, 0] if batch_first else out[0] for out in outs]
    return np.stack([token - tokens[0] for token in tokens[1:]], axis=1)


def second_direction(taken: Array) -> Array:
    """(PAIRS,): how much more than one direction there is, 0 where 1, 2 and 4 copies add the same up to a factor."""
    singular = np.linalg.svd(taken, compute_uv=False)  # (PAIRS, 3)
    return singular[:, 1] / np.maximum(singular[:, 0], ADDED)


def _in_one_direction(taken: Array, bound: float) -> bool:
    """Whether copies add more and more, and enough pairs tell that it is the same up to a factor.

    Where weights are all but 0 and 1, copies change nothing, or from next to nothing, and tell nothing.
    """
    fewest, most = (np.linalg.norm(taken[:, n], axis=1) for n in (0, -1))
    telling = (most > SOFTER * fewest) & (most > BENDS)
    return bool(telling.sum() > PAIRS / 5 and second_direction(taken)[telling].max() < bound)


def heads(seen: Evidence) -> None:
    """The number of heads has its effect: each head has weights of its own."""
    after(blocks_of_their_own, seen)
    answer = in_transformer(seen)
    outs = [output(answer, number, 0) for number in (ONE, TWO_HEADS, ONE_HEAD)]
    if same(outs[0], outs[1], 1e-5) or same(outs[1], outs[2], 1e-5):
        raise Fail(
            "4, 2 and 1 heads give the same result with the same parameters: the number of heads is not used",
            "Pass it on from Transformer to the block and from there to the attention.",
        )
    after(attention_weights, seen)
    if _in_one_direction(taken_from_copies(seen, BLOCK, LONG_TOKENS), COLLINEAR):
        raise Fail(
            "all 4 heads have the same weights of attention: the features are not split into heads",
            "Each head makes a softmax of its own, of its own part of queries and keys.",
        )


def gradients(seen: Evidence) -> None:
    """Gradients reach every parameter and every token, and are what they should be."""
    after(blocks_of_their_own, seen)
    answer = in_transformer(seen)
    expect_trained(answer, ONE, GRADIENTS)
    expect_trained(answer, THREE, 1)
    after(tokens_attend, seen)
    across = answer.gradients(ONE, ACROSS).inputs
    if across is None or not np.abs(across[IMAGE]).max(axis=1).all():
        raise Fail("no gradient passes from a token to the others: attention is detached", CUT)
    if not all(answer.gradients(ONE, which).shown for which in (GRADIENTS, ACROSS)):
        raise Fail("the gradient at the tokens is not what the output shows: a part of it is detached", CUT)


CUT = "Part of what was computed is cut off: look for detach, .data, numpy or a no_grad block in forward."


def scale_warning(seen: Evidence) -> list[Warning_]:
    """A wrong or missing attention scale costs nothing: a learned temperature is a legitimate variant."""
    try:
        facts = in_transformer(seen).raw(ONE, SCALE)
    except Exception:
        return []
    found, width = facts.get("scale"), facts.get("width")
    widths = {width, D // 4} if isinstance(width, int) and width > 0 else {D // 4}  # heads may be wider than D / heads
    if not isinstance(found, float) or any(abs(found * size**0.5 - 1) < 0.02 for size in widths):
        return []
    words = "is not scaled" if abs(found - 1) < 1e-3 else f"is scaled by {found:.3g}"
    message = (
        f"attention {words} before the softmax; the paper scales by 1/sqrt(D / heads), here {(D // 4) ** -0.5:.3g}"
    )
    return [Warning_("attention.scale", message)]
