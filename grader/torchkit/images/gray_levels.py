"""What a draw does to gray levels: the scale that outputs are in, noise, and the change that can be undone.

Gray levels are 0 to 255, whatever the normalisation: see ``in_gray_levels``. An *image of a draw* is the output for
one calibration image, (H, W); a draw's images are a dict by the names of ``calibration.calibration_images``.
"""

import numpy as np

from grader.torchkit.images.calibration import BLOCK_LEVELS, PIXELS, RAMP_STEP, SIZE

Array = np.ndarray
FLAT = ("black", "gray", "white")


def in_gray_levels(outputs: dict[str, Array]) -> dict[str, Array] | None:
    """Turn outputs into gray levels: those for which black is 0 and white 255 in the most common draw.

    Args:
        outputs: by calibration image, (n, H, W) the outputs of n draws.

    Returns:
        None where black and white look alike.
    """
    triples = np.stack([[most_common(image)[0] for image in outputs[name]] for name in FLAT], axis=1)
    triples = triples[triples[:, 0] != triples[:, 2]]  # beside noise, a patch that was erased is what is most common
    if not len(triples):
        triples = np.stack([[np.median(image) for image in outputs[name]] for name in FLAT], axis=1)
    _, where, counts = np.unique(np.round(triples, 2), axis=0, return_index=True, return_counts=True)
    black, _, white = triples[where[counts.argmax()]] if counts.max() > 2 else np.median(triples, axis=0)
    gray = np.median(triples[:, 1])
    if abs(white - black) < 0.5 * abs(gray - black):  # white became black
        white = black + (gray - black) * 255 / 128
    if abs(white - black) < 1e-6:
        return None
    return {name: (stack - black) * 255 / (white - black) for name, stack in outputs.items()}


def most_common(image: Array) -> tuple[float, float]:
    """The most common value, and the share of pixels that have it."""
    values, counts = np.unique(np.round(image, 3), return_counts=True)
    return float(values[counts.argmax()]), float(counts.max() / image.size)


def is_noise(image: Array) -> bool:
    """Whether an image of one level became many pixels that differ from their neighbours."""
    middle = image[PIXELS.edge : -PIXELS.edge, PIXELS.edge : -PIXELS.edge]
    if min(middle.shape, default=0) < 4:
        return False
    other = np.abs(middle - most_common(middle)[0]) > PIXELS.same_level
    if other.mean() < 0.02:
        return False
    inner, there = middle[1:-1, 1:-1], other[1:-1, 1:-1]
    around = (middle[:-2, 1:-1], middle[2:, 1:-1], middle[1:-1, :-2], middle[1:-1, 2:])
    alone = there & (np.min([np.abs(inner - each) for each in around], axis=0) > 0.25)
    rows, columns = np.nonzero(other)
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    one_patch = other.sum() > 0.9 * box and box < 0.8 * middle.size
    return bool(box > 0.6 * middle.size and not one_patch and alone.sum() > 0.5 * max(there.sum(), 1))


def without_noise(images: dict[str, Array]) -> dict[str, Array] | None:
    """A draw's images without the noise that was added to all alike, wherever they show; None where it is another."""
    gray = np.median(images["gray"])
    quiet = {name: image - images["gray"] + gray for name, image in images.items()}
    gap = {}
    for name in ("black", "white"):
        there = quiet[name][unclipped(images, (name, "gray"))] - gray
        gap[name] = float(np.median(there)) if there.size >= PIXELS.min_count else 0.0
        if abs(gap[name]) < 10 or (np.abs(there - gap[name]) < PIXELS.same_level).mean() < 0.5:
            return None
    # where noise was cut off at black, white still tells how much of the source shows, and the other way round
    for name, other in (("black", "white"), ("white", "black")):
        told = gray + (images[other] - images["gray"]) * gap[name] / gap[other]
        quiet[name] = np.where(unclipped(images, (name,)), quiet[name], told)
    return quiet


def unclipped(
    images: dict[str, Array], names: tuple[str, ...] = ("across", "down", "gray", "texture")
) -> Array:  # fmt: skip
    """(H, W) pixels that some images show neither as the darkest nor as the brightest there is."""
    low, high = min(image.min() for image in images.values()), max(image.max() for image in images.values())
    return np.logical_and.reduce([(images[name] > low) & (images[name] < high) for name in names])


def depth(images: dict[str, Array]) -> Array:
    """(…, H, W) how far the levels of flat images lie apart at each pixel: not at all where no source shows."""
    return np.ptp(np.stack([images[name] for name in FLAT]), axis=0)


def flat_levels(images: dict[str, Array], noisy: bool) -> Array:
    """(3,) the gray levels of the flat images, where they show."""
    depths = depth(images)
    shown = depths > 10 if (depths > 10).sum() >= PIXELS.min_count else np.ones(depths.shape, dtype=bool)
    return np.array([flat_level(images[name], noisy, shown) for name in FLAT])


def flat_level(image: Array, noisy: bool, shown: Array) -> float:
    """The gray level that an image of one level became, where it shows."""
    level, share = most_common(image[shown])
    return (
        level
        if share > 0.4 or not noisy
        else float(np.mean(image[PIXELS.edge : -PIXELS.edge, PIXELS.edge : -PIXELS.edge]))
    )


def block_levels(values: Array, inverted: bool) -> Array | None:
    """(4,) the four most common gray levels, those of the darkest block first; None where they are fewer."""
    levels, counts = np.unique(np.round(values * 2) / 2, return_counts=True)
    kept: list[float] = []
    min_block = 36  # pixels of one gray level that are no blend of others, along an edge
    for one in levels[np.argsort(-counts, kind="stable")][: (counts >= min_block).sum()]:
        if all(abs(one - other) > 1 for other in kept):
            kept.append(float(one))
    if len(kept) < len(BLOCK_LEVELS):
        return None
    return np.sort(kept[: len(BLOCK_LEVELS)])[:: -1 if inverted else 1]


def change_of_levels(flat: Array, blocks: Array | None) -> tuple[Array | None, bool]:
    """How gray levels changed.

    Where blocks were told apart they say so, even if the change depends on the whole image. It is sure where it is
    linear, with clipping at black and white.

    Args:
        flat: (3,) what the flat images became.
        blocks: (4,) what the blocks became.

    Returns:
        levels: (2, n) of the input and of the output, None where they are not known.
        sure: whether they are right.
    """
    if blocks is None:
        middle = flat[0] + (flat[2] - flat[0]) * 128 / 255
        linear = abs(flat[1] - middle) < 3 and abs(flat[2] - flat[0]) > 20
        return (np.array([[0, 255], [flat[0], flat[2]]]) if linear else None), linear
    slope = (blocks[2] - blocks[1]) / (BLOCK_LEVELS[2] - BLOCK_LEVELS[1])
    if abs(slope) < 0.1:
        return None, False
    ends = blocks[1] + slope * (np.array([0, 255]) - BLOCK_LEVELS[1])
    expected = blocks[1] + slope * (np.array([BLOCK_LEVELS[0], BLOCK_LEVELS[3]]) - BLOCK_LEVELS[1])
    found = blocks[[0, 3]]
    if (np.minimum(np.abs(expected - found), np.abs(np.clip(expected, 0, 255) - found)) < 3).all():
        return np.array([[0, 255], ends]), True
    return (np.array([BLOCK_LEVELS, blocks]) if (np.diff(blocks) * np.sign(slope) > 0).all() else None), False


def undone(image: Array, levels: Array) -> Array:
    """The gray levels that an image had before they changed; ``levels`` are those of ``change_of_levels``."""
    if levels.shape[1] == 2:  # a line, which goes on beyond its ends
        slope = (levels[0, 1] - levels[0, 0]) / (levels[1, 1] - levels[1, 0])
        return levels[0, 0] + slope * (image - levels[1, 0])
    order = np.argsort(levels[1])
    return np.interp(image, levels[1][order], levels[0][order])


def source_of_ramp(ramp: Array, levels: Array) -> Array:
    """(H, W) the source column or row of each pixel of a ramp, from the middle of the image."""
    return undone(ramp, levels) / RAMP_STEP - (SIZE - 1) / 2


def unsaturated(ramp: Array, levels: Array) -> Array:
    """(H, W) pixels that were not clipped at black or white."""
    low, high = sorted(levels[1][[0, -1]])
    return (ramp > (1 if low < -2 else -np.inf)) & (ramp < (254 if high > 257 else np.inf))
