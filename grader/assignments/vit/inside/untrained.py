"""What models that were followed in a training compute with the weights that they had before it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from grader.assignments.vit.inside.watch import Model
from grader.sandbox.inside import describe

MAX_NUMBERS = 1 << 16  # of one output that is brought back
TWICE = 2


def features(notes: list[Model], images: np.ndarray) -> dict[int, list[np.ndarray]]:
    """What each ViT makes of the images, twice: so it can be told whether chance has a part in it.

    Args:
        images: (B, 1, H, W) float32.

    Returns:
        by the number of the note (B, D), two of them; none where the ViT was not used or refuses images.
    """
    found = {}
    for number, note in enumerate(notes):
        if note.role == "vit" and note.before is not None and note.shape is not None:
            outputs = [_output(note, images) for _ in range(TWICE)]
            if all(output is not None for output in outputs):
                found[number] = [describe.plain(output) for output in outputs if output is not None]
    return found


def _output(note: Model, images: np.ndarray) -> Tensor | None:
    was_training = note.module.training
    try:
        with torch.no_grad():
            note.module.eval()
            output: Any = functional_call(note.module, note.before or {}, (_resized(images, note.shape),))
    except Exception:  # whatever the student's class does with other images than its own
        return None
    finally:
        note.module.train(was_training)
    fits = isinstance(output, Tensor) and output.is_floating_point() and output.shape[:1] == images.shape[:1]
    return output if fits and output.numel() <= MAX_NUMBERS else None


def _resized(images: np.ndarray, shape: tuple[int, ...] | None) -> Tensor:
    """The images with as many channels and pixels as those that the ViT was given in the training."""
    channels, *size = shape or images.shape[1:]
    given = torch.from_numpy(np.array(images))
    if list(given.shape[2:]) != size:
        given = nn.functional.interpolate(given, size=tuple(size), mode="bilinear")
    return given.expand(-1, channels, -1, -1)
