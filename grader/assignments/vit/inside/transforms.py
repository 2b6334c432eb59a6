"""What ``tfm_train`` and ``tfm_test`` do to images: outputs, and what each random part of them does alone."""

import contextlib
import random
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from grader.assignments.vit.inside.leaves import Leaf, Trace, copied, filled, is_own, name_of, seed, text_of
from grader.sandbox.inside import describe, faults
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student

Array = np.ndarray
Picture = Array  # (28, 28) uint8
ENOUGH = 24  # draws after which a leaf that was seen to vary is left alone
SURE = 48  # passes after which a tree is left alone whose leaves were all met
PICTURED = 32  # passes whose outputs are kept
CELLS = 4  # along an edge of an output of which mean values are brought back
MAPPED = 64  # draws that tell which ways a leaf moves pixels
MAX_NUMBERS = 3 * 64 * 64  # of one output that is brought back
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random, torch.Generator)


@op("transforms.test")
def observe_test(
    student: Student,
    images: Array,
    picks: list[int],
    texture: Picture,
    flat: list[int],
    levels: Picture,
    draws: int,
    drawn: Array,
) -> dict[str, Any]:
    """Apply ``tfm_test`` to images, again and again.

    Args:
        images: (M, 28, 28) the data set's.
        picks: the images to use; ``texture`` is one more.
        flat: gray levels of images of one level each.
        levels: an image that holds every gray level.
        draws: how often to apply it in all, each time under another seed, to the images in turn.
        drawn: (K, 28, 28) images to apply it to once each.
    """
    call = _Call(student, "tfm_test")
    pictures = [*(np.array(images[pick]) for pick in picks), texture]
    with _seeded_default_rng():
        passes = [call(pictures[number % len(pictures)], number) for number in range(draws)]
        call.give_up_if_to_do()
        same = max(_spread(passes[start :: len(pictures)]) for start in range(len(pictures)))
        return {
            **_summary(passes),
            "varies": same,
            "drawn": _coarse(call, drawn),
            **_settled(call, pictures, flat, levels),
        }


@op("transforms.train")
def observe_train(
    student: Student, images: Array, picks: list[int], texture: Picture, flat: list[int], levels: Picture, draws: int,
    drawn: Array, fields: dict[str, Picture], still: list[str], mapped: list[str],
) -> dict[str, Any]:  # fmt: skip
    """Apply ``tfm_train`` many times, then each random part alone, then what is left without those.

    Args:
        images, picks, texture, flat, levels, draws, drawn: as above, the last with the library's leaves held still.
        fields: images by name that show where pixels go and what becomes of gray levels.
        still: the library's classes that are to change nothing in the end.
        mapped: those of them that are to be applied to ``fields`` alone.
    """
    call = _Call(student, "tfm_train")
    trace = Trace(call.target, frozenset(still))
    call.generators = _generators(student, [call.target, *trace.nodes])
    pictures = [*(np.array(images[pick]) for pick in picks), texture]
    with trace.watching(), _seeded_default_rng():
        passes = _passes(call, trace, pictures, draws)
        call.give_up_if_to_do()
        facts = {
            **_summary(passes),
            "varies": max(_spread(passes[start :: len(pictures)]) for start in range(len(pictures))),
            "pictures": _stack(passes[:PICTURED]),
            "transparent": trace.transparent,
            "unreached": [_unreached(leaf, trace, call, texture, draws) for leaf in trace.unreached()[:32]],
            "leaves": [_alone(leaf, trace, call, draws) for leaf in trace.leaves.values()],
            "mapped": _mapped(trace, call, fields, mapped),
        }
        trace.holding = True
        facts["drawn"] = _coarse(call, drawn)
        return {**facts, "rest": _rest(call, trace, fields, pictures, draws), **_settled(call, pictures, flat, levels)}


class _Call:
    """Applies a transform to an image under a seed; an exception is kept and takes the output's place."""

    def __init__(self, student: Student, name: str) -> None:
        self.target = student.get(name)
        self.generators = _generators(student, [self.target])
        self.errors: list[BaseException] = []
        self.calls = 0

    def __call__(self, image: Picture, number: int) -> Any:
        self.calls += 1
        faults.step()
        seed(number, self.generators)
        try:
            return self.target(Image.fromarray(image))
        except Exception as error:
            self.errors.append(error)
            return error

    def give_up_if_to_do(self) -> None:
        """What is still to do raises every time; any other exception is a fact among others."""
        if len(self.errors) == self.calls and isinstance(self.errors[0], NotImplementedError):
            raise self.errors[0]


def _generators(student: Student, objects: list[Any]) -> tuple[Any, ...]:
    """The random generators of the student's own, in their modules, functions and transforms."""
    spaces = [vars(home) for home in student._homes("tfm_train")]
    spaces += [vars(each) for each in objects if is_own(each) and hasattr(each, "__dict__")]
    values = [value for space in spaces for value in list(space.values())]
    values += [kept for each in [*objects, *values] for kept in _kept(each)]
    return tuple({id(value): value for value in values if isinstance(value, GENERATORS)}.values())


def _kept(function: Any) -> list[Any]:
    """What a function keeps from call to call: the defaults of its arguments, and what the function around it had."""
    if not isinstance(function, types.FunctionType):
        return []
    cells = [cell.cell_contents for cell in function.__closure__ or () if filled(cell)]
    return [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *cells]


@contextlib.contextmanager
def _seeded_default_rng() -> Iterator[None]:
    """Let generators that are made without a seed follow numpy's global one, so that a draw can be repeated."""
    real: Callable[..., Any] = np.random.default_rng
    np.random.default_rng = lambda seed=None: real(np.random.randint(2**31) if seed is None else seed)  # type: ignore
    try:
        yield
    finally:
        np.random.default_rng = real


def _passes(call: _Call, trace: Trace, pictures: list[Picture], draws: int) -> list[Any]:
    outputs: list[Any] = []
    trace.recording = True
    for number in range(draws):
        trace.begin(number, number % len(pictures))
        outputs.append(call(pictures[number % len(pictures)], number))
        if number + 1 == SURE and trace.transparent and not trace.unreached() and not call.errors:
            break
    trace.recording = False
    return outputs


def _alone(leaf: Leaf, trace: Trace, call: _Call, draws: int) -> dict[str, Any]:
    """Apply one leaf to each of the inputs that it was given, under many seeds.

    A leaf of the student's own is seen without what the library's leaves inside it do.
    """
    trace.holding = is_own(leaf.target)
    try:
        facts: dict[str, Any] = dict(_replayed(leaf, call, draws))
    except Exception as error:
        facts = {"varies": 0.0, "moves": 0.0, "cut": 0.0, "raised": describe.exception(error)}
    trace.holding = False
    return {**_named(leaf.target), "hits": len(leaf.hits), "nested": leaf.nested, **facts}


def _named(target: Any) -> dict[str, Any]:
    return {"name": name_of(target), "text": text_of(target), "own": is_own(target)}


def _replayed(leaf: Leaf, call: _Call, draws: int) -> dict[str, float]:
    """How far outputs lie from the first one and from the input, as shares of the input's range.

    "cut" is the share of the draws that leave an image between 0 and 1, of those that change one from beyond.
    """
    inputs = list(leaf.inputs.values())
    first: dict[int, Array] = {}
    varies = moves = 0.0
    cut: list[bool] = []
    for number in range(draws if inputs else 0):
        which = number % len(inputs)
        faults.step()
        seed(1000 + number, call.generators)
        out, given = _array(leaf.target(copied(inputs[which]))), _array(inputs[which])
        if out is None or given is None:
            continue
        size = 255.0 if given.dtype == np.uint8 else max(float(np.ptp(given)), 1e-6)
        varies = max(varies, _distance(first.setdefault(which, out), out) / size)
        moves = max(moves, _distance(given, out) / size)
        if not _within(given) and _distance(given, out) > 0:
            cut.append(_within(out))
        if number >= ENOUGH and varies > 0.02:
            break
    return {"varies": varies, "moves": moves, "cut": sum(cut) / max(len(cut), 1)}


def _within(image: Array) -> bool:
    """Whether all of an image's values are such as images have before they are normalised."""
    return image.dtype == np.uint8 or bool((image > -1e-3).all() and (image < 1 + 1e-3).all())


def _unreached(target: Any, trace: Trace, call: _Call, texture: Picture, draws: int) -> dict[str, Any]:
    """What a leaf would do that no pass came to, because it never does or because something before it failed."""
    leaf = Leaf(target, {0: Image.fromarray(texture)})
    facts = _alone(leaf, trace, call, draws)
    if "raised" in facts:
        leaf.inputs[0] = torch.from_numpy(texture.astype(np.float32) / 255)[None]
        facts = _alone(leaf, trace, call, draws)
    return facts


def _mapped(trace: Trace, call: _Call, fields: dict[str, Picture], names: list[str]) -> dict[str, Any]:
    """Apply some leaves alone to images that show where pixels go."""
    return {
        text_of(leaf.target): _field_draws(_like(leaf), call.generators, fields, MAPPED)
        for leaf in trace.leaves.values()
        if name_of(leaf.target) in names and not is_own(leaf.target)
    }


def _like(leaf: Leaf) -> Callable[[Picture], Any]:
    """Gives a leaf images in the form of its own inputs."""
    given = next(iter(leaf.inputs.values()), None)
    if not isinstance(given, torch.Tensor):
        return lambda image: leaf.target(Image.fromarray(image))
    if given.dtype == torch.uint8:
        return lambda image: leaf.target(torch.from_numpy(image.copy())[None])
    return lambda image: leaf.target(torch.from_numpy(image.astype(np.float32) / 255)[None])


def _field_draws(
    apply: Callable[[Picture], Any], generators: tuple[Any, ...], fields: dict[str, Picture], draws: int
) -> dict[str, Any]:
    """The outputs for each image, under the same seeds for all."""
    outputs: dict[str, list[Any]] = {name: [] for name in fields}
    for number in range(draws):
        for name, image in fields.items():
            faults.step()
            seed(number, generators)
            try:
                outputs[name].append(apply(image))
            except Exception as error:
                outputs[name].append(error)
    return {name: _stack(items) for name, items in outputs.items()}


def _rest(call: _Call, trace: Trace, fields: dict[str, Picture], pictures: list[Picture], draws: int) -> dict[str, Any]:
    """What varies still while the library's random leaves are held: the student's own randomness."""
    seen = [fields["texture"], *pictures]
    outputs = [call(seen[number % len(seen)], number) for number in range(SURE if trace.transparent else draws)]
    varies = max(_spread(outputs[start :: len(seen)]) for start in range(len(seen)))
    if not varies > 0:
        return {"varies": varies, "repeats": True, "fields": None}
    outputs = outputs[:: len(seen)][:8]
    again = [call(seen[0], number * len(seen)) for number in range(8)]
    repeats = all(_spread([one, other]) == 0 for one, other in zip(outputs, again, strict=False))
    apply = lambda image: call.target(Image.fromarray(image))  # noqa: E731
    return {"varies": varies, "repeats": repeats, "fields": _field_draws(apply, call.generators, fields, draws)}


def _coarse(call: _Call, images: Array) -> Array | None:
    """(K, CELLS, CELLS) the mean values of parts of each output; None unless all are images."""
    arrays = [_array(call(image, number)) for number, image in enumerate(images)]
    if any(array is None or not 2 <= array.ndim <= 3 or 0 in array.shape for array in arrays):
        return None
    planes = [torch.from_numpy(np.atleast_3d(array.astype(np.float32).T).T) for array in arrays if array is not None]
    return np.stack([nn.functional.adaptive_avg_pool2d(plane, CELLS).mean(0).numpy() for plane in planes])


def _settled(call: _Call, pictures: list[Picture], flat: list[int], levels: Picture) -> dict[str, Any]:
    """Outputs for images, for images of one gray level each, and for one that holds every level."""
    plain = [np.full_like(levels, level) for level in flat]
    return {
        "outputs": _stack([call(picture, 0) for picture in pictures]),
        "flat": _stack([call(picture, 0) for picture in plain]),
        "levels": _stack([call(levels, 0)]),
    }


def _summary(outputs: list[Any]) -> dict[str, Any]:
    """Which kinds of outputs there were, how many of them not finite, and the first exception."""
    kinds: dict[str, dict[str, Any]] = {}
    errors = [out for out in outputs if isinstance(out, BaseException)]
    values = [out for out in outputs if not isinstance(out, BaseException)]
    for out in values:
        kind = _kind(out)
        kinds.setdefault(repr(kind), {**kind, "count": 0})["count"] += 1
    arrays = [array for out in values if (array := _array(out)) is not None]
    return {
        "count": len(outputs),
        "kinds": list(kinds.values())[:16],
        "unfinite": sum(not bool(np.isfinite(array).all()) for array in arrays),
        "raised": {"count": len(errors), **describe.exception(errors[0])} if errors else None,
    }


def _kind(out: Any) -> dict[str, Any]:
    if isinstance(out, torch.Tensor):
        return {"type": "tensor", "dtype": str(out.dtype).removeprefix("torch."), "shape": list(out.shape)}
    if isinstance(out, np.ndarray):
        return {"type": "ndarray", "dtype": str(out.dtype), "shape": list(out.shape)}
    if isinstance(out, Image.Image):
        return {"type": "image", "dtype": out.mode, "shape": list(out.size[::-1])}
    return {"type": type(out).__name__[:100], "dtype": "", "shape": []}


def _array(out: Any) -> Array | None:
    """The numbers of a tensor, an array or a PIL image; None of anything else."""
    if isinstance(out, Image.Image):
        out = np.asarray(out)
    elif isinstance(out, torch.Tensor) and not out.is_complex():
        out = describe.plain(out)
    if not isinstance(out, np.ndarray) or out.dtype.kind not in "biuf":
        return None
    return out if out.dtype == np.uint8 else out.astype(np.float32)


def _stack(outputs: list[Any]) -> Array | None:
    """(n, ...) all outputs, None unless all are arrays of one moderate shape."""
    arrays = [_array(out) for out in outputs]
    first = arrays[0] if arrays else None
    if first is None or first.size > MAX_NUMBERS or any(a is None or a.shape != first.shape for a in arrays):
        return None
    return np.stack([array.astype(np.float32) for array in arrays if array is not None])


def _spread(outputs: list[Any]) -> float:
    """How far outputs lie from the first one; -1 when none can be compared."""
    arrays = [array for out in outputs if (array := _array(out)) is not None]
    return max((_distance(arrays[0], array) for array in arrays), default=-1.0)


def _distance(one: Array, other: Array) -> float:
    if one.shape != other.shape:
        return 255.0
    with np.errstate(invalid="ignore"):
        apart = np.abs(one.astype(np.float64) - other)
    # equal infinities and NaN in the same places are no difference
    apart[(one == other) | (np.isnan(one) & np.isnan(other))] = 0.0
    return float(np.nan_to_num(apart, nan=255.0, posinf=255.0).max(initial=0.0))
