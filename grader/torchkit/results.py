"""Reading what a call of student code gave: the numbers in it, or what it is instead, in words."""

import numpy as np

from grader.observations import (
    ArrayResult,
    DictResult,
    NumberResult,
    OtherResult,
    Result,
    SequenceResult,
    TensorResult,
    TextResult,
)
from grader.sentences import number_of

Array = np.ndarray


def array_of(result: Result) -> Array | None:
    """The values of a tensor or an array; None for anything else."""
    return result.array if isinstance(result, TensorResult | ArrayResult) else None


def numbers_of(result: Result) -> Array | None:
    """The numbers of a tensor, an array, a number or a list of these, as float64 with their shape; None for others."""
    if isinstance(result, TensorResult | ArrayResult):
        return result.array.astype(np.float64)
    if isinstance(result, NumberResult):
        return np.array(result.number, np.float64)
    if isinstance(result, SequenceResult):
        rows = [row for item in result.items if (row := numbers_of(item)) is not None]
        if rows and len(rows) == len(result.items) and all(row.shape == rows[0].shape for row in rows):
            return np.stack(rows)
    return None


def items_of(result: Result) -> list[Result]:
    """What a tuple, a list or a dict holds; anything else by itself."""
    if isinstance(result, SequenceResult):
        return result.items
    return list(result.items.values()) if isinstance(result, DictResult) else [result]


def single_numbers(result: Result) -> list[float]:
    """All single numbers in a result, in tensors of one number too."""
    found = ((item, array_of(item)) for item in items_of(result))
    single = (item.number if isinstance(item, NumberResult) else array for item, array in found)
    return [float(np.reshape(x, -1)[0]) for x in single if x is not None and np.size(x) == 1]


def words_of(result: Result) -> str:
    """What a result is, as the end of "expected …, got"."""
    match result:
        case TensorResult():
            return f"a tensor of {result.dtype}, shape {result.array.shape}"
        case ArrayResult():
            return f"a NumPy array of {result.dtype}, shape {result.array.shape}"
        case NumberResult():
            return f"the number {result.number:g}"
        case TextResult():
            return f"the text {result.text[:40]!r}"
        case SequenceResult():
            return f"a {result.type[:40]} of {number_of(len(result.items), 'value')}"
        case DictResult():
            return f"a dict of {len(result.items)}"
        case OtherResult():
            return "None" if result.none else result.type[:60]
