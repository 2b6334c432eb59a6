"""What a call of a module is given."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def inputs_of(call: dict[str, Any]) -> Tensor:
    """A fresh tensor of a call's inputs, which the module may write to."""
    return tensor(call["inputs"])


def tensor(array: np.ndarray) -> Tensor:
    """A tensor of its own from an array that may be read-only."""
    return torch.from_numpy(np.array(array))
