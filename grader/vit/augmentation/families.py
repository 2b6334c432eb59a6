"""Which kinds of change an opaque transform draws from, judged by what its draws did."""

from dataclasses import dataclass

import numpy as np

from grader.vit.augmentation import motion
from grader.vit.augmentation.motion import EDGE, SIZE, Draw

Array = np.ndarray
FLIP, UPSIDE_DOWN, ROTATION, SHIFT, ZOOM = "horizontal flip", "vertical flip", "rotation", "shift or crop", "zoom"
WARP, INTENSITY, NOISE = "shear or warp", "brightness or contrast", "noise"
SHARPNESS, ERASING = "blur or sharpness", "erasing"

# Levels and pixels beyond which draws differ; see bench/augmentation_margins.py for the margins on both sides.
GRAY = 1.5  # gray levels
ANGLE = 1.0  # degrees
STRETCH = 0.04  # of the logarithm of the zoom
SHEAR = 2.0  # degrees
MOVE = 0.6  # pixels
BENT = 0.65  # pixels from an affine map; nearest-neighbour sampling alone gives 0.41
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


def kinds_of_change(fields: dict[str, Array], texture: Array) -> frozenset[str]:
    """Tell kinds of change from the outputs of many draws.

    Args:
        fields: (n, H, W) outputs for each image of ``probes.fields``, the same draws for all.
        texture: the image of that name.
    """
    grays = motion.grays(fields)
    if grays is None:
        return frozenset()
    draws = [motion.observe(grays, number) for number in range(len(grays["gray"]))]
    kinds = _gray_kinds(draws, grays["gray"])
    posed = [(draw, pose(draw.affine.linear, draw.affine.offset)) for draw in draws if draw.affine is not None]
    kinds |= _motion_kinds(posed)
    kinds |= _detail_kinds(draws, texture)
    if _differ([draw.erased for draw in draws if draw.erased.sum() >= 4], [draw.erased for draw in draws]):
        kinds.add(ERASING)
    return frozenset(kinds)


def pose(linear: Array, offset: Array) -> Pose:
    """Take a map to pieces: flips first, so that as little rotation as possible is left."""
    flipped = 1 if np.linalg.det(linear) >= 0 else -1
    choices = [(1, 1), (-1, -1)] if flipped > 0 else [(-1, 1), (1, -1)]
    across, down = min(choices, key=lambda signs: _angles(linear, signs)[0])
    _, angle, shear, straight = _angles(linear, (across, down))
    widths = np.maximum(np.linalg.norm(straight, axis=0), 1e-6)
    zoom = 0.5 * float(np.log(max(abs(np.linalg.det(linear)), 1e-6)))
    return Pose(flipped, across, down, angle, shear, zoom, float(np.log(widths[0] / widths[1])), offset)


def _angles(linear: Array, signs: tuple[int, int]) -> tuple[float, float, float, Array]:
    straight = np.diag(signs) @ linear
    # where rows are sheared along columns the second axis keeps the rotation, and the other way round
    first = np.degrees(np.arctan2(straight[1, 0], straight[0, 0]))
    second = np.degrees(np.arctan2(-straight[0, 1], straight[1, 1]))
    angle = min(first, second, key=abs)
    return abs(first) + abs(second), float(angle), float((first - second + 180) % 360 - 180), straight


def _gray_kinds(draws: list[Draw], gray: Array) -> set[str]:
    kinds = set()
    quiet = [draw for draw in draws if not draw.noisy]
    noisy = [number for number, draw in enumerate(draws) if draw.noisy]
    middle = gray[:, EDGE:-EDGE, EDGE:-EDGE]
    if noisy and any(np.abs(middle[noisy[0]] - other).max() > 0.75 for other in middle):
        kinds.add(NOISE)
    if quiet:
        flat = np.stack([draw.flat for draw in quiet])
        blocks = [draw.blocks for draw in quiet if draw.blocks is not None]
        if _apart(flat) > GRAY or (len(blocks) > 1 and _apart(np.stack(blocks)) > GRAY + 0.5):
            kinds.add(INTENSITY)
    if noisy:
        levels = np.array([draw.flat[1] for draw in draws])
        error = middle[noisy].std(axis=(1, 2)).max() / np.sqrt(middle[0].size)
        if np.abs(levels - np.median(levels)).max() > 6 * error + 3:
            kinds.add(INTENSITY)
    return kinds


def _apart(values: Array) -> float:
    """How far the most unusual draw lies from the middle one."""
    return float(np.abs(values - np.median(values, axis=0)).max())


def _motion_kinds(posed: list[tuple[Draw, Pose]]) -> set[str]:
    kinds = set()
    bent = [draw.affine is not None and draw.exact and draw.affine.apart > BENT for draw, _ in posed]
    if any(bent):
        kinds.add(WARP)
    sure = [(draw, pose) for (draw, pose), warped in zip(posed, bent, strict=True) if not warped]
    if len({pose.flipped for _, pose in posed}) == 2:
        kinds |= {FLIP} if len({pose.across for _, pose in posed}) == 2 else set()
        kinds |= {UPSIDE_DOWN} if len({pose.down for _, pose in posed}) == 2 else set()
    elif len({pose.across for _, pose in posed}) == 2:
        kinds.add(ROTATION)  # by 180 degrees
    if not sure:
        return kinds
    poses = [pose for _, pose in sure]
    still = Pose(1, 1, 1, *(float(np.median([getattr(p, n) for p in poses])) for n in ("angle", "shear", "zoom", "aspect")),
                 np.median([p.offset for p in poses], axis=0))  # fmt: skip
    for draw, each in sure:
        kinds |= _moves(draw, each, still)
    return kinds


def _moves(draw: Draw, pose: Pose, still: Pose) -> set[str]:
    """In which ways a draw differs from the middle one."""
    assert draw.affine is not None
    error, slack = draw.affine.error, 1.0 if draw.exact else 3.0
    turn = np.degrees(error / (SIZE / 6))  # the standard error of an angle
    kinds = set()
    if abs(pose.angle - still.angle) > slack * ANGLE + 5 * turn:
        kinds.add(ROTATION)
    if abs(pose.shear - still.shear) > slack * SHEAR + 6 * turn:
        kinds.add(WARP)
    grown = max(abs(pose.zoom - still.zoom), abs(pose.aspect - still.aspect) / 2)
    if grown > slack * STRETCH + 5 * np.radians(turn):
        kinds.add(ZOOM)
    # a crop that is enlarged again moves too, but never beyond the border
    room = abs(1 - float(np.exp(pose.zoom - still.zoom))) * (1 + abs(pose.aspect)) * SIZE / 2
    room = room + abs(pose.aspect) * SIZE / 4 if ZOOM in kinds else 0.0
    if np.abs(pose.offset - still.offset).max() > slack * MOVE + 5 * error + room:
        kinds.add(SHIFT)
    return kinds


def _detail_kinds(draws: list[Draw], texture: Array) -> set[str]:
    """Blur and sharpening: the texture differs from what the map of the draw makes of it, now more, now less."""
    fine, coarse = [], []
    for draw in draws:
        if draw.affine is None or not draw.exact or draw.affine.apart > BENT:
            continue
        expected = motion.resampled(texture, draw.affine, draw.detail.shape)
        off = np.abs(draw.detail - expected)[EDGE:-EDGE, EDGE:-EDGE]
        off = off[~draw.erased[EDGE:-EDGE, EDGE:-EDGE]]
        if off.size < 40:
            continue
        (fine if _on_pixels(draw) else coarse).append(float(off.mean()))
    if fine and max(fine) - min(fine) > DETAIL:
        return {SHARPNESS}
    return {SHARPNESS} if coarse and max(coarse) > COARSE_DETAIL + min([*fine, *coarse]) else set()


def _on_pixels(draw: Draw) -> bool:
    """Whether every pixel of a draw comes from just one."""
    assert draw.affine is not None
    linear, offset = draw.affine.linear, draw.affine.offset
    whole = np.abs(np.abs(linear) - np.eye(2)).max() < 0.004 or np.abs(np.abs(linear) - np.eye(2)[::-1]).max() < 0.004
    return bool(whole and np.abs(offset - np.round(offset)).max() < 0.05)


def _differ(some: list[Array], every: list[Array]) -> bool:
    return bool(some) and any((some[0] != other).any() for other in every)


def loose_kinds_of_change(fields: dict[str, Array]) -> frozenset[str]:
    """The same where the draws of the images are not the same ones, because they cannot be repeated."""
    grays = motion.grays(fields)
    if grays is None:
        return frozenset()
    kinds = set()
    gray = grays["gray"]
    noisy = [motion.is_noise(image) for image in gray]
    flat = np.array([motion._level(image, noise) for image, noise in zip(gray, noisy, strict=True)])
    if any(noisy):
        kinds.add(NOISE)
    if _apart(flat[:, None]) > GRAY + (6 if any(noisy) else 0):
        kinds.add(INTENSITY)
    kinds |= _loose_motion(grays["across"], FLIP, 0) | _loose_motion(grays["down"], UPSIDE_DOWN, 1)
    return frozenset(kinds)


def _loose_motion(ramps: Array, flip: str, axis: int) -> set[str]:
    levels = np.array([[0, 255], [0, 255]])
    kinds, rows = set(), []
    for ramp in ramps:
        source = motion._source(ramp, levels)
        found = motion.fit(source, source, ramp > 4)
        if found is not None:
            rows.append([found.linear[0, axis], found.linear[0, 1 - axis], found.offset[0], found.error])
    if not rows:
        return kinds
    values = np.array(rows)
    if (values[:, 0] > 0.5).any() and (values[:, 0] < -0.5).any():
        kinds.add(flip)
    slack = 6 * values[:, 3].max()
    if _apart(values[:, 1:2]) > np.radians(ANGLE) * 1.5 + slack / 4:
        kinds.add(ROTATION)
    if _apart(np.abs(values[:, 0:1])) > 2 * STRETCH + slack / 4 and ROTATION not in kinds:
        kinds.add(ZOOM)
    elif _apart(values[:, 2:3]) > 1.5 * MOVE + slack:
        kinds.add(SHIFT)
    return kinds
