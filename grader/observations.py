"""The types of what workers answer: each operation declares one, and an answer is converted once, where it arrives.

Student code shares a worker's process and may send anything. So a check never takes an answer apart: it reads the
attributes of a value whose types, sizes and bounds hold. What does not fit is the submission's doing.

msgspec converts: it holds a tree of plain values against annotated classes at the speed of C and names the place of
what does not fit; pydantic does the same, and takes several times as long to import.
"""

import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from grader.conversion import convert
from grader.records import NOT_OURS, Observation, Raised

MAX_WHOLE = 2**62
MAX_RESULTS = 64  # items of one container that ``describe.result`` tells of

Count = Annotated[int, Meta(ge=0, le=MAX_WHOLE)]
Finite = Annotated[float, Meta(ge=-1.7e308, le=1.7e308)]  # neither NaN nor infinite
Name = Annotated[str, Meta(max_length=1_000)]
Text = Annotated[str, Meta(max_length=20_000)]
Sizes = Annotated[tuple[Count, ...], Meta(max_length=64)]  # the shape of a tensor: torch allows so many axes


@dataclass(frozen=True)
class ArrayOf:
    """What an array in an answer may hold, as the second part of ``Annotated[np.ndarray, ArrayOf(…)]``.

    Attributes:
        kinds: numpy's letters for the dtypes allowed: b truth values, i and u whole numbers, f floats.
        shape: its sizes, None for any size; None in their place for any shape.
        most: how many numbers it may hold.
        finite: whether NaN and infinite numbers are refused.
        least: the smallest number allowed; None for any.
    """

    kinds: str = "biuf"
    shape: tuple[int | None, ...] | None = None
    most: int = 1 << 24
    finite: bool = False
    least: float | None = None

    def check(self, value: np.ndarray) -> None:
        """Refuse an array that is not so.

        Raises:
            ValueError: what was expected, and what came.
        """
        if value.dtype.kind not in self.kinds:
            raise ValueError(f"Expected an array of kind {self.kinds}, got {value.dtype.name}")
        if self.shape is not None and not _has_shape(value.shape, self.shape):
            raise ValueError(f"Expected an array of shape {self.shape}, got {value.shape}")
        if value.size > self.most:
            raise ValueError(f"Expected an array of at most {self.most} numbers, got {value.size}")
        if self.finite and not np.isfinite(value).all():
            raise ValueError("Expected an array of finite numbers")
        if self.least is not None and value.size and value.min() < self.least:
            raise ValueError(f"Expected an array of numbers >= {self.least}")


Numbers = Annotated[np.ndarray, ArrayOf()]
Floats = Annotated[np.ndarray, ArrayOf("f")]
Truths = Annotated[np.ndarray, ArrayOf("b")]
Described = Annotated[np.ndarray, ArrayOf(most=1 << 22)]  # ``describe.result`` sends no more


def _has_shape(got: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(got) == len(wanted) and all(size in (None, n) for size, n in zip(wanted, got, strict=True))


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of an answer with named fields; no other keys are let pass. Its arrays hold what is annotated."""

    def __post_init__(self) -> None:
        for name, check in _array_checks(type(self)):
            check(getattr(self, name))


Check = Callable[[Any], None]


@functools.cache
def _array_checks(record: type) -> tuple[tuple[str, Check], ...]:
    """The fields of a record that hold arrays, each with what refuses a wrong one."""
    hints = typing.get_type_hints(record, include_extras=True)
    found = ((field, _check_of(hints[field])) for field in record.__struct_fields__)  # type: ignore[attr-defined]
    return tuple((field, check) for field, check in found if check is not None)


def _check_of(hint: Any) -> Check | None:
    """What refuses a wrong array anywhere in a value of some type; None where the type holds no array."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        rule = next((each for each in arguments[1:] if isinstance(each, ArrayOf)), None)
        return rule.check if rule is not None else _check_of(arguments[0])
    inner = [check for argument in arguments if argument is not Ellipsis and (check := _check_of(argument)) is not None]
    if not inner:
        return None
    if origin in (types.UnionType, typing.Union):
        return lambda value: inner[0](value) if isinstance(value, np.ndarray | list | tuple | dict) else None
    items: Callable[[Any], Any] = (lambda value: value.values()) if origin is dict else (lambda value: value)

    def each(value: Any) -> None:
        for item in items(value):
            inner[0](item)

    return each


class TensorResult(Record, frozen=True, tag_field="kind", tag="tensor"):
    """A tensor that a student's code gave."""

    dtype: Name
    device: Name
    requires_grad: bool
    array: Described


class ArrayResult(Record, frozen=True, tag_field="kind", tag="ndarray"):
    """A NumPy array that a student's code gave."""

    dtype: Name
    array: Described


class NumberResult(Record, frozen=True, tag_field="kind", tag="number"):
    """A number; it may be NaN or infinite."""

    number: float
    type: Name


class TextResult(Record, frozen=True, tag_field="kind", tag="str"):
    """A string."""

    text: Text


class SequenceResult(Record, frozen=True, tag_field="kind", tag="sequence"):
    """A list or a tuple."""

    type: Name
    items: Annotated[list["Result"], Meta(max_length=MAX_RESULTS)]


class DictResult(Record, frozen=True, tag_field="kind", tag="dict"):
    """A dict, by the texts of its keys."""

    items: Annotated[dict[str, "Result"], Meta(max_length=MAX_RESULTS)]


class OtherResult(Record, frozen=True, tag_field="kind", tag="other"):
    """Anything else, by its type."""

    type: Name
    none: bool


class RaisedResult(Record, frozen=True, tag_field="kind", tag="raised"):
    """A call ended with an exception."""

    exception: Raised

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        raised = self.exception
        if len(raised.message) > 4_000 or len(raised.bases) > 40 or len(raised.frames) > 20:
            raise ValueError("Expected an exception of at most 4000 characters, 40 bases and 20 frames")


Result = TensorResult | ArrayResult | NumberResult | TextResult | SequenceResult | DictResult | OtherResult
ResultOrRaised = Result | RaisedResult


class Misfit(Exception):
    """An answer that does not fit its type: what was expected, what came, and where in the answer."""


@dataclass(frozen=True)
class Answered:
    """The type of an operation's answer.

    Attributes:
        type: what msgspec converts the answer to.
        agrees: told the arguments that were asked and the converted answer; raises ``Misfit`` where they do not go
            together, as where one output a call is due and another number came.
    """

    type: Any
    agrees: Callable[[dict[str, Any], Any], None] = lambda args, answer: None


def type_words(declared: Answered | None) -> str:
    """What an answer is held against, and where that is written: "Descent (assignment.py, line 17)"."""
    kind = None if declared is None else declared.type
    try:
        file, line = inspect.getsourcefile(kind), inspect.getsourcelines(kind)[1]  # type: ignore[arg-type]
    except (TypeError, OSError):  # no class, or none of a file
        return "its type in forms"
    return f"{kind.__name__} ({Path(str(file)).name}, line {line})"  # type: ignore[union-attr]


def converted(value: Any, kind: Any) -> Any:
    """Convert an answer to its type.

    Raises:
        Misfit: it does not fit.
    """
    try:
        found = convert(value, kind, _array)
        check = _check_of(kind)  # of arrays that lie in no record
        if check is not None:
            check(found)
        return found
    except (msgspec.ValidationError, ValueError, TypeError, OverflowError) as error:
        raise Misfit(str(error)) from None
    except AttributeError:  # msgspec takes an array for a mapping, and asks it for its keys
        raise Misfit("Expected a dict, got an array") from None


def _array(kind: type, value: Any) -> Any:
    """Let arrays through where the type says array; msgspec asks about each class that it does not know."""
    if kind is np.ndarray and isinstance(value, np.ndarray):
        return value
    raise ValueError(f"Expected an array, got {type(value).__name__}")


def fit(observation: Observation, declared: Answered | None, args: dict[str, Any] | None) -> Observation:
    """Convert an answer where it arrives.

    Args:
        declared: what its operation declares, an ``Answered``; None: nothing is declared.
        args: what the operation was asked with; None for an answer that was kept, and compared with them then.

    Returns:
        the observation with its converted value; a forged one where the value does not fit, a fault where what is
        declared is itself wrong.
    """
    if declared is None or observation.outcome != "value":
        return observation
    try:
        value = converted(observation.value, declared.type)
        if args is not None:
            declared.agrees(args, value)
    except Misfit as misfit:
        return dataclasses.replace(observation, outcome="forged", value=None, detail=NOT_OURS, misfit=str(misfit))
    except Exception as error:  # a bug in a declaration must not look like the student's, nor end the grade
        detail = f"the type of the answer raised {type(error).__name__}: {error}"[:300]
        return dataclasses.replace(observation, outcome="fault", value=None, detail=detail)
    return dataclasses.replace(observation, value=value)
