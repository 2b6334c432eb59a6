"""Calibration images: every pixel of them is known, so what comes out of a transform shows what it did.

To tell what moves pixels from what changes gray levels, each draw is applied, under one seed, to several images: two
ramps whose gray level is the pixel's column or row, images of one level, blocks of known levels. All ramps and blocks
have the same mean, darkest and brightest level, so that whatever depends on those (contrast, autocontrast) changes
them alike.

Images are gray, (28, 28) uint8, as those of MNIST and its relatives.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
SIZE = 28  # pixels along an edge
RAMP_STEP = 9  # gray levels from one pixel of a ramp to the next
BLOCK_LEVELS = (0, 81, 162, 243)  # gray levels; mean, darkest and brightest as in a ramp
COARSE_COUNT, CELLS, CELL = 96, 4, 7  # coarse images; cells along an edge of each, and pixels along an edge of a cell


@dataclass(frozen=True)
class PixelLimits:
    """Which pixels of a calibration image count once a draw has changed it, and which of them are of one level.

    Attributes:
        border: next to the border, where a filter sees less of the image.
        edge: next to the border, where fill may show; not looked at for noise and blur.
        min_count: that an affine map is fitted to, or a level taken from.
        same_level: gray levels that two pixels of one level may differ by.
    """

    border: int = 3
    edge: int = 6
    min_count: int = 80
    same_level: float = 0.75


PIXELS = PixelLimits()


def calibration_images(rng: np.random.Generator) -> dict[str, Array]:
    """The images that show what one draw does, by name."""
    across = np.tile(np.arange(SIZE, dtype=np.uint8) * RAMP_STEP, (SIZE, 1))
    black, gray, white = (np.full((SIZE, SIZE), level, np.uint8) for level in (0, 128, 255))
    blocks = enlarged(np.array(BLOCK_LEVELS).reshape(2, 2), SIZE // 2, SIZE // 2)
    patches = rng.permutation(np.repeat(BLOCK_LEVELS, 7)).reshape(7, 4)  # as many of each level as in the blocks
    texture = enlarged(patches, 4, 7)
    return {"across": across, "down": np.ascontiguousarray(across.T), "black": black, "gray": gray, "white": white,
            "blocks": blocks, "texture": texture}  # fmt: skip


def enlarged(levels: Array, height: int, width: int) -> Array:
    """Let each number of a small image fill ``height`` by ``width`` pixels, as uint8."""
    return np.kron(levels, np.ones((height, width))).astype(np.uint8)


def patches(rng: np.random.Generator) -> Array:
    """An image of patches, none quite black or white, so that every kind of change shows."""
    return enlarged(rng.integers(40, 200, (SIZE // 4, SIZE // 4)), 4, 4)


def coarse_images(rng: np.random.Generator) -> Array:
    """(COARSE_COUNT, 28, 28) uint8 images of coarse patterns around different gray levels."""
    middles = rng.uniform(60, 195, (COARSE_COUNT, 1, 1))
    cells = middles + rng.uniform(-55, 55, (COARSE_COUNT, CELLS, CELLS))
    return np.kron(cells, np.ones((CELL, CELL))).astype(np.uint8)


def all_levels(rng: np.random.Generator) -> Array:
    """An image of all 256 gray levels, each three times or more, out of order."""
    every = np.resize(np.arange(256, dtype=np.uint8), SIZE * SIZE)
    return rng.permutation(every).reshape(SIZE, SIZE)


def question(rng: np.random.Generator) -> dict[str, Any]:
    """What both operations of ``grader.torchkit.inside.transforms`` are asked with, apart from names and photographs."""
    return {
        "texture": patches(rng),
        "flat": [0, 64, 128, 192, 255],
        "levels": all_levels(rng),
        "draws": 256,  # what happens once in 20 draws is missed with probability 0.95 ** 256 = 2e-6
        "drawn": coarse_images(rng),
        "cells": CELLS,
    }
