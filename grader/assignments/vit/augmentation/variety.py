"""How many kinds of random augmentation change images."""

from dataclasses import dataclass, field

from grader import patterns
from grader.assignments.vit.augmentation import families as f
from grader.assignments.vit.augmentation import following, reading
from grader.assignments.vit.augmentation.probes import DRAWS, MAPPED, POLICIES, STILL
from grader.assignments.vit.augmentation.reading import Facts, Leaf
from grader.evidence import Evidence
from grader.judging import Blocked, Criterion, Fail, checks, raised_words

CHANCE = patterns.compile(r"\bp=(\d+(?:\.\d*)?)")
WANTED = 2
SMALLEST = 20  # pixels across an output of which a map can be told
CHANGE = 0.01  # of the range of values: rounding alone comes to one or two gray levels of 255
FAMILY = {
    "RandomCrop": f.SHIFT, "RandomResizedCrop": f.ZOOM, "RandomZoomOut": f.ZOOM, "RandomHorizontalFlip": f.FLIP,
    "RandomVerticalFlip": f.UPSIDE_DOWN, "RandomRotation": f.ROTATION, "RandomPerspective": f.WARP,
    "ElasticTransform": f.WARP, "ColorJitter": f.INTENSITY, "GaussianNoise": f.NOISE, "GaussianBlur": f.SHARPNESS,
    "RandomAdjustSharpness": f.SHARPNESS, "RandomErasing": f.ERASING,
}  # fmt: skip


@dataclass
class Seen:
    """What was found: kinds of change, and the transforms that change nothing, with the reason."""

    kinds: dict[str, int] = field(default_factory=dict)  # in words, and how many kinds that is
    idle: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return sum(self.kinds.values())


def two_kinds(seen: Evidence) -> None:
    """`tfm_train` applies two or more different kinds of random augmentation that really change images."""
    facts = Facts(seen["augmentation.train"])
    found = find(facts)
    if found.number >= WANTED:
        following.expect_following(facts, "tfm_train")
        return
    if facts.failures == facts.count and reading.dig(facts.value, "transparent") is not True:
        words = raised_words(facts.raised) if facts.raised else "raised"
        raise Blocked("augmentation.tensors", f"tfm_train {words}")
    raise Fail(_count(found), _hint(found, facts))


def _count(found: Seen) -> str:
    if not found.kinds:
        words = "no random augmentation that changes images was seen, two kinds are asked for"
    else:
        words = f"one kind of random augmentation changes images ({next(iter(found.kinds))}), two are asked for"
    return f"{words}; {'; '.join(found.idle[:4])}" if found.idle else words


def _hint(found: Seen, facts: Facts) -> str:
    if found.idle and not _whole_varies(facts):
        return "Is what they return used, as in image = augment(image)? Is a seed set on the way?"
    if found.idle:
        return "Each of those leaves the images as they are: apply one to an image a few times and look."
    if found.kinds:
        return "Add another kind: the same transform twice, or with other numbers, is still one kind."
    if reading.dig(facts.value, "transparent") is not True:
        return "The same image gives the same tensor each time: are the random parts called? Is a seed set?"
    return "tfm_train should change an image differently each time, with two or more of the random transforms."


def find(facts: Facts) -> Seen:
    """Count kinds of change: by class for the library's transforms, by behaviour for all else."""
    found = Seen()
    own_leaves: set[str] = set()
    frozen = not _whole_varies(facts)
    for leaf, reached in _all_leaves(facts):
        if not _random(leaf, facts.count) or frozen or not reached:
            found.idle += _why_idle(leaf, reached, frozen)
        elif leaf.own:
            own_leaves |= set() if leaf.nested else {leaf.name}
        else:
            found.kinds.update(_library_kinds(leaf, facts))
    found.idle = list(dict.fromkeys(found.idle))
    if not frozen:
        found.kinds.update(_own_kinds(facts, own_leaves, {FAMILY.get(name, "") for name in _names(facts)}))
    return found


def _all_leaves(facts: Facts) -> list[tuple[Leaf, bool]]:
    """Every leaf, and whether a pass comes to it; where every pass fails on the way that cannot be seen."""
    met = reading.leaves(facts.value, "leaves")
    rest = reading.leaves(facts.value, "unreached")
    return [(leaf, True) for leaf in met] + [(leaf, facts.failures == facts.count) for leaf in rest]


def _names(facts: Facts) -> set[str]:
    """The library's classes that change images at random."""
    met = [leaf for leaf, reached in _all_leaves(facts) if reached]
    return {leaf.name for leaf in met if not leaf.own and _random(leaf, facts.count)}


def _random(leaf: Leaf, passes: int) -> bool:
    """Whether a leaf changes images, and not always in the same way."""
    if not leaf.own and leaf.name not in STILL:
        return False
    sometimes = 0 < leaf.hits < passes and not leaf.own
    return leaf.moves > CHANGE and (leaf.varies > CHANGE or sometimes)


def _whole_varies(facts: Facts) -> bool:
    """Whether outputs for one image vary at all. A tree of the library's transforms is told by its leaves alone."""
    if reading.dig(facts.value, "transparent") is True or facts.failures == facts.count or facts.count < DRAWS:
        return True
    return reading.number(facts.value, "varies") > 0


def _library_kinds(leaf: Leaf, facts: Facts) -> dict[str, int]:
    if leaf.name in POLICIES:
        return {f"{leaf.name}, which chooses among many": WANTED}
    if leaf.name in MAPPED:
        outputs = reading.dig(facts.value, "mapped")
        moved = _families(facts, outputs.get(leaf.text) if isinstance(outputs, dict) else None)
        return {f"{kind} by {leaf.name}": 1 for kind in sorted(moved)} or {leaf.name: 1}
    return {leaf.name: 1}


def _own_kinds(facts: Facts, own_leaves: set[str], already: set[str]) -> dict[str, int]:
    """What the submission's own code does at random, beside what the library's transforms do."""
    rest = reading.dig(facts.value, "rest")
    if reading.number(rest, "varies") <= 0:
        return {}
    repeats = reading.dig(rest, "repeats") is True
    kinds = _families(facts, reading.dig(rest, "fields"), repeats)
    fresh = sorted(kinds - already)
    if len(fresh) >= len(own_leaves) or len(fresh) >= WANTED:
        return dict.fromkeys(fresh, 1)
    return dict.fromkeys(sorted(own_leaves), 1)


def _families(facts: Facts, outputs: object, repeats: bool = True) -> frozenset[str]:
    """Kinds of change by behaviour; none where outputs are no images."""
    fields = facts.args["fields"]
    if not isinstance(outputs, dict):
        return frozenset()
    stacks = {name: reading.images(outputs.get(name)) for name in fields}
    known = {name: stack for name, stack in stacks.items() if stack is not None}
    shapes = {stack.shape for stack in known.values()}
    if len(known) < len(stacks) or len(shapes) != 1 or min(next(iter(shapes))[1:]) < SMALLEST:
        return frozenset()
    if repeats:
        return f.kinds_of_change(known, fields["texture"])
    return f.loose_kinds_of_change(known)


def _why_idle(leaf: Leaf, reached: bool, frozen: bool) -> list[str]:
    """Say why a transform that is meant to be random counts for nothing."""
    if leaf.own or leaf.name not in STILL:
        return []
    if not reached:
        return [f"{_short(leaf)} is never applied (a probability of 0?)"]
    if frozen:
        return [f"{leaf.name} is called, and yet the result is the same at every call"]
    if leaf.moves > CHANGE:
        return [f"{_short(leaf)} does the same each time"]
    return [f"{_short(leaf)} changes nothing{_reason(leaf)}"]


def _short(leaf: Leaf) -> str:
    return leaf.text if len(leaf.text) <= 80 else leaf.name


def _reason(leaf: Leaf) -> str:
    if any(float(chance) == 0 for chance in CHANCE.findall(leaf.text)):
        return ": its probability is 0"
    if leaf.name == "ColorJitter":
        gray_only = "brightness=None" in leaf.text and "contrast=None" in leaf.text
        coloured = gray_only and not ("saturation=None" in leaf.text and "hue=None" in leaf.text)
        return ": gray images have no hue and saturation" if coloured else ": no range is given"
    return REASONS.get(leaf.name, "")


REASONS = {
    "RandomCrop": ": a crop as large as the image, without padding, has only one place",
    "RandomResizedCrop": ": scale and ratio leave nothing but the whole image",
    "RandomRotation": ": by 0 degrees",
    "RandomAffine": ": none of its ranges is open",
    "RandomGrayscale": ": the images are gray already",
    "RandomChannelPermutation": ": the images have one channel",
}

CRITERIA = (Criterion("augmentation.variety", checks(two_kinds), ("tfm_train",)),)
