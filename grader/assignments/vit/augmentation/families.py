"""Which kinds of change an opaque transform draws from, judged by what its draws did."""

from dataclasses import dataclass

import numpy as np

from grader.assignments.vit.augmentation import motion
from grader.assignments.vit.augmentation.motion import EDGE, SIZE, Affine, Draw

Array = np.ndarray
FLIP, UPSIDE_DOWN, ROTATION, SHIFT, ZOOM = "horizontal flip", "vertical flip", "rotation", "shift or crop", "zoom"
WARP, INTENSITY, NOISE = "shear or warp", "brightness or contrast", "noise"
SHARPNESS, ERASING = "blur or sharpness", "erasing"

# Levels and pixels beyond which draws differ; bench/augmentation_margins.py prints the margins on both sides.
GRAY = 1.5  # gray levels
ANGLE = 0.7  # degrees
STRETCH = 0.04  # of the logarithm of the zoom
SHEAR = 2.0  # degrees
MOVE = 0.6  # pixels
BENT = 0.65  # pixels from an affine map; nearest-neighbour sampling alone gives 0.41
STRAIGHT = 0.45  # pixels: surely no warp
OFTEN = 0.1  # of the draws: how many that are no warp must move images where others warp them
DETAIL = 4.0  # gray levels of a texture, where pixels fall on pixels
COARSE_DETAIL = 14.0  # where they fall between pixels


@dataclass(frozen=True)
class Pose:
    """An affine map taken to pieces."""

    flipped: int  # 1 or -1, the sign of its determinant
    across: int  # sign of the columns' direction
    down: int
    angle: float  # degrees
    shear: float  # degrees
    zoom: float  # logarithm
    aspect: float  # logarithm
    offset: Array
    beyond: float = 0.0  # pixels by which the part of the source that is seen reaches over its border


def kinds_of_change(fields: dict[str, Array], texture: Array) -> frozenset[str]:
    """Tell kinds of change from the outputs of many draws.

    Args:
        fields: (n, H, W) outputs for each image of ``probes.fields``, the same draws for all.
        texture: the image of that name.
    """
    grays = motion.grays(fields)
    if grays is None:
        return frozenset()
    draws = motion.observe_all(grays, texture)
    kinds = _gray_kinds(draws, grays)
    posed = [(draw, pose(draw.affine, grays["gray"].shape[1:])) for draw in draws if draw.affine is not None]
    kinds |= _motion_kinds(posed, len(draws)) | _detail_kinds(draws, texture)
    whole = [draw.erased for draw in draws if not _is_bent(draw)]
    erased = [mask for mask in whole if _is_patch(mask)]
    if erased and any((erased[0] != other).any() for other in whole):
        kinds.add(ERASING)
    return frozenset(kinds)


def pose(affine: Affine, shape: tuple[int, ...]) -> Pose:
    """Take a map to pieces: flips first, so that as little rotation as possible is left."""
    linear, offset = affine.linear, affine.offset
    flipped = 1 if np.linalg.det(linear) >= 0 else -1
    choices = [(1, 1), (-1, -1)] if flipped > 0 else [(-1, 1), (1, -1)]
    across, down = min(choices, key=lambda signs: _angles(linear, signs)[0])
    _, angle, shear, straight = _angles(linear, (across, down))
    widths = np.maximum(np.linalg.norm(straight, axis=0), 1e-6)
    zoom = 0.5 * float(np.log(max(abs(np.linalg.det(linear)), 1e-6)))
    # a crop that is enlarged again stays within the image, and so does a whole image made smaller
    room = np.abs(widths * np.array(shape[::-1]) / 2 - SIZE / 2)
    beyond = float((np.abs(offset) - room).max())
    return Pose(flipped, across, down, angle, shear, zoom, float(np.log(widths[0] / widths[1])), offset, beyond)


def _angles(linear: Array, signs: tuple[int, int]) -> tuple[float, float, float, Array]:
    straight = np.diag(signs) @ linear
    # where rows are sheared along columns the second axis keeps the rotation, and the other way round
    first = np.degrees(np.arctan2(straight[1, 0], straight[0, 0]))
    second = np.degrees(np.arctan2(-straight[0, 1], straight[1, 1]))
    angle = min(first, second, key=abs)
    return abs(first) + abs(second), float(angle), float((first - second + 180) % 360 - 180), straight


def _is_bent(draw: Draw) -> bool:
    return draw.affine is not None and draw.exact and draw.affine.apart > BENT


def _is_patch(mask: Array) -> bool:
    """Whether most of the pixels lie side by side."""
    if mask.sum() < 4:
        return False
    wide = np.pad(mask, 1).astype(int)
    around = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
    return bool((around[mask] >= 2).mean() > 0.5)


def _gray_kinds(draws: list[Draw], grays: dict[str, Array]) -> set[str]:
    kinds = set()
    noisy = np.array([draw.noisy for draw in draws])
    middle = grays["gray"][:, EDGE:-EDGE, EDGE:-EDGE]
    if noisy.any() and (np.abs(middle - middle[noisy.argmax()]) > motion.ALIKE).any():
        kinds.add(NOISE)
    flat = np.array([draw.flat for draw in draws])
    told = [(draw.noisy, draw.blocks) for draw in draws if draw.blocks is not None and not _is_bent(draw)]
    blocks = [levels for noisy_too, levels in told if not noisy_too]
    steps = [np.diff(levels) for _, levels in told]
    alike = [n for n, draw in enumerate(draws) if draw.pointwise and not draw.noisy and not draw.erased.any()]
    if not noisy.all() and _apart(flat[~noisy]) > GRAY:
        kinds.add(INTENSITY)
    if len(blocks) > 1 and _apart(np.stack(blocks)) > GRAY + 0.5:
        kinds.add(INTENSITY)
    if len(steps) > 1 and _apart(np.stack(steps)) > 2 * GRAY + 1:
        kinds.add(INTENSITY)
    # the middle pixel of each of the ramp's columns, wherever they are now
    if alike and _apart(np.sort(grays["across"][alike].reshape(len(alike), -1))[:, SIZE // 2 :: SIZE]) > GRAY + 0.5:
        kinds.add(INTENSITY)
    if noisy.any():
        error = middle[noisy].std(axis=(1, 2)).max() / np.sqrt(middle[0].size)
        if _apart(flat[:, 1]) > 6 * error + 3:
            kinds.add(INTENSITY)
    return kinds


def _apart(values: Array) -> float:
    """How far the most unusual draw lies from the middle one."""
    return float(np.abs(values - np.median(values, axis=0)).max())


def _motion_kinds(posed: list[tuple[Draw, Pose]], count: int) -> set[str]:
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
        flat = [(draw, pose) for draw, pose in flat if draw.affine is not None and draw.affine.apart < STRAIGHT]
    if not flat:
        return kinds
    still = _middle([pose for _, pose in flat])
    moves = [_moves(draw, each, still, 3.0 if WARP in kinds else 1.0) for draw, each in flat]
    if WARP not in kinds:
        return kinds.union(*moves)
    # some draws of a warp are hardly bent, and look as if images were turned, moved or enlarged
    often = {kind for kind in set().union(*moves) if sum(m == {kind} for m in moves) > OFTEN * count}
    return kinds | often


def _middle(poses: list[Pose]) -> Pose:
    """The median in every respect."""
    values = {name: float(np.median([getattr(pose, name) for pose in poses])) for name in NUMBERS}
    return Pose(1, 1, 1, offset=np.median([pose.offset for pose in poses], axis=0), **values)


NUMBERS = ("angle", "shear", "zoom", "aspect")


def _moves(draw: Draw, pose: Pose, still: Pose, slack: float) -> set[str]:
    """In which ways a draw differs from the middle one."""
    assert draw.affine is not None
    error, slack = draw.affine.error, slack if draw.exact or draw.noisy else 3.0
    if draw.noisy and not draw.exact:
        error *= 3  # what is left is no rounding, which largely cancels out
    turn = error / (SIZE / 5)  # the standard error of an angle
    kinds = set()
    if abs(pose.angle - still.angle) > slack * ANGLE + 2 * np.degrees(turn):
        kinds.add(ROTATION)
    if abs(pose.shear - still.shear) > slack * SHEAR + 4 * np.degrees(turn):
        kinds.add(WARP)
    if max(abs(pose.zoom - still.zoom), abs(pose.aspect - still.aspect) / 2) > slack * STRETCH + 3 * turn:
        kinds.add(ZOOM)
    moved = float(np.abs(pose.offset - still.offset).max())
    if min(moved, pose.beyond) > slack * MOVE + 3 * error:
        kinds.add(SHIFT)
    return kinds


def _detail_kinds(draws: list[Draw], texture: Array) -> set[str]:
    """Blur and sharpening: the texture differs from what the map of the draw makes of it, now more, now less."""
    fine: list[float] = []
    coarse: list[float] = []
    for draw in draws:
        if draw.affine is None or not draw.exact or _is_bent(draw):
            continue
        if draw.pointwise:
            fine.append(0.0)
            continue
        seen = draw.follows.copy()
        seen[:BORDER], seen[-BORDER:], seen[:, :BORDER], seen[:, -BORDER:] = False, False, False, False
        if seen.sum() >= 60:
            off = np.abs(draw.detail - motion.resampled(texture, draw.sources))[seen].mean()
            (fine if _on_pixels(draw.affine) else coarse).append(float(off))
    if fine and max(fine) - min(fine) > DETAIL:
        return {SHARPNESS}
    return {SHARPNESS} if coarse and max(coarse) > COARSE_DETAIL + min([*fine, *coarse]) else set()


BORDER = motion.BORDER


def _on_pixels(affine: Affine) -> bool:
    """Whether every pixel of a draw comes from just one."""
    linear, offset = np.abs(affine.linear), affine.offset
    whole = min(np.abs(linear - np.eye(2)).max(), np.abs(linear - np.eye(2)[::-1]).max()) < 0.004
    return bool(whole and np.abs(offset - np.round(offset)).max() < 0.05)


def loose_kinds_of_change(fields: dict[str, Array]) -> frozenset[str]:
    """The same where the draws of the images are not the same ones, because they cannot be repeated."""
    grays = motion.grays(fields)
    if grays is None:
        return frozenset()
    kinds = set()
    noisy = [motion.is_noise(image) for image in grays["gray"]]
    everywhere = np.ones(grays["gray"].shape[1:], dtype=bool)
    flat = np.array([motion.level(*pair, everywhere) for pair in zip(grays["gray"], noisy, strict=True)])
    if any(noisy):
        kinds.add(NOISE)
    if _apart(flat) > GRAY + (6 if any(noisy) else 0):
        kinds.add(INTENSITY)
    kinds |= _loose_motion(grays["across"], FLIP, 0, any(noisy))
    kinds |= _loose_motion(grays["down"], UPSIDE_DOWN, 1, any(noisy))
    return frozenset(kinds)


def _loose_motion(ramps: Array, flip: str, axis: int, noisy: bool) -> set[str]:
    """What one ramp tells alone: its slope along its own axis and across it, and where its middle went."""
    kinds: set[str] = set()
    rows: list[list[float]] = []
    for ramp in ramps:
        source = motion._source(ramp, np.array([[0, 255], [0, 255]]))
        found = motion.fit(np.stack([source, source], axis=-1), ramp > 4, robust=not noisy)
        if found is not None:
            rows.append([found.linear[0, axis], found.linear[0, 1 - axis], found.offset[0], found.error])
    if not rows:
        return kinds
    along, aside, offset, error = np.array(rows).T
    if (along > 0.5).any() and (along < -0.5).any():
        kinds.add(flip)
    slack = 6 * float(error.max())
    if _apart(aside) > np.radians(ANGLE) * 1.5 + slack / 4:
        return kinds | {ROTATION}
    if _apart(np.abs(along)) > 2 * STRETCH + slack / 4:
        return kinds | {ZOOM}
    return kinds | {SHIFT} if _apart(offset) > 1.5 * MOVE + slack else kinds
