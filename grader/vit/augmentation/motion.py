"""Where one draw of an opaque transform takes its pixels from, and what it does to gray levels.

A ramp's gray level names the pixel that it came from. From the two ramps of a draw, once its change of gray
levels is undone, follows a map from output to source pixels; an affine map is fitted to it:

    source = linear @ output + offset         both measured from the middle of the image

Shapes: H and W height and width of an output, in pixels. All gray levels are 0 to 255, whatever the
normalisation: see ``grays``.
"""

from dataclasses import dataclass, field

import numpy as np

from grader.vit.augmentation.probes import BLOCKS, SIZE, STEP

Array = np.ndarray
EDGE = 6  # pixels next to the border where fill may show; not looked at for noise and blur
ENOUGH = 80  # pixels that an affine map is fitted to, at least
COMMON = 12  # pixels of one gray level that are no blend of others


@dataclass(frozen=True)
class Affine:
    """The map from output to source pixels of one draw.

    ``apart`` is the distance of the pixels from it, root of mean squares, and ``error`` the standard error
    that this leaves in ``offset``.
    """

    linear: Array  # (2, 2)
    offset: Array  # (2,)
    apart: float
    error: float


@dataclass(frozen=True)
class Draw:
    """What one draw did, as far as it could be told."""

    flat: Array  # (3,) gray levels that black, gray and white became
    blocks: Array | None  # (4,) gray levels that the blocks became; None where they were not told apart
    noisy: bool
    exact: bool  # the change of gray levels is known, so that the map can be trusted
    affine: Affine | None
    erased: Array = field(repr=False)  # (H, W) pixels that show no source though the map gives them one
    detail: Array = field(repr=False)  # (H, W) what the texture became, where it was to be expected to change little


def grays(fields: dict[str, Array]) -> dict[str, Array] | None:
    """Turn outputs into gray levels: those for which black is 0 and white 255 in the most common draw.

    Returns:
        None where black and white look alike.
    """
    triples = np.stack([[_mode(image)[0] for image in fields[name]] for name in ("black", "gray", "white")], axis=1)
    rounded = np.round(triples, 2)
    _, where, counts = np.unique(rounded, axis=0, return_index=True, return_counts=True)
    black, _, white = triples[where[counts.argmax()]] if counts.max() > 2 else np.median(triples, axis=0)
    if abs(white - black) < 1e-6:
        return None
    return {name: (stack - black) * 255 / (white - black) for name, stack in fields.items()}


def observe(fields: dict[str, Array], number: int) -> Draw:
    """Look at one draw; ``fields`` hold gray levels."""
    one = {name: stack[number] for name, stack in fields.items()}
    noisy = is_noise(one["gray"])
    flat = np.array([_level(one[name], noisy) for name in ("black", "gray", "white")])
    live = np.abs(one["white"] - one["black"]) > max(0.3 * abs(flat[2] - flat[0]), 10)
    blocks = None if noisy else _blocks(one["blocks"][live], flat[2] < flat[0])
    levels, exact = _undo(flat, blocks)
    affine = None
    if levels is not None:
        usable = live & _unsaturated(one["across"], levels) & _unsaturated(one["down"], levels)
        affine = fit(_source(one["across"], levels), _source(one["down"], levels), usable)
    erased = np.zeros_like(live) if affine is None or noisy else ~live & _inside(affine, live.shape)
    detail = one["texture"] if levels is None else _inverse(one["texture"], levels)
    return Draw(flat, blocks, noisy, exact and not noisy, affine, erased, detail)


def is_noise(image: Array) -> bool:
    """Whether an image of one level became many pixels that differ from their neighbours."""
    middle = image[EDGE:-EDGE, EDGE:-EDGE]
    if min(middle.shape, default=0) < 4:
        return False
    other = np.abs(middle - _mode(middle)[0]) > 0.75
    if other.mean() < 0.02:
        return False
    inner, there = middle[1:-1, 1:-1], other[1:-1, 1:-1]
    around = (middle[:-2, 1:-1], middle[2:, 1:-1], middle[1:-1, :-2], middle[1:-1, 2:])
    alone = there & (np.min([np.abs(inner - each) for each in around], axis=0) > 0.25)
    rows, columns = np.nonzero(other)
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    spread = box > 0.6 * middle.size and not (0.9 < other.sum() / box and box < 0.8 * middle.size)
    return bool(spread and alone.sum() > 0.5 * max(there.sum(), 1))


def _mode(image: Array) -> tuple[float, float]:
    """The most common value, and the share of pixels that have it."""
    values, counts = np.unique(np.round(image, 3), return_counts=True)
    return float(values[counts.argmax()]), float(counts.max() / image.size)


def _level(image: Array, noisy: bool) -> float:
    return float(np.mean(image[EDGE:-EDGE, EDGE:-EDGE])) if noisy else _mode(image)[0]


def _blocks(values: Array, dark_is_bright: bool) -> Array | None:
    """The four most common gray levels, those of the darkest block first."""
    levels, counts = np.unique(np.round(values * 2) / 2, return_counts=True)
    kept: list[float] = []
    for level in levels[np.argsort(-counts, kind="stable")][: (counts >= COMMON).sum()]:
        if all(abs(level - other) > 1 for other in kept):
            kept.append(float(level))
    if len(kept) < len(BLOCKS):
        return None
    return np.sort(kept[: len(BLOCKS)])[:: -1 if dark_is_bright else 1]


def _undo(flat: Array, blocks: Array | None) -> tuple[Array | None, bool]:
    """How gray levels changed: (2, n) levels of the input and of the output; and whether that is sure.

    Where blocks were told apart they say so, even if the change depends on the whole image. It is sure where
    it is linear, with clipping at black and white.
    """
    if blocks is None:
        middle = flat[0] + (flat[2] - flat[0]) * 128 / 255
        linear = abs(flat[1] - middle) < 2 and abs(flat[2] - flat[0]) > 20
        return (np.array([[0, 255], [flat[0], flat[2]]]) if linear else None), linear
    slope = (blocks[2] - blocks[1]) / (BLOCKS[2] - BLOCKS[1])
    if abs(slope) < 0.1:
        return None, False
    ends = blocks[1] + slope * (np.array([0, 255]) - BLOCKS[1])
    expected = blocks[1] + slope * (np.array([BLOCKS[0], BLOCKS[3]]) - BLOCKS[1])
    seen = blocks[[0, 3]]
    if (np.minimum(np.abs(expected - seen), np.abs(np.clip(expected, 0, 255) - seen)) < 3).all():
        return np.array([[0, 255], ends]), True
    return (np.array([BLOCKS, blocks]) if (np.diff(blocks) * np.sign(slope) > 0).all() else None), False


def _inverse(image: Array, levels: Array) -> Array:
    order = np.argsort(levels[1])
    if levels.shape[1] == 2:  # a line, which goes on beyond its ends
        slope = (levels[0, 1] - levels[0, 0]) / (levels[1, 1] - levels[1, 0])
        return levels[0, 0] + slope * (image - levels[1, 0])
    return np.interp(image, levels[1][order], levels[0][order])


def _source(ramp: Array, levels: Array) -> Array:
    """The source column or row of each pixel, from the middle of the image."""
    return _inverse(ramp, levels) / STEP - (SIZE - 1) / 2


def _unsaturated(ramp: Array, levels: Array) -> Array:
    """Pixels that were not clipped at black or white."""
    low, high = sorted(levels[1][[0, -1]])
    return (ramp > 1 if low < -2 else True) & ((ramp < 254) if high > 257 else np.ones_like(ramp, dtype=bool))


def fit(across: Array, down: Array, usable: Array) -> Affine | None:
    """Fit an affine map to the sources of an output's pixels, mainly in its middle, where no fill shows."""
    y, x = np.mgrid[: usable.shape[0], : usable.shape[1]].astype(float)
    x, y = x - (usable.shape[1] - 1) / 2, y - (usable.shape[0] - 1) / 2
    middle = np.zeros_like(usable)
    middle[EDGE:-EDGE, EDGE:-EDGE] = True
    chosen = usable & middle if (usable & middle).sum() >= ENOUGH else usable
    if chosen.sum() < ENOUGH:
        return None
    points = np.stack([x, y, np.ones_like(x)], axis=-1)
    sources = np.stack([across, down], axis=-1)
    solution, used = _trimmed(points[chosen], sources[chosen])
    # what lies far off altogether was erased or wrapped around the border
    wide = usable.copy()
    wide[:3], wide[-3:], wide[:, :3], wide[:, -3:] = False, False, False, False
    away = np.linalg.norm(_wrapped(sources[wide] - points[wide] @ solution), axis=1)
    near = away[away < 5]
    apart = float(np.sqrt(np.mean(near**2))) if len(near) else 0.0
    left = np.linalg.norm(_wrapped(sources[chosen][used] - points[chosen][used] @ solution), axis=1)
    error = float(np.sqrt(np.mean(left**2)) / np.sqrt(len(left)))
    return Affine(solution[:2].T, solution[2], apart, error)


def _wrapped(distance: Array) -> Array:
    """Distances in an image whose opposite borders touch: np.roll moves no pixel out."""
    return (distance + SIZE / 2) % SIZE - SIZE / 2


def _trimmed(points: Array, sources: Array) -> tuple[Array, Array]:
    """Least squares without the pixels that follow another rule than most."""
    used = np.ones(len(points), dtype=bool)
    solution = np.linalg.lstsq(points, sources, rcond=None)[0]
    if (np.linalg.norm(sources - points @ solution, axis=1) > 2).mean() > 0.1:
        solution = _consensus(points, sources, solution)
    for _ in range(3):
        away = np.linalg.norm(_wrapped(sources - points @ solution), axis=1)
        used = away < max(1.5, 3 * float(np.median(away)))
        if used.sum() < ENOUGH // 2:
            break
        straight = points[used] @ solution + _wrapped(sources[used] - points[used] @ solution)
        solution = np.linalg.lstsq(points[used], straight, rcond=None)[0]
    return solution, used


def _consensus(points: Array, sources: Array, solution: Array) -> Array:
    """The fit to some neighbourhood with which most pixels agree."""
    rng = np.random.default_rng(0)
    best, most = solution, 0
    for middle in points[rng.integers(0, len(points), 16)]:
        near = np.abs(points[:, :2] - middle[:2]).max(axis=1) <= 3
        if near.sum() < 12:
            continue
        tried = np.linalg.lstsq(points[near], sources[near], rcond=None)[0]
        agree = int((np.linalg.norm(_wrapped(sources - points @ tried), axis=1) < 1.5).sum())
        if agree > most:
            best, most = tried, agree
    return best


def _inside(affine: Affine, shape: tuple[int, ...]) -> Array:
    """Pixels whose source lies well within the image."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    points = np.stack([x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2], axis=-1)
    return (np.abs(points @ affine.linear.T + affine.offset) < SIZE / 2 - 2).all(axis=-1)


def resampled(image: Array, affine: Affine, shape: tuple[int, ...]) -> Array:
    """What an image becomes under a map, by bilinear interpolation."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    points = np.stack([x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2], axis=-1)
    at = np.clip(points @ affine.linear.T + affine.offset + (SIZE - 1) / 2, 0, SIZE - 1 - 1e-6)
    low = at.astype(int)
    share = at - low
    (left, top), (a, b) = np.moveaxis(low, -1, 0), np.moveaxis(share, -1, 0)
    image = image.astype(float)
    above = image[top, left] * (1 - a) + image[top, left + 1] * a
    return above * (1 - b) + (image[top + 1, left] * (1 - a) + image[top + 1, left + 1] * a) * b
