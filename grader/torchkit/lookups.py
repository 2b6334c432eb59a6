"""Does a model look test images up, instead of recognising what is on them?

A table of answers reaches any score. It shows in how the score comes about, whatever the table is searched by:

- images that were moved or dimmed a little are not found in it, and are named far worse;
- its errors, where it has some to look honest, lie on easy and on hard images alike, while a model that recognises
  images hardly ever errs on the easy ones;
- its score is beyond what any published model reaches.

Shapes: n images, H and W their sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

CHANGES = {"moved": "moved by one pixel, with a little noise", "dimmed": "dimmed by three tenths"}


@dataclass(frozen=True)
class Bounds:
    """What honest models keep to.

    Attributes:
        min_kept: by kind of change, the share of the score that changed images must keep; of a score below
            ``sound_score`` so much less as it is lower, since a model that has hardly learnt loses more.
        max_easy_errors: errors on easy images over errors on all.
        max_score: more is not plausible.
    """

    min_kept: Mapping[str, float]
    max_easy_errors: float
    max_score: float
    sound_score: float = 0.75

    def least_kept(self, change: str, score: float) -> float:
        """The share of a score that images changed in one way must keep."""
        return self.min_kept[change] * min(1.0, score / self.sound_score)


@dataclass(frozen=True)
class LookUpSigns:
    """What tells a look-up from a model that recognises images.

    Attributes:
        score: share of the test images that are named right.
        kept: by kind of change, the score on changed images over that on the same ones unchanged.
        easy: share of errors among the easy images over that among all; None where errors are too few.
    """

    score: float
    kept: Mapping[str, float]
    easy: float | None


def suspicion(name: str, signs: LookUpSigns, bounds: Bounds) -> str:
    """Why a person has to look at a score, in words; empty where nothing is suspicious.

    Args:
        name: of the score, as "the accuracy".
    """
    score = f"{name} is {signs.score:.3f}"
    question = "does the model look up answers to images that it knows?"
    for change, kept in signs.kept.items():
        if kept < bounds.least_kept(change, signs.score):
            lost = f"falls to {kept:.0%} of itself when test images are {CHANGES[change]}"
            return f"{score}, and {lost}: {question}"
    if signs.easy is not None and signs.easy > bounds.max_easy_errors:
        spread = f"errors are as frequent on easy images as on hard ones ({signs.easy:.2f} times as on all)"
        return f"{score}, but its {spread}, while a model that recognises images errs on hard ones: {question}"
    if signs.score > bounds.max_score:
        return f"{score}, more than any published model reaches: {question}"
    return ""


def easy_errors(wrong: np.ndarray, easy: np.ndarray) -> float | None:
    """Share of errors among easy images over that among all; None where errors are too few.

    Args:
        wrong: (n,) which images were named wrongly.
        easy: (n,) which images are easy.
    """
    min_errors = 20  # fewer errors tell nothing about where errors lie
    if wrong.sum() < min_errors or not easy.any():
        return None
    return float(wrong[easy].mean() / wrong.mean())


def moved(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move images by one pixel, a quarter of them in each of four directions, and add a little noise.

    A model that computes from what it sees hardly notices; one that looks its answers up finds none of them.
    Black stays black: a LayerNorm over the pixels of a patch makes noise where nothing is as large as an object.

    Args:
        images: (n, H, W) uint8.

    Returns:
        of the same shape and dtype; the noise has a standard deviation of 8 grey levels.
    """
    shifts = [((-1, 0), (1, 0), (0, -1), (0, 1))[i % 4] for i in rng.permutation(len(images))]
    rolled = np.stack([np.roll(image, shift, (0, 1)) for image, shift in zip(images, shifts, strict=True)])
    noisy = rolled + 8.0 * rng.standard_normal(rolled.shape, dtype=np.float32) * (rolled > 0)
    return noisy.round().clip(0, 255).astype(np.uint8)


def dimmed(images: np.ndarray) -> np.ndarray:
    """Take three tenths of the light from images, which hardly any honest model notices.

    Args:
        images: (n, H, W) uint8.

    Returns:
        of the same shape and dtype.
    """
    return (images * 0.7).round().astype(np.uint8)
