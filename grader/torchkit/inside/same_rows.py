"""Whether two sets of rows are the same items: embeddings by their directions, labels by what they hold together.

Shapes: B batch, E embedding size.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def same_rows(a: Tensor, b: Tensor) -> bool:
    """Whether rows are embeddings of the same images by the same models: scaled, rounded or with dropout as may be."""
    if a.shape != b.shape or a.dim() != 2:
        return False
    a, b = (torch.nan_to_num(rows.cpu().float()) for rows in (a, b))
    half_precision = 0.02  # rounding of numbers up to 1
    if torch.allclose(F.normalize(a), F.normalize(b), atol=half_precision):
        return True
    centred = a - a.mean(0), b - b.mean(0)
    min_equal_rows = 0.5  # share of rows that are themselves again; of other images' or another model's rows few are
    return max(_found_again(a, b), _found_again(*centred)) > min_equal_rows


def _found_again(a: Tensor, b: Tensor) -> float:
    """Share of the rows of one whose nearest row in the other, by direction, has the same number."""
    nearest = (F.normalize(a) @ F.normalize(b).T).argmax(1)
    return float((nearest == torch.arange(len(a))).float().mean())


def same_labels(a: Tensor | None, b: Tensor | None) -> bool:
    """Whether the same items are of one class, whatever the classes are called."""
    if a is None or b is None:
        return True
    if a.numel() != b.numel():
        return False
    a, b = a.flatten().cpu(), b.flatten().cpu()
    return torch.equal(a, b) or torch.equal(a[:, None] == a, b[:, None] == b)
