"""The operation ``checkpoint.attention``: where a trained model looks, for pictures; nothing is judged by it.

Shapes: n images, N patches, T = N + 1 tokens.
"""

from typing import Any

import numpy as np
import torch

from grader.assignments.vit.inside import checkpoints
from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import building, state_dicts
from grader.torchkit.inside.attention_weights import AttentionWeights
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.image_sets import pixels_of


@op("checkpoint.attention")
def attention(student: Student, path: str, images: np.ndarray, pixels: dict[str, Any], seed: int) -> dict[str, Any]:
    """Tell how much the last layer's [CLS] takes from each patch, a mean over heads.

    What comes back has the type of ``grader.assignments.vit.pictures.AttentionSeen``.

    Args:
        path: of a checkpoint with the weights of a ViT.
        images: (n, 28, 28) uint8.
        pixels: how they become tensors, see ``pixels_of``.
    """
    content, _ = state_dicts.opened(path, "acc")
    seed_everything(seed)
    vit = building.built(student, checkpoints.VIT, checkpoints.settings(student))
    if content is None or state_dicts.load(vit, content["vit"], checkpoints.PARTS, "ViT")["kind"] != "loaded":
        return {"weights": None}
    vit.eval()
    prepare = pixels_of(student, **pixels)
    layers = student.get("layers") if student.has("layers") else 1
    rows = []
    for image in images:  # one by one: what stands before the last two axes are heads then
        with torch.no_grad(), AttentionWeights() as weights:
            vit(prepare(image[None]))
        rows.append(weights.of_last_layer(layers if isinstance(layers, int) else 1))
    if any(row is None or row.shape != rows[0].shape for row in rows):
        return {"weights": None}
    return {"weights": describe.plain(torch.stack([row[0, 1:] for row in rows]).float())}
