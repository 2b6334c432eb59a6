"""The forms of what workers answer about trainings."""

from typing import Any

from grader.forms import (
    NAME,
    Declared,
    Form,
    array,
    described_exception,
    every,
    exactly,
    fields,
    maybe,
    number,
    row,
    table,
    text,
    truth,
    whole,
)

MAX_RUNS, MAX_EPOCHS, MAX_STEPS = 10, 5_000, 10_000
MAX_CURVE = 500_000  # learning rates of one optimizer
COUNTS = ("batches", "length", "steps", "backwards", "stale", "empty",
          "arrived", "wasted", "test_batches", "evaluations")  # fmt: skip


def _setting(value: Any) -> None:
    """A number or a word that a scheduler was made with, or a list of numbers."""
    if isinstance(value, str | bool):
        return
    (every(_number_or_truth, 20) if isinstance(value, list) else number(finite=False))(value)


def _number_or_truth(value: Any) -> None:
    (truth if isinstance(value, bool) else number(finite=False))(value)


RAISED = maybe(described_exception)
EPOCH = fields(**dict.fromkeys(COUNTS, whole()))
VALUES = array("biuf", (None,))
MODEL = fields(
    role=NAME, calls=whole(), train_mode=whole(), parameters=whole(), held=whole(), frozen=whole(),
    weights=every(fields(name=text(), before=VALUES, after=VALUES), 12), line=every(array("f"), 2),
    arguments=table(whole(-(2**62)), 6), misfit=text(),
)  # fmt: skip
LOSS = fields(
    type=NAME, triplet=truth, calls=whole(), learned=whole(), flat=whole(), found=whole(), nothing=whole(),
    tuples=table(whole(), 4),
)  # fmt: skip
SCHEDULER = fields(
    type=NAME, optimizer=whole(-1), steps=whole(), epochs=whole(), inner=truth, made=truth, raised=RAISED,
    settings=table(_setting, 40),
)  # fmt: skip
EVALUATION = fields(
    vit=NAME, vit_number=whole(-2), head=NAME, head_number=whole(-2), train=NAME, test=NAME, calls=whole()
)
CURVE = array("float64", (None, None), MAX_CURVE)
RATES = fields(epochs=whole(), batches=whole(1), per_batch=truth, curves=every(CURVE, 100))
MASK = array("uint8", (None,))
DATA = fields(
    called=truth, per_class=whole(1, 10_000), subset=truth, learned=MASK, could=MASK, indices=whole(), tested=whole(),
    unknown=whole(), whole=truth, batch=whole(1), direct=truth,
)  # fmt: skip
RUN = fields(
    attempt=NAME, ended=exactly("returned", "enough", "raised"), raised=RAISED, epochs=every(EPOCH, MAX_EPOCHS),
    steps=whole(), optimizers=every(NAME, 100), used=every(row(whole(), whole(-1), number(finite=False)), MAX_STEPS),
    models=every(MODEL, 64), losses=every(LOSS, 20), miners=table(whole(), 20), without_gradient=table(whole(), 20), schedulers=every(SCHEDULER, 20),
    samples=every(whole(-(2**62)), 10), data=DATA, own=every(NAME, 2), evaluations=every(EVALUATION, 20),
    best=every(row(maybe(number()), maybe(number())), 50), calculators=every(text(), 50), rates=RATES,
)  # fmt: skip


def _run(value: Any) -> None:
    """One attempt: as many curves as optimizers, as many steps as its epochs have."""
    RUN(value)
    row(*[CURVE] * len(value["optimizers"]))(value["rates"]["curves"])
    exactly(sum(epoch["steps"] for epoch in value["epochs"]))(value["steps"])
    items = value["data"]["learned"].shape  # both masks are of the same items
    array("uint8", items)(value["data"]["could"])


def trained(args: dict[str, Any]) -> Form:
    """Of ``embedding.train``: what was seen in each attempt."""
    return every(_run, MAX_RUNS)


FORMS: dict[str, Declared] = {
    "embedding.train": trained,
}
