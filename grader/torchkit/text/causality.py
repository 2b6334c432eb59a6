"""Who looks at whom in a model of text, told by replacing one token after the other; and what copies of a token add.

Shapes: T tokens, D features of a token, P pairs of tokens.
"""

import numpy as np

from grader.judging import Fail
from grader.torchkit.modules.arrays import Array, changed
from grader.torchkit.modules.asking import Call, call, normal
from grader.torchkit.modules.blocks import COPIES
from grader.torchkit.modules.run import ModuleRun

MASK_HINT = "Set the scores of later tokens to -inf before the softmax: the mask is torch.tril(torch.ones(T, T))."


def each_replaced(tokens: Array, others: Array) -> Array:
    """(T + 1, T, …): a text as it is, and with each of its tokens replaced by another.

    Args:
        tokens, others: (T, …).
    """
    texts = np.repeat(tokens[None], len(tokens) + 1, axis=0)
    for place, other in enumerate(others):
        texts[1 + place, place] = other
    return texts


def influence(outputs: Array) -> Array:
    """(T, T): whether replacing one token changed what came out at another place, from the outputs for ``each_replaced``."""
    return changed(outputs[1:], outputs[:1], axis=(2,), tolerance=1e-5)


def expect_causal(found: Array, what: str, hint: str = MASK_HINT) -> None:
    """Fail where a later token changes what comes out at an earlier place.

    Args:
        found: (T, T) as of ``influence``.
        hint: what to try, where the mask is not just off by one.
    """
    early = np.argwhere(np.triu(found.T, 1))  # (place, replaced token behind it)
    if not len(early):
        return
    place, token = (int(number) + 1 for number in early[0])
    if np.triu(found.T, 1).sum() == len(found) - 1 and (early[:, 1] == early[:, 0] + 1).all():
        raise Fail(
            f"{what} at place {place} depends on token {token}: each token sees the next one, which it should predict",
            "The mask is off by one: torch.tril keeps the diagonal and what is below it, with diagonal=0.",
        )
    raise Fail(f"{what} at place {place} depends on token {token}, which comes later", hint)


def expect_all_before(found: Array, what: str) -> None:
    """Fail where a token is ignored by what comes out at its own place or later."""
    lost = np.argwhere(np.tril(~found.T))  # (place, token up to it)
    if not len(lost):
        return
    place, token = (int(number) + 1 for number in lost[0])
    if (lost[:, 0] == lost[:, 1]).all():
        raise Fail(
            f"{what} at place {place} does not depend on token {token}: the tokens do not see themselves",
            "The mask is off by one: it keeps the diagonal, so that a token sees itself and all before it.",
        )
    raise Fail(
        f"{what} at place {place} does not depend on token {token}, which comes before it",
        "A token sees itself and all tokens before it.",
    )


def copies(rng: np.random.Generator, width: int, pairs: int = 24) -> dict[str, Call]:
    """Calls on 0, 1, 2 and 4 copies of a token followed by another, for several pairs of tokens.

    Args:
        width: D.
        pairs: P.
    """
    v, u = normal(rng, pairs, 1, width), normal(rng, pairs, 1, width)
    return {f"{n} copies": call(np.concatenate([*[u] * n, v], axis=1)) for n in COPIES}


def added_by_copies(run: ModuleRun, build: str) -> Array:
    """(P, 3, D): what 1, 2 and 4 copies of a token in front of another change at that other one."""
    shapes = {n: run.inputs(build, f"{n} copies").shape for n in COPIES}
    last = [run.output(build, f"{n} copies", shapes[n])[:, -1] for n in COPIES]
    return np.stack([each - last[0] for each in last[1:]], axis=1)
