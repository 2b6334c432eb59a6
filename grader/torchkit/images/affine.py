"""Affine maps from the pixels of an output to those of its source, and the symmetries of a square among them.

    source = linear @ output + offset         both (x, y) in pixels, measured from the middle of the image

Shapes: H and W height and width of an output in pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from grader.torchkit.images.calibration import PIXELS, SIZE

Array = np.ndarray

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


@dataclass(frozen=True)
class Affine:
    """The map from output to source pixels of one draw.

    Attributes:
        linear: (2, 2).
        offset: (2,) pixels.
        distance: of the pixels from the map, root of mean squares.
        error: the standard error that this leaves in ``offset``.
    """

    linear: Array
    offset: Array
    distance: float = 0.0
    error: float = 0.0


def grid(shape: tuple[int, ...]) -> Array:
    """(H, W, 2) the place of every pixel, (x, y) from the middle."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    return np.stack([x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2], axis=-1)


def sources_of(affine: Affine, shape: tuple[int, ...]) -> Array:
    """(H, W, 2) the source of every pixel."""
    return grid(shape) @ affine.linear.T + affine.offset


def inside(sources: Array) -> Array:
    """(H, W) whether a pixel's source lies well within the image."""
    return (np.abs(sources) < SIZE / 2 - 2).all(axis=-1)


def inside_border(shape: tuple[int, ...]) -> Array:
    """(H, W) bool: the pixels of an image that a filter sees all round."""
    inner = np.zeros(shape, dtype=bool)
    inner[PIXELS.border : -PIXELS.border, PIXELS.border : -PIXELS.border] = True
    return inner


def fit(sources: Array, usable: Array, robust: bool) -> Affine | None:
    """Fit an affine map to sources, leaving out the border, where filters differ.

    Args:
        sources: (H, W, 2) where each pixel comes from.
        usable: (H, W) pixels whose source is known.
        robust: let pixels that follow another rule, wrapped around the border or erased, have no say.

    Returns:
        None where too few pixels are usable.
    """
    chosen = usable & inside_border(usable.shape)
    if chosen.sum() < PIXELS.min_count:
        return None
    points = np.concatenate([grid(usable.shape), np.ones((*usable.shape, 1))], axis=-1)[chosen]
    known = sources[chosen]
    solution = _least_squares(points, known)
    used = np.ones(len(points), dtype=bool)
    if robust:
        solution, used = _trimmed(points, known, solution)
        known = points @ solution + _wrapped(known - points @ solution)
    away = np.linalg.norm(known - points @ solution, axis=1)
    near = away[away < 5] if robust else away  # a pixel farther off follows another rule
    distance = float(np.sqrt(np.mean(near**2))) if len(near) else 0.0
    error = float(np.sqrt(np.mean(away[used] ** 2) / max(used.sum(), 1)))
    return Affine(solution[:2].T, solution[2], distance, error)


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
        if used.sum() < PIXELS.min_count // 2:
            break
        solution = _least_squares(points[used], (points @ solution + gap)[used])
    return solution, used


def _consensus(points: Array, sources: Array, solution: Array) -> Array:
    """The fit to some neighbourhood with which most pixels agree, as in RANSAC (Fischler and Bolles 1981)."""
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


def resampled(image: Array, sources: Array) -> Array:
    """What an image becomes when its pixels come from such sources, by bilinear interpolation.

    Args:
        image: (28, 28).
        sources: (H, W, 2).
    """
    at = np.clip(sources + (SIZE - 1) / 2, 0, SIZE - 1 - 1e-6)
    low = np.floor(at + 1e-3).astype(int).clip(0, SIZE - 2)
    (left, top), (a, b) = np.moveaxis(low, -1, 0), np.moveaxis(at - low, -1, 0)
    image = image.astype(float)
    above = image[top, left] * (1 - a) + image[top, left + 1] * a
    return above * (1 - b) + (image[top + 1, left] * (1 - a) + image[top + 1, left + 1] * a) * b


def _linear_of(symmetry: Callable[[Array], Array]) -> Array:
    """(2, 2) the linear part of a symmetry."""
    places = grid((SIZE, SIZE))
    points = np.concatenate([places, np.ones((SIZE, SIZE, 1))], axis=-1).reshape(-1, 3)
    sources = np.stack([symmetry(places[..., axis]) for axis in (0, 1)], axis=-1).reshape(-1, 2)
    return _least_squares(points, sources)[:2].T.round(9)


LINEAR_PARTS = [_linear_of(symmetry) for symmetry in SYMMETRIES]
