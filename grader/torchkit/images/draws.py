"""Where one draw of an opaque transform takes its pixels from, and what it does to gray levels.

A ramp's gray level names the pixel that it came from. From the two ramps of a draw, once its change of gray levels is
undone, follows a map from output to source pixels; an affine map is fitted to it.

Shapes: H and W height and width of an output in pixels.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from grader.torchkit.images import gray_levels
from grader.torchkit.images.affine import LINEAR_PARTS, SYMMETRIES, Affine, fit, grid, inside, sources_of
from grader.torchkit.images.calibration import BLOCK_LEVELS, PIXELS
from grader.torchkit.images.gray_levels import depth

Array = np.ndarray


@dataclass(frozen=True)
class Draw:
    """What one draw did, as far as it could be told.

    Attributes:
        flat: (3,) gray levels that black, gray and white became.
        blocks: (4,) gray levels that the blocks became, where noisy up to one sum; None: not told apart.
        exact: noise could be taken away, and the change of gray levels is known, so that the map can be trusted.
        pointwise: every pixel's gray level follows from one source pixel's: no filter was applied.
        affine: the map; None where none could be fitted.
        follows: (H, W) pixels that follow the map.
        erased: (H, W) pixels that show no source though the map gives them one.
        detail: (H, W) the texture's output, its change of gray levels undone.
        sources: (H, W, 2) the source pixels that the ramps name.
    """

    flat: Array
    blocks: Array | None
    noisy: bool
    exact: bool
    pointwise: bool
    affine: Affine | None
    follows: Array = field(repr=False)
    erased: Array = field(repr=False)
    detail: Array = field(repr=False)
    sources: Array = field(repr=False)


def draws_of(stacks: dict[str, Array], texture: Array) -> list[Draw]:
    """Look at every draw.

    Args:
        stacks: by calibration image, (n, H, W) gray levels of n draws.
        texture: the calibration image of that name.
    """
    draws = [{name: stack[k] for name, stack in stacks.items()} for k in range(len(stacks["texture"]))]
    quiet = [gray_levels.without_noise(one) if gray_levels.is_noise(one["gray"]) else None for one in draws]
    shown = [one if clean is None else clean for one, clean in zip(draws, quiet, strict=True)]
    symmetries = _symmetries({name: np.stack([one[name] for one in shown]) for name in stacks}, texture)
    return [_draw(*each) for each in zip(draws, quiet, symmetries, strict=True)]


def _symmetries(stacks: dict[str, Array], texture: Array) -> list[int | None]:
    """For each draw the symmetry of a square that it is, whatever it does to gray levels; None where it is none.

    Then pixels of one level in the texture have one level in the output, too.
    """
    outputs, count = stacks["texture"], len(stacks["texture"])
    if outputs.shape[1:] != texture.shape:
        return [None] * count
    live = depth(stacks) > 10
    found: list[int | None] = [None] * count
    for number, symmetry in reversed(list(enumerate(SYMMETRIES))):
        order = np.argsort(symmetry(texture), axis=None, kind="stable")
        groups = outputs.reshape(count, -1)[:, order].reshape(count, len(BLOCK_LEVELS), -1)
        there = live.reshape(count, -1)[:, order].reshape(groups.shape)
        like = np.abs(groups - np.median(groups, axis=2, keepdims=True)) < PIXELS.same_level
        right = (like & there).sum((1, 2)) >= 0.98 * np.maximum(there.sum((1, 2)), PIXELS.min_count)
        distinct = np.ptp(np.median(groups, axis=2), axis=1) > 10
        for draw in np.nonzero(right & distinct)[0]:
            found[draw] = number
    return found


def _draw(images: dict[str, Array], quiet: dict[str, Array] | None, symmetry: int | None) -> Draw:
    """One draw; ``quiet`` are its images without noise, where noise could be taken away."""
    if quiet is None:
        every_pixel = np.ones_like(images["gray"], dtype=bool)
        return _shown(images, symmetry, every_pixel, gray_levels.is_noise(images["gray"]))
    draw = _shown(quiet, symmetry, gray_levels.unclipped(images))
    return replace(draw, flat=gray_levels.flat_levels(images, noisy=True), noisy=True)


def _shown(images: dict[str, Array], symmetry: int | None, clear: Array, noisy: bool = False) -> Draw:
    """What a draw shows at the pixels that are clear, (H, W)."""
    depths, flat = depth(images), gray_levels.flat_levels(images, noisy)
    live = depths > max(0.3 * np.ptp(flat), 10)
    blocks = None if noisy else gray_levels.block_levels(images["blocks"][live & clear], flat[2] < flat[0])
    levels, exact = gray_levels.change_of_levels(flat, blocks)
    nowhere = np.zeros_like(live)
    detail = images["texture"] if levels is None else gray_levels.undone(images["texture"], levels)
    if symmetry is not None:
        exactly = Affine(LINEAR_PARTS[symmetry], np.zeros(2))
        sources = sources_of(exactly, live.shape)
        return Draw(flat, blocks, noisy, True, True, exactly, live, ~live & inside(sources), detail, sources)
    if levels is None:
        return Draw(flat, blocks, noisy, False, False, None, nowhere, nowhere, detail, grid(live.shape))
    # pixels that are blended with the fill beside them show no column and row
    usable = (live if noisy else depths > 0.97 * np.ptp(flat)) & clear
    for ramp in ("across", "down"):
        usable = usable & gray_levels.unsaturated(images[ramp], levels)
    sources = np.stack([gray_levels.source_of_ramp(images[ramp], levels) for ramp in ("across", "down")], axis=-1)
    affine = fit(sources, usable, robust=exact and not noisy)
    if affine is None or noisy:
        return Draw(flat, blocks, noisy, False, False, affine, nowhere, nowhere, detail, sources)
    expected = sources_of(affine, live.shape)
    follows = usable & (np.linalg.norm(sources - expected, axis=-1) < 1.2)
    erased = ~live & inside(expected) if follows.sum() > 0.9 * usable.sum() else nowhere
    return Draw(flat, blocks, noisy, exact, False, affine, follows, erased, detail, sources)
