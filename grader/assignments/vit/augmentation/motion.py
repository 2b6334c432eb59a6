"""Where one draw of an opaque transform takes its pixels from, and what it does to gray levels.

A ramp's gray level names the pixel that it came from. From the two ramps of a draw, once its change of gray
levels is undone, follows a map from output to source pixels; an affine map is fitted to it:

    source = linear @ output + offset         both measured from the middle of the image

Shapes: n draws, H and W height and width of an output in pixels. Gray levels are 0 to 255, whatever the
normalisation: see ``grays``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from grader.assignments.vit.augmentation.probes import BLOCKS, SIZE, STEP

Array = np.ndarray
EDGE = 6  # pixels next to the border where fill may show; not looked at for noise and blur
BORDER = 3  # pixels next to the border where a filter sees less of the image
FAR = 5  # pixels from an affine map beyond which a pixel follows another rule
ENOUGH = 80  # pixels that an affine map is fitted to, at least
COMMON = 36  # pixels of one gray level that are no blend of others, along an edge
ALIKE = 0.75  # gray levels
FLAT = ("black", "gray", "white")


@dataclass(frozen=True)
class Affine:
    """The map from output to source pixels of one draw.

    ``apart`` is the distance of the pixels from it, root of mean squares, and ``error`` the standard error
    that this leaves in ``offset``.
    """

    linear: Array  # (2, 2)
    offset: Array  # (2,)
    apart: float = 0.0
    error: float = 0.0


@dataclass(frozen=True)
class Draw:
    """What one draw did, as far as it could be told."""

    flat: Array  # (3,) gray levels that black, gray and white became
    blocks: Array | None  # (4,) gray levels that the blocks became, where noisy up to one sum; None: not told apart
    noisy: bool
    exact: bool  # noise could be taken away, and the change of gray levels is known, so that the map can be trusted
    pointwise: bool  # every pixel's gray level follows from one source pixel's: no filter was applied
    affine: Affine | None
    follows: Array = field(repr=False)  # (H, W) pixels that follow the map
    erased: Array = field(repr=False)  # (H, W) pixels that show no source though the map gives them one
    detail: Array = field(repr=False)  # (H, W) the texture's output, its change of gray levels undone
    sources: Array = field(repr=False)  # (H, W, 2) the source pixels that the ramps name


SYMMETRIES: tuple[Callable[[Array], Array], ...] = (
    lambda image: image,
    np.fliplr,
    np.flipud,
    partial(np.rot90, k=2),
    np.transpose,
    partial(np.rot90, k=1),
    partial(np.rot90, k=3),
    lambda image: np.rot90(image, 2).T,
)


def grays(fields: dict[str, Array]) -> dict[str, Array] | None:
    """Turn outputs into gray levels: those for which black is 0 and white 255 in the most common draw.

    Returns:
        None where black and white look alike.
    """
    triples = np.stack([[mode(image)[0] for image in fields[name]] for name in FLAT], axis=1)
    _, where, counts = np.unique(np.round(triples, 2), axis=0, return_index=True, return_counts=True)
    black, _, white = triples[where[counts.argmax()]] if counts.max() > 2 else np.median(triples, axis=0)
    gray = np.median(triples[:, 1])
    if abs(white - black) < 0.5 * abs(gray - black):  # white became black
        white = black + (gray - black) * 255 / 128
    if abs(white - black) < 1e-6:
        return None
    return {name: (stack - black) * 255 / (white - black) for name, stack in fields.items()}


def observe_all(fields: dict[str, Array], texture: Array) -> list[Draw]:
    """Look at every draw; ``fields`` hold gray levels, ``texture`` is the input of that name."""
    draws = [{name: stack[k] for name, stack in fields.items()} for k in range(len(fields["texture"]))]
    quiet = [_without_noise(one) if is_noise(one["gray"]) else None for one in draws]
    shown = [one if clean is None else clean for one, clean in zip(draws, quiet, strict=True)]
    symmetries = _symmetries({name: np.stack([one[name] for one in shown]) for name in fields}, texture)
    return [_observe(*each) for each in zip(draws, quiet, symmetries, strict=True)]


def _symmetries(fields: dict[str, Array], texture: Array) -> list[int | None]:
    """For each draw the symmetry of a square that it is, whatever it does to gray levels; None where it is none.

    Then pixels of one level in the texture have one level in the output, too.
    """
    outputs, count = fields["texture"], len(fields["texture"])
    if outputs.shape[1:] != texture.shape:
        return [None] * count
    live = _depth(fields) > 10
    found: list[int | None] = [None] * count
    for number, symmetry in reversed(list(enumerate(SYMMETRIES))):
        order = np.argsort(symmetry(texture), axis=None, kind="stable")
        groups = outputs.reshape(count, -1)[:, order].reshape(count, len(BLOCKS), -1)
        there = live.reshape(count, -1)[:, order].reshape(groups.shape)
        like = np.abs(groups - np.median(groups, axis=2, keepdims=True)) < ALIKE
        right = (like & there).sum((1, 2)) >= 0.98 * np.maximum(there.sum((1, 2)), ENOUGH)
        distinct = np.ptp(np.median(groups, axis=2), axis=1) > 10
        for draw in np.nonzero(right & distinct)[0]:
            found[draw] = number
    return found


def _observe(one: dict[str, Array], quiet: dict[str, Array] | None, symmetry: int | None) -> Draw:
    if quiet is None:
        return _shown(one, symmetry, np.ones_like(one["gray"], dtype=bool), is_noise(one["gray"]))
    return replace(_shown(quiet, symmetry, _unclipped(one)), flat=_levels(one, noisy=True), noisy=True)


def _without_noise(one: dict[str, Array]) -> dict[str, Array] | None:
    """A draw without what was added to all its images alike, wherever they show; None where the noise is another."""
    gray = np.median(one["gray"])
    quiet = {name: image - one["gray"] + gray for name, image in one.items()}
    apart = {}
    for name in ("black", "white"):
        there = quiet[name][_unclipped(one, (name, "gray"))] - gray
        apart[name] = float(np.median(there)) if there.size >= ENOUGH else 0.0
        if abs(apart[name]) < 10 or (np.abs(there - apart[name]) < ALIKE).mean() < 0.5:
            return None
    # where noise was cut off at black, white still tells how much of the source shows, and the other way round
    for name, other in (("black", "white"), ("white", "black")):
        told = gray + (one[other] - one["gray"]) * apart[name] / apart[other]
        quiet[name] = np.where(_unclipped(one, (name,)), quiet[name], told)
    return quiet


def _unclipped(one: dict[str, Array], names: tuple[str, ...] = ("across", "down", "gray", "texture")) -> Array:
    """(H, W) pixels that some images show neither as the darkest nor as the brightest there is."""
    low, high = min(image.min() for image in one.values()), max(image.max() for image in one.values())
    return np.logical_and.reduce([(one[name] > low) & (one[name] < high) for name in names])


def _levels(one: dict[str, Array], noisy: bool) -> Array:
    """(3,) the gray levels of the flat images, where they show."""
    depth = _depth(one)
    shown = depth > 10 if (depth > 10).sum() >= ENOUGH else np.ones(depth.shape, dtype=bool)
    return np.array([level(one[name], noisy, shown) for name in FLAT])


def _shown(one: dict[str, Array], symmetry: int | None, clear: Array, noisy: bool = False) -> Draw:
    """What a draw shows at the pixels that are clear."""
    depth, flat = _depth(one), _levels(one, noisy)
    live = depth > max(0.3 * np.ptp(flat), 10)
    blocks = None if noisy else _blocks(one["blocks"][live & clear], flat[2] < flat[0])
    levels, exact = _undo(flat, blocks)
    detail, nowhere = one["texture"] if levels is None else _inverse(one["texture"], levels), np.zeros_like(live)
    if symmetry is not None:
        exactly = Affine(LINEAR[symmetry], np.zeros(2))
        sources = mapped(exactly, live.shape)
        return Draw(flat, blocks, noisy, True, True, exactly, live, ~live & _inside(sources), detail, sources)
    if levels is None:
        return Draw(flat, blocks, noisy, False, False, None, nowhere, nowhere, detail, grid(live.shape))
    # pixels that are blended with the fill beside them show no column and row
    usable = live if noisy else depth > 0.97 * np.ptp(flat)
    usable = usable & clear & _unsaturated(one["across"], levels) & _unsaturated(one["down"], levels)
    sources = np.stack([_source(one["across"], levels), _source(one["down"], levels)], axis=-1)
    affine = fit(sources, usable, robust=exact and not noisy)
    if affine is None or noisy:
        return Draw(flat, blocks, noisy, False, False, affine, nowhere, nowhere, detail, sources)
    expected = mapped(affine, live.shape)
    follows = usable & (np.linalg.norm(sources - expected, axis=-1) < 1.2)
    erased = ~live & _inside(expected) if follows.sum() > 0.9 * usable.sum() else nowhere
    return Draw(flat, blocks, noisy, exact, False, affine, follows, erased, detail, sources)


def _depth(fields: dict[str, Array]) -> Array:
    """How far the levels of flat images lie apart at each pixel: not at all where no source shows."""
    return np.ptp(np.stack([fields[name] for name in FLAT]), axis=0)


def _inside(sources: Array) -> Array:
    """Pixels whose source lies well within the image."""
    return (np.abs(sources) < SIZE / 2 - 2).all(axis=-1)


def is_noise(image: Array) -> bool:
    """Whether an image of one level became many pixels that differ from their neighbours."""
    middle = image[EDGE:-EDGE, EDGE:-EDGE]
    if min(middle.shape, default=0) < 4:
        return False
    other = np.abs(middle - mode(middle)[0]) > ALIKE
    if other.mean() < 0.02:
        return False
    inner, there = middle[1:-1, 1:-1], other[1:-1, 1:-1]
    around = (middle[:-2, 1:-1], middle[2:, 1:-1], middle[1:-1, :-2], middle[1:-1, 2:])
    alone = there & (np.min([np.abs(inner - each) for each in around], axis=0) > 0.25)
    rows, columns = np.nonzero(other)
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    one_patch = other.sum() > 0.9 * box and box < 0.8 * middle.size
    return bool(box > 0.6 * middle.size and not one_patch and alone.sum() > 0.5 * max(there.sum(), 1))


def mode(image: Array) -> tuple[float, float]:
    """The most common value, and the share of pixels that have it."""
    values, counts = np.unique(np.round(image, 3), return_counts=True)
    return float(values[counts.argmax()]), float(counts.max() / image.size)


def level(image: Array, noisy: bool, shown: Array) -> float:
    """The gray level that an image of one level became, where it shows."""
    most, share = mode(image[shown])
    return most if share > 0.4 or not noisy else float(np.mean(image[EDGE:-EDGE, EDGE:-EDGE]))


def _blocks(values: Array, dark_is_bright: bool) -> Array | None:
    """The four most common gray levels, those of the darkest block first."""
    levels, counts = np.unique(np.round(values * 2) / 2, return_counts=True)
    kept: list[float] = []
    for one in levels[np.argsort(-counts, kind="stable")][: (counts >= COMMON).sum()]:
        if all(abs(one - other) > 1 for other in kept):
            kept.append(float(one))
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
        linear = abs(flat[1] - middle) < 3 and abs(flat[2] - flat[0]) > 20
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
    if levels.shape[1] == 2:  # a line, which goes on beyond its ends
        slope = (levels[0, 1] - levels[0, 0]) / (levels[1, 1] - levels[1, 0])
        return levels[0, 0] + slope * (image - levels[1, 0])
    order = np.argsort(levels[1])
    return np.interp(image, levels[1][order], levels[0][order])


def _source(ramp: Array, levels: Array) -> Array:
    """The source column or row of each pixel, from the middle of the image."""
    return _inverse(ramp, levels) / STEP - (SIZE - 1) / 2


def _unsaturated(ramp: Array, levels: Array) -> Array:
    """Pixels that were not clipped at black or white."""
    low, high = sorted(levels[1][[0, -1]])
    return (ramp > (1 if low < -2 else -np.inf)) & (ramp < (254 if high > 257 else np.inf))


def grid(shape: tuple[int, ...]) -> Array:
    """(H, W, 2) columns and rows from the middle."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    return np.stack([x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2], axis=-1)


def mapped(affine: Affine, shape: tuple[int, ...]) -> Array:
    """(H, W, 2) the source of every pixel."""
    return grid(shape) @ affine.linear.T + affine.offset


def fit(sources: Array, usable: Array, robust: bool) -> Affine | None:
    """Fit an affine map to the (H, W, 2) sources, but for the border, where filters differ.

    Args:
        robust: let pixels that follow another rule, wrapped around the border or erased, have no say.
    """
    inner = np.zeros_like(usable)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    chosen = usable & inner
    if chosen.sum() < ENOUGH:
        return None
    points = np.concatenate([grid(usable.shape), np.ones((*usable.shape, 1))], axis=-1)[chosen]
    seen = sources[chosen]
    solution = _least_squares(points, seen)
    used = np.ones(len(points), dtype=bool)
    if robust:
        solution, used = _trimmed(points, seen, solution)
        seen = points @ solution + _wrapped(seen - points @ solution)
    away = np.linalg.norm(seen - points @ solution, axis=1)
    near = away[away < FAR] if robust else away
    apart = float(np.sqrt(np.mean(near**2))) if len(near) else 0.0
    error = float(np.sqrt(np.mean(away[used] ** 2) / max(used.sum(), 1)))
    return Affine(solution[:2].T, solution[2], apart, error)


def _least_squares(points: Array, sources: Array) -> Array:
    return np.linalg.solve(points.T @ points + 1e-9 * np.eye(3), points.T @ sources)


def _wrapped(distance: Array) -> Array:
    """Distances in an image whose opposite borders touch: np.roll moves no pixel out."""
    return (distance + SIZE / 2) % SIZE - SIZE / 2


def _trimmed(points: Array, sources: Array, solution: Array) -> tuple[Array, Array]:
    """Least squares without the pixels that follow another rule than most."""
    used = np.ones(len(points), dtype=bool)
    if (np.linalg.norm(sources - points @ solution, axis=1) > 2).mean() > 0.1:
        solution = _consensus(points, sources, solution)
    for _ in range(3):
        gap = _wrapped(sources - points @ solution)
        away = np.linalg.norm(gap, axis=1)
        used = away < max(1.5, 3 * float(np.median(away)))
        if used.sum() < ENOUGH // 2:
            break
        solution = _least_squares(points[used], (points @ solution + gap)[used])
    return solution, used


def _consensus(points: Array, sources: Array, solution: Array) -> Array:
    """The fit to some neighbourhood with which most pixels agree."""
    rng = np.random.default_rng(0)
    best, most = solution, 0
    for middle in points[rng.integers(0, len(points), 16)]:
        near = np.abs(points[:, :2] - middle[:2]).max(axis=1) <= 3
        if near.sum() < 12:
            continue
        tried = _least_squares(points[near], sources[near])
        agree = int((np.linalg.norm(_wrapped(sources - points @ tried), axis=1) < 1.5).sum())
        if agree > most:
            best, most = tried, agree
    return best


LINEAR = [
    _least_squares(
        np.concatenate([grid((SIZE, SIZE)), np.ones((SIZE, SIZE, 1))], axis=-1).reshape(-1, 3),
        np.stack([symmetry(grid((SIZE, SIZE))[..., axis]) for axis in (0, 1)], axis=-1).reshape(-1, 2),
    )[:2].T.round(9)
    for symmetry in SYMMETRIES
]


def resampled(image: Array, sources: Array) -> Array:
    """What an image becomes when its pixels come from such sources, by bilinear interpolation."""
    at = np.clip(sources + (SIZE - 1) / 2, 0, SIZE - 1 - 1e-6)
    low = np.floor(at + 1e-3).astype(int).clip(0, SIZE - 2)
    (left, top), (a, b) = np.moveaxis(low, -1, 0), np.moveaxis(at - low, -1, 0)
    image = image.astype(float)
    above = image[top, left] * (1 - a) + image[top, left + 1] * a
    return above * (1 - b) + (image[top + 1, left] * (1 - a) + image[top + 1, left + 1] * a) * b
