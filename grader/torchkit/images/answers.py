"""The types of what workers answer about transforms of images."""

from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from grader.observations import Answered, ArrayOf, Count, Finite, Misfit, Name, Record, Sizes, Text
from grader.records import Raised
from grader.torchkit.images.calibration import CELLS

Outputs = Annotated[np.ndarray, ArrayOf("f", most=1 << 22)]  # (n, …) of n calls, all of one shape; may be NaN
Calibrated = dict[str, Outputs | None]  # by calibration image, the outputs of many draws; None: of several shapes


class OutputKind(Record, frozen=True):
    """One kind of output.

    Attributes:
        type: "tensor", "ndarray", "image" (PIL's), or the name of another class.
        dtype: of a tensor or an array; the mode of a PIL image.
        shape: its sizes; (H, W) of a PIL image.
        count: of so many calls.
    """

    type: Name
    dtype: Name
    shape: Sizes
    count: Count


class Failures(Record, frozen=True):
    """How many calls raised, and the first exception."""

    count: Annotated[int, Meta(ge=1)]
    first: Raised


class LeafSeen(Record, frozen=True):
    """A transform that calls no other, applied alone to the inputs that it was given.

    Attributes:
        name: of its class, or of a function.
        text: its repr.
        own: whether it is the student's, not a library's.
        nested: whether it was seen to call others after all.
        hits: calls of the whole transform that came to it.
        varies: how far its outputs for one input lie apart, as a share of the input's range.
        moves: how far they lie from the input, likewise.
        cut: share of the outputs between 0 and 1, of inputs that reached beyond.
        raised: whether it raised.
    """

    name: Name
    text: Text
    own: bool
    nested: bool
    hits: Count
    varies: Finite
    moves: Finite
    cut: Finite
    raised: bool = False  # answers that were kept earlier do not tell


class OwnRandomness(Record, frozen=True):
    """What varies while the library's random transforms are held still: what the student wrote.

    Attributes:
        varies: how far outputs for one image lie apart; 0 where nothing is random, -1 where none can be compared.
        repeats: whether a draw comes again under the same seed.
        calibration: the draws; None where nothing varies.
    """

    varies: Finite
    repeats: bool
    calibration: Calibrated | None


class LibraryNormalisation(Record, frozen=True):
    """The library's ``Normalize`` whose output is the transform's.

    Attributes:
        mean, deviation: its own, of one channel.
        count: of so many calls.
    """

    mean: Finite
    deviation: Finite
    count: Count


class Transformed(Record, frozen=True, kw_only=True):
    """What a transform did in many calls, of ``transforms.test``.

    Attributes:
        count: calls.
        kinds: the kinds of outputs that came.
        not_finite: calls whose output holds NaN or infinite numbers.
        failures: the calls that raised; None where none did.
        varies: how far outputs for one image lie apart; -1 where none can be compared.
        drawn: (K, CELLS, CELLS) mean values of parts of the outputs for the drawn images; None: some are no images.
        outputs: (n, …) one for each photograph, and the texture last; None, here and below: not all of one shape.
        flat: (n, …) one for each image of one gray level.
        levels: (1, …) the one for the image of all gray levels.
        ends_with: None where it ends otherwise, or is an answer that was kept earlier.
    """

    count: Annotated[int, Meta(ge=1)]
    kinds: Annotated[tuple[OutputKind, ...], Meta(max_length=16)]  # kinds of outputs that are told apart
    not_finite: Count
    failures: Failures | None
    varies: Finite
    drawn: Annotated[np.ndarray, ArrayOf("f", shape=(None, CELLS, CELLS))] | None
    outputs: Outputs | None
    flat: Outputs | None
    levels: Outputs | None
    ends_with: LibraryNormalisation | None = None


class RandomlyTransformed(Transformed, frozen=True, kw_only=True):
    """What a transform with random parts did, of ``transforms.train``.

    Attributes:
        pictures: (n, …) the first outputs, photographs in turn and the texture after them.
        library_only: whether it is made of the library's containers and transforms alone.
        leaves: the transforms that were called in it.
        unreached: those that stand in it and were never called.
        mapped: by repr of a library's transform that can make several kinds of change, what it does alone.
        rest: what the student's own code does at random.
    """

    pictures: Outputs | None
    library_only: bool
    leaves: Annotated[tuple[LeafSeen, ...], Meta(max_length=64)]  # transforms inside a transform
    unreached: Annotated[tuple[LeafSeen, ...], Meta(max_length=64)]
    mapped: Annotated[dict[str, Calibrated], Meta(max_length=64)]
    rest: OwnRandomness


def _counts_agree(args: dict[str, Any], answer: Transformed) -> None:
    """Every call gave something or raised, and there is a drawn image for each that was asked."""
    failed = answer.failures.count if answer.failures is not None else 0
    told = failed + sum(kind.count for kind in answer.kinds)
    if answer.count > args["draws"] or told > answer.count or answer.not_finite > answer.count:
        raise Misfit(
            f"Expected at most {args['draws']} calls, got {answer.count} that gave {told} outputs and exceptions"
        )
    if not told:
        raise Misfit("Expected kinds of outputs or an exception, got neither")
    if answer.drawn is not None and len(answer.drawn) != len(args["drawn"]):
        raise Misfit(f"Expected {len(args['drawn'])} drawn images, got {len(answer.drawn)}")


def _draws_agree(args: dict[str, Any], answer: RandomlyTransformed) -> None:
    """Besides, what was drawn for calibration is told of each image that was asked."""
    _counts_agree(args, answer)
    of_rest = [answer.rest.calibration] if answer.rest.calibration is not None else []
    for calibrated in (*answer.mapped.values(), *of_rest):
        if calibrated.keys() != args["calibration"].keys():
            raise Misfit(f"Expected outputs for {', '.join(args['calibration'])}, got {len(calibrated)} others")


ANSWERS = {
    "transforms.test": Answered(Transformed, _counts_agree),
    "transforms.train": Answered(RandomlyTransformed, _draws_agree),
}
