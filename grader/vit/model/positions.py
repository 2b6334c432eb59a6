"""``PositionEmbedding``: a learnable [CLS] token in front, learnable positions added."""

import numpy as np

from grader.checking import Criterion, Fail, checks, dig
from grader.evidence import Evidence, Probe, Question
from grader.vit.model.reading import Builds, build, call, changed, expect_shape, normal, same

FIRST, SECOND, SMALL = 0, 1, 2  # builds; the second differs from the first in its parameters alone
BATCH, AGAIN, EMPTY, SINGLE, STEP = range(5)  # calls of the first
N, D = 16, 24


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    batch, empty = normal(rng, 3, N, D), np.zeros((1, N, D), np.float32)
    builds = [
        build(
            N, D, seed=1,
            calls=[
                call(batch), call(batch), call(empty), call(batch[1:2]),
                call(batch, "step", weights=normal(rng, 3, N + 1, D), lr=0.1),
            ],
        ),
        build(N, D, seed=2, calls=[call(empty)]),
        build(9, 8, seed=3, calls=[call(normal(rng, 2, 9, 8))]),
    ]  # fmt: skip
    return Question({"name": "PositionEmbedding", "builds": builds, "stand_ins": []}, known=batch)


def _seen(seen: Evidence) -> Builds:
    return Builds(seen["positions"], "PositionEmbedding")


def shape(seen: Evidence) -> None:
    """Tokens (B, N, D) become (B, N+1, D), for any batch size."""
    answer = _seen(seen)
    expect_shape(answer, FIRST, BATCH, (3, N + 1, D))
    expect_shape(answer, FIRST, SINGLE, (1, N + 1, D), "Is the batch size hard-coded?")
    expect_shape(answer, SMALL, 0, (2, 10, 8))
    answer.output(FIRST, BATCH)


def cls_in_front(seen: Evidence) -> None:
    """The [CLS] token is the first one, and the same for every image."""
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


def positions_added(seen: Evidence) -> None:
    """To each patch token its own position embedding is added, and nothing else happens to it."""
    cls_in_front(seen)
    answer = _seen(seen)
    batch, empty = answer.output(FIRST, BATCH, (3, N + 1, D)), answer.output(FIRST, EMPTY, (1, N + 1, D))
    added, positions = batch[:, 1:] - answer.known, empty[:, 1:]
    if not same(added, np.broadcast_to(positions, added.shape)):
        raise Fail(
            "token n of the output is not token n of the input plus a position embedding",
            "The positions are added to the tokens: no product, no concatenation, no normalisation, no reordering.",
        )
    if np.abs(positions).max() < 1e-6:
        raise Fail("the tokens come out as they went in: no position embedding is added")
    apart = np.abs(positions[0][:, None] - positions[0][None]).max(axis=2) + np.eye(N)
    if (apart < 1e-4).any():
        raise Fail(
            "different places get the same position embedding",
            "There must be one embedding per token: (1, N+1, D), not (1, 1, D).",
        )


def learnable(seen: Evidence) -> None:
    """The [CLS] token and all position embeddings are parameters that training changes."""
    cls_in_front(seen)
    answer = _seen(seen)
    step = answer.raw(FIRST, STEP)
    before, after = dig(step, "before"), dig(step, "after")
    first, second = answer.output(FIRST, EMPTY, (1, N + 1, D))[0], answer.output(SECOND, 0, (1, N + 1, D))[0]
    stuck = ~changed(after, before, axis=(0, 2), tolerance=1e-6) | ~changed(first, second, axis=(1,), tolerance=1e-6)
    if not stuck.any():
        return
    what = "[CLS] token" if not stuck[1:].any() else "position embeddings" if not stuck[0] else "[CLS] token and positions"
    raise Fail(
        f"a training step leaves the {what} as before: not learnable",
        "Wrap the tensor in nn.Parameter and keep it in self; a plain tensor, a buffer or requires_grad=False stays "
        "frozen.",
    )


def batch_mates(seen: Evidence) -> None:
    """An image's tokens do not depend on the other images of its batch, nor on chance."""
    answer = _seen(seen)
    batch = answer.output(FIRST, BATCH, (3, N + 1, D))
    if not same(answer.output(FIRST, AGAIN, (3, N + 1, D)), batch):
        raise Fail("in eval mode the same tokens gave different results twice", "Is dropout applied outside nn.Dropout?")
    if not same(answer.output(FIRST, SINGLE, (1, N + 1, D)), batch[1:2]):
        raise Fail("an image's tokens depend on which other images are in the batch")


PROBES = (Probe("positions", "module.run", _ask),)
CRITERIA = (
    Criterion(
        "vit.position_embedding",
        checks(shape, cls_in_front, positions_added, learnable, batch_mates),
        ("PositionEmbedding",),
    ),
)
