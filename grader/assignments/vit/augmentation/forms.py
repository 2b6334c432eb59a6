"""The forms of what workers answer about transforms."""

from typing import Any

from grader.assignments.vit.augmentation.probes import CELLS
from grader.forms import (
    NAME,
    SIZES,
    Declared,
    Form,
    array,
    described_exception,
    every,
    fields,
    maybe,
    number,
    table,
    text,
    truth,
    whole,
)

MAX_LEAVES = 64
KIND = fields(type=NAME, dtype=NAME, shape=SIZES, count=whole())
LEAF = fields(
    name=NAME, text=text(), own=truth, nested=truth, hits=whole(), varies=number(), moves=number(), cut=number()
)
STACK = maybe(array())  # outputs of one shape; None where they are none


def _common(args: dict[str, Any]) -> dict[str, Form]:
    """What is told of both transforms."""
    raised = maybe(_failed)
    summary = {"count": whole(0, args["draws"]), "kinds": every(KIND, 16), "unfinite": whole(0, args["draws"])}
    settled = dict.fromkeys(("outputs", "flat", "levels"), STACK)
    drawn = maybe(array("float32", (len(args["drawn"]), CELLS, CELLS)))
    return {**summary, "raised": raised, "varies": number(), "drawn": drawn, **settled}


def _failed(value: Any) -> None:
    """How many passes raised, and the first exception."""
    fields(count=whole())(value)
    described_exception(value)


def test(args: dict[str, Any]) -> Form:
    """Of ``transforms.test``."""
    return fields(**_common(args))


def train(args: dict[str, Any]) -> Form:
    """Of ``transforms.train``: besides, what each random part does alone, and what is left without those."""
    of_fields = fields(**dict.fromkeys(args["fields"], STACK))
    leaves = every(LEAF, MAX_LEAVES)
    return fields(
        **_common(args), pictures=STACK, transparent=truth, unreached=leaves, leaves=leaves,
        mapped=table(of_fields, MAX_LEAVES), rest=fields(varies=number(), repeats=truth, fields=maybe(of_fields)),
    )  # fmt: skip


FORMS: dict[str, Declared] = {"transforms.test": test, "transforms.train": train}
