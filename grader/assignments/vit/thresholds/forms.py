"""The forms of what workers answer about checkpoints, and about a ViT that is trained here."""

from typing import Any

from grader.forms import (
    NAME,
    SIZES,
    Declared,
    Form,
    array,
    by_key,
    described_exception,
    every,
    exactly,
    fields,
    maybe,
    number,
    or_raised,
    row,
    table,
    text,
    truth,
    whole,
)

MAX_LISTED = 60  # tensors named in a mismatch, keys of a checkpoint
MAX_ROWS, WIDEST = 20_000, 1_024  # embeddings of one set, and numbers of one
MAX_CYCLES = 100
NAMES = every(text(), MAX_LISTED)
CLAIM = maybe(number(finite=False))
CHECKPOINT = by_key(
    {"raised": fields(raised=described_exception), "type": fields(type=NAME)},
    fields(kinds=table(NAME, MAX_LISTED), claim=CLAIM),
)
MISMATCH = fields(
    {"owners": every(exactly("ViT", "PatchEmbeddings", "PositionEmbedding", "ResidualAttentionBlock", "Transformer"))},
    counts=table(whole(), 3), blocks=fields(built=whole(), saved=whole()),
    missing=every(row(text(), SIZES), MAX_LISTED), unexpected=every(row(text(), SIZES), MAX_LISTED),
    shapes=every(row(text(), SIZES, SIZES), MAX_LISTED),
)  # fmt: skip
PREDICTED = fields(predicted=array("uint8", (None,)), not_finite=whole(), width=whole())
EMBEDDED = fields({"embeddings": array("float32", (None, None), MAX_ROWS * WIDEST)}, width=whole())


def _fitted(value: Any) -> None:
    """How a state dict went into a model."""
    fields(fits=truth)(value)
    (fields(not_finite=NAMES) if value["fits"] else MISMATCH)(value)


MODEL = by_key(
    {
        "undefined": fields(undefined=NAME),
        "absent": fields(absent=NAME),
        "raised": fields(raised=described_exception),
        "type": fields(type=NAME),
    },
    _fitted,
)


def _outputs(args: dict[str, Any], of_set: Form) -> Form:
    return or_raised(fields(**{each["name"]: of_set for each in args["sets"]}))


def _checkpoint(of_set: Form, other: str) -> Declared:
    """Of a checkpoint with a ViT and another model."""

    def declared(args: dict[str, Any]) -> Form:
        models = fields({"vit": MODEL, other: MODEL})
        outputs = {"outputs": _outputs(args, of_set)}
        return fields(outputs, checkpoint=CHECKPOINT, claim=CLAIM, undefined=NAMES, models=models)

    return declared


def attention(args: dict[str, Any]) -> Form:
    """Of ``checkpoint.attention``: (n, N) weights, or None."""
    return maybe(array("float32", (len(args["images"]), None)))


def training(args: dict[str, Any]) -> Form:
    """Of ``classifier.train``: how it went, and the classes that were predicted."""
    cycle = fields(passes=number(), accuracy=number())
    ended = exactly("target", "budget", "cycles", "raised")
    went = fields(
        undefined=NAMES, outputs=_outputs(args, PREDICTED), stopped=ended, passes=number(),
        history=every(cycle, MAX_CYCLES),
    )  # fmt: skip
    return by_key({"outputs": went}, fields(undefined=NAMES))


FORMS: dict[str, Declared] = {
    "checkpoint.classify": _checkpoint(PREDICTED, "classifier"),
    "checkpoint.embed": _checkpoint(EMBEDDED, "embedding_head"),
    "checkpoint.attention": attention,
    "classifier.train": training,
}
