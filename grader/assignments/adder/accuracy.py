"""Sums answered right: the model in gpt.pt answers, beside student code, to sums whose results never leave this side.

Shapes: n sums.
"""

import os
from collections import Counter
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta

from grader.assignment import Topic
from grader.assignments.adder import sums
from grader.assignments.adder.names import BLOCK_SIZE, CHARACTERS, MODEL
from grader.evidence import Evidence, Probe, Question, Unanswered
from grader.judging import Blocked, Criterion, Fail, Missing, after, checks
from grader.observations import Answered, Misfit, Name, RaisedResult, Record
from grader.raised import raised_hint, raised_words
from grader.records import Measurement
from grader.torchkit import checkpoints
from grader.torchkit.checkpoints import Absent, Loaded, Loading, NoStateDict, Opened, Opening

FILE, PROBE, SUMS_ASKED = "gpt.pt", "checkpoint", 2_000


class Texts(Record, frozen=True, tag_field="kind", tag="texts"):
    """(n,) what the model wrote behind each prompt."""

    texts: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=10_000)]


class CheckpointAnswer(Record, frozen=True):
    """How far the model in gpt.pt came.

    Attributes:
        opening: what the file holds.
        undefined: hyperparameters that the submission does not define.
        model: how the state dict fits the model; None where there was nothing to fit.
        texts: what it answers, where it was loaded.
        shuffled: the same with its weights in another order.
    """

    opening: Opening
    undefined: Annotated[list[Name], Meta(max_length=10)]
    model: Loading | None
    texts: Texts | RaisedResult | None
    shuffled: Texts | None


def _agree(args: dict[str, Any], answer: CheckpointAnswer) -> None:
    """There is an answer for each sum where the model was loaded, and none else."""
    if isinstance(answer.model, Loaded) != (answer.texts is not None):
        raise Misfit("Expected answers of a model that was loaded, and of no other")
    if isinstance(answer.texts, Texts) != (answer.shuffled is not None):
        raise Misfit("Expected answers with shuffled weights beside the others")
    for found in (answer.texts, answer.shuffled):
        if isinstance(found, Texts) and len(found.texts) != len(args["prompts"]):
            raise Misfit(f"Expected {len(args['prompts'])} answers, got {len(found.texts)}")


def has_file(evidence: Evidence) -> bool:
    """Whether gpt.pt was handed in."""
    return FILE in evidence.submission.files


def model_args(evidence: Evidence) -> dict[str, Any]:
    """What the model of a checkpoint is made with."""
    return {
        "path": str(evidence.submission.files[FILE]),
        "characters": CHARACTERS,
        "block_size": BLOCK_SIZE,
        "own_tokenizer": evidence.passed("text.tokenizer"),
    }


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    pairs = sums.draw(rng, min(SUMS_ASKED, evidence.options.get("sample") or SUMS_ASKED), for_testing=True)
    args = model_args(evidence) | {
        "prompts": [sums.prompt(*pair) for pair in pairs],
        "new": 5,  # tokens: four digits and a dot
        "own_generate": evidence.passed("generation.generate"),
        "threads": max(1, int(evidence.options.get("threads") or min(4, os.cpu_count() or 1))),
        "seed": int(rng.integers(2**31)),
    }
    return Question(args, pairs)


def recorded(evidence: Evidence) -> float | None:
    """The exact match that gpt.pt records, from 0 to 1; None where it records none."""
    opening = evidence[PROBE].value.opening if evidence[PROBE].ok else None
    return checkpoints.share(opening.recorded) if isinstance(opening, Opened) else None


def right(evidence: Evidence, which: Literal["texts", "shuffled"] = "texts") -> np.ndarray:
    """(n,) which sums are answered right.

    Raises:
        Fail, Missing, Blocked, Unanswered: there are no answers; why, in words.
    """
    _expect_loaded(evidence)
    found = getattr(evidence[PROBE].value, which)
    if isinstance(found, RaisedResult):
        said = f"answering sums {raised_words(found.exception)}"
        raise _blamed(evidence, said, raised_hint(found.exception))
    wanted = (sums.answer(*pair) for pair in evidence[PROBE].known)
    return np.array([text.startswith(answer) for text, answer in zip(found.texts, wanted, strict=True)])


def score(evidence: Evidence) -> float | None:
    """The share of sums that are answered right; None where there are no answers."""
    try:
        return float(right(evidence).mean())
    except (Fail, Missing, Blocked, Unanswered):
        return None


def other_code(evidence: Evidence) -> str | None:
    """The criterion whose fault explains that the checkpoint does worse than it records: it came from other code."""
    by = next((criterion for criterion in MODEL if evidence.verdict(criterion).status == "failed"), None)
    claim, found = recorded(evidence), score(evidence)
    if by is None or claim is None or evidence.rubric.below("exact_match", claim):
        return None
    max_loss = 0.03  # recorded minus computed: more is another code's, not chance among some 2,000 sums
    return by if found is None or claim - found > max_loss else None


def fits(evidence: Evidence) -> None:
    """gpt.pt opens, fits the submitted code, and answers."""
    if not has_file(evidence):
        raise Missing(f"there is no {FILE}: `train_model` writes it; hand it in beside the notebook")
    if not evidence.has("GPT") or evidence.verdict("model.gpt").status == "missing":
        raise Blocked("model.gpt", f"there is no `GPT` that {FILE} could be loaded into")
    right(evidence)


def _expect_loaded(evidence: Evidence) -> None:
    answer: CheckpointAnswer = evidence[PROBE].value
    save = 'Save it as train_model should: torch.save({"model": model.state_dict(), "exact_match": …}, "gpt.pt").'
    checkpoints.expect_dict(answer.opening, FILE, save)
    if answer.undefined:
        raise Missing(f"`{answer.undefined[0][:40]}` is not defined: the model is built with the hyperparameters")
    if answer.model is not None and (why := checkpoints.why_not_loaded(answer.model, "model", FILE, "GPT")):
        if isinstance(answer.model, Absent | NoStateDict):
            raise Fail(*why)
        raise _blamed(evidence, *why)


def _blamed(evidence: Evidence, message: str, hint: str) -> Fail | Blocked:
    """Blame a criterion of the model where one has failed or is not passed, else the checkpoint."""
    lost = [criterion for criterion in MODEL if not evidence.passed(criterion)]
    failed = [criterion for criterion in lost if evidence.verdict(criterion).status == "failed"]
    return Blocked((failed or lost)[0], message) if lost else Fail(message, hint)


@after(fits)
def reached(evidence: Evidence) -> None:
    """Enough of 2,000 held-out sums are answered right, digit for digit."""
    found = right(evidence)
    if not evidence.rubric.below("exact_match", float(found.mean())):
        return
    wanted = evidence.rubric.thresholds["exact_match"]
    if by := other_code(evidence):
        claim = f"{FILE} records {recorded(evidence):.3f}"
        raise Blocked(by, f"{claim}, and with the code as it is now the model answers {found.mean():.3f} right")
    measured = Measurement.of_share(float(found.mean()), len(found), wanted)
    raise Fail(
        f"{found.mean():.1%} (± {100 * measured.plus_minus:.1f} points) of {len(found):,} sums are answered right, "
        f"{wanted:.0%} are needed",
        _why_wrong(evidence),
        measured,
    )


def _why_wrong(evidence: Evidence) -> str:
    """The likely cause of wrong answers, with one of them."""
    answer, found = evidence[PROBE].value, right(evidence)
    row = int(np.argmin(found))
    a, b = evidence[PROBE].known[row]
    example = f"After {sums.prompt(a, b)!r} comes {answer.texts.texts[row]!r}, expected {sums.answer(a, b)!r}."
    if sum(
        text.startswith(str(x + y)) for text, (x, y) in zip(answer.texts.texts, evidence[PROBE].known, strict=True)
    ) > (len(found) / 2):
        return (
            f"{example} The digits come from the first to the last: the contract has them from the last to the first."
        )
    if Counter(answer.texts.texts).most_common(1)[0][1] > len(found) / 2:
        return f"{example} Nearly every sum is answered alike: look at learning rate and loss."
    return f"{example} Train longer, with a learning rate that falls towards the end, or with a larger model."


@after(fits)
def learned(evidence: Evidence) -> None:
    """What answers is what was learned: with shuffled weights the model cannot add."""
    found = float(right(evidence, "shuffled").mean())
    max_share = 0.3  # of the sums that may be right when the weights are shuffled: nothing learned answers one in 100
    if found > max_share:
        raise Fail(
            f"with its weights shuffled the model still answers {found:.1%} of the sums right: it is the code that adds",
            "The sums are to be answered by the layers and their weights.",
        )


TOPIC = Topic(
    probes=(
        Probe(
            PROBE, "checkpoint.answer", _ask, has_file, 300.0, ("training.accuracy", "training.log"), ("path", "threads"),
            1.0, in_parallel=True, needs=("text.tokenizer", "generation.generate", *MODEL),
        ),
    ),
    criteria=(Criterion("training.accuracy", checks(fits, reached, learned), needs=MODEL, threshold="exact_match"),),
    measures={"exact_match": score},
    forms={"checkpoint.answer": Answered(CheckpointAnswer, _agree)},
)  # fmt: skip
