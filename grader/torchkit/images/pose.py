"""An affine map taken to pieces: flip, rotation, shear, zoom, shift."""

from dataclasses import dataclass

import numpy as np

from grader.torchkit.images.affine import Affine
from grader.torchkit.images.calibration import SIZE

Array = np.ndarray


@dataclass(frozen=True)
class Pose:
    """An affine map taken to pieces.

    Attributes:
        flipped: 1 or -1, the sign of its determinant.
        across: 1 or -1, the sign of the columns' direction.
        down: the same of the rows.
        angle: degrees.
        shear: degrees.
        zoom: logarithm.
        aspect: logarithm of width over height.
        offset: (2,) pixels.
        beyond: pixels by which the part of the source that is seen reaches over its border.
    """

    flipped: int
    across: int
    down: int
    angle: float
    shear: float
    zoom: float
    aspect: float
    offset: Array
    beyond: float = 0.0


def pose(affine: Affine, shape: tuple[int, ...]) -> Pose:
    """Take a map to pieces, flips first, so that as little rotation as possible is left.

    Args:
        shape: (H, W) of the output.
    """
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
    """How far both axes are turned in all, the rotation, the shear, and the map without its flips."""
    straight = np.diag(signs) @ linear
    # where rows are sheared along columns the second axis keeps the rotation, and the other way round
    first = np.degrees(np.arctan2(straight[1, 0], straight[0, 0]))
    second = np.degrees(np.arctan2(-straight[0, 1], straight[1, 1]))
    angle = min(first, second, key=abs)
    return abs(first) + abs(second), float(angle), float((first - second + 180) % 360 - 180), straight


def median_pose(poses: list[Pose]) -> Pose:
    """The median in every respect but flips."""
    values = {
        name: float(np.median([getattr(pose, name) for pose in poses])) for name in ("angle", "shear", "zoom", "aspect")
    }
    return Pose(1, 1, 1, offset=np.median([pose.offset for pose in poses], axis=0), **values)
