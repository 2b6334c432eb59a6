"""What concerns no part alone: the hyperparameters, and what an instructor is told of a whole submission."""

import math
from typing import Any

from grader.assignment import Topic
from grader.assignments.vit.names import HYPERPARAMETERS
from grader.evidence import Evidence, Probe, Question
from grader.forged import forged
from grader.observations import Answered, Misfit, NumberResult, Result, SequenceResult, TextResult
from grader.torchkit import devices


def hyperparameter(evidence: Evidence, name: str) -> float | None:
    """The value of a hyperparameter, None where it is not defined or no finite number."""
    answer = evidence["hyperparameters"]
    found = answer.value.get(name) if answer.ok else None
    return found.number if isinstance(found, NumberResult) and math.isfinite(found.number) else None


def no_number(evidence: Evidence) -> str:
    """A hint about the first hyperparameter that is a tuple or a text where a number is due; "" where none is."""
    answer = evidence["hyperparameters"]
    hint = "write a decimal number with a point, 0.2, and put no comma at the end of the line."
    for name, value in answer.value.items() if answer.ok else ():
        at = f" ({evidence.submission.program.names[name]})" if name in evidence.submission.program.names else ""
        if isinstance(value, SequenceResult):
            return f"`{name}`{at} is a {value.type[:20]} of {len(value.items)}: {hint}"
        if isinstance(value, TextResult):
            return f"`{name}`{at} is a text, {value.text[:20]!r}: take the quotation marks away."
    return ""


def _only_what_was_asked(args: dict[str, Any], answer: dict[str, Result]) -> None:
    if others := sorted(answer.keys() - set(args["names"])):
        raise Misfit(f"Expected values of {', '.join(args['names'])} alone, got one of {others[0][:60]}")


PROBE = Probe("hyperparameters", "names.values", lambda evidence, rng: Question({"names": list(HYPERPARAMETERS)}))
TOPIC = Topic(
    warnings=(devices.hard_coded_device, forged),
    forms={"names.values": Answered(dict[str, Result], _only_what_was_asked), **devices.ANSWERS},
)
