"""The images that the transforms are asked to change, and what is asked of them.

To tell what moves pixels from what changes gray levels, each draw is applied, under one seed, to several
images: two ramps whose gray level is the pixel's column or row, images of one level, blocks of known levels.
All ramps and blocks have the same mean, darkest and brightest level, so that whatever depends on those
(contrast, autocontrast) changes them alike.
"""

import numpy as np

from grader.evidence import Evidence, Probe, Question

Array = np.ndarray
SIZE = 28
DRAWS = 256  # what happens once in 20 is missed with probability 0.95 ** 256 = 2e-6
STEP = 9  # gray levels from one pixel of a ramp to the next
BLOCKS = (0, 81, 162, 243)  # mean, darkest and brightest as in a ramp
FLAT = (0, 64, 128, 192, 255)
PICKS = 7
COUNT, CELLS, CELL = 96, 4, 7  # images that are drawn, cells along an edge of each, pixels along an edge of a cell

POLICIES = frozenset({"AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"})
MAPPED = frozenset({"RandomAffine"})  # one class, several kinds of change
STILL = POLICIES | MAPPED | frozenset({
    "RandomCrop", "RandomResizedCrop", "RandomHorizontalFlip", "RandomVerticalFlip", "RandomRotation",
    "RandomPerspective", "ElasticTransform", "RandomZoomOut", "RandomIoUCrop", "RandomResize", "RandomShortestSize",
    "ScaleJitter", "ColorJitter", "RandomPhotometricDistort", "RandomGrayscale", "RandomChannelPermutation",
    "RandomInvert", "RandomPosterize", "RandomSolarize", "RandomAdjustSharpness", "RandomAutocontrast",
    "RandomEqualize", "RandomErasing", "GaussianBlur", "GaussianNoise", "JPEG",
})  # fmt: skip


def fields(rng: np.random.Generator) -> dict[str, Array]:
    """The images that show what a draw does, by name."""
    across = np.tile(np.arange(SIZE, dtype=np.uint8) * STEP, (SIZE, 1))
    black, gray, white = (np.full((SIZE, SIZE), level, np.uint8) for level in (0, 128, 255))
    blocks = enlarged(np.array(BLOCKS).reshape(2, 2), SIZE // 2, SIZE // 2)
    patches = rng.permutation(np.repeat(BLOCKS, 7)).reshape(7, 4)  # as many of each level as in the blocks
    texture = enlarged(patches, 4, 7)
    return {"across": across, "down": np.ascontiguousarray(across.T), "black": black, "gray": gray, "white": white,
            "blocks": blocks, "texture": texture}  # fmt: skip


def enlarged(levels: Array, height: int, width: int) -> Array:
    """Let each number fill so many pixels."""
    return np.kron(levels, np.ones((height, width))).astype(np.uint8)


def texture(rng: np.random.Generator) -> Array:
    """A picture of patches, none quite black or white, so that every kind of change shows."""
    return enlarged(rng.integers(40, 200, (SIZE // 4, SIZE // 4)), 4, 4)


def coarse(rng: np.random.Generator) -> Array:
    """(COUNT, 28, 28) uint8 images of coarse patterns around different gray levels."""
    middles = rng.uniform(60, 195, (COUNT, 1, 1))
    cells = middles + rng.uniform(-55, 55, (COUNT, CELLS, CELLS))
    return np.kron(cells, np.ones((CELL, CELL))).astype(np.uint8)


def levels(rng: np.random.Generator) -> Array:
    """An image of all 256 gray levels, each three times or more, out of order."""
    every = np.resize(np.arange(256, dtype=np.uint8), SIZE * SIZE)
    return rng.permutation(every).reshape(SIZE, SIZE)


def _common(rng: np.random.Generator) -> dict:
    return {
        "images": {"$shared": "train_images"},
        "picks": [int(pick) for pick in rng.integers(0, 60_000, PICKS)],
        "texture": texture(rng),
        "flat": list(FLAT),
        "levels": levels(rng),
        "draws": DRAWS,
        "drawn": coarse(rng),
    }


def ask_test(seen: Evidence, rng: np.random.Generator) -> Question:
    return Question(_common(rng))


def ask_train(seen: Evidence, rng: np.random.Generator) -> Question:
    return Question({**_common(rng), "fields": fields(rng), "still": sorted(STILL), "mapped": sorted(MAPPED)})


PROBES = (
    Probe("augmentation.test", "transforms.test", ask_test, when=lambda seen: seen.has("tfm_test"), seconds=60),
    Probe("augmentation.train", "transforms.train", ask_train, when=lambda seen: seen.has("tfm_train"), seconds=120),
)
