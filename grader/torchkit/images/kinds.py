"""How many kinds of random change a pipeline makes: by class for the library's transforms, by behaviour for all else."""

from dataclasses import dataclass, field

import numpy as np

from grader.torchkit.images import library
from grader.torchkit.images.answers import Calibrated, LeafSeen
from grader.torchkit.images.families import kinds_of_change, loose_kinds_of_change
from grader.torchkit.images.observed import ObservedRandomTransform, planes

Array = np.ndarray
MIN_CHANGE = 0.01  # of the range of values: rounding alone comes to one or two gray levels of 255


@dataclass
class RandomChanges:
    """What was found.

    Attributes:
        kinds: in words, and how many kinds that is.
        idle: the transforms that are meant to be random and change nothing, with the reason.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    idle: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        """How many kinds there are in all."""
        return sum(self.kinds.values())


def random_changes(transform: ObservedRandomTransform) -> RandomChanges:
    """Count kinds of change."""
    found = RandomChanges()
    own_leaves: set[str] = set()
    for leaf, reached in transform.leaves():
        if reached and _raises_when_applied(leaf, transform):
            found.kinds.update(_library_kinds(leaf, transform))
        elif not _is_random(leaf, transform) or not transform.varies or not reached:
            found.idle += _idle(leaf, reached, transform.varies)
        elif leaf.own:
            own_leaves |= set() if leaf.nested else {leaf.name}
        else:
            found.kinds.update(_library_kinds(leaf, transform))
    found.idle = list(dict.fromkeys(found.idle))
    if transform.varies:
        found.kinds.update(_own_kinds(transform, own_leaves))
    return found


def _is_random(leaf: LeafSeen, transform: ObservedRandomTransform) -> bool:
    """Whether a leaf changes images, and not always in the same way."""
    if not leaf.own and leaf.name not in library.RANDOM:
        return False
    sometimes = 0 < leaf.hits < transform.did.count and not leaf.own
    return leaf.moves > MIN_CHANGE and (leaf.varies > MIN_CHANGE or sometimes)


def _raises_when_applied(leaf: LeafSeen, transform: ObservedRandomTransform) -> bool:
    """Whether a random transform of the library has no effect that was seen since calls raise, as on an image before ToTensor.

    The exception has a criterion of its own.
    """
    is_idle = not leaf.own and leaf.name in library.RANDOM and leaf.moves <= MIN_CHANGE
    if transform.always_failed:
        return is_idle and leaf.raised
    return is_idle and transform.failed_calls > 0 and (leaf.raised or not library.why_idle(leaf))


def _library_kinds(leaf: LeafSeen, transform: ObservedRandomTransform) -> dict[str, int]:
    if leaf.name in library.POLICIES:
        return {f"{leaf.name}, which chooses among many": 2}
    if leaf.name in library.SEVERAL_KINDS:
        found = _kinds_of(transform.did.mapped.get(leaf.text), transform)
        return {f"{kind} by {leaf.name}": 1 for kind in sorted(found)} or {leaf.name: 1}
    return {leaf.name: 1}


def _own_kinds(transform: ObservedRandomTransform, own_leaves: set[str]) -> dict[str, int]:
    """What the student's own code does at random, beside what the library's transforms do."""
    if not transform.has_own_randomness:
        return {}
    names = {
        leaf.name for leaf, reached in transform.leaves() if reached and not leaf.own and _is_random(leaf, transform)
    }
    already = {library.FAMILY.get(name, "") for name in names}
    kinds = _kinds_of(transform.own.calibration, transform, transform.own.repeats)
    if len(kinds) >= min(len(own_leaves), 2):
        return dict.fromkeys(sorted(kinds - already), 1)
    return dict.fromkeys(sorted(own_leaves), 1)


def _kinds_of(
    calibrated: Calibrated | None, transform: ObservedRandomTransform, repeats: bool = True
) -> frozenset[str]:
    """Kinds of change by behaviour; none where outputs are no images."""
    if calibrated is None:
        return frozenset()
    outputs = _finite({name: stack for name, stack in calibrated.items() if stack is not None})
    stacks = {name: plane for name, stack in outputs.items() if (plane := planes(stack)) is not None}
    shapes = {stack.shape for stack in stacks.values()}
    min_size = 20  # pixels along an edge of an output of which motion can be told
    if len(stacks) < len(calibrated) or len(shapes) != 1 or min(next(iter(shapes))[1:]) < min_size:
        return frozenset()
    return (
        kinds_of_change(stacks, transform.asked["calibration"]["texture"]) if repeats else loose_kinds_of_change(stacks)
    )


def _finite(outputs: dict[str, Array]) -> dict[str, Array]:
    """Outputs with the lowest and the highest finite value of all in place of what lies beyond, which is no kind of change."""
    told = [stack[np.isfinite(stack)] for stack in outputs.values()]
    low = min((float(values.min()) for values in told if values.size), default=0.0)
    high = max((float(values.max()) for values in told if values.size), default=0.0)
    return {name: np.nan_to_num(stack, nan=low, posinf=high, neginf=low) for name, stack in outputs.items()}


def _idle(leaf: LeafSeen, reached: bool, varies: bool) -> list[str]:
    """Say why a transform that is meant to be random counts for nothing."""
    if leaf.own or leaf.name not in library.RANDOM:
        return []
    short = leaf.text if len(leaf.text) <= 80 else leaf.name
    if not reached:
        return [f"{short} is never applied (is its probability 0?)"]
    if not varies:
        return [f"{leaf.name} is called, and yet the result is the same at every call"]
    if leaf.moves > MIN_CHANGE:
        return [f"{short} does the same each time"]
    return [f"{short} changes nothing{library.why_idle(leaf)}"]
