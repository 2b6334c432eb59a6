"""``PositionEmbedding``: a learnable [CLS] token in front, learnable positions added."""

import numpy as np

from grader.assignments.vit.model.reading import (
    Array,
    Builds,
    build,
    call,
    changed,
    expect_alone,
    expect_repeatable,
    expect_shape,
    expect_trained,
    normal,
    same,
)
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, after, checks

FIRST, SECOND, SMALL, BY_NAME = range(4)  # builds; the second differs from the first in its parameters alone
BATCH, AGAIN, EMPTY, SINGLE, STEP, GRADIENTS, OF_FIRST, OF_OTHERS = range(8)  # calls of the first
N, D = 16, 24


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    batch, empty = normal(rng, 3, N, D), np.zeros((1, N, D), np.float32)
    weights = normal(rng, 3, N + 1, D)
    first, others = weights.copy(), weights.copy()
    first[:, 1:], others[:, 0] = 0, 0
    builds = [
        build(
            N, D, seed=1,
            calls=[
                call(batch), call(batch, seed=1), call(empty), call(batch[1:2]),
                call(batch, "step", weights=weights, lr=0.1),
                *(call(batch, "gradients", weights=w) for w in (weights, first, others)),
            ],
        ),
        build(N, D, seed=2, calls=[call(empty)]),
        build(9, 8, seed=3, calls=[call(normal(rng, 2, 9, 8))]),
        build(num_patches=N, hidden_size=D, seed=1, calls=[call(batch)]),
    ]  # fmt: skip
    return Question({"name": "PositionEmbedding", "builds": builds, "stand_ins": []}, known=batch)


def _seen(seen: Evidence) -> Builds:
    return Builds(seen["positions"], "PositionEmbedding")


def shape(seen: Evidence) -> None:
    """Tokens (B, N, D) become (B, N+1, D), for any batch size."""
    answer = _seen(seen)
    if not answer.works(FIRST) and answer.works(BY_NAME):
        raise Fail(
            "PositionEmbedding(num_patches=…, hidden_size=…) works, PositionEmbedding(num_patches, hidden_size) "
            "does not",
            "The arguments of the constructor are in another order than the assignment's.",
        )
    if len(got := answer.tensor(FIRST, BATCH).shape) == 3 and got == (3, N, D):
        raise Fail(
            f"expected output shape (3, {N + 1}, {D}) for an input of shape (3, {N}, {D}), got {got}",
            "The [CLS] token comes in front of the patch tokens: there is one token more.",
        )
    sizes = "The positions are added, not appended, and num_patches or hidden_size may be hard-coded."
    expect_shape(answer, FIRST, BATCH, (3, N + 1, D), sizes)
    expect_shape(answer, FIRST, SINGLE, (1, N + 1, D))
    if not answer.works(SMALL):
        try:
            answer.raw(SMALL, 0)
        except Fail as fail:
            raise Fail(fail.message, "It works for other sizes: is num_patches or hidden_size hard-coded?") from None
    expect_shape(answer, SMALL, 0, (2, 10, 8), sizes)
    answer.output(FIRST, BATCH)


def cls_in_front(seen: Evidence) -> None:
    """The [CLS] token is the first one, and the same for every image."""
    after(batch_mates, seen)
    answer = _seen(seen)
    batch, empty = answer.output(FIRST, BATCH, (3, N + 1, D)), answer.output(FIRST, EMPTY, (1, N + 1, D))
    moved = changed(batch, np.broadcast_to(empty, batch.shape), axis=(0, 2))
    if not moved[0]:
        return
    if moved[:-1].all() and not moved[-1]:
        raise Fail(
            "the [CLS] token is the last token, expected it in front",
            "In torch.cat the order of the list is the order of the tokens.",
        )
    raise Fail("the first token depends on the image: it should be the learnable [CLS] token, the same for all")


def cls_is_last(seen: Evidence) -> bool:
    """Whether the [CLS] token is behind the others, so that a ViT that reads it there reads it right."""
    try:
        cls_in_front(seen)
    except Fail as fail:
        return "last" in fail.message
    except Exception:
        return False
    return False


def positions_added(seen: Evidence) -> None:
    """To each patch token its own position embedding is added, and nothing else happens to it."""
    after(cls_in_front, seen)
    answer = _seen(seen)
    batch, empty = answer.output(FIRST, BATCH, (3, N + 1, D)), answer.output(FIRST, EMPTY, (1, N + 1, D))
    added, positions = batch[:, 1:] - answer.known, empty[:, 1:]
    if not same(added, np.broadcast_to(positions, added.shape)):
        raise Fail(
            "token n of the output is not token n of the input plus a position embedding",
            "The positions are added to the tokens: no product, no concatenation, no normalisation, no reordering.",
        )
    _expect_different(positions[0])


def _expect_different(positions: Array) -> None:
    if np.abs(positions).max() < 1e-6:
        raise Fail("the tokens come out as they went in: no position embedding is added")
    apart = np.abs(positions[:, None] - positions[None]).max(axis=2) + np.eye(N)
    if (apart < 1e-4).any():
        raise Fail(
            "different places get the same position embedding",
            "There must be one embedding per token: (1, N+1, D), not (1, 1, D).",
        )
    if np.ptp(positions, axis=1).max() < 1e-4:
        raise Fail(
            "a position is one number, added to all features of a token alike",
            "There must be hidden_size numbers per token: (1, N+1, D), not (1, N+1, 1).",
        )


def learnable(seen: Evidence) -> None:
    """The [CLS] token and all position embeddings are parameters that training changes."""
    after(cls_in_front, seen)
    answer = _seen(seen)
    expect_trained(answer, FIRST, GRADIENTS)
    before, later = answer.step(FIRST, STEP, (3, N + 1, D))
    first, second = answer.output(FIRST, EMPTY, (1, N + 1, D))[0], answer.output(SECOND, 0, (1, N + 1, D))[0]
    stuck = ~changed(later, before, axis=(0, 2), tolerance=1e-6) | ~changed(first, second, axis=(1,), tolerance=1e-6)
    if stuck[1:].any():
        if answer.size(FIRST) >= N * D:  # there are parameters for them, which are perhaps not added
            after(positions_added, seen)
        what = "[CLS] token and positions" if stuck[0] else "position embeddings"
        raise Fail(f"a training step leaves the {what} as before: not learnable", PARAMETER)
    if stuck[0] or not _learns_its_own(answer):
        raise Fail(
            "the [CLS] token is not a parameter of its own: only the position embedding added to it is learned",
            PARAMETER,
        )


def _learns_its_own(answer: Builds) -> bool:
    """Whether the first token has a parameter of its own, or a row of its own beside its position in one for all."""
    first, others = answer.gradients(FIRST, OF_FIRST), answer.gradients(FIRST, OF_OTHERS)
    moved, others_moved = ({name for name, g in found.largest.items() if g} for found in (first, others))
    alone = answer.gradients(FIRST, GRADIENTS).reached - others.reached  # numbers that the first token alone depends on
    return bool(moved - others_moved) or alone > D


PARAMETER = (
    "Wrap the tensor in nn.Parameter in __init__ and keep it in self; a plain tensor, a buffer, or one made in "
    "forward is "
    "never trained."
)


def batch_mates(seen: Evidence) -> None:
    """An image's tokens do not depend on the other images of its batch, nor on chance."""
    answer = _seen(seen)
    batch = answer.output(FIRST, BATCH, (3, N + 1, D))
    expect_repeatable(answer, batch, answer.output(FIRST, AGAIN, (3, N + 1, D)), "tokens")
    expect_alone(answer, FIRST, SINGLE, batch[1:2], "an image")


PROBES = (Probe("positions", "module.run", _ask),)
CRITERIA = (
    Criterion(
        "vit.position_embedding",
        checks(shape, batch_mates, cls_in_front, positions_added, learnable),
        ("PositionEmbedding",),
    ),
)
