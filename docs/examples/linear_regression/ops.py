"""What a worker can be asked about linear regression. It runs student code and judges nothing."""

from typing import Any

import numpy as np
import torch

from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student


@op("regression.fit")
def fit(student: Student, x: np.ndarray, y: np.ndarray) -> Any:
    """Call ``fit`` on (N, D) points and (N,) values."""
    return describe.result(student.get("fit")(*_tensors(x, y)))


@op("regression.predict")
def predict(student: Student, x: np.ndarray, weights: np.ndarray, bias: float) -> Any:
    """Call ``predict`` on (N, D) points with (D,) weights."""
    return describe.result(student.get("predict")(*_tensors(x, weights), bias))


def _tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(np.array(array)) for array in arrays]
