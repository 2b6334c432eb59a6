"""What is asked for a picture alone: asked where pages are wanted, and judged by nobody.

Shapes: L layers, T tokens.
"""

from typing import Annotated, Any

import numpy as np

from grader.assignment import Topic
from grader.assignments.adder import accuracy
from grader.evidence import Evidence, Probe, Question
from grader.observations import Answered, ArrayOf, Misfit, Record

TEXT, PROBE = "478+295=377", "pictures.attention"


class Looks(Record, frozen=True):
    """(L, T, T) how much each token takes from each; None where attention is computed in a way that is not seen."""

    layers: Annotated[np.ndarray, ArrayOf("f", shape=(None, len(TEXT), len(TEXT)), most=20_000)] | None


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    return Question({**accuracy.model_args(evidence), "text": TEXT})


def _wanted(evidence: Evidence) -> bool:
    return bool(evidence.options.get("pictures")) and evidence[accuracy.PROBE].ok and evidence.passed("model.gpt")


def _some(args: dict[str, Any], answer: Looks) -> None:
    if answer.layers is not None and not len(answer.layers):
        raise Misfit("Expected the weights of a layer at least")


TOPIC = Topic(
    probes=(
        Probe(
            PROBE, "checkpoint.look", _ask, _wanted, 60.0, ("none",), ("path",), needs=("model.gpt", "text.tokenizer")
        ),
    ),
    forms={"checkpoint.look": Answered(Looks, _some)},
)  # fmt: skip
