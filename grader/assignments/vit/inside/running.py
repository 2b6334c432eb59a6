"""Running models over many images, in order and in fixed batches.

Shapes: B batch, n images of a set, K numbers an image.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from grader.assignments.vit.inside.modules import seed_everything
from grader.sandbox.inside import describe, faults
from grader.sandbox.inside.student import Student

BATCH = 100  # images at a time: small enough for the caches

Pixels = Callable[[np.ndarray], Tensor]  # (B, 28, 28) uint8 → (B, 1, 28, 28) float32
Run = Callable[[Tensor], Any]
Reduce = Callable[[np.ndarray], Any]  # (n, K) float32 outputs → what is told of them


def outputs(
    student: Student, run: Run, modules: list[nn.Module], reduce: Reduce,
    sets: list[dict[str, Any]], pixels: dict[str, Any], threads: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Run sets of images through models, in order and in fixed batches.

    Args:
        reduce: (n, K) float32 outputs → what is told of them.
        sets: {"name", "images": (n, 28, 28) uint8, "rows": which of them, all where there are none}.
        pixels: how images become tensors, see ``pixels_of``.
        threads: of torch, meanwhile.
    """
    seed_everything(seed)
    for module in modules:
        module.eval()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.no_grad():
            prepare = pixels_of(student, **pixels)
            size, fixed = _batch_size(student, run, prepare, sets[0]["images"])
            return {s["name"]: reduce(_all(run, prepare, s, size, fixed)) for s in sets}
    except Exception as error:
        return {"raised": describe.exception(error)}
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


def _batch_size(student: Student, run: Run, prepare: Pixels, images: np.ndarray) -> tuple[int, bool]:
    """The size of the batches; the student's own where their code knows no other."""
    size = student.get("batch_size") if student.has("batch_size") else BATCH
    try:
        run(prepare(images[: BATCH // 2 + 1]))
        return BATCH, False
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


def _all(run: Run, prepare: Pixels, images: dict[str, Any], size: int, fixed: bool) -> np.ndarray:
    return np.concatenate(list(_batches(run, prepare, images["images"], images.get("rows"), size, fixed)))


def _batches(
    run: Run, prepare: Pixels, images: np.ndarray, rows: np.ndarray | None, size: int, fixed: bool
) -> Iterator[np.ndarray]:
    count = len(images) if rows is None else len(rows)
    for start in range(0, count, size):
        faults.step()
        part = images[start : start + size] if rows is None else images[rows[start : start + size]]
        filled = np.resize(part, (size, *part.shape[1:])) if fixed else part
        result = run(prepare(filled))
        if isinstance(result, np.ndarray):  # embeddings may come as an array
            result = torch.from_numpy(result)
        if not isinstance(result, Tensor):
            raise TypeError(f"expected a tensor for a batch of images, got {type(result).__name__}")
        if result.ndim != 2 or len(result) != len(filled):
            raise ValueError(
                f"expected a row of numbers for each of {len(filled)} images, got shape {tuple(result.shape)}"
            )
        yield describe.plain(result.float())[: len(part)]


def predicted(logits: np.ndarray) -> dict[str, Any]:
    """The classes with the largest logits, and how many rows are not all numbers."""
    bad = ~np.isfinite(logits).all(1)
    return {"predicted": logits.argmax(1).astype(np.uint8), "not_finite": int(bad.sum()), "width": logits.shape[1]}
