"""``GPT``: logits for each token, positions, and the loss; judged with stand-ins in the place of broken parts.

Shapes: B texts, T tokens, N most tokens of a text, V size of the vocabulary, D width of the model.
"""

import numpy as np

from grader.assignment import Topic, joined
from grader.assignments.adder.names import ATTENTION
from grader.evidence import Evidence, Probe, Question
from grader.judging import Blocked, Criterion, Fail, Skip, after, checks
from grader.observations import OtherResult, Result, SequenceResult, TensorResult
from grader.torchkit.modules.answers import CallResult
from grader.torchkit.modules.arrays import Array, same
from grader.torchkit.modules.asking import build, call
from grader.torchkit.modules.blocks import expect_own_blocks
from grader.torchkit.modules.judging import (
    expect_alone,
    expect_parameters_trained,
    expect_registered,
    expect_repeatable,
    expect_shape,
    noise_alone,
)
from grader.torchkit.modules.run import ModuleRun
from grader.torchkit.results import words_of
from grader.torchkit.text import attention, block
from grader.torchkit.text.causality import each_replaced, expect_all_before, expect_causal, influence
from grader.torchkit.text.token_losses import IGNORED_TARGET, mean_cross_entropy, why_other_loss

B, T, N, V, D = 3, 6, 9, 11, 16  # all different, so that no axis is taken for another
PARTS = (*ATTENTION, "model.block")
SWAPPED = ("neighbours swapped", "neighbours swapped again")  # the same call with two seeds
PAIR_HINT = "Return (logits, loss), and (logits, None) where no targets are given."


def broken_attention(evidence: Evidence) -> list[str]:
    """The class in whose place a stand-in is put, where attention is not right."""
    return [] if all(map(evidence.passed, ATTENTION)) else ["CausalSelfAttention"]


class GPTRun(ModuleRun):
    """The answer to a run of GPT, whose calls give a pair: the logits are what is looked at as the output."""

    def result(self, build: str, call: str) -> CallResult:
        """The logits of one call; raises as the method of ``ModuleRun`` does."""
        return self.pair(build, call)[0]

    def pair(self, build: str, call: str) -> tuple[CallResult, Result | None]:
        """Logits and loss of one call; what is no such pair fails, and gradients come alone."""
        result = super().result(build, call)
        if self.answer.question.args["builds"][build]["calls"][call]["do"] == "loss gradients":
            return result, None
        if not isinstance(result, SequenceResult) or len(result.items) != 2:
            raise Fail(f"expected `GPT` to return a pair (logits, loss), got {words_of(result)}", PAIR_HINT)  # type: ignore[arg-type]
        return result.items[0], result.items[1]


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    ids = rng.permutation(V)
    idx, targets = rng.integers(0, V, (B, T)), rng.integers(0, V, (B, T))
    long = rng.integers(0, 7, (2, 11))
    idx[0] = ids[:T]  # all different, so that two of them can change places
    some = np.where(rng.random((B, T)) < 0.5, IGNORED_TARGET, targets)
    some[:, 0], some[:, -1] = IGNORED_TARGET, targets[:, -1]
    others = (idx[0] + rng.integers(1, V, T)) % V
    batch = {"batch": call(idx)}
    swapped = {name: call(_swapped(idx[0]), seed=seed) for seed, name in enumerate(SWAPPED)}
    calls = batch | {
        "again": call(idx, seed=1),
        "alone": call(idx[1:2]),
        "longest": call(rng.integers(0, V, (2, N))),
        "each token replaced": call(each_replaced(idx[0], others)),
        "all targets": call(idx, "with targets", targets=targets),
        "some targets": call(idx, "with targets", targets=some),
        "gradients": call(idx, "loss gradients", targets=targets),
    }
    builds = {
        "gpt": build(V, N, 2, 2, D, seed=1, attributes=["block_size"], calls=calls),
        "one layer": build(V, N, 1, 2, D, seed=1, calls=batch | swapped),
        "three layers": build(V, N, 3, 2, D, seed=1, calls=batch),
        "one head": build(V, N, 2, 1, D, seed=1, calls=batch),
        "other sizes": build(7, 11, 1, 3, 6, seed=2, attributes=["block_size"], calls={"batch": call(long)}),
        "copy": build(V, N, 2, 2, D, seed=3, like="gpt", calls=batch),
    }
    stand_ins = [*broken_attention(evidence), *([] if evidence.passed("model.block") else ["Block"])]
    return Question({"name": "GPT", "builds": builds, "stand_ins": stand_ins}, {"targets": targets, "some": some})


def _swapped(tokens: Array) -> Array:
    """(T - 1, T): a text as it is, and with each two neighbours swapped but the last token."""
    texts = np.repeat(tokens[None], len(tokens) - 1, axis=0)
    for place, text in enumerate(texts[1:]):
        text[[place, place + 1]] = text[[place + 1, place]]
    return texts


def of_gpt(evidence: Evidence) -> GPTRun:
    """What GPTs gave."""
    return GPTRun(evidence["gpt"], "GPT")


def shape(evidence: Evidence) -> None:
    """Ids (B, T) become a pair: logits (B, T, V) for every token, and None without targets."""
    run = of_gpt(evidence)
    for name, call_, expected in (
        ("gpt", "batch", (B, T, V)), ("gpt", "alone", (1, T, V)), ("gpt", "longest", (2, N, V)),
        ("other sizes", "batch", (2, 11, 7)),
    ):  # fmt: skip
        got = run.tensor(name, call_).shape
        if got[1:] == (1, expected[2]) or got == (expected[0], expected[2]):
            raise Fail(
                f"expected logits of shape {expected}, got {got}: those of the last token alone",
                "Each token predicts the next one, with targets and without: generate picks the last logits itself.",
            )
        expect_shape(run, name, call_, expected, "Is vocab_size or block_size hard-coded?")
    run.output("gpt")
    if not (isinstance(loss := run.pair("gpt", "batch")[1], OtherResult) and loss.none):
        raise Fail(f"expected (logits, None) without targets, got {words_of(loss)} as the loss", PAIR_HINT)  # type: ignore[arg-type]


@after(shape)
def batch_mates(evidence: Evidence) -> None:
    """A text's logits do not depend on the other texts of the batch, nor on chance."""
    run = of_gpt(evidence)
    x = run.output("gpt")
    expect_repeatable(x, run.output("gpt", "again"), "text")
    expect_alone(run, "gpt", "alone", x[1:2], "a text")


@after(batch_mates)
def looks_back(evidence: Evidence) -> None:
    """The logits of each token depend on all tokens up to it, and on no later one."""
    found = influence(of_gpt(evidence).output("gpt", "each token replaced", (T + 1, T, V)))
    expect_causal(found, "the logits")
    expect_all_before(found, "the logits")


@after(batch_mates)
def arguments(evidence: Evidence) -> None:
    """Every constructor argument has its effect; ``block_size`` is an attribute."""
    run = of_gpt(evidence)
    for name, size in (("gpt", N), ("other sizes", 11)):
        if (got := run.number(name, "block_size")) != size:
            raise Fail(
                f"expected the attribute block_size to be {size}, got {'none' if got is None else f'{got:g}'}",
                "Keep it in self in __init__: generate reads it.",
            )
    builds = ("one layer", "gpt", "three layers")
    expect_own_blocks([run.size(name) for name in builds], [run.output(name) for name in builds], "GPTs", "n_layer")
    if same(run.output("one head"), run.output("gpt"), 1e-5):
        raise Fail("GPTs with 1 and 2 heads give the same logits: n_head has no effect", "Pass it on to the blocks.")


@after(batch_mates)
def trained(evidence: Evidence) -> None:
    """Every parameter is registered and gets a gradient of the loss, and is in the state dict."""
    run = of_gpt(evidence)
    if not isinstance(run.pair("gpt", "all targets")[1], TensorResult):
        return  # the criterion of the loss says what is wrong with it
    if evidence.passed("model.positions") or not _only_positions_unused(run):
        expect_parameters_trained(run, "gpt", "gradients")
    expect_registered(run.output("copy"), run.output("gpt"), "a GPT")


def _only_positions_unused(run: GPTRun) -> bool:
    """Whether all parameters without a gradient have an axis as long as a text may be: positions that are not added."""
    largest = run.gradients("gpt", "gradients").largest
    unused = [parameter for parameter in run.built("gpt").parameters if not largest.get(parameter.name)]
    return all(N in parameter.shape for parameter in unused if len(parameter.shape) > 1)


def positions(evidence: Evidence) -> None:
    """A token counts by its place: where two tokens change places, what follows changes."""
    run = of_gpt(evidence)
    for name in SWAPPED:
        _expect_logits(run, "one layer", name, (T - 1, T, V))
    logits, again = (run.output("one layer", name) for name in SWAPPED)
    if noise_alone(logits, again):
        raise Blocked("model.gpt", "the same tokens should give the same logits each time, and give others")
    last = logits[:, -1]
    same_as_before = [place for place, logits in enumerate(last[1:], 1) if same(logits, last[0], 1e-5)]
    if len(same_as_before) == T - 2:
        raise Fail(
            "two tokens that change places change nothing behind them: positions are not used, and 12+3 is 21+3",
            "Add to each token the embedding of its place: position_embedding(torch.arange(T)).",
        )
    if same_as_before:
        place = same_as_before[0]
        raise Fail(
            f"tokens {place} and {place + 1} may change places and nothing changes behind them: their positions are the same",
            "Each place needs an embedding of its own: torch.arange(T), along the axis of the tokens.",
        )


def _expect_logits(run: GPTRun, build: str, call_: str, expected: tuple[int, ...]) -> None:
    """Leave it to the criterion of the model where it gives no logits."""
    try:
        got = run.output(build, call_).shape
    except Fail as fail:
        raise Blocked("model.gpt", f"the model gives no logits: {fail.message}") from None
    if got != expected:
        raise Blocked("model.gpt", f"the model gives {got}, and no logits {expected}")


def loss_given(evidence: Evidence) -> None:
    """With targets a number comes back beside the logits: the loss."""
    run = of_gpt(evidence)
    _expect_logits(run, "gpt", "batch", (B, T, V))
    for call_ in ("all targets", "some targets"):
        loss = run.pair("gpt", call_)[1]
        if not isinstance(loss, TensorResult) or loss.array.size != 1:
            raise Fail(f"expected the loss as a tensor of one number, got {words_of(loss)}", PAIR_HINT)  # type: ignore[arg-type]


@after(loss_given)
def cross_entropy(evidence: Evidence) -> None:
    """The loss is the mean cross-entropy of the logits and the targets, each target belonging to its token."""
    _expect_loss(evidence, "all targets", evidence["gpt"].known["targets"])


@after(cross_entropy)
def ignored(evidence: Evidence) -> None:
    """Targets of -100 are left out, of the sum and of what it is divided by."""
    _expect_loss(evidence, "some targets", evidence["gpt"].known["some"])


def _expect_loss(evidence: Evidence, call_: str, targets: Array) -> None:
    run = of_gpt(evidence)
    logits = run.output("gpt", call_)
    if logits.shape != (B, T, V):
        raise Skip
    loss = run.pair("gpt", call_)[1]
    assert isinstance(loss, TensorResult), "the check before has seen it"
    got, expected = float(loss.array.reshape(-1)[0]), mean_cross_entropy(logits, targets)
    if not abs(got - expected) <= 1e-3 * max(1.0, abs(expected)):
        what = (
            "" if call_ == "all targets" else f" over the {(targets != IGNORED_TARGET).sum()} targets that are not -100"
        )
        raise Fail(
            f"expected the mean cross-entropy{what}, {expected:.4f}, as the loss, got {got:.4f}",
            why_other_loss(got, logits, targets),
        )


TOPIC = joined(
    attention.topic(*ATTENTION),
    block.topic("model.block", "gpt.run", broken_attention, ATTENTION),
    Topic(
        probes=(Probe("gpt", "gpt.run", _ask, lambda evidence: evidence.has("GPT"), needs=PARTS),),
        criteria=(
            Criterion("model.positions", checks(positions), ("GPT",), needs=PARTS),
            Criterion(
                "model.gpt",
                checks(shape, batch_mates, looks_back, arguments, trained),
                ("GPT",),
                needs=(*PARTS, "model.positions"),
            ),
            Criterion("model.loss", checks(loss_given, cross_entropy, ignored), ("GPT",), needs=PARTS),
        ),
    ),
)
