"""What the stand-ins compute in eval mode, worked out on this side.

Shapes: B batch, C channels, H image height and width, D hidden size, E embedding size.
"""

import numpy as np

from grader.assignments.vit.inside.constants import GRID, MEAN, SHIFT, STD
from grader.assignments.vit.settings import size
from grader.evidence import Evidence

Array = np.ndarray
Weights = dict[str, Array]


def sizes(evidence: Evidence) -> tuple[int, int]:
    """D and E of the stand-ins."""
    return size(evidence, "hidden_size", 64), size(evidence, "embed_size", 64)


def weights(rng: np.random.Generator, inputs: int, outputs: int, layer: str) -> Weights:
    """Random weights of a stand-in.

    Args:
        layer: the name of its linear layer.

    Returns:
        by name, its (outputs, inputs) weight, its bias, and a running mean that eval mode subtracts.
    """
    return {
        f"{layer}.weight": rng.standard_normal((outputs, inputs), np.float32) / np.float32(np.sqrt(inputs)),
        f"{layer}.bias": rng.standard_normal(outputs, np.float32),
        "running_mean": 2 * rng.standard_normal(outputs, np.float32),
    }


def models(rng: np.random.Generator, hidden_size: int, embed_size: int) -> dict[str, Weights]:
    """Weights of a ViT and a head."""
    return {
        "vit": weights(rng, GRID * GRID, hidden_size, "features"),
        "head": weights(rng, hidden_size, embed_size, "linear"),
    }


def features(images: Array, vit: Weights) -> Array:
    """(B, C, H, H) images → (B, D)."""
    cell = images.shape[2] // GRID
    pooled = images.astype(np.float64).mean(1).reshape(len(images), GRID, cell, GRID, cell).mean((2, 4))
    return _linear(pooled.reshape(len(images), -1), vit, "features")


def embeddings(images: Array, vit: Weights, head: Weights) -> Array:
    """(B, C, H, H) images → (B, E)."""
    return _linear(features(images, vit), head, "linear")


def _linear(x: Array, given: Weights, layer: str) -> Array:
    return x @ given[f"{layer}.weight"].T.astype(np.float64) + given[f"{layer}.bias"] - SHIFT * given["running_mean"]


def normalised(x: Array) -> Array:
    """Rows of length 1."""
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def forms(x: Array) -> tuple[Array, Array]:
    """Embeddings as they are and of length 1: both are right."""
    return x, normalised(x)


def tensors(images: Array) -> Array:
    """(n, H, H) uint8 images → (n, 1, H, H), as the plain transform of small data sets gives them."""
    return ((images.astype(np.float64) / 255 - MEAN) / STD)[:, None]


def nearest(query: Array, bank: Array, itself: bool = True) -> Array:
    """Find the nearest row of a bank to each query.

    Args:
        query: (n, E).
        bank: (m, E).
        itself: whether row i may be found for query i; False only where the bank is the queries.

    Returns:
        (n,) indices.
    """
    distances = ((query[:, None, :] - bank[None, :, :]) ** 2).sum(2)
    return (distances if itself else distances + np.diag(np.full(len(bank), np.inf))).argmin(1)


def blurred(rng: np.random.Generator, count: int) -> Array:
    """(count, 28, 28) uint8 images that differ after pooling."""
    return rng.integers(0, 256, (count, GRID, GRID)).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)
