"""GPUs that a submission asks for without looking whether there is one."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from grader.evidence import Evidence, Probe, Question
from grader.judging import warn
from grader.observations import Answered, Name
from grader.records import GradeWarning


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    return Question({})


def hard_coded_device(evidence: Evidence) -> list[GradeWarning]:
    """A GPU was asked for on a machine without one; the worker let it pass."""
    answer = evidence["devices"]
    if not answer.ok or not answer.value:
        return []
    asked = ", ".join(what[:40] for what in answer.value[:3])
    return warn(
        "device.hard_coded",
        f"the code asks for a GPU without looking whether there is one ({asked}); it was run on the CPU instead. "
        'Choose the device once, as in device = "cuda" if torch.cuda.is_available() else "cpu", and use it everywhere.',
    )


PROBE = Probe("devices", "devices.hard_coded", _ask)
ANSWERS = {"devices.hard_coded": Answered(Annotated[list[Name], Meta(max_length=1_000)])}  # ways of asking for a GPU
