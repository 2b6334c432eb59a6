"""A tokenizer of characters, a class ``Tokenizer(characters)``: one token for each, and back again."""

from functools import partial
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from grader.assignment import Topic
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Missing, after, checks
from grader.observations import Answered, Misfit, NumberResult, RaisedResult, Record, Result, ResultOrRaised, TextResult
from grader.raised import raised_hint, raised_words
from grader.torchkit.results import numbers_of, words_of


class Coded(Record, frozen=True):
    """A text that was encoded, and its ids decoded as a list and as a tensor; None where there were no ids."""

    ids: ResultOrRaised
    from_list: ResultOrRaised | None
    from_tensor: ResultOrRaised | None


class TokenizerAnswer(Record, frozen=True):
    """What a tokenizer did: its attribute ``vocab_size``, each text of the question, and the one with a strange letter."""

    vocab_size: Result
    texts: Annotated[list[Coded], Meta(max_length=100)]
    unknown: ResultOrRaised


def _each_text(args: dict[str, Any], answer: TokenizerAnswer) -> None:
    if len(answer.texts) != len(args["texts"]):
        raise Misfit(f"Expected {len(args['texts'])} texts, got {len(answer.texts)}")
    if any(coded.ids is not None and None in (coded.from_list, coded.from_tensor) for coded in answer.texts):
        raise Misfit("Expected what the ids are decoded to, got none")


def _ask(characters: str, unknown: str, evidence: Evidence, rng: np.random.Generator) -> Question:
    shuffled = "".join(rng.permutation(list(characters)))
    texts = [shuffled, *("".join(rng.choice(list(characters), int(rng.integers(1, 20)))) for _ in range(8))]
    return Question({"characters": characters, "texts": texts, "unknown": f"{texts[1]}{unknown}"})


def encodes(evidence: Evidence) -> None:
    """encode gives each character an id of its own, from 0 to vocab_size - 1, and vocab_size counts the characters."""
    answer, asked = evidence["tokenizer"].value, evidence["tokenizer"].question.args
    count = len(asked["characters"])
    size = answer.vocab_size
    if not isinstance(size, NumberResult) or size.number != count:
        raise Fail(
            f"expected the attribute vocab_size to be {count} for {count} characters, got {words_of(size)}",
            "Set self.vocab_size in __init__.",
        )
    known: dict[str, int] = {}
    for text, coded in zip(asked["texts"], answer.texts, strict=True):
        for character, number in zip(text, _ids(text, coded), strict=True):
            if known.setdefault(character, number) != number:
                raise Fail(
                    f"{character!r} is encoded as {known[character]} and as {number}, expected always the same id"
                )
            if not 0 <= number < count:
                raise Fail(
                    f"the id of {character!r} is {number}, expected ids from 0 to {count - 1}",
                    "Ids begin at 0: a model has vocab_size embeddings, the last of them at vocab_size - 1.",
                )
    if len(set(known.values())) < count:
        raise Fail(f"{count} characters have {len(set(known.values()))} different ids, expected an id for each")


def _ids(text: str, coded: Coded) -> list[int]:
    """The ids of a text.

    Raises:
        Fail, Missing: there are none, or not as many as characters.
    """
    result = _result(coded.ids, f"encode({text!r})")
    numbers = numbers_of(result)
    if numbers is None or numbers.ndim != 1 or (np.mod(numbers, 1) != 0).any():
        raise Fail(f"expected encode({text!r}) to return a list of whole numbers, got {words_of(result)}")
    if len(numbers) != len(text):
        raise Fail(f"expected {len(text)} ids for the {len(text)} characters of {text!r}, got {len(numbers)}")
    return [int(number) for number in numbers]


def _result(result: ResultOrRaised, call: str) -> Result:
    if not isinstance(result, RaisedResult):
        return result
    if result.exception.is_to_do:
        raise Missing(f"still to do: {result.exception.message}")
    raise Fail(f"{call} {raised_words(result.exception)}", raised_hint(result.exception))


@after(encodes)
def round_trip(evidence: Evidence) -> None:
    """decode(encode(text)) is the text, from a list of ids as from a tensor."""
    texts = evidence["tokenizer"].question.args["texts"]
    for text, coded in zip(texts, evidence["tokenizer"].value.texts, strict=True):
        for given, decoded in (("encode", coded.from_list), ("torch.tensor(encode", coded.from_tensor)):
            call = f"decode({given}({text!r}){')' * given.count('(')})"
            assert decoded is not None, "there are ids"
            result = _result(decoded, call)
            if not isinstance(result, TextResult):
                raise Fail(
                    f"expected {call} to return a text, got {words_of(result)}", 'Join the characters: "".join(…).'
                )
            if result.text != text:
                raise Fail(f"expected {call} to return the text again, got {result.text[:40]!r}")


@after(encodes)
def unknown(evidence: Evidence) -> None:
    """encode refuses a character that has no id."""
    result, asked = evidence["tokenizer"].value.unknown, evidence["tokenizer"].question.args
    if not isinstance(result, RaisedResult):
        raise Fail(
            f"expected encode to raise an exception, as a ValueError, for {asked['unknown'][-1]!r}, which is not among "
            f"{asked['characters']!r}; it returned {words_of(result)}",
            "A character that is left out or replaced makes another text, and nobody notices.",
        )


def topic(criterion: str, characters: str, strange: str) -> Topic:
    """All that is asked and judged of the tokenizer.

    Args:
        criterion: its id.
        characters: that it is made for.
        strange: a character that is not among them.
    """
    ask = partial(_ask, characters, strange)
    return Topic(
        (Probe("tokenizer", "tokenizer.ask", ask, lambda evidence: evidence.has("Tokenizer")),),
        (Criterion(criterion, checks(encodes, round_trip, unknown), ("Tokenizer",)),),
        forms={"tokenizer.ask": Answered(TokenizerAnswer, _each_text)},
    )
