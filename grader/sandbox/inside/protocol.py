"""Frames: a JSON header and raw array buffers. Used on both sides; what is decoded here is hostile."""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

PREFIX = struct.Struct(">IQ")  # the lengths of the header and of the arrays, before both
DTYPES = {name: np.dtype(name) for name in ("bool", "uint8", "int32", "int64", "float32", "float64")}


@dataclass(frozen=True)
class FrameLimits:
    """What one frame may hold at most.

    Attributes:
        header: bytes of JSON.
        blob: bytes of arrays: an unaligned array is copied, so twice as many are in memory.
        numbers: in all arrays of a reply: as float64 they take 192 MiB.
        axes: of one array.
    """

    header: int = 8 << 20
    blob: int = 96 << 20
    numbers: int = 24 << 20
    axes: int = 8


LIMITS = FrameLimits()


class ProtocolError(Exception):
    """A frame that breaks the protocol; the message says how."""


def encode(ident: str, body: Any) -> list[bytes]:
    """Turn a body of dicts, lists, strings, numbers and arrays into the parts of one frame.

    Raises:
        TypeError: for anything else in the body.
        ProtocolError: when the frame is over the caps.
    """
    arrays: list[np.ndarray] = []
    plain = _flatten(body, arrays)
    if sum(array.size for array in arrays) > LIMITS.numbers or any(array.ndim > LIMITS.axes for array in arrays):
        raise ProtocolError(f"more than {LIMITS.numbers:,} numbers, or arrays of more than {LIMITS.axes} axes")
    specs = [[array.dtype.name, list(array.shape)] for array in arrays]
    header = json.dumps({"id": ident, "body": plain, "arrays": specs}, allow_nan=False).encode()
    blob = [np.ascontiguousarray(array).tobytes() for array in arrays]
    prefix = PREFIX.pack(len(header), sum(map(len, blob)))
    lengths(prefix)
    return [prefix, header, *blob]


def lengths(prefix: bytes) -> tuple[int, int]:
    """Read the two lengths of a frame and refuse what is over the caps, before a byte of it is read."""
    header, blob = PREFIX.unpack(prefix)
    if header > LIMITS.header or blob > LIMITS.blob:
        raise ProtocolError(
            f"a frame of {header:,} + {blob:,} bytes, at most {LIMITS.header:,} + {LIMITS.blob:,} are taken"
        )
    return header, blob


def decode(header: bytes, blob: bytes | memoryview, shared: Mapping[str, np.ndarray] | None = None) -> tuple[str, Any]:
    """Turn one frame back into (id, body).

    Args:
        header: the JSON part.
        blob: the arrays' bytes; the arrays returned are read-only views of it.
        shared: arrays that ``{"$shared": name}`` may stand for in a request; None for a reply, which is hostile.

    Raises:
        ProtocolError: for anything that ``encode`` does not make.
    """
    max_values = 250_000  # lists, dicts and their items in one reply, so that a small header cannot fill the memory
    if shared is None and header.count(b",") + header.count(b"[") + header.count(b"{") > max_values:
        raise ProtocolError(f"the header holds more than {max_values} values")
    try:
        top = json.loads(
            header.decode("utf-8"),  # json would guess among UTF-8, 16 and 32
            parse_constant=_refuse_constant,
            parse_int=_small_int,
            parse_float=_finite_float,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the header is not JSON as agreed: {error}"[:200]) from None
    if not isinstance(top, dict) or top.keys() != {"id", "body", "arrays"} or not isinstance(top["id"], str):
        raise ProtocolError("the header does not hold exactly id, body and arrays")
    arrays = _arrays(top["arrays"], blob)
    if shared is None and sum(array.size for array in arrays) > LIMITS.numbers:
        raise ProtocolError(f"the arrays hold more than {LIMITS.numbers} numbers")
    return top["id"], _restore(top["body"], list(arrays), shared, 0)


def read_frame(stream: BinaryIO, shared: Mapping[str, np.ndarray] | None = None) -> tuple[str, Any] | None:
    """Read one frame from a blocking stream; None at its end."""
    prefix = stream.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    header_size, blob_size = lengths(prefix)
    return decode(stream.read(header_size), stream.read(blob_size), shared)


def _flatten(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        wide = np.float32 if value.dtype.kind == "f" else np.int64
        arrays.append(value if value.dtype.name in DTYPES else value.astype(wide))
        return {"$array": len(arrays) - 1}
    if isinstance(value, Mapping):
        return {str(key): _flatten(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_flatten(item, arrays) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    return value


def _restore(value: Any, arrays: list[np.ndarray | None], shared: Mapping[str, np.ndarray] | None, depth: int) -> Any:
    """Put arrays into a body. Each is taken once: what reads the body may copy it at every place where it stands."""
    max_depth = 32
    if depth > max_depth:
        raise ProtocolError(f"the body is nested deeper than {max_depth}")
    if isinstance(value, list):
        return [_restore(item, arrays, shared, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, item),) = value.items()
        if key == "$array":
            if type(item) is not int or not 0 <= item < len(arrays):
                raise ProtocolError("the body names an array that the frame does not hold")
            array, arrays[item] = arrays[item], None
            if array is None:
                raise ProtocolError("the body names an array twice")
            return array
        if key == "$float":
            if item not in ("nan", "inf", "-inf"):
                raise ProtocolError("the body holds a $float that is none")
            return float(item)
        if key == "$shared":
            if shared is None or not isinstance(item, str) or item not in shared:
                raise ProtocolError("the body names a shared array that there is none of")
            return shared[item]
    return {key: _restore(item, arrays, shared, depth + 1) for key, item in value.items()}


def _arrays(specs: Any, blob: bytes | memoryview) -> list[np.ndarray]:
    max_arrays = 20_000
    if not isinstance(specs, list) or len(specs) > max_arrays:
        raise ProtocolError(f"the header lists no arrays or more than {max_arrays}")
    arrays, start = [], 0
    for spec in specs:
        dtype, shape = _spec(spec)
        count = math.prod(shape)
        if count * dtype.itemsize > len(blob) - start:
            raise ProtocolError("the arrays need more bytes than the frame holds")
        arrays.append(_array(blob[start : start + count * dtype.itemsize], dtype, shape))
        start += count * dtype.itemsize
    if start != len(blob):
        raise ProtocolError("the frame holds more bytes than its arrays need")
    return arrays


def _array(data: bytes | memoryview, dtype: np.dtype, shape: list[int]) -> np.ndarray:
    try:
        array = np.frombuffer(data, dtype).reshape(shape) if len(data) else np.zeros(shape, dtype)
    except ValueError as error:  # sizes whose product overflows beside a zero
        raise ProtocolError(f"an array's shape is refused: {error}"[:200]) from None
    if dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise ProtocolError("an array of bool holds other bytes than 0 and 1")
    array = np.require(array, requirements="A")  # a bool array before it may have moved it off its boundary
    array.flags.writeable = False
    return array


def _spec(spec: Any) -> tuple[np.dtype, list[int]]:
    if not (isinstance(spec, list) and len(spec) == 2 and isinstance(spec[0], str) and spec[0] in DTYPES):
        raise ProtocolError("an array's dtype is none of " + ", ".join(DTYPES))
    shape = spec[1]
    if not isinstance(shape, list) or len(shape) > LIMITS.axes:
        raise ProtocolError(f"an array's shape is no list of at most {LIMITS.axes} sizes")
    if any(type(size) is not int or not 0 <= size <= LIMITS.blob for size in shape):
        raise ProtocolError("an array's shape holds something else than a size")
    max_empty = 1 << 20  # product of the other sizes of an array that holds nothing: a mean over it would make as many
    if 0 in shape and math.prod(size for size in shape if size) > max_empty:
        raise ProtocolError(f"an empty array's other sizes come to more than {max_empty}")
    return DTYPES[spec[0]], shape


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _small_int(text: str) -> int:
    if len(text) > 20:
        raise ValueError("an integer of more than 20 characters")
    return int(text)


def _finite_float(text: str) -> float:
    number = float(text) if len(text) <= 40 else math.inf
    if not math.isfinite(number):
        raise ValueError("a number too large or too long")
    return number


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice in one object")
    max_key = 1_000  # characters of a dict's key
    if any(len(key) > max_key for key in found):
        raise ValueError(f"a key of more than {max_key} characters")
    return found
