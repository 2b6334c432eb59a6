"""What concerns no part alone: the hyperparameters, hard-coded devices, answers that somebody else wrote."""

import math
from typing import Any

import numpy as np

from grader.assignments.vit.names import HYPERPARAMETERS
from grader.evidence import Evidence, Probe, Question
from grader.forms import NAME, Declared, described, every, fields
from grader.judging import Criterion, warn
from grader.records import Warning_

MAX_ASKED = 1_000  # ways of asking for a GPU


def hyperparameter(seen: Evidence, name: str) -> float | None:
    """The value of a hyperparameter, None where it is not defined or no finite number."""
    answer = seen["hyperparameters"]
    found = answer.value.get(name) if answer.ok and isinstance(answer.value, dict) else None
    value = found.get("number") if isinstance(found, dict) else None
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _ask_hyperparameters(seen: Evidence, rng: np.random.Generator) -> Question:
    return Question({"names": list(HYPERPARAMETERS)})


def _ask_devices(seen: Evidence, rng: np.random.Generator) -> Question:
    return Question({})


def hard_coded_device(seen: Evidence) -> list[Warning_]:
    """A GPU was asked for on a machine without one; the worker let it pass."""
    answer = seen["devices"]
    if not answer.ok or not isinstance(answer.value, list) or not answer.value:
        return []
    asked = ", ".join(str(what)[:40] for what in answer.value[:3])
    return warn(
        "device.hard_coded",
        f"the code asks for a GPU without looking whether there is one ({asked}); it was run on the CPU instead. "
        "Use a `device` that is chosen by torch.cuda.is_available().",
    )


def forged(seen: Evidence) -> list[Warning_]:
    """An answer did not have the form that the worker's own code gives one."""
    probes = sorted(p for p, answer in seen.answers.items() if answer.observation.outcome == "forged")
    return (
        warn(
            "forged.observation",
            f"the answer to {', '.join(probes)} was not written by the grader's own code: a person should look at this",
        )
        if probes
        else []
    )


FIRST = (Probe("hyperparameters", "names.values", _ask_hyperparameters),)
LAST = (Probe("devices", "devices.hard_coded", _ask_devices),)
CRITERIA: tuple[Criterion, ...] = ()
WARNINGS = (hard_coded_device, forged)
MEASURES: dict[str, Any] = {}
FORMS: dict[str, Declared] = {
    "names.values": lambda args: fields(dict.fromkeys(args["names"], described)),
    "devices.hard_coded": lambda args: every(NAME, MAX_ASKED),
}
