"""The normalisation that a transform ends with, told from what becomes of gray levels."""

from dataclasses import dataclass

import numpy as np

from grader.assignments.vit.augmentation import reading
from grader.assignments.vit.augmentation.reading import Facts

Array = np.ndarray
NEAR = 0.02  # of the distance of black and white: how far one and the same normalisation may seem apart
OFTEN = 0.05  # share of pixels that keep their gray level under any fair augmentation
MOST = 0.5
FLAT = 1e-6  # between black and white: one and the same value


@dataclass(frozen=True)
class Grays:
    """What black, middle and white became: (n, H, W) outputs of each, or of one still draw."""

    black: Array
    middle: Array
    white: Array


def still(facts: Facts) -> Grays | None:
    """With the library's random transforms held still."""
    flat = facts.stack("flat", count=len(facts.args["flat"]))
    if flat is None:
        return None
    at = {level: flat[number : number + 1] for number, level in enumerate(facts.args["flat"])}
    return Grays(at[0], at[128], at[255])


def drawn(facts: Facts) -> Grays | None:
    """Under the submission's own randomness; None where it has none."""
    fields = reading.dig(facts.value, "rest", "fields")
    if not isinstance(fields, dict):
        return None
    stacks = [reading.images(fields.get(name)) for name in ("black", "gray", "white")]
    return None if any(stack is None for stack in stacks) else Grays(*stacks)  # type: ignore[arg-type]


def line(facts: Facts) -> tuple[float, float] | None:
    """(scale, shift) of a transform that gives scale * pixel / 255 + shift, None where it does something else."""
    levels = facts.args["levels"].astype(np.float64) / 255
    outputs = facts.stack("levels", count=1)
    grays = drawn(facts) if _is_train(facts) and reading.number(facts.value, "rest", "varies") > 0 else None
    if grays is None and outputs is not None and outputs.shape[1:] == levels.shape:
        scale, shift = np.polyfit(levels.ravel(), outputs.ravel(), 1)
        if abs(scale) > FLAT and np.abs(scale * levels + shift - outputs[0]).max() < 1e-3 * abs(scale):
            return float(scale), float(shift)
    grays = grays or still(facts)
    if grays is None:
        return None
    (black, _), (middle, _), (white, _) = (mode(stack) for stack in (grays.black, grays.middle, grays.white))
    bent = abs((black + (white - black) * 128 / 255) - middle) > NEAR * abs(white - black)
    return None if bent or abs(white - black) <= FLAT else (white - black, black)


def _is_train(facts: Facts) -> bool:
    return "fields" in facts.args


def mode(stack: Array) -> tuple[float, float]:
    """The most common value and the share of pixels that have it."""
    values, counts = np.unique(np.round(stack, 4), return_counts=True)
    return float(values[counts.argmax()]), float(counts.max() / stack.size)


def same(train: Facts, test: Facts) -> bool:
    """Whether both end with the same normalisation, as far as can be told: only what is sure is called different."""
    right = still(test)
    own = reading.number(train.value, "rest", "varies") > 0
    left = drawn(train) if own else still(train)
    if right is None or left is None:
        return True if own else _equal(train.stack("outputs"), test.stack("outputs"))
    apart = abs(mode(right.white)[0] - mode(right.black)[0])
    if apart < 1e-6:
        return True
    return _same_randomly(left, right, apart) if own else _same_exactly(left, right, apart)


def _equal(one: Array | None, other: Array | None) -> bool:
    """Whether outputs for whole images are the same; what cannot be compared counts as that."""
    if one is None or other is None or one.shape != other.shape:
        return True
    return float(np.abs(one - other).mean()) < NEAR * float(np.ptp(other))


def _same_exactly(left: Grays, right: Grays, apart: float) -> bool:
    pairs = ((left.black, right.black), (left.middle, right.middle), (left.white, right.white))
    return all(abs(mode(one)[0] - mode(other)[0]) <= NEAR * apart for one, other in pairs)


def _same_randomly(left: Grays, right: Grays, apart: float) -> bool:
    # an inverted black is white
    ends = [mode(right.black)[0], mode(right.white)[0]]
    kept = [_share(stack, ends, NEAR / 2 * apart) >= OFTEN for stack in (left.black, left.white)]
    if all(kept):
        return True
    fixed = [mode(stack)[1] > MOST for stack in (left.black, left.white)]
    if any(one_fixed and not one_kept for one_fixed, one_kept in zip(fixed, kept, strict=True)):
        return False
    if any(kept):  # the other end is spread out: darker or brighter images
        return True
    black, middle, white = (float(np.median(stack)) for stack in (left.black, left.middle, left.white))
    slope = (white - black) / (mode(right.white)[0] - mode(right.black)[0])
    return bool(0.6 < slope < 1.5 and abs(middle - mode(right.middle)[0]) < 0.2 * apart)


def _share(stack: Array, levels: list[float], near: float) -> float:
    """The share of pixels that have one of some levels."""
    return float((np.min([np.abs(stack - level) for level in levels], axis=0) <= near).mean())


def words(facts: Facts) -> str:
    """Name a normalisation as a student wrote it."""
    found = line(facts)
    grays = still(facts)
    if grays is not None and np.ptp([np.median(stack) for stack in (grays.black, grays.middle, grays.white)]) <= FLAT:
        return "the same value for black, gray and white pixels"
    if found is None:
        return "something that is not one mean and standard deviation"
    scale, shift = found
    if abs(shift) < 1e-3 and abs(scale - 1) < 1e-3:
        return "none (values from 0 to 1)"
    if abs(shift) < 0.1 and abs(scale - 255) < 0.5:
        return "none (values from 0 to 255)"
    return f"mean {-shift / scale:.4g} and standard deviation {1 / scale:.4g}"
