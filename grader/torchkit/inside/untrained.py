"""What models that were followed in a training compute with the weights that they had before it.

Shapes: B batch, C channels, H image height, W image width, D features.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from grader.sandbox.inside import describe
from grader.torchkit.inside.followed_models import FollowedModel


def outputs_before_training(note: FollowedModel, images: np.ndarray) -> dict[str, np.ndarray] | None:
    """What a model makes of images, computed twice: so it can be told whether chance has a part in it.

    Args:
        images: (B, 1, H, W) float32.

    Returns:
        first, again: (B, D). None where the model was not used on images, or refuses these.
    """
    if note.before is None or note.shape is None:
        return None
    first, again = (_output(note, images, note.shape) for _ in range(2))
    if first is None or again is None or first.shape != again.shape:
        return None
    return {"first": describe.plain(first), "again": describe.plain(again)}


def _output(note: FollowedModel, images: np.ndarray, shape: tuple[int, ...]) -> Tensor | None:
    was_training = note.module.training
    try:
        with torch.no_grad():
            note.module.eval()
            output: Any = functional_call(note.module, note.before or {}, (_resized(images, shape),))
    except Exception:  # whatever the student's class does with other images than its own
        return None
    finally:
        note.module.train(was_training)
    fits = isinstance(output, Tensor) and output.is_floating_point() and output.shape[:1] == images.shape[:1]
    max_numbers = 1 << 16  # of one output that is brought back
    return output if fits and 0 < output.numel() <= max_numbers else None


def _resized(images: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """The images with as many channels and pixels as those that the model was given in the training.

    Args:
        shape: (C, H, W).
    """
    channels, *size = shape
    given = torch.from_numpy(np.array(images))
    if list(given.shape[2:]) != size:
        given = nn.functional.interpolate(given, size=tuple(size), mode="bilinear")
    return given.expand(-1, channels, -1, -1)
