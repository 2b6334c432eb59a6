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
    flat = {name: np.full((SIZE, SIZE), level, np.uint8) for name, level in (("black", 0), ("gray", 128), ("white", 255))}
    blocks = np.kron(np.array(BLOCKS, np.uint8).reshape(2, 2), np.ones((SIZE // 2, SIZE // 2), np.uint8))
    return {"across": across, "down": np.ascontiguousarray(across.T), **flat, "blocks": blocks, "texture": texture(rng)}


def texture(rng: np.random.Generator) -> Array:
    """Patches of 4x4 pixels, none quite black or white, so that every kind of change shows."""
    return np.kron(rng.integers(40, 200, (SIZE // 4, SIZE // 4)), np.ones((4, 4))).astype(np.uint8)


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
    }


def ask_test(seen: Evidence, rng: np.random.Generator) -> Question:
    return Question(_common(rng))


def ask_train(seen: Evidence, rng: np.random.Generator) -> Question:
    return Question({**_common(rng), "fields": fields(rng), "still": sorted(STILL), "mapped": sorted(MAPPED)})


PROBES = (
    Probe("augmentation.test", "transforms.test", ask_test, when=lambda seen: seen.has("tfm_test"), seconds=60),
    Probe("augmentation.train", "transforms.train", ask_train, when=lambda seen: seen.has("tfm_train"), seconds=120),
)
