"""Running models over many images, in order and in fixed batches.

The descriptions are those of ``grader.torchkit.image_sets``.

Shapes: B batch, n images of a set, H and W their sides, K numbers for an image.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from grader.sandbox.inside import describe, faults
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.generators import seed_everything

Pixels = Callable[[np.ndarray], Tensor]  # (B, H, W) uint8 → (B, 1, H, W) float32
Run = Callable[[Tensor], Any]
Reduce = Callable[[np.ndarray], dict[str, Any]]  # (n, K) float32 outputs → what is told of them


class _NoRows(Exception):
    """A model gave something else than a row of numbers for each image."""

    def __init__(self, result: Any, images: int) -> None:
        super().__init__()
        shape = list(result.shape) if isinstance(result, Tensor) else None
        self.told = {"kind": "no_rows", "type": type(result).__name__[:100], "shape": shape, "images": images}


def outputs(
    student: Student, run: Run, modules: list[nn.Module], reduce: Reduce,
    sets: list[dict[str, Any]], pixels: dict[str, Any], threads: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Run sets of images through models, in order and in fixed batches.

    Args:
        modules: those that ``run`` calls; they are put into eval mode.
        reduce: (n, K) float32 outputs → what is told of them.
        sets: {"name", "images": (…, H, W) uint8, "rows": (n,) which of them, in order}.
        pixels: how images become tensors, the arguments of ``pixels_of``.
        threads: of torch, meanwhile.

    Returns:
        {"kind": "sets", "sets": {name: what ``reduce`` tells}}, or what the models did instead.
    """
    seed_everything(seed)
    for module in modules:
        module.eval()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.no_grad():
            prepare = pixels_of(student, **pixels)
            size, fixed = _batch_size(student, run, prepare, sets[0])
            found = {s["name"]: reduce(np.concatenate(list(_batches(run, prepare, s, size, fixed)))) for s in sets}
        return {"kind": "sets", "sets": found}
    except _NoRows as error:
        return error.told
    except Exception as error:
        return {"kind": "raised", "exception": describe.exception(error)}
    finally:
        torch.set_num_threads(before)


def pixels_of(
    student: Student, lut: np.ndarray | None = None, scale: float = 1.0, shift: float = 0.0, transform: str = ""
) -> Pixels:
    """How images become tensors.

    Args:
        lut: (256,) float32, the value of each grey level.
        scale, shift: value = grey level / 255 * scale + shift, where there is no table.
        transform: name of a transform of the student's, applied to each image by itself.
    """
    if transform:
        own = student.get(transform)
        return lambda images: torch.stack([own(Image.fromarray(np.array(image))) for image in images])
    if lut is None:
        lut = np.arange(256, dtype=np.float32) / np.float32(255) * np.float32(scale) + np.float32(shift)
    table = np.array(lut, dtype=np.float32)
    return lambda images: torch.from_numpy(table[images]).unsqueeze(1)


def _batch_size(student: Student, run: Run, prepare: Pixels, first: dict[str, Any]) -> tuple[int, bool]:
    """The size of the batches, and whether all must have it: the student's own where their code knows no other."""
    images = first["images"][first["rows"][:4096]]
    small = 100  # images at a time: small enough for the caches
    size = student.get("batch_size") if student.has("batch_size") else small
    try:
        run(prepare(images[: small // 2 + 1]))  # another size than the student's
        return small, False
    except Exception:
        if not isinstance(size, int) or not 0 < size <= 4096:
            raise
        try:
            run(prepare(images[:size]))
        except Exception:
            size = 0
        if size:
            return size, True
        raise


def _batches(run: Run, prepare: Pixels, images: dict[str, Any], size: int, fixed: bool) -> Iterator[np.ndarray]:
    """The outputs of one batch after the other, (B, K) float32."""
    for rows in (images["rows"][start : start + size] for start in range(0, len(images["rows"]), size)):
        faults.step()
        part = images["images"][rows]
        filled = np.resize(part, (size, *part.shape[1:])) if fixed else part
        result = run(prepare(filled))
        if isinstance(result, np.ndarray):  # embeddings may come as an array
            result = torch.from_numpy(result)
        if not isinstance(result, Tensor) or result.ndim != 2 or len(result) != len(filled):
            raise _NoRows(result, len(filled))
        yield describe.plain(result.float())[: len(part)]


def predicted(logits: np.ndarray) -> dict[str, Any]:
    """The classes with the largest logits, and how many rows are not all numbers."""
    bad = ~np.isfinite(logits).all(1)
    return {"predicted": logits.argmax(1).astype(np.uint8), "not_finite": int(bad.sum())}


def embedded(embeddings: np.ndarray) -> dict[str, Any]:
    """The embeddings themselves, or only how wide they are where that is far too wide."""
    width = embeddings.shape[1]
    max_width = 1_024  # numbers of an embedding that is sent back
    return {"embeddings": embeddings if width <= max_width else None, "width": width}
