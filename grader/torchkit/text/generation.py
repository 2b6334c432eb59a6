"""``generate(model, idx, max_new_tokens, temperature=0.0)``: token by token, greedy or drawn.

It is asked on a model of three tables, whose right continuations are computed here.

Shapes: B texts, T tokens, V size of the vocabulary.
"""

from typing import Any

import numpy as np

from grader.assignment import Topic
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Missing, after, checks
from grader.observations import Answered, Count, Misfit, RaisedResult, Record, ResultOrRaised
from grader.raised import raised_hint, raised_words
from grader.torchkit.modules.arrays import Array
from grader.torchkit.results import numbers_of, words_of

V, N, DRAWS = 11, 6, 6_000  # block_size is N; as many texts are continued by chance
MAX_DISTANCE = (
    0.05  # between frequencies and probabilities, half the sum of what they differ by: right code comes to 0.02
)


class Generated(Record, frozen=True):
    """A call of ``generate``.

    Attributes:
        result: what came back.
        prompts_changed: whether the tensor of prompts holds other ids afterwards.
        mode_after: whether the model is in train mode afterwards.
        trained: whether it was called in train mode.
        with_gradient: whether it was called with gradients enabled.
        longest: most tokens that it was given.
    """

    result: ResultOrRaised
    prompts_changed: bool
    mode_after: bool
    trained: bool
    with_gradient: bool
    longest: Count


GenerationAnswer = dict[str, Generated]


def _each_call(args: dict[str, Any], answer: GenerationAnswer) -> None:
    if answer.keys() != args["calls"].keys():
        raise Misfit(f"Expected the calls {', '.join(args['calls'])}")


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    tables = (2 * rng.standard_normal((3, V, V))).astype(np.float32)
    prompt = rng.integers(0, V, (3, 4))
    drawn = np.repeat(rng.integers(0, V, (1, 3)), DRAWS, axis=0)
    for table, token in zip(tables, drawn[0, ::-1], strict=True):
        table[token] /= 2.3  # flat enough that temperatures tell

    def call(idx: Array, new: int, training: bool = False, **more: Any) -> dict[str, Any]:
        return {"idx": idx, "new": new, "training": training, "more": more, "seed": int(rng.integers(2**31))}

    calls = {
        "greedy": call(prompt, 2),
        "one text": call(prompt[:1], 2),
        "in train mode": call(prompt, 2, True),
        "long": call(prompt, 9),
        "at 0": call(prompt, 2, temperature=0.0),
        "at 1": call(drawn, 1, temperature=1.0),
        "at 2": call(drawn, 1, temperature=2.0),
        "at 0.5": call(drawn, 1, temperature=0.5),
        "drawn again": call(drawn, 1, temperature=1.0),
    }
    return Question({"tables": tables, "block_size": N, "calls": calls})


def _logits(tables: Array, idx: Array) -> Array:
    """(B, V) of the token that follows, from the last N tokens; as ``grader.torchkit.inside.generating.TableModel`` gives them."""
    seen = idx[:, -N:]
    before = seen[:, -2] if seen.shape[1] > 1 else seen[:, -1]
    found: Array = tables[0][seen[:, -1]] + tables[1][before] + tables[2][seen[:, 0]]
    return found


def _greedy(tables: Array, idx: Array, new: int, context: int = N) -> Array:
    for _ in range(new):
        following = _logits(tables, idx[:, -context:]).argmax(-1)
        idx = np.concatenate([idx, following[:, None]], axis=1)
    return idx


def _call(evidence: Evidence, name: str) -> tuple[Generated, Array]:
    """A call, and the ids that came back.

    Raises:
        Fail, Missing: none came back, or not as many as asked for.
    """
    call, asked = evidence["generation"].value[name], evidence["generation"].question.args["calls"][name]
    result, idx, new = call.result, asked["idx"], asked["new"]
    given = "".join(f", {key}={value}" for key, value in asked["more"].items())
    words = f"generate(model, idx, {new}{given}) for idx of shape {idx.shape}"
    if isinstance(result, RaisedResult):
        if result.exception.is_to_do:
            raise Missing(f"still to do: {result.exception.message}")
        raise Fail(f"{words} {raised_words(result.exception)}", raised_hint(result.exception))
    ids, expected = numbers_of(result), (len(idx), idx.shape[1] + new)
    if ids is None:
        raise Fail(f"expected {words} to return a tensor of ids, got {words_of(result)}", "Does it end with a return?")
    if ids.shape != expected:
        hint = "The prompts come back as well, in front of what follows." if ids.shape == (len(idx), new) else ""
        raise Fail(f"expected {words} to return shape {expected}, got {ids.shape}", hint)
    if (ids[:, : idx.shape[1]] != idx).any():
        raise Fail(f"expected {words} to return the prompts in front of what follows, got other tokens there")
    return call, ids


def greedy(evidence: Evidence) -> None:
    """At temperature 0, the default, the most likely token follows, again and again."""
    asked = evidence["generation"].question.args
    for name in ("greedy", "one text", "at 0"):
        _, ids = _call(evidence, name)
        idx, new = asked["calls"][name]["idx"], asked["calls"][name]["new"]
        if not np.array_equal(ids, right := _greedy(asked["tables"], idx, new)):
            row = int((ids != right).any(1).argmax())
            raise Fail(
                f"expected the most likely tokens {_shown(right[row, idx.shape[1] :])} after {_shown(idx[row])}, got "
                f"{_shown(ids[row, idx.shape[1] :])}",
                _why_other_tokens(asked["tables"], idx, ids),
            )


def _why_other_tokens(tables: Array, idx: Array, ids: Array) -> str:
    """The mistake that gives these tokens; "" where none is known."""
    first, length = ids[:, idx.shape[1]], idx.shape[1]
    if not (first == _logits(tables, idx).argmax(-1)).all():
        if (first == _logits(tables, idx).argmin(-1)).all():
            return "These are the least likely ones."
        if (first == _logits(tables, idx[:, :1]).argmax(-1)).all():
            return "These follow the first token: the logits of the last one count, logits[:, -1]."
        return "Take the argmax of the last logits over the vocabulary, logits[:, -1].argmax(-1), and draw nothing."
    if (ids[:, length:] == first[:, None]).all():
        return "The same token follows again and again: each new token is appended before the model is asked again."
    return "Append each new token, and give the model the whole text again."


@after(greedy)
def context(evidence: Evidence) -> None:
    """Of a text longer than block_size the model is given the last block_size tokens."""
    asked = evidence["generation"].question.args
    call, ids = _call(evidence, "long")
    if call.longest > N:
        raise Fail(
            f"the model was given {call.longest} tokens, and takes block_size={N} at most",
            "Give the model no more than the last block_size tokens of each text.",
        )
    if not np.array_equal(ids, _greedy(asked["tables"], asked["calls"]["long"]["idx"], 9)):
        raise Fail(
            f"a text that grows beyond block_size={N} goes on with other tokens than the last {N} tokens lead to",
            "Cut the context to its last block_size tokens, not to its first ones, and not shorter.",
        )


@after(greedy)
def mode(evidence: Evidence) -> None:
    """The model computes in eval mode and without gradient, and is left in the mode in which it was."""
    asked = evidence["generation"].question.args
    call, ids = _call(evidence, "in train mode")
    right = _greedy(asked["tables"], asked["calls"]["in train mode"]["idx"], 2)
    if call.trained or not np.array_equal(ids, right):
        raise Fail("dropout is active: the model is called in train mode", "Call model.eval() before the first token.")
    if not call.mode_after:
        raise Fail(
            "a model that was in train mode is in eval mode afterwards: a training that goes on has no dropout",
            "Remember model.training, and call model.train(…) with it in the end.",
        )
    call, _ = _call(evidence, "greedy")
    if call.mode_after:
        raise Fail("a model that was in eval mode is in train mode afterwards", "Remember model.training.")
    if call.with_gradient:
        raise Fail(
            "the model is called with gradients",
            "Wrap the loop in torch.no_grad(): it is faster, and needs less memory.",
        )
    if call.prompts_changed:
        raise Fail("the tensor of prompts is changed, which the caller goes on using", "Append with torch.cat.")


@after(greedy)
def temperature(evidence: Evidence) -> None:
    """At another temperature the next token is drawn from softmax(logits / temperature)."""
    asked = evidence["generation"].question.args
    logits = _logits(asked["tables"], asked["calls"]["at 1"]["idx"][:1])[0].astype(np.float64)  # (V,)
    found = {name: _frequencies(evidence, name) for name in ("at 1", "at 2", "at 0.5")}
    if all(frequencies.max() == 1 for frequencies in found.values()):
        raise Fail("the same token follows at each temperature: it is not drawn", DRAW_HINT)
    for name, frequencies in found.items():
        value = float(name.removeprefix("at "))
        if _distance(frequencies, _softmax(logits / value)) <= MAX_DISTANCE:
            continue
        if _distance(frequencies, _softmax(logits)) <= MAX_DISTANCE:
            raise Fail(f"temperature={value:g} is ignored: tokens are drawn as at 1", DRAW_HINT)
        if _distance(frequencies, _softmax(logits * value)) <= MAX_DISTANCE:
            raise Fail(f"at temperature={value:g} the logits are multiplied by it, expected them divided", DRAW_HINT)
        raise Fail(
            f"at temperature={value:g} a token of probability {_softmax(logits / value).max():.2f} follows in "
            f"{frequencies[logits.argmax()]:.2f} of {DRAWS:,} draws",
            DRAW_HINT,
        )
    if np.array_equal(_call(evidence, "at 1")[1], _call(evidence, "drawn again")[1]):
        raise Fail("two calls draw the same tokens, one for one", "Do not seed the generator inside generate.")


DRAW_HINT = "Draw with torch.multinomial(softmax(logits / temperature), 1), from the last logits of each text."


def _frequencies(evidence: Evidence, name: str) -> Array:
    """(V,) how often each token follows."""
    following = _call(evidence, name)[1][:, -1]
    if (np.mod(following, 1) != 0).any() or following.min() < 0 or following.max() >= V:
        raise Fail(f"expected ids from 0 to {V - 1}, got others")
    return np.bincount(following.astype(np.int64), minlength=V) / len(following)


def _softmax(logits: Array) -> Array:
    weights = np.exp(logits - logits.max())
    found: Array = weights / weights.sum()
    return found


def _distance(a: Array, b: Array) -> float:
    return float(np.abs(a - b).sum() / 2)


def _shown(ids: Array) -> str:
    return "[" + ", ".join(f"{number:g}" for number in ids[:8]) + "]"


def topic(criterion: str) -> Topic:
    """All that is asked and judged of ``generate``.

    Args:
        criterion: its id.
    """
    return Topic(
        (Probe("generation", "generation.ask", _ask, lambda evidence: evidence.has("generate")),),
        (Criterion(criterion, checks(greedy, context, mode, temperature), ("generate",)),),
        forms={"generation.ask": Answered(GenerationAnswer, _each_call)},
    )
