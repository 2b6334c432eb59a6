"""``PositionEmbedding``: a learnable [CLS] token in front, learnable positions added.

Shapes: B images, N patches, D hidden size.
"""

from collections.abc import Callable

import numpy as np

from grader.assignment import Topic
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Skip, after, checks
from grader.torchkit.modules.arrays import Array, changed, same
from grader.torchkit.modules.asking import build, call, normal
from grader.torchkit.modules.judging import (
    expect_alone,
    expect_repeatable,
    expect_shape,
    expect_trained,
)
from grader.torchkit.modules.run import ModuleRun

N, D = 16, 12
TOKENS = (3, N + 1, D)  # what comes out for a batch


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    batch, empty = normal(rng, 3, N, D), np.zeros((1, N, D), np.float32)
    weights = normal(rng, 3, N + 1, D)
    first, others = weights.copy(), weights.copy()
    first[:, 1:], others[:, 0] = 0, 0
    calls = {
        "batch": call(batch),
        "again": call(batch, seed=1),
        "empty": call(empty),
        "alone": call(batch[1:2]),
        "training step": call(batch, "training step", weights=weights, lr=0.1),
        "gradients": call(batch, "gradients", weights=weights),
        "gradients of the first token": call(batch, "gradients", weights=first),
        "gradients of the others": call(batch, "gradients", weights=others),
        "in training": call(batch, "in training"),
    }
    builds = {
        "usual": build(N, D, seed=1, calls=calls),
        "other parameters": build(N, D, seed=2, calls={"empty": call(empty)}),
        "small": build(9, 8, seed=3, calls={"batch": call(normal(rng, 2, 9, 8))}),
        "by name": build(num_patches=N, hidden_size=D, seed=1, calls={"batch": call(batch)}),
    }
    return Question({"name": "PositionEmbedding", "builds": builds}, known=batch)


def _run(evidence: Evidence) -> ModuleRun:
    return ModuleRun(evidence["positions"], "PositionEmbedding")


def shape(evidence: Evidence) -> None:
    """Tokens (B, N, D) become (B, N+1, D), for any batch size."""
    run = _run(evidence)
    if not run.works("usual") and run.works("by name"):
        raise Fail(
            "PositionEmbedding(num_patches=…, hidden_size=…) works, PositionEmbedding(num_patches, hidden_size) "
            "does not",
            "The arguments of the constructor are in another order than the assignment's.",
        )
    if (got := run.tensor("usual").shape) == (3, N, D):
        raise Fail(
            f"expected output shape {TOKENS} for an input of shape (3, {N}, {D}), got {got}",
            "The [CLS] token comes in front of the patch tokens: there is one token more.",
        )
    sizes = "The positions are added, not appended, and num_patches or hidden_size may be hard-coded."
    expect_shape(run, "usual", "batch", TOKENS, sizes)
    expect_shape(run, "usual", "alone", (1, N + 1, D))
    if not run.works("small"):
        try:
            run.result("small", "batch")
        except Fail as fail:
            raise Fail(fail.message, "It works for other sizes: is num_patches or hidden_size hard-coded?") from None
    expect_shape(run, "small", "batch", (2, 10, 8), sizes)
    run.output("usual")


def batch_mates(evidence: Evidence) -> None:
    """An image's tokens do not depend on the other images of its batch, nor on chance."""
    run = _run(evidence)
    batch = run.output("usual", "batch", TOKENS)
    expect_repeatable(batch, run.output("usual", "again", TOKENS), "tokens", run.built("usual"))
    expect_alone(run, "usual", "alone", batch[1:2], "an image")


@after(batch_mates)
def cls_in_front(evidence: Evidence) -> None:
    """The [CLS] token is the first one, and the same for every image."""
    run = _run(evidence)
    batch, empty = run.output("usual", "batch", TOKENS), run.output("usual", "empty", (1, N + 1, D))
    moved = changed(batch, np.broadcast_to(empty, batch.shape), axis=(0, 2))
    if not moved[0]:
        return
    if moved[:-1].all() and not moved[-1]:
        raise Fail(
            "the [CLS] token is the last token, expected it in front",
            "In torch.cat the order of the list is the order of the tokens.",
        )
    raise Fail(
        "the first token depends on the image, expected the learnable [CLS] token there, the same for all images",
        "Make it an nn.Parameter of shape (1, 1, D), expand it to the size of the batch, and put it in front.",
    )


def cls_is_last(evidence: Evidence) -> bool:
    """Whether the [CLS] token is behind the others, so that a ViT that reads it there reads it right."""
    try:
        cls_in_front(evidence)
    except Fail as fail:
        return "last" in fail.message
    except Exception:
        return False
    return False


@after(cls_in_front)
def positions_added(evidence: Evidence) -> None:
    """To each patch token its own position embedding is added, and nothing else happens to it."""
    run = _run(evidence)
    batch, empty = run.output("usual", "batch", TOKENS), run.output("usual", "empty", (1, N + 1, D))
    added, positions = batch[:, 1:] - run.known, empty[:, 1:]
    if not same(added, np.broadcast_to(positions, added.shape)):
        raise Fail(
            "token n of the output is not token n of the input plus a position embedding",
            "The positions are added to the tokens: no product, no concatenation, no normalisation, no reordering.",
        )
    _expect_different(positions[0])


def _expect_different(positions: Array) -> None:
    """Fail unless each of the (N, D) positions is a vector of its own."""
    if np.abs(positions).max() < 1e-6:
        raise Fail(
            "the tokens come out as they went in: no position embedding is added",
            "Each of the N+1 tokens, [CLS] too, has a position of its own, which is added before the tokens are returned.",
        )
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


@after(cls_in_front)
def learnable(evidence: Evidence) -> None:
    """The [CLS] token and all position embeddings are parameters that training changes."""
    run = _run(evidence)
    if run.size("usual") >= N * D and _fails(positions_added, evidence):  # there are parameters that are not added
        raise Skip
    expect_trained(run, "usual", "gradients")
    before, later = run.training_step("usual", "training step")
    first, second = (run.output(build, "empty", (1, N + 1, D))[0] for build in ("usual", "other parameters"))
    stuck = ~changed(later, before, axis=(0, 2), tolerance=1e-6) | ~changed(first, second, axis=(1,), tolerance=1e-6)
    hint = (
        "Wrap the tensor in nn.Parameter in __init__ and keep it in self; a plain tensor, a buffer, or one made in forward "
        "is never trained."
    )
    if stuck[1:].any():
        if not stuck[1:].all():
            raise Fail(*_some_not_learned(run, np.flatnonzero(stuck[1:]) + 1))
        what = "[CLS] token and the position embeddings" if stuck[0] else "position embeddings"
        raise Fail(f"the {what} are not learnable: a step of training leaves them as they were", hint)
    if stuck[0] or not _cls_learns_by_itself(run):
        raise Fail(
            "the [CLS] token is not a parameter of its own: only the position embedding added to it is learned", hint
        )


def _some_not_learned(run: ModuleRun, patches: Array) -> tuple[str, str]:
    """The words for position embeddings of which only some are trained.

    Args:
        patches: the numbers of the others, from 1.
    """
    empty = run.output("usual", "empty", (1, N + 1, D))[0]
    shown = ", ".join(map(str, patches[:5])) + (" …" if len(patches) > 5 else "")
    tokens = f"patch {shown}" if len(patches) == 1 else f"patches {shown}"
    hint = (
        "One parameter of shape (1, N+1, D) is added to all tokens at once: is a part of it left out or moved by one?"
    )
    if not np.abs(empty[patches]).max():
        return f"to the token of {tokens} no position embedding is added, to the others there is", hint
    return f"the position embedding of {tokens} is not learnable: a step of training leaves it as it was", hint


def _fails(check: Callable[[Evidence], None], evidence: Evidence) -> bool:
    """Whether another check of the criterion fails."""
    try:
        check(evidence)
    except Fail:
        return True
    return False


def _cls_learns_by_itself(run: ModuleRun) -> bool:
    """Whether the first token has a parameter of its own, or a row of its own beside its position in one for all."""
    first, others = (run.gradients("usual", f"gradients of the {which}") for which in ("first token", "others"))
    moved, others_moved = ({name for name, g in found.largest.items() if g} for found in (first, others))
    alone = run.gradients("usual", "gradients").reached - others.reached  # numbers that the first token alone rests on
    return bool(moved - others_moved) or alone > D


TOPIC = Topic(
    probes=(Probe("positions", "module.run", _ask),),
    criteria=(
        Criterion(
            "vit.position_embedding",
            checks(shape, batch_mates, cls_in_front, positions_added, learnable),
            ("PositionEmbedding",),
        ),
    ),
)
