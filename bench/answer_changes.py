"""Answers changed in one place: what hostile code that shares a worker's process may send in an honest answer's stead.

A place is a path of keys and indices. Places that differ in their indices alone, as the epochs of a training, are of
one kind, and one of each kind is changed in each way at least.
"""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

Path = tuple[str | int, ...]
Change = Callable[[Any], Any]
LIMIT = 1 << 22  # numbers of one array, as many as forms let pass
RAISED = {"type": "RuntimeError", "bases": ["RuntimeError"], "message": "no", "frames": []}
SAME_ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


def as_sent(value: Any) -> Any:
    """An answer as a worker sends it: dicts in place of records."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        tag = {config.tag_field: config.tag} if config.tag is not None else {}
        return {**tag, **{name: as_sent(getattr(value, name)) for name in value.__struct_fields__}}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_sent(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: as_sent(item) for key, item in value.items()}
    return [as_sent(item) for item in value] if isinstance(value, list | tuple) else value


OTHERS: dict[str, Any] = {
    "nothing": None, "true": True, "false": False, "zero": 0, "one": 1, "minus one": -1, "a half": 0.5,
    "a large integer": 2**62, "an integer of 19 digits": 10**19 - 1, "a large negative integer": -(2**62),
    "a large number": 1e308, "a tiny number": 1e-308, "not a number": float("nan"), "infinite": float("inf"),
    "no text": "", "a word": "tensor", "long text": "a" * 20_000, "digits": "1" * 5_000, "an empty list": [],
    "an empty dict": {}, "nested lists": [[[[[[[[]]]]]]]], "a list of everything": [None, "a", 1, {}, np.zeros(2)],
    "a long list": [0] * 20_000, "2**39 in 30 dimensions": [2**39] * 30, "one array many times": [SAME_ARRAY] * 1_000,
    "a dict of arrays": {"kind": np.zeros(3)}, "an exception": {"raised": RAISED},
    "half an exception": {"raised": {"type": 3}}, "an exception of arrays": {"raised": dict.fromkeys(RAISED, np.ones(2))},
    "a tensor": {"kind": "tensor", "dtype": "float32", "device": "cpu", "requires_grad": False, "array": SAME_ARRAY},
    "a number, described": {"kind": "number", "number": float("nan"), "type": "float"},
    "an array": SAME_ARRAY, "a number in an array": np.array(1.0), "no numbers": np.zeros((0, 3), np.float32),
    "a long axis of nothing": np.zeros((1 << 20, 0), np.float32), "integers": np.full((3, 4), 2**62), "truths": np.ones(3, bool),
    "rank 8": np.zeros((1,) * 8, np.float32), "four million numbers": np.zeros(LIMIT, np.uint8),
    "one number more": np.zeros(LIMIT + 1, np.uint8),
}  # fmt: skip


def _filled(value: Any) -> Change:
    return lambda array: np.full_like(array, value)


def _as(dtype: str) -> Change:
    def change(array: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return array.astype(dtype)

    return change


OF_ARRAYS: dict[str, Change] = {
    "zeros": lambda a: np.zeros_like(a), "ones": lambda a: np.ones_like(a), "negative": lambda a: -a.astype(np.float64),
    "random": lambda a: np.random.default_rng(0).standard_normal(a.shape).astype(a.dtype),
    "largest": lambda a: np.full_like(a, np.finfo(a.dtype).max if a.dtype.kind == "f" else 1),
    "half as many": lambda a: a[: len(a) // 2] if a.ndim else a, "none": lambda a: a[:0] if a.ndim else a,
    "one row": lambda a: a[:1] if a.ndim else a, "twice": lambda a: np.concatenate([a, a]) if a.ndim else a,
    "reversed": lambda a: a[::-1].copy() if a.ndim else a, "other axes": lambda a: np.ascontiguousarray(a.T),
    "flat": lambda a: a.ravel(), "one axis more": lambda a: a[None], "one axis more behind": lambda a: a[..., None],
    "four million": lambda a: np.zeros(LIMIT, a.dtype),
    **{f"as {name}": _as(name) for name in ("bool", "uint8", "int32", "int64", "float32", "float64")},
}  # fmt: skip
OF_FLOATS: dict[str, Change] = {
    "all NaN": _filled(np.nan), "all infinite": _filled(np.inf), "all minus infinite": _filled(-np.inf),
    "one NaN": lambda a: np.concatenate([[np.nan], a.ravel()[1:]]).reshape(a.shape).astype(a.dtype) if a.size else a,
}  # fmt: skip
OF_NUMBERS: dict[str, Change] = {
    "one more": lambda n: n + 1, "one less": lambda n: n - 1, "negated": lambda n: -n, "a thousandfold": lambda n: n * 1_000,
    "as a float": float, "as a whole number": lambda n: int(n) if n == n and abs(n) < 1e15 else 0,
    "as text": str, "in a list": lambda n: [n], "in an array": np.array,
}  # fmt: skip
OF_LISTS: dict[str, Change] = {
    "one less": lambda items: items[:-1], "one more": lambda items: [*items, *items[-1:]], "reversed": lambda items: items[::-1],
    "the first alone": lambda items: items[:1], "the first a thousand times": lambda items: items[:1] * 1_000,
    "as a dict": lambda items: {str(n): item for n, item in enumerate(items)}, "in a list": lambda items: [items],
}  # fmt: skip
OF_DICTS: dict[str, Change] = {
    "a key more": lambda d: {**d, "passed": True}, "raised as well": lambda d: {**d, "raised": RAISED},
    "values alone": lambda d: list(d.values()), "first key under another": lambda d: dict(zip([*list(d)[1:], "x"], d.values(), strict=True)),
    "in a list": lambda d: [d],
}  # fmt: skip


@dataclass(frozen=True)
class Changed:
    """One change of an answer: where, which, and what the answer is afterwards."""

    path: Path
    how: str
    value: Any


def changes(answer: Any, others: list[Any]) -> Iterator[list[Changed]]:
    """For each kind of place its changes, each at one place of that kind.

    Args:
        others: answers to other questions, one of which is put in the answer's place, too.
    """
    for places in kinds_of_places(answer).values():
        found = []
        for number, (how, change) in enumerate(_ways(answer, places[0])):
            place = places[number * 7 % len(places)]  # the first, the last and those between in turns
            found += _applied(answer, place, how, change)
        yield found
    yield [Changed((), f"another answer, number {number}", other) for number, other in enumerate(others)]


def kinds_of_places(answer: Any) -> dict[Path, list[Path]]:
    """All places, by their paths without the indices."""
    kinds: dict[Path, list[Path]] = {}
    for path in _places(answer, ()):
        kinds.setdefault(tuple("*" if isinstance(step, int) else step for step in path), []).append(path)
    return kinds


def _places(value: Any, path: Path) -> Iterator[Path]:
    yield path
    steps: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield from _places(item, (*path, step))


def _ways(answer: Any, path: Path) -> Iterator[tuple[str, Change]]:
    """All ways to change what stands at a place."""
    value = at(answer, path)
    for name, other in OTHERS.items():
        yield name, lambda _, other=other: other  # type: ignore[misc]
    yield from _own_ways(value).items()
    if path:
        yield "left out", lambda _: LEFT_OUT
        siblings = at(answer, path[:-1])
        for other in list(siblings)[:12] if isinstance(siblings, dict) else ():
            yield f"as {other}", lambda _, other=other: siblings[other]  # type: ignore[misc]


LEFT_OUT = object()


def _own_ways(value: Any) -> dict[str, Change]:
    if isinstance(value, np.ndarray):
        return OF_ARRAYS | (OF_FLOATS if value.dtype.kind == "f" else {})
    if isinstance(value, int | float):
        return OF_NUMBERS
    return OF_LISTS if isinstance(value, list) else OF_DICTS if isinstance(value, dict) else {}


def _applied(answer: Any, path: Path, how: str, change: Change) -> list[Changed]:
    old = at(answer, path)
    try:
        new = change(old)
    except (TypeError, ValueError, OverflowError):  # another place of the kind holds something else
        return []
    return [] if new is old else [Changed(path, how, with_other(answer, path, new))]


def at(value: Any, path: Path) -> Any:
    """What stands at a place."""
    for step in path:
        value = value[step]
    return value


def with_other(value: Any, path: Path, new: Any) -> Any:
    """An answer with something else at a place; all else is shared with the old one."""
    if not path:
        return new
    step, *rest = path
    if new is LEFT_OUT and not rest:
        if isinstance(value, list):
            return [item for number, item in enumerate(value) if number != step]
        return {key: item for key, item in value.items() if key != step}
    inner = with_other(value[step], tuple(rest), new)  # type: ignore[index]
    if isinstance(value, list):
        return [inner if number == step else item for number, item in enumerate(value)]
    return {**value, step: inner}
