"""Where a trained model looks: attention from [CLS], for pictures; nothing is judged by it.

Shapes: n images, T = N + 1 tokens, N patches.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from grader.assignments.vit.inside import checkpoints
from grader.assignments.vit.inside.modules import seed_everything
from grader.assignments.vit.inside.running import pixels_of
from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student

SOFTMAXES = {torch.softmax, F.softmax, Tensor.softmax}
MOST = 4_096  # tokens


@op("checkpoint.attention")
def attention(student: Student, path: str, images: np.ndarray, pixels: dict[str, Any], seed: int) -> np.ndarray | None:
    """(n, N) how much the last layer's [CLS] takes from each patch, a mean over heads.

    None where attention is computed in a way that is not seen.

    Args:
        path: of a checkpoint with the weights of a ViT.
        images: (n, 28, 28) uint8.
        pixels: how they become tensors, see ``pixels_of``.
    """
    content, _ = checkpoints.facts(path, "acc")
    seed_everything(seed)
    vit = checkpoints.built(student, checkpoints.VIT, checkpoints.settings(student))
    if not checkpoints.fitted(vit, content["vit"])["fits"]:
        return None
    vit.eval()
    prepare = pixels_of(student, **pixels)
    rows = []
    for image in images:  # one by one: what stands before the last two axes are heads then
        with torch.no_grad(), _Watch() as watch:
            vit(prepare(image[None]))
        rows.append(watch.last(student))
    if any(row is None or row.shape != rows[0].shape for row in rows):
        return None
    return describe.plain(torch.stack(rows).float())


class _Watch(TorchFunctionMode):
    """Keeps the weights that attention is computed with, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []  # (heads, T, T) each

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:  # one call from here on: its inside is not seen
            out, weights = func(*args, **{**kwargs, "need_weights": True, "average_attn_weights": True})
            self._keep(weights)
            asked = kwargs.get("need_weights", True) and kwargs.get("average_attn_weights", True)
            return (out, weights) if asked else func(*args, **kwargs)
        out = func(*args, **kwargs)
        if func in SOFTMAXES:
            self._keep(out)
        elif func is F.scaled_dot_product_attention:
            self._keep(_weights(args[0], args[1], kwargs.get("scale")))
        return out

    def _keep(self, weights: Any) -> None:
        if isinstance(weights, Tensor) and weights.ndim >= 2 and 2 < weights.shape[-1] == weights.shape[-2] <= MOST:
            self.seen.append(weights.reshape(-1, *weights.shape[-2:]))

    def last(self, student: Student) -> Tensor | None:
        """(N,) of the last layer; a layer may call softmax once, or once a head."""
        layers = student.get("layers") if student.has("layers") else 1
        each = len(self.seen) // layers if isinstance(layers, int) and 0 < layers <= len(self.seen) else 1
        those = [weights for weights in self.seen[-each:] if weights.shape[-1] == self.seen[-1].shape[-1]]
        return torch.cat(those).mean(0)[0, 1:] if those else None


def _weights(query: Tensor, key: Tensor, scale: float | None) -> Tensor:
    with torch.no_grad():
        return (query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)).softmax(-1)
