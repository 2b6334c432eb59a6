"""The operations ``transforms.test`` and ``transforms.train``: what transforms of images do.

What comes back has the types of ``grader.torchkit.images.answers``. Images are gray, (28, 28) uint8, and transforms are
given them as PIL images.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image

from grader.sandbox.inside import faults
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.generators import own_generators, seed_everything, seeded_default_rng
from grader.torchkit.inside.last_normalisation import LastNormalisation
from grader.torchkit.inside.leaf_watch import LeafWatch
from grader.torchkit.inside.leaves import Leaf, copied, is_own, name_of, text_of
from grader.torchkit.inside.transform_outputs import (
    array_of,
    cell_means,
    distance,
    largest_spread,
    spread,
    stacked,
    summary,
    within_unit_range,
)

Array = np.ndarray
CALLS_WHERE_ALL_IS_MET = 48  # after which no more is learned of a transform whose leaves were all called


@op("transforms.test")
def observe_test(
    student: Student,
    name: str,
    images: Array,
    picks: list[int],
    texture: Array,
    flat: list[int],
    levels: Array,
    draws: int,
    drawn: Array,
    cells: int,
) -> dict[str, Any]:
    """Apply a transform to images, again and again.

    Args:
        name: of the transform.
        images: (M, 28, 28) the data set's.
        picks: the images to use; ``texture`` is one more.
        flat: gray levels of images of one level each.
        levels: an image that holds every gray level.
        draws: how often to apply it in all, each time under another seed, to the images in turn.
        drawn: (K, 28, 28) images to apply it to once each.
        cells: parts along an edge of those outputs, of which mean values are told.
    """
    call = _Call(student, name)
    pictures = [*(np.array(images[pick]) for pick in picks), texture]
    with seeded_default_rng():
        with call.ends.watching():
            outputs = [call(pictures[number % len(pictures)], number) for number in range(draws)]
        call.raise_what_is_to_do()
        return {
            **summary(outputs),
            "ends_with": call.ends.facts(),
            "varies": largest_spread(outputs, len(pictures)),
            "drawn": _cell_means(call, drawn, cells),
            **_single_outputs(call, pictures, flat, levels),
        }


@op("transforms.train")
def observe_train(
    student: Student, name: str, images: Array, picks: list[int], texture: Array, flat: list[int], levels: Array,
    draws: int, drawn: Array, cells: int, calibration: dict[str, Array], random: list[str], several_kinds: list[str],
) -> dict[str, Any]:  # fmt: skip
    """Apply a transform many times, then each random part alone, then what is left without those.

    Args:
        name, images, picks, texture, flat, levels, draws, drawn, cells: as above; ``drawn`` with the library's random
            transforms held still.
        calibration: images by name that show where pixels go and what becomes of gray levels.
        random: the library's classes that change images at random.
        several_kinds: those of them that are to be applied to ``calibration`` alone.
    """
    call = _Call(student, name)
    watch = LeafWatch(call.target, frozenset(random))
    call.generators = own_generators(student, [each for each in [call.target, *watch.nodes] if is_own(each)])
    pictures = [*(np.array(images[pick]) for pick in picks), texture]
    max_pictures = 32  # outputs that are sent whole
    max_unreached = 32
    with watch.watching(), seeded_default_rng():
        with call.ends.watching():
            outputs = _watched_outputs(call, watch, pictures, draws)
        call.raise_what_is_to_do()
        facts = {
            **summary(outputs),
            "ends_with": call.ends.facts(),
            "varies": largest_spread(outputs, len(pictures)),
            "pictures": stacked(outputs[:max_pictures]),
            "library_only": watch.library_only,
            "unreached": [
                _never_called(leaf, watch, call, texture, draws) for leaf in watch.unreached()[:max_unreached]
            ],
            "leaves": [_alone(leaf, watch, call, draws) for leaf in watch.leaves.values()],
            "mapped": _calibrated_leaves(watch, call, calibration, several_kinds),
        }
        watch.holding = True
        facts["drawn"] = _cell_means(call, drawn, cells)
        facts["rest"] = _own_randomness(call, watch, calibration, pictures, draws)
        return facts | _single_outputs(call, pictures, flat, levels)


class _Call:
    """Applies a transform to an image under a seed; an exception is kept and takes the output's place."""

    def __init__(self, student: Student, name: str) -> None:
        self.target = student.get(name)
        self.generators = own_generators(student, [self.target] if is_own(self.target) else [])
        self.errors: list[BaseException] = []
        self.calls = 0
        self.ends = LastNormalisation()

    def __call__(self, image: Array, number: int) -> Any:
        self.calls += 1
        faults.step()
        seed_everything(number, self.generators)
        self.ends.begin()
        try:
            out = self.target(Image.fromarray(image))
            self.ends.end(out)
            return out
        except Exception as error:
            self.errors.append(error)
            return error

    def raise_what_is_to_do(self) -> None:
        """What is still to do raises every time; any other exception is a fact among others.

        Raises:
            NotImplementedError: all calls so far raised one.
        """
        if len(self.errors) == self.calls and isinstance(self.errors[0], NotImplementedError):
            raise self.errors[0]


def _watched_outputs(call: _Call, watch: LeafWatch, pictures: list[Array], draws: int) -> list[Any]:
    """What calls on the pictures in turn give; fewer where no more is learned from them."""
    outputs: list[Any] = []
    watch.recording = True
    for number in range(draws):
        watch.begin(number, number % len(pictures))
        outputs.append(call(pictures[number % len(pictures)], number))
        all_is_met = watch.library_only and not watch.unreached() and not call.errors
        if number + 1 == CALLS_WHERE_ALL_IS_MET and all_is_met:
            break
    watch.recording = False
    return outputs


def _alone(leaf: Leaf, watch: LeafWatch, call: _Call, draws: int) -> dict[str, Any]:
    """Apply one leaf to each of the inputs that it was given, under many seeds.

    A leaf of the student's own is seen without what the library's leaves inside it do.
    """
    raised, did = False, {"varies": 0.0, "moves": 0.0, "cut": 0.0}
    watch.holding = is_own(leaf.target)
    try:
        did = _repeated(leaf, call, draws)
    except Exception:  # what it gives inside the whole transform is told there
        raised = True
    watch.holding = False
    named = {"name": name_of(leaf.target), "text": text_of(leaf.target), "own": is_own(leaf.target)}
    return {**named, "hits": len(leaf.hits), "nested": leaf.nested, **did, "raised": raised}


def _repeated(leaf: Leaf, call: _Call, draws: int) -> dict[str, float]:
    """How far outputs lie from the first one and from the input, as shares of the input's range.

    "cut" is the share of the draws that leave an image between 0 and 1, of those that change one from beyond.
    """
    inputs = list(leaf.inputs.values())
    first: dict[int, Array] = {}
    varies = moves = 0.0
    cut: list[bool] = []
    min_draws_of_a_leaf = 24  # after which a leaf that was seen to vary is left alone
    for number in range(draws if inputs else 0):
        which = number % len(inputs)
        faults.step()
        seed_everything(1000 + number, call.generators)
        out, given = array_of(leaf.target(copied(inputs[which]))), array_of(inputs[which])
        if out is None or given is None:
            continue
        size = 255.0 if given.dtype == np.uint8 else max(float(np.ptp(given)), 1e-6)
        varies = max(varies, distance(first.setdefault(which, out), out) / size)
        moves = max(moves, distance(given, out) / size)
        if not within_unit_range(given) and distance(given, out) > 0:
            cut.append(within_unit_range(out))
        if number >= min_draws_of_a_leaf and varies > 0.02:
            break
    return {"varies": varies, "moves": moves, "cut": sum(cut) / max(len(cut), 1)}


def _never_called(target: Any, watch: LeafWatch, call: _Call, texture: Array, draws: int) -> dict[str, Any]:
    """What a leaf would do that no call came to, because none ever does or because something before it failed."""
    leaf = Leaf(target, {0: Image.fromarray(texture)})
    facts = _alone(leaf, watch, call, draws)
    if facts["raised"]:
        leaf.inputs[0] = torch.from_numpy(texture.astype(np.float32) / 255)[None]
        facts = _alone(leaf, watch, call, draws)
    return facts


def _calibrated_leaves(
    watch: LeafWatch, call: _Call, calibration: dict[str, Array], names: list[str]
) -> dict[str, dict[str, Array | None]]:
    """What some of the library's leaves make of the calibration images, each alone, by its text."""
    draws = 64  # enough to tell which ways pixels move
    return {
        text_of(leaf.target): _calibrated(_applies(leaf), call.generators, calibration, draws)
        for leaf in watch.leaves.values()
        if name_of(leaf.target) in names and not is_own(leaf.target)
    }


def _applies(leaf: Leaf) -> Callable[[Array], Any]:
    """What applies a leaf to images in the form of its own inputs."""
    given = next(iter(leaf.inputs.values()), None)
    if not isinstance(given, torch.Tensor):
        return lambda image: leaf.target(Image.fromarray(image))
    if given.dtype == torch.uint8:
        return lambda image: leaf.target(torch.from_numpy(image.copy())[None])
    return lambda image: leaf.target(torch.from_numpy(image.astype(np.float32) / 255)[None])


def _calibrated(
    apply: Callable[[Array], Any], generators: tuple[Any, ...], calibration: dict[str, Array], draws: int
) -> dict[str, Array | None]:
    """The outputs for each calibration image, under the same seeds for all; without the draws in which any raises."""
    outputs: dict[str, list[Any]] = {name: [] for name in calibration}
    for number in range(draws):
        for name, image in calibration.items():
            faults.step()
            seed_everything(number, generators)
            try:
                outputs[name].append(apply(image))
            except Exception as error:
                outputs[name].append(error)
    whole = [n for n in range(draws) if not any(isinstance(items[n], Exception) for items in outputs.values())]
    min_draws = 24  # of which kinds of change can be told
    told = whole if len(whole) >= min_draws else range(draws)
    return {name: stacked([items[n] for n in told]) for name, items in outputs.items()}


def _own_randomness(
    call: _Call, watch: LeafWatch, calibration: dict[str, Array], pictures: list[Array], draws: int
) -> dict[str, Any]:
    """What varies while the library's random leaves are held: the student's own randomness."""
    images = [calibration["texture"], *pictures]
    calls = CALLS_WHERE_ALL_IS_MET if watch.library_only else draws
    outputs = [call(images[number % len(images)], number) for number in range(calls)]
    varies = largest_spread(outputs, len(images))
    if not varies > 0:
        return {"varies": varies, "repeats": True, "calibration": None}
    outputs = outputs[:: len(images)][:8]
    again = [call(images[0], number * len(images)) for number in range(8)]
    repeats = all(spread([one, other]) <= 0 for one, other in zip(outputs, again, strict=False))
    apply = lambda image: call.target(Image.fromarray(image))  # noqa: E731
    return {
        "varies": varies,
        "repeats": repeats,
        "calibration": _calibrated(apply, call.generators, calibration, draws),
    }


def _cell_means(call: _Call, images: Array, cells: int) -> Array | None:
    """(K, cells, cells) the mean values of parts of the output for each image; None unless all are images."""
    return cell_means([call(image, number) for number, image in enumerate(images)], cells)


def _single_outputs(call: _Call, pictures: list[Array], flat: list[int], levels: Array) -> dict[str, Any]:
    """Outputs under one seed: for images, for images of one gray level each, and for one that holds every level."""
    plain = [np.full_like(levels, level) for level in flat]
    return {
        "outputs": stacked([call(picture, 0) for picture in pictures]),
        "flat": stacked([call(picture, 0) for picture in plain]),
        "levels": stacked([call(levels, 0)]),
    }
