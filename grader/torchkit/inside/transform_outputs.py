"""What transforms give, as arrays and in numbers."""

import math
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from grader.sandbox.inside import describe

Array = np.ndarray


def summary(outputs: list[Any]) -> dict[str, Any]:
    """Which kinds of outputs there were, how many of them not finite, and how many exceptions, with the first one."""
    kinds: dict[str, dict[str, Any]] = {}
    errors = [out for out in outputs if isinstance(out, BaseException)]
    values = [out for out in outputs if not isinstance(out, BaseException)]
    for out in values:
        kind = _kind(out)
        kinds.setdefault(repr(kind), {**kind, "count": 0})["count"] += 1
    arrays = [array for out in values if (array := array_of(out)) is not None]
    max_kinds = 16
    return {
        "count": len(outputs),
        "kinds": list(kinds.values())[:max_kinds],
        "not_finite": sum(not bool(np.isfinite(array).all()) for array in arrays),
        "failures": {"count": len(errors), "first": describe.exception(errors[0])} if errors else None,
    }


def _kind(out: Any) -> dict[str, Any]:
    if isinstance(out, torch.Tensor):
        return {"type": "tensor", "dtype": str(out.dtype).removeprefix("torch."), "shape": list(out.shape)}
    if isinstance(out, np.ndarray):
        return {"type": "ndarray", "dtype": str(out.dtype)[:100], "shape": list(out.shape)}
    if isinstance(out, Image.Image):
        return {"type": "image", "dtype": out.mode, "shape": list(out.size[::-1])}
    return {"type": type(out).__name__[:100], "dtype": "", "shape": []}


def array_of(out: Any) -> Array | None:
    """The numbers of a tensor, an array or a PIL image, uint8 or float32; None of anything else."""
    if isinstance(out, Image.Image):
        out = np.asarray(out)
    elif isinstance(out, torch.Tensor) and not out.is_complex():
        out = describe.plain(out)
    if not isinstance(out, np.ndarray) or out.dtype.kind not in "biuf":
        return None
    return out if out.dtype == np.uint8 else out.astype(np.float32)


def stacked(outputs: list[Any]) -> Array | None:
    """(n, …) float32 all outputs; of large images some rows and columns; None unless all are arrays of one shape."""
    arrays = [array_of(out) for out in outputs]
    first = arrays[0] if arrays else None
    if first is None or any(a is None or a.shape != first.shape for a in arrays):
        return None
    max_numbers = 3 * 64 * 64  # of one output that is sent
    step = math.ceil(math.sqrt(first.size / max_numbers))
    if step > 1:
        arrays = [a[..., ::step, ::step] if a is not None and a.ndim > 1 else None for a in arrays]
    sent = [array.astype(np.float32) for array in arrays if array is not None and array.size <= max_numbers]
    return np.stack(sent) if len(sent) == len(arrays) else None


def cell_means(outputs: list[Any], cells: int) -> Array | None:
    """(n, cells, cells) the mean values of parts of each output; None unless all are images."""
    arrays = [array_of(out) for out in outputs]
    if any(array is None or not 2 <= array.ndim <= 3 or 0 in array.shape for array in arrays):
        return None
    images = [torch.from_numpy(np.atleast_3d(array.astype(np.float32).T).T) for array in arrays if array is not None]
    return np.stack([nn.functional.adaptive_avg_pool2d(image, cells).mean(0).numpy() for image in images])


def spread(outputs: list[Any]) -> float:
    """How far outputs lie from the first one; -1 when none can be compared."""
    arrays = [array for out in outputs if (array := array_of(out)) is not None]
    return max((distance(arrays[0], array) for array in arrays), default=-1.0)


def largest_spread(outputs: list[Any], images: int) -> float:
    """How far outputs for one image lie apart, where outputs are for so many images in turn."""
    return max(spread(outputs[start::images]) for start in range(images))


def distance(one: Array, other: Array) -> float:
    """The largest difference of two arrays; 255 where their shapes differ or it is not finite."""
    if one.shape != other.shape:
        return 255.0
    with np.errstate(invalid="ignore"):
        differences = np.abs(one.astype(np.float64) - other)
    # equal infinities and NaN in the same places are no difference
    differences[(one == other) | (np.isnan(one) & np.isnan(other))] = 0.0
    return float(np.nan_to_num(differences, nan=255.0, posinf=255.0).max(initial=0.0))


def within_unit_range(image: Array) -> bool:
    """Whether all of an image's values are such as images have before they are normalised."""
    return image.dtype == np.uint8 or bool((image > -1e-3).all() and (image < 1 + 1e-3).all())
