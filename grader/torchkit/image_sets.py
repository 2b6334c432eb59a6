"""Sets of images that models are run on, and what the models gave for them.

``grader.torchkit.inside.image_sets`` runs them beside student code.

Shapes: n images of a set, E numbers of an embedding.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from grader.observations import ArrayOf, Count, Misfit, Name, RaisedResult, Record, Sizes
from grader.sentences import type_words

MAX_IMAGES, MAX_WIDTH = 20_000, 1_024  # of one set, and the numbers of an embedding that is sent
MAX_SETS = 100


def asked(name: str, images: Any, rows: np.ndarray) -> dict[str, Any]:
    """One set of images as a part of a question.

    Args:
        images: (…, H, W) uint8, or {"$shared": name}.
        rows: (n,) which of them, in order.
    """
    return {"name": name, "images": images, "rows": rows}


class Predicted(Record, frozen=True):
    """The classes that were predicted for a set of images.

    Attributes:
        predicted: (n,) uint8.
        not_finite: of how many images the logits are not all numbers.
    """

    predicted: Annotated[np.ndarray, ArrayOf("u", (None,), most=MAX_IMAGES)]
    not_finite: Count


class Embedded(Record, frozen=True):
    """The embeddings of a set of images.

    Attributes:
        embeddings: (n, E) float32; may hold NaN. None where they are too wide to be sent.
        width: E.
    """

    embeddings: Annotated[np.ndarray, ArrayOf("f", (None, None), most=MAX_IMAGES * MAX_WIDTH)] | None
    width: Count


class PredictedSets(Record, frozen=True, tag_field="kind", tag="sets"):
    """Predicted classes, by set."""

    sets: Annotated[dict[Name, Predicted], Meta(max_length=MAX_SETS)]


class EmbeddedSets(Record, frozen=True, tag_field="kind", tag="sets"):
    """Embeddings, by set."""

    sets: Annotated[dict[Name, Embedded], Meta(max_length=MAX_SETS)]


class NoRows(Record, frozen=True, tag_field="kind", tag="no_rows"):
    """A model gave something else than a row of numbers for each image of a batch.

    Attributes:
        type: of what it gave.
        shape: None where it is no tensor.
        images: in the batch.
    """

    type: Name
    shape: Sizes | None
    images: Count


Stopped = NoRows | RaisedResult  # a model ended without outputs


def rows_expected(wrong: NoRows, width: str) -> str:
    """Say what a model gave for a batch, and what was expected; ``width`` names the second axis."""
    got = type_words(wrong.type, "a ") if wrong.shape is None else f"a tensor of shape {wrong.shape}"
    return f"gives {got} for a batch of {wrong.images} images, expected a tensor of shape ({wrong.images}, {width})"


def agree_on_predictions(sets: Sequence[Mapping[str, Any]], found: PredictedSets) -> None:
    """Hold predictions against the sets that were asked for.

    Raises:
        Misfit: other sets, other numbers of images, another dtype.
    """
    for name, count in _counts(sets, found.sets).items():
        predicted = found.sets[name].predicted
        if predicted.dtype != np.uint8 or len(predicted) != count:
            raise Misfit(f"Expected {count} uint8 classes for {name}, got {len(predicted)} of {predicted.dtype}")
        if found.sets[name].not_finite > count:
            raise Misfit(f"Expected at most {count} images of {name} that are not finite")


def agree_on_embeddings(sets: Sequence[Mapping[str, Any]], found: EmbeddedSets) -> None:
    """Hold embeddings against the sets that were asked for.

    Raises:
        Misfit: other sets, other numbers of images, another dtype, or different widths.
    """
    for name, count in _counts(sets, found.sets).items():
        embeddings, width = found.sets[name].embeddings, found.sets[name].width
        if embeddings is None:
            if width <= MAX_WIDTH:
                raise Misfit(f"Expected the embeddings of {name}, which are {width} wide")
        elif embeddings.dtype != np.float32 or embeddings.shape != (count, width):
            raise Misfit(f"Expected float32 ({count}, {width}) for {name}, got {embeddings.dtype} {embeddings.shape}")
    if len({each.width for each in found.sets.values()}) > 1:
        raise Misfit("Expected embeddings of one width")


def _counts(sets: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> dict[str, int]:
    """How many images each set has."""
    counts = {str(each["name"]): len(each["rows"]) for each in sets}
    if counts.keys() != found.keys():
        raise Misfit(f"Expected the sets {', '.join(counts)}")
    return counts
