"""What concerns no part alone: the hyperparameters, and what an instructor is told of a whole submission."""

import math
from collections.abc import Collection
from typing import Any

from grader.assignment import Topic
from grader.assignments.vit.names import HYPERPARAMETERS
from grader.evidence import Evidence, Probe, Question
from grader.forged import forged
from grader.observations import Answered, Misfit, NumberResult, OtherResult, Result, SequenceResult, TextResult
from grader.records import Raised
from grader.torchkit import devices

WHOLE = tuple(name for name in HYPERPARAMETERS if name not in ("lr", "weight_decay", "margin"))
SIZES = tuple(name for name in WHOLE if name not in ("batch_size", "num_epochs"))  # what models are built with


def hyperparameter(evidence: Evidence, name: str) -> float | None:
    """The value of a hyperparameter, None where it is not defined or no finite number."""
    answer = evidence["hyperparameters"]
    found = answer.value.get(name) if answer.ok else None
    return found.number if isinstance(found, NumberResult) and math.isfinite(found.number) else None


def size(evidence: Evidence, name: str, otherwise: int) -> int:
    """The size that stand-ins have: the notebook's own, which functions may read; another where that is none for a test.

    Args:
        name: "hidden_size" or "embed_size".
    """
    smallest, largest = 4, 1024
    own = hyperparameter(evidence, name)
    return int(own) if own and smallest <= own <= largest and own == int(own) else otherwise


def at_fault(evidence: Evidence, raised: Raised, names: Collection[str] = HYPERPARAMETERS) -> str:
    """A hint about a hyperparameter that an exception may come from; "" where none is out of the ordinary.

    Args:
        names: of those that may be the reason.
    """
    of_values = {"TypeError", "ValueError", "RuntimeError", "AssertionError", "ZeroDivisionError"}
    answer = evidence["hyperparameters"]
    for name, value in answer.value.items() if answer.ok and of_values & set(raised.bases) else ():
        if problem := _unusable(name, value) if name in names else "":
            at = f" ({evidence.submission.program.names[name]})" if name in evidence.submission.program.names else ""
            return f"`{name}`{at} is {problem}."
    return ""


def _unusable(name: str, value: Result) -> str:
    """What a hyperparameter is, and what to write instead; "" where it may be what it is."""
    match value:
        case SequenceResult():
            comma = "take away the comma at the end of its line"
            if len(value.items) > 1:
                comma = "write a decimal number with a point, 0.2, and put no comma at the end of the line"
            return f"a {value.type[:20]} of {len(value.items)}: {comma}"
        case TextResult():
            return f"a text, {value.text[:20]!r}: take the quotation marks away"
        case OtherResult(none=True):
            return "None: give it a number"
        case NumberResult(number=number) if name in WHOLE and value.type == "float" and math.isfinite(number):
            return f"{number}: write a whole number" + (f", {number:.0f}" if number.is_integer() else "")
        case NumberResult(number=number) if name in WHOLE and number < 1:
            return f"{number:.0f}: it must be 1 or more"
        case NumberResult(number=number) if number < 0:
            return f"{number:g}: it must not be negative"
    return ""


def unequal_heads(hidden_size: float, heads: float) -> str:
    """A hint about heads that the hidden size cannot be divided among; "" where it can."""
    if heads >= 1 and hidden_size % heads == 0:
        return ""
    return f"Each head takes an equal part of hidden_size: {hidden_size:.0f} cannot be divided by heads={heads:.0f}."


def _only_what_was_asked(args: dict[str, Any], answer: dict[str, Result]) -> None:
    if others := sorted(answer.keys() - set(args["names"])):
        raise Misfit(f"Expected values of {', '.join(args['names'])} alone, got one of {others[0][:60]}")


PROBE = Probe("hyperparameters", "names.values", lambda evidence, rng: Question({"names": list(HYPERPARAMETERS)}))
TOPIC = Topic(
    warnings=(devices.hard_coded_device, forged),
    forms={"names.values": Answered(dict[str, Result], _only_what_was_asked), **devices.ANSWERS},
)
