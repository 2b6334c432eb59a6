"""What is asked of ``ViT``: builds that differ in one argument each, and calls on them.

Shapes: C channels, N patches, D hidden size.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.torchkit.modules import lines
from grader.torchkit.modules.arrays import Array
from grader.torchkit.modules.asking import Call, build, call, normal
from grader.torchkit.modules.judging import LONE_ITEM_SCALE

SIDE, PATCH, N, D = 12, 4, 9, 16  # pixels along a side of an image and of a patch
TOKENS = ("tokens", "others new", "first new", "last kept", "tokens turned")  # calls with the Transformer's replaced


def builds_of(rng: np.random.Generator, rows: Array, places: Array, line: Array) -> dict[str, dict[str, Any]]:
    """The builds, by name.

    Args:
        rows: of the batch, in the order in which they are given again.
        places: (N,) an order of the patches, in which one after the other is replaced.
        line: where the points of a line of images lie, as ``lines.places``.
    """
    x = normal(rng, 3, 1, SIDE, SIDE)
    loud = x.copy()
    x[1] *= LONE_ITEM_SCALE
    batch = {"batch": call(x)}
    calls = batch | {
        "again": call(x, seed=1),
        "alone": call(x[1:2]),
        "reordered": call(x[rows]),
        "one patch replaced each": call(_each_patch(x[0], places, lambda patch: normal(rng, *patch.shape))),
        "two patches swapped": call(_swapped(rng, x)),
        "gradients": call(loud, "gradients", weights=normal(rng, 3, D)),
        "line": call(lines.points(rng, x[0], line)),
        "without attention": call(x, "without attention", layers=2),
    }
    calls |= _calls_with_tokens(rng, x) | {"in training": call(x, "in training")}
    rgb = normal(rng, 2, 3, 20, 20)
    coloured = {"batch": call(rgb), "gradients": call(rgb, "gradients", weights=normal(rng, 2, 24))}
    return {
        "gray": build(SIDE, PATCH, 1, D, 2, 2, seed=1, attributes=["hidden_size"], calls=calls),
        "rgb": build(20, 5, 3, 24, 1, 3, seed=2, attributes=["hidden_size"], calls=coloured),
        "copy": build(SIDE, PATCH, 1, D, 2, 2, seed=3, like="gray", calls={"batch": call(x, seed=1)}),
        "one layer": build(SIDE, PATCH, 1, D, 1, 2, seed=1, calls=batch),
        "three layers": build(SIDE, PATCH, 1, D, 3, 2, seed=1, calls=batch),
        "one head": build(SIDE, PATCH, 1, D, 2, 1, seed=1, calls=batch),
        "by name": build(
            image_size=SIDE, patch_size=PATCH, num_channels=1, hidden_size=D, layers=1, heads=2, seed=1, calls=batch
        ),
        "large patches": build(SIDE, 6, 1, D, 2, 2, seed=1, calls=batch),
        "as assigned": build(28, 7, 1, 64, 2, 4, seed=1, calls={"batch": call(normal(rng, 2, 1, 28, 28))}),
    }


def _calls_with_tokens(rng: np.random.Generator, x: Array) -> dict[str, Call]:
    """Calls with other tokens (3, N + 1, D) after the Transformer.

    Some tokens; the same with all but the first new; with the first new; with all but the last new; in turned order.
    """
    tokens, new = normal(rng, 3, N + 1, D), normal(rng, 3, N + 1, D)
    others, first, last = new.copy(), tokens.copy(), new.copy()
    others[:, 0], first[:, 0], last[:, -1] = tokens[:, 0], new[:, 0], tokens[:, -1]
    given = (tokens, others, first, last, np.roll(tokens, 1, axis=1))
    return {name: call(x, "tokens replaced", tokens=each) for name, each in zip(TOKENS, given, strict=True)}


def _each_patch(image: Array, places: Array, change: Callable[[Array], Array]) -> Array:
    """(N, C, SIDE, SIDE): copies of an image, in each of which the patch at its place is changed."""
    images = np.repeat(image[None], N, axis=0)
    for copy, place in zip(images, places, strict=True):
        copy[_patch(int(place))] = change(image[_patch(int(place))])
    return images


def _patch(n: int) -> tuple[slice, slice, slice]:
    """Where patch n lies in an image, counted along the rows."""
    row, column = divmod(n, SIDE // PATCH)
    return slice(None), slice(PATCH * row, PATCH * (row + 1)), slice(PATCH * column, PATCH * (column + 1))


def _swapped(rng: np.random.Generator, images: Array) -> Array:
    """The images with two patches that have changed places; not the first or the last, which may be read for [CLS]."""
    swapped = images.copy()
    one, other = (_patch(int(n)) for n in 1 + rng.choice(N - 2, 2, replace=False))
    for image, original in zip(swapped, images, strict=True):
        image[one], image[other] = original[other], original[one]
    return swapped
