"""Which kinds of change an opaque transform draws from, judged by what its draws did."""

from dataclasses import dataclass

import numpy as np

from grader.torchkit.images import gray_levels
from grader.torchkit.images.affine import Affine, fit, inside_border, resampled
from grader.torchkit.images.calibration import PIXELS, SIZE
from grader.torchkit.images.draws import Draw, draws_of
from grader.torchkit.images.pose import Pose, median_pose, pose

Array = np.ndarray
FLIP, UPSIDE_DOWN, ROTATION, SHIFT, ZOOM = "horizontal flip", "vertical flip", "rotation", "shift or crop", "zoom"
WARP, INTENSITY, NOISE = "shear or warp", "brightness or contrast", "noise"
SHARPNESS, ERASING = "blur or sharpness", "erasing"


@dataclass(frozen=True)
class Margins:
    """Beyond which draws differ; bench/augmentation_margins.py prints what is left on both sides.

    Attributes:
        level: gray levels.
        angle: degrees.
        zoom: of its logarithm.
        shear: degrees.
        shift: pixels.
        bent: pixels from an affine map, for a warp; nearest-neighbour sampling alone gives 0.41.
        straight: pixels from an affine map, for surely no warp.
        often: share of the draws that are no warp and must move images, where others warp them.
        detail: gray levels of a texture, where pixels fall on pixels.
        coarse_detail: the same where they fall between pixels.
    """

    level: float = 1.5
    angle: float = 0.7
    zoom: float = 0.04
    shear: float = 2.0
    shift: float = 0.6
    bent: float = 0.65
    straight: float = 0.45
    often: float = 0.1
    detail: float = 4.0
    coarse_detail: float = 14.0


MARGINS = Margins()


def kinds_of_change(outputs: dict[str, Array], texture: Array) -> frozenset[str]:
    """Tell kinds of change from the outputs of many draws.

    Args:
        outputs: by calibration image, (n, H, W), the same draws for all.
        texture: the calibration image of that name.
    """
    stacks = gray_levels.in_gray_levels(outputs)
    if stacks is None:
        return frozenset()
    draws = draws_of(stacks, texture)
    kinds = _kinds_of_level_change(draws, stacks)
    posed = [(draw, pose(draw.affine, stacks["gray"].shape[1:])) for draw in draws if draw.affine is not None]
    kinds |= _kinds_of_motion(posed, len(draws)) | _sharpness(draws, texture)
    whole = [draw.erased for draw in draws if not _is_bent(draw)]
    erased = [mask for mask in whole if _is_patch(mask)]
    if erased and any((erased[0] != other).any() for other in whole):
        kinds.add(ERASING)
    return frozenset(kinds)


def _is_bent(draw: Draw) -> bool:
    return draw.affine is not None and draw.exact and draw.affine.distance > MARGINS.bent


def _is_patch(mask: Array) -> bool:
    """Whether most of the pixels lie side by side."""
    if mask.sum() < 4:
        return False
    wide = np.pad(mask, 1).astype(int)
    around = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
    return bool((around[mask] >= 2).mean() > 0.5)


def _kinds_of_level_change(draws: list[Draw], stacks: dict[str, Array]) -> set[str]:
    kinds = set()
    noisy = np.array([draw.noisy for draw in draws])
    middle = stacks["gray"][:, PIXELS.edge : -PIXELS.edge, PIXELS.edge : -PIXELS.edge]
    if noisy.any() and (np.abs(middle - middle[noisy.argmax()]) > PIXELS.same_level).any():
        kinds.add(NOISE)
    if _levels_vary(draws, stacks) or (noisy.any() and _levels_vary_beside_noise(draws, middle[noisy])):
        kinds.add(INTENSITY)
    return kinds


def _levels_vary(draws: list[Draw], stacks: dict[str, Array]) -> bool:
    """Whether gray levels become now brighter, now darker, by what flat images, blocks or ramps show."""
    told = [(draw.noisy, draw.blocks) for draw in draws if draw.blocks is not None and not _is_bent(draw)]
    blocks = [levels for noisy_too, levels in told if not noisy_too]
    steps = [np.diff(levels) for _, levels in told]
    flat = [draw.flat for draw in draws if not draw.noisy]
    if flat and _farthest(np.array(flat)) > MARGINS.level:
        return True
    if len(blocks) > 1 and _farthest(np.stack(blocks)) > MARGINS.level + 0.5:
        return True
    if len(steps) > 1 and _farthest(np.stack(steps)) > 2 * MARGINS.level + 1:
        return True
    alike = [n for n, draw in enumerate(draws) if draw.pointwise and not draw.noisy and not draw.erased.any()]
    if not alike:
        return False
    # the middle pixel of each of the ramp's columns, wherever they are now
    columns = np.sort(stacks["across"][alike].reshape(len(alike), -1))[:, SIZE // 2 :: SIZE]
    usual = np.median(columns, axis=0)
    # of pixels that only moved, some columns are there twice and some no longer, and none is new
    new = np.abs(columns[:, :, None] - usual).min(axis=2) > PIXELS.same_level
    changed = columns[new.mean(axis=1) > 0.1]
    return bool(len(changed)) and float(np.abs(changed - usual).max()) > MARGINS.level + 0.5


def _levels_vary_beside_noise(draws: list[Draw], noisy: Array) -> bool:
    """Whether gray becomes brighter or darker by more than the mean of noise does; (n, H, W) the noisy middles."""
    error = noisy.std(axis=(1, 2)).max() / np.sqrt(noisy[0].size)
    return bool(_farthest(np.array([draw.flat[1] for draw in draws])) > 6 * error + 3)


def _farthest(values: Array) -> float:
    """How far the most unusual draw lies from the middle one; (n, …) values of n draws."""
    return float(np.abs(values - np.median(values, axis=0)).max())


def _kinds_of_motion(posed: list[tuple[Draw, Pose]], count: int) -> set[str]:
    kinds: set[str] = set()
    sure = [(draw, pose) for draw, pose in posed if draw.exact or draw.noisy]
    if len({pose.flipped for _, pose in sure}) == 2:
        kinds |= {FLIP} if len({pose.across for _, pose in sure}) == 2 else set()
        kinds |= {UPSIDE_DOWN} if len({pose.down for _, pose in sure}) == 2 else set()
    elif len({pose.across for _, pose in sure}) == 2:
        kinds.add(ROTATION)  # by 180 degrees
    flat = [(draw, pose) for draw, pose in posed if not _is_bent(draw)]
    if len(flat) < len(posed):
        kinds.add(WARP)
        flat = [(d, pose) for d, pose in flat if d.affine is not None and d.affine.distance < MARGINS.straight]
    if not flat:
        return kinds
    still = median_pose([pose for _, pose in flat])
    moves = [_moves(draw, each, still, 3.0 if WARP in kinds else 1.0) for draw, each in flat]
    if WARP not in kinds:
        return kinds.union(*moves)
    # some draws of a warp are hardly bent, and look as if images were turned, moved or enlarged
    often = {kind for kind in set().union(*moves) if sum(m == {kind} for m in moves) > MARGINS.often * count}
    return kinds | often


def _moves(draw: Draw, pose: Pose, still: Pose, slack: float) -> set[str]:
    """In which ways a draw differs from the middle one."""
    assert draw.affine is not None
    error, slack = draw.affine.error, slack if draw.exact or draw.noisy else 3.0
    if draw.noisy and not draw.exact:
        error *= 3  # what is left is no rounding, which largely cancels out
    turn = error / (SIZE / 5)  # the standard error of an angle
    kinds = set()
    if abs(pose.angle - still.angle) > slack * MARGINS.angle + 2 * np.degrees(turn):
        kinds.add(ROTATION)
    if abs(pose.shear - still.shear) > slack * MARGINS.shear + 4 * np.degrees(turn):
        kinds.add(WARP)
    if max(abs(pose.zoom - still.zoom), abs(pose.aspect - still.aspect) / 2) > slack * MARGINS.zoom + 3 * turn:
        kinds.add(ZOOM)
    moved = float(np.abs(pose.offset - still.offset).max())
    if min(moved, pose.beyond) > slack * MARGINS.shift + 3 * error:
        kinds.add(SHIFT)
    return kinds


def _sharpness(draws: list[Draw], texture: Array) -> set[str]:
    """Blur and sharpening: the texture differs from what the map of the draw makes of it, now more, now less."""
    fine: list[float] = []
    coarse: list[float] = []
    for draw in draws:
        if draw.affine is None or not draw.exact or _is_bent(draw):
            continue
        if draw.pointwise:
            fine.append(0.0)
            continue
        inner = draw.follows & inside_border(draw.follows.shape)
        if inner.sum() >= 60:
            off = np.abs(draw.detail - resampled(texture, draw.sources))[inner].mean()
            (fine if _on_pixels(draw.affine) else coarse).append(float(off))
    if fine and max(fine) - min(fine) > MARGINS.detail:
        return {SHARPNESS}
    return {SHARPNESS} if coarse and max(coarse) > MARGINS.coarse_detail + min([*fine, *coarse]) else set()


def _on_pixels(affine: Affine) -> bool:
    """Whether every pixel of a draw comes from just one."""
    linear, offset = np.abs(affine.linear), affine.offset
    whole = min(np.abs(linear - np.eye(2)).max(), np.abs(linear - np.eye(2)[::-1]).max()) < 0.004
    return bool(whole and np.abs(offset - np.round(offset)).max() < 0.05)


def loose_kinds_of_change(outputs: dict[str, Array]) -> frozenset[str]:
    """The same where the draws of the images are not the same ones, because they cannot be repeated."""
    stacks = gray_levels.in_gray_levels(outputs)
    if stacks is None:
        return frozenset()
    kinds = set()
    noisy = [gray_levels.is_noise(image) for image in stacks["gray"]]
    everywhere = np.ones(stacks["gray"].shape[1:], dtype=bool)
    flat = [
        gray_levels.flat_level(image, noise, everywhere) for image, noise in zip(stacks["gray"], noisy, strict=True)
    ]
    if any(noisy):
        kinds.add(NOISE)
    if _farthest(np.array(flat)) > MARGINS.level + (6 if any(noisy) else 0):
        kinds.add(INTENSITY)
    kinds |= _kinds_by_ramp(stacks["across"], FLIP, 0, any(noisy))
    kinds |= _kinds_by_ramp(stacks["down"], UPSIDE_DOWN, 1, any(noisy))
    return frozenset(kinds)


def _kinds_by_ramp(ramps: Array, flip: str, axis: int, noisy: bool) -> set[str]:
    """What one ramp tells alone: its slope along its own axis and across it, and where its middle went.

    Args:
        ramps: (n, H, W).
        flip: what turns this ramp round.
        axis: 0 for the ramp of columns, 1 for the one of rows.
    """
    kinds: set[str] = set()
    rows: list[list[float]] = []
    for ramp in ramps:
        source = gray_levels.source_of_ramp(ramp, np.array([[0, 255], [0, 255]]))
        found = fit(np.stack([source, source], axis=-1), ramp > 4, robust=not noisy)
        if found is not None:
            rows.append([found.linear[0, axis], found.linear[0, 1 - axis], found.offset[0], found.error])
    if not rows:
        return kinds
    along, across, offset, error = np.array(rows).T
    if (along > 0.5).any() and (along < -0.5).any():
        kinds.add(flip)
    slack = 6 * float(error.max())
    if _farthest(across) > np.radians(MARGINS.angle) * 1.5 + slack / 4:
        return kinds | {ROTATION}
    if _farthest(np.abs(along)) > 2 * MARGINS.zoom + slack / 4:
        return kinds | {ZOOM}
    return kinds | {SHIFT} if _farthest(offset) > 1.5 * MARGINS.shift + slack else kinds
