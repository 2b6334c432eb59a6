"""The normalisation that a transform ends with, told from what becomes of gray levels."""

from dataclasses import dataclass

import numpy as np

from grader.torchkit.images.observed import ObservedRandomTransform, ObservedTransform, planes

Array = np.ndarray
SAME_WITHIN = 0.02  # of the distance of black and white: how far one and the same normalisation may seem apart
MIN_CONTRAST = 1e-6  # between black and white: one and the same value
MIN_SHARE = 0.2  # of pixels of one gray level that keep one value where what is drawn leaves some as they are
MAX_NOISE = 0.15  # of the distance of black and white: what noise spreads one gray level over; brightness does more


@dataclass(frozen=True)
class FlatOutputs:
    """What images of one gray level became: (n, H, W) outputs of each, n = 1 where nothing is random."""

    black: Array
    middle: Array
    white: Array

    @property
    def contrast(self) -> float:
        """How far apart most black and most white pixels lie."""
        return abs(float(np.median(self.white) - np.median(self.black)))


def with_library_held(transform: ObservedTransform) -> FlatOutputs | None:
    """What flat images became while the library's random transforms were held still; None where outputs are no images."""
    black, middle, white = (transform.flat_outputs(level) for level in (0, 128, 255))
    return None if black is None or middle is None or white is None else FlatOutputs(black, middle, white)


def under_own_randomness(transform: ObservedRandomTransform) -> FlatOutputs | None:
    """What flat images became under the student's own randomness; None where there is none."""
    if transform.own.calibration is None:
        return None
    black, middle, white = (planes(transform.own.calibration[name]) for name in ("black", "gray", "white"))
    return None if black is None or middle is None or white is None else FlatOutputs(black, middle, white)


def _drawn(transform: ObservedTransform) -> FlatOutputs | None:
    """The same of any transform; None where the student's own code draws nothing."""
    is_random = isinstance(transform, ObservedRandomTransform) and transform.has_own_randomness
    return under_own_randomness(transform) if is_random else None  # type: ignore[arg-type]


def line(transform: ObservedTransform) -> tuple[float, float] | None:
    """(scale, shift) of a transform that gives scale * pixel / 255 + shift, None where it does something else."""
    levels = transform.asked["levels"].astype(np.float64) / 255
    outputs = transform.of_all_levels()
    flat = _drawn(transform)
    if flat is None and outputs is not None and outputs.shape[1:] == levels.shape:
        scale, shift = np.polyfit(levels.ravel(), outputs.ravel(), 1)
        if abs(scale) > MIN_CONTRAST and np.abs(scale * levels + shift - outputs[0]).max() < 1e-3 * abs(scale):
            return float(scale), float(shift)
    flat = flat or with_library_held(transform)
    if flat is None:
        return None
    black, middle, white = (_level(stack, flat.contrast) for stack in (flat.black, flat.middle, flat.white))
    if black is None or white is None or abs(white - black) <= MIN_CONTRAST:
        return None
    bent = middle is not None and abs((black + (white - black) * 128 / 255) - middle) > SAME_WITHIN * abs(white - black)
    return None if bent else (white - black, black)


def drawn_range(transform: ObservedRandomTransform) -> tuple[float, float] | None:
    """(scale, shift) of the line from black to the brightest white that the student's own draws give; about right."""
    flat = under_own_randomness(transform)
    if flat is None:
        return None
    black, white = float(np.median(flat.black)), float(np.percentile(flat.white, 99))
    return (white - black, black) if white - black > MIN_CONTRAST else None


def _level(stack: Array, contrast: float) -> float | None:
    """The value that pixels of one gray level have, or lie around, as with noise; None where they are spread out."""
    value, share = most_common(stack)
    if share > MIN_SHARE:
        return value
    low, middle, high = np.percentile(stack, (25, 50, 75))
    return float(middle) if high - low < MAX_NOISE * contrast else None


def _is_noisy(transform: ObservedTransform) -> bool:
    """Whether no value is common enough among pixels of one gray level to be told exactly."""
    flat = _drawn(transform)
    return flat is not None and min(most_common(flat.black)[1], most_common(flat.white)[1]) <= MIN_SHARE


def most_common(stack: Array) -> tuple[float, float]:
    """The most common value, to four decimals, and the share of pixels that have it."""
    values, counts = np.unique(np.round(stack, 4), return_counts=True)
    return float(values[counts.argmax()]), float(counts.max() / stack.size)


def same(train: ObservedRandomTransform, test: ObservedTransform) -> bool:
    """Whether both end with the same normalisation, as far as can be told: only what is sure is called different."""
    if is_standardised(train) and is_standardised(test):
        return True
    if _end_with_one_of_the_library(train, test):
        return True
    right = with_library_held(test)
    left = under_own_randomness(train) if train.has_own_randomness else with_library_held(train)
    if left is not None and is_standardised(test):
        return not _tells_black_from_white(left)
    if right is None or left is None:
        return train.has_own_randomness or _hardly_differ(planes(train.did.outputs), planes(test.did.outputs))
    contrast = abs(most_common(right.white)[0] - most_common(right.black)[0])
    if contrast < MIN_CONTRAST:
        return not _tells_black_from_white(left)
    return _same_randomly(left, right, contrast) if train.has_own_randomness else _same_exactly(left, right, contrast)


def _end_with_one_of_the_library(train: ObservedRandomTransform, test: ObservedTransform) -> bool:
    """Whether the library's Normalize was seen to end both, with the same numbers, and to be all that the test transform does.

    What comes before it at random in training may change how bright pixels are, as dropout does, and not which are bright.
    """
    one, other, usual = train.did.ends_with, test.did.ends_with, line(test)
    flat = under_own_randomness(train) if train.has_own_randomness else with_library_held(train)
    if one is None or other is None or usual is None or flat is None or other.deviation <= 0:
        return False
    alike = np.allclose((one.mean, one.deviation), (other.mean, other.deviation), rtol=1e-3, atol=1e-6)
    is_all = np.allclose(usual, (1 / other.deviation, -other.mean / other.deviation), rtol=1e-2, atol=1e-3)
    min_share = 0.2  # of the calls: what may come after it at random, as RandomErasing, leaves some outputs as they are
    if not alike or not is_all or one.count < min_share * train.did.count:
        return False
    black, white = (float(np.median(level)) * one.deviation + one.mean for level in (flat.black, flat.white))
    return 0.3 < white - black < 2 if train.has_own_randomness else max(abs(black), abs(white - 1)) < 0.1


def _tells_black_from_white(flat: FlatOutputs) -> bool:
    """Whether most pixels of black images become one value, and most of white ones another."""
    (black, all_black), (white, all_white) = most_common(flat.black), most_common(flat.white)
    if min(all_black, all_white) > 0.5:
        return abs(white - black) > 0.01
    # with noise
    return flat.contrast > 0.01 and None not in (_level(stack, flat.contrast) for stack in (flat.black, flat.white))


def _hardly_differ(one: Array | None, other: Array | None) -> bool:
    """Whether outputs for whole images are the same; what cannot be compared counts as that."""
    if one is None or other is None or one.shape != other.shape:
        return True
    return float(np.abs(one - other).mean()) < SAME_WITHIN * float(np.ptp(other))


def _same_exactly(left: FlatOutputs, right: FlatOutputs, contrast: float) -> bool:
    pairs = ((left.black, right.black), (left.middle, right.middle), (left.white, right.white))
    return all(abs(most_common(one)[0] - most_common(other)[0]) <= SAME_WITHIN * contrast for one, other in pairs)


def _same_randomly(left: FlatOutputs, right: FlatOutputs, contrast: float) -> bool:
    """The same where ``left`` was drawn at random: fair draws leave a share of the pixels as they are."""
    ends = (most_common(right.black)[0], most_common(right.white)[0])
    width = float(np.ptp([np.percentile(stack, (1, 99)) for stack in (left.black, left.middle, left.white)]))
    near = SAME_WITHIN / 2 * max(min(contrast, width), 0.01 * contrast)
    pairs = ((left.black, *ends), (left.white, *ends[::-1]))
    # black may become white: more than what moves in from outside
    kept = [_share(stack, end, near) >= 0.05 or _share(stack, other, near) > 0.5 for stack, end, other in pairs]
    if all(kept):
        return True
    fixed = [most_common(stack)[1] > 0.5 for stack in (left.black, left.white)]
    if any(one_fixed and not one_kept for one_fixed, one_kept in zip(fixed, kept, strict=True)):
        return False
    black, middle, white = (float(np.median(stack)) for stack in (left.black, left.middle, left.white))
    slope = (white - black) / (ends[1] - ends[0])
    if any(kept):  # the other end is spread out: darker or brighter images
        return 0.2 < slope < 5
    return bool(0.6 < slope < 1.5 and abs(middle - most_common(right.middle)[0]) < 0.2 * contrast)


def _share(stack: Array, level: float, near: float) -> float:
    """The share of pixels that have a level."""
    return float((np.abs(stack - level) <= near).mean())


def words(transform: ObservedTransform) -> str:
    """Name a normalisation as a student writes it."""
    found, flat = line(transform), with_library_held(transform)
    if is_standardised(transform):
        return "each image's own mean and standard deviation"
    if (
        flat is not None
        and np.ptp([np.median(stack) for stack in (flat.black, flat.middle, flat.white)]) <= MIN_CONTRAST
    ):
        return "the same value for black, gray and white pixels"
    drawn = _drawn(transform)
    if found is None and drawn is not None:
        return f"values from {np.median(drawn.black):.3g}, of black pixels, to {drawn.white.max():.3g}"
    if found is None:
        return "something that is not one mean and standard deviation"
    scale, shift = found
    if abs(shift) < 1e-3 and abs(scale - 1) < 1e-3:
        return "no normalisation (values from 0 to 1)"
    if abs(shift) < 0.1 and abs(scale - 255) < 0.5:
        return "no normalisation (values from 0 to 255)"
    if scale < 0:
        mean, deviation = 1 + shift / scale, -1 / scale
        return (
            f"mean {mean:.4g} and standard deviation {deviation:.4g} after black and white have changed places (1 - x)"
        )
    usual = f"mean {-shift / scale:.4g} and standard deviation {1 / scale:.4g}"
    if _is_noisy(transform):
        usual = f"a mean of about {-shift / scale:.2g} and a standard deviation of about {1 / scale:.2g}"
    if scale < 0.05:
        return f"{usual}, as where pixels from 0 to 1 are divided by 255 once more"
    return f"{usual}, as where pixels from 0 to 255 are taken for pixels from 0 to 1" if scale > 200 else usual


def is_twice(one: ObservedTransform, other: ObservedTransform) -> bool:
    """Whether the first does twice what the second does once."""
    twice, once = line(one), line(other)
    if twice is None or once is None:
        return False
    scale, shift = once
    return bool(np.allclose(twice, (scale * scale, scale * shift + shift), rtol=SAME_WITHIN, atol=1e-3))


def is_standardised(transform: ObservedTransform) -> bool:
    """Whether each image comes out with mean 0 and standard deviation 1, as if normalised by its own."""
    images = planes(transform.did.outputs)
    if images is None:
        return False
    near = 0.05
    return bool((np.abs(images.mean((1, 2))) < near).all() and (np.abs(images.std((1, 2)) - 1) < near).all())
