"""The forms of answers: each operation declares one, and an answer is held against it once, where it arrives.

Student code shares a worker's process and may send anything. So a check reads an answer only after it has its form:
what else goes wrong in a check then is a bug of the grader's, and what does not fit is the submission's doing.

A form is a function of a value that returns nothing, or raises ``Misfit``. The functions here make forms of smaller
ones, as ``fields(type=text(), epochs=every(whole()))``.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from grader.observations import NOT_OURS
from grader.records import Observation
from grader.sandbox.outside.replies import raised_from

Form = Callable[[Any], None]
Declared = Callable[[dict[str, Any]], Form]  # of the arguments that were asked: how many calls, which sets of images
MAX_WHOLE = 2**62
MAX_ITEMS = 20_000  # of one list
MAX_TEXT = 20_000  # characters
MAX_NUMBERS = 1 << 22  # of one array: four million, 32 MiB as float64
MAX_AXES = 64  # of a tensor, as torch allows
Step = str | int


class Misfit(Exception):
    """A value that does not have its form: what was expected, what came instead, and where in the answer."""

    def __init__(self, expected: str, value: Any) -> None:
        super().__init__(expected)
        self.expected, self.got = expected, kind_of(value)
        self.steps: list[Step] = []

    def __str__(self) -> str:
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:60]}" for step in reversed(self.steps))
        return f"{f'at {place} ' if place else ''}expected {self.expected}, got {self.got}"


def kind_of(value: Any) -> str:
    """What a value is, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype.name}, shape {value.shape}"
    if isinstance(value, list | dict):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]}"


def fit(observation: Observation, declared: Declared | None, args: dict[str, Any]) -> Observation:
    """Hold an answer against its form.

    Args:
        declared: the form that its operation declares; None: it declares none.
        args: what the operation was asked with.

    Returns:
        the observation; a forged one where its value does not fit, a fault where the form itself is wrong.
    """
    if declared is None or observation.outcome != "value":
        return observation
    try:
        declared(args)(observation.value)
    except Misfit as misfit:
        return dataclasses.replace(observation, outcome="forged", value=None, detail=NOT_OURS, misfit=str(misfit))
    except Exception as error:  # a bug in a form must not look like the student's, nor end the grade
        detail = f"the form of the answer raised {type(error).__name__}: {error}"[:300]
        return dataclasses.replace(observation, outcome="fault", value=None, detail=detail)
    return observation


def anything(value: Any) -> None:
    """Take whatever the protocol lets through."""


def nothing(value: Any) -> None:
    """Take None alone."""
    if value is not None:
        raise Misfit("nothing", value)


def truth(value: Any) -> None:
    """Take True and False."""
    if type(value) is not bool:
        raise Misfit("true or false", value)


def exactly(*values: Any) -> Form:
    """One of some plain values."""

    def form(value: Any) -> None:
        if not any(type(value) is type(each) and value == each for each in values):
            raise Misfit(" or ".join(map(repr, values)), value)

    return form


def whole(low: int = 0, high: int = MAX_WHOLE) -> Form:
    """A whole number within bounds."""

    def form(value: Any) -> None:
        if type(value) is not int or not low <= value <= high:
            raise Misfit(f"a whole number from {low}" + ("" if high == MAX_WHOLE else f" to {high}"), value)

    return form


def number(finite: bool = True) -> Form:
    """A number; NaN and infinite ones too, where they are not to be finite."""

    def form(value: Any) -> None:
        if type(value) not in (int, float) or (finite and not math.isfinite(value)):
            raise Misfit("a finite number" if finite else "a number", value)

    return form


def text(most: int = MAX_TEXT) -> Form:
    """A string of so many characters at most."""

    def form(value: Any) -> None:
        if not isinstance(value, str) or len(value) > most:
            raise Misfit(f"text of at most {most} characters", value)

    return form


def maybe(form: Form) -> Form:
    """None, or what another form takes."""

    def either(value: Any) -> None:
        if value is not None:
            form(value)

    return either


def every(form: Form, most: int = MAX_ITEMS) -> Form:
    """A list, each item of one form."""

    def items(value: Any) -> None:
        if not isinstance(value, list) or len(value) > most:
            raise Misfit(f"a list of at most {most} items", value)
        for place, item in enumerate(value):
            inside(form, item, place)

    return items


def row(*forms: Form) -> Form:
    """A list of as many items as there are forms, each of its own."""

    def items(value: Any) -> None:
        if not isinstance(value, list) or len(value) != len(forms):
            raise Misfit(f"a list of {len(forms)} items", value)
        for place, (form, item) in enumerate(zip(forms, value, strict=True)):
            inside(form, item, place)

    return items


def table(form: Form, most: int = MAX_ITEMS) -> Form:
    """A dict of any keys, each value of one form."""

    def values(value: Any) -> None:
        if not isinstance(value, dict) or len(value) > most:
            raise Misfit(f"a dict of at most {most} entries", value)
        for key, item in value.items():
            inside(form, item, key)

    return values


def fields(optional: dict[str, Form] | None = None, /, **required: Form) -> Form:
    """A dict with some keys, each of its own form. Other keys are let pass: nobody reads what no form declares."""
    known = {**(optional or {}), **required}

    def record(value: Any) -> None:
        if not isinstance(value, dict) or not required.keys() <= value.keys():
            raise Misfit(f"a dict with {', '.join(required)}", value)
        for key, form in known.items():
            if key in value:
                inside(form, value[key], key)

    return record


def by_key(forms: dict[str, Form], otherwise: Form) -> Form:
    """A dict whose form depends on which of some keys it has: the first of them decides."""

    def record(value: Any) -> None:
        there = next((key for key in forms if isinstance(value, dict) and key in value), None)
        (otherwise if there is None else forms[there])(value)

    return record


def by_value(key: str, forms: dict[Any, Form]) -> Form:
    """A dict whose form depends on the word that stands under one of its keys."""

    def record(value: Any) -> None:
        found = value.get(key) if isinstance(value, dict) else None
        if not isinstance(found, str) or found not in forms:
            raise Misfit(f"a dict whose {key} is one of {', '.join(map(str, forms))}", value)
        forms[found](value)

    return record


def array(
    of: str = "biuf", shape: tuple[int | None, ...] | None = None, most: int = MAX_NUMBERS,
    values: Literal["any", "finite", "counts"] = "any",
) -> Form:  # fmt: skip
    """An array.

    Args:
        of: numpy's letters for what it may hold, or the name of one dtype.
        shape: its sizes, None for any size; None in their place for any shape.
        most: how many numbers it may hold.
        values: whether NaN is let pass, and whether all must be at least 0.
    """

    def form(value: Any) -> None:
        if not isinstance(value, np.ndarray) or not (value.dtype.name == of or (letters and value.dtype.kind in of)):
            raise Misfit(f"an array of {of}", value)
        if shape is not None and not _has_shape(value, shape):
            raise Misfit(f"an array of shape {tuple('any' if size is None else size for size in shape)}", value)
        if value.size > most:
            raise Misfit(f"an array of at most {most} numbers", value)
        if values != "any" and not np.isfinite(value).all():
            raise Misfit("an array of finite numbers", value)
        if values == "counts" and (value < 0).any():
            raise Misfit("an array of counts", value)

    letters = set(of) <= set("biuf")
    return form


def _has_shape(value: np.ndarray, shape: tuple[int | None, ...]) -> bool:
    return len(shape) == value.ndim and all(
        wanted in (None, size) for wanted, size in zip(shape, value.shape, strict=True)
    )


def inside(form: Form, value: Any, step: Step) -> None:
    """Hold a part of a value against a form; a misfit then names its place."""
    try:
        form(value)
    except Misfit as misfit:
        misfit.steps.append(step)
        raise


def described_exception(value: Any) -> None:
    """Take what ``describe.exception`` gives."""
    if raised_from(value) is None:
        raise Misfit("a described exception", value)


def described(value: Any) -> None:
    """Take what ``describe.result`` gives."""
    DESCRIBED(value)


def or_raised(form: Form) -> Form:
    """What a call gave, or {"raised": the exception that it ended with}."""
    return by_key({"raised": fields(raised=described_exception)}, form)


SIZES = every(whole(), MAX_AXES)  # the shape of a tensor
NAME = text(1_000)
TENSORS = table(array(most=4 * MAX_NUMBERS))  # by name, as a state dict
MAX_RESULTS = 64  # items of one container that ``describe.result`` tells of
DESCRIBED = by_value("kind", {
    "tensor": fields(dtype=NAME, device=NAME, requires_grad=truth, array=array()),
    "ndarray": fields(dtype=NAME, array=array()),
    "number": fields(number=number(finite=False), type=NAME),
    "str": fields(text=text()),
    "sequence": fields(type=NAME, items=every(described, MAX_RESULTS)),
    "dict": fields(items=table(described, MAX_RESULTS)),
    "other": fields(type=NAME, none=truth),
})  # fmt: skip
