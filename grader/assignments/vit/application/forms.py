"""The forms of what workers answer about neighbours and transfer learning."""

from typing import Any

from grader.forms import (
    NAME,
    TENSORS,
    Declared,
    Form,
    array,
    by_key,
    described,
    described_exception,
    every,
    exactly,
    fields,
    maybe,
    number,
    or_raised,
    row,
    text,
    truth,
    whole,
)

MAX_SHOWN = 20  # keys of the dict that comes back
MAX_BATCHES = 4_000
MAX_STATES = 400  # of a head while it was evaluated


def neighbours(args: dict[str, Any]) -> Form:
    """Of ``knn.ask``: what each call gave, and which of its arguments it changed."""
    changed = fields(changed=every(exactly("query", "ref"), 2))

    def called(value: Any) -> None:
        changed(value)
        described(value)

    return row(*[or_raised(called)] * len(args["cases"]))


def transfer(args: dict[str, Any]) -> Form:
    """Of ``transfer.run``: the ViT before and after, what came back, and what the head learned from."""
    items, tested = len(args["train"]["labels"]), len(args["test"]["labels"])
    vit = fields(before=TENSORS, after=TENSORS, buffers=every(text()))
    optional = {"head": maybe(_head(items, tested))}
    returned = by_key({"keys": RETURNED}, fields(type=NAME, items=whole()))
    return fields(optional, vit=vit, steps=whole(), stale=whole(), result=returned)


def _number_or_type(value: Any) -> None:
    (text() if isinstance(value, str) else number(finite=False))(value)


RETURNED = fields(
    type=exactly("dict"), keys=every(text(), MAX_SHOWN), acc=_number_or_type, vit=maybe(TENSORS),
    kinds=fields(vit=NAME, classifier=NAME),
)  # fmt: skip


def _head(items: int, tested: int) -> Form:
    """Of the head that came back.

    Args:
        items, tested: of the training and the test set.
    """
    counts = array("iu", (None,), values="counts")
    learning = {
        "optimized": truth, "moved": maybe(truth), "rows": whole(), "reads": whole(),
        "items": maybe(array("iu", (items,), values="counts")), "batches": maybe(counts),
        "calls": maybe(fields(state=counts, size=counts, item=counts)),
    }  # fmt: skip
    logits = fields({"initial": array()}, train=array(), test=array())
    states = maybe(array("uint8", (None, tested), MAX_STATES * tested))
    return by_key(
        {"raised": fields(**learning, raised=described_exception)},
        fields({"evaluated": states}, **learning, logits=logits),
    )


FORMS: dict[str, Declared] = {"knn.ask": neighbours, "transfer.run": transfer}
