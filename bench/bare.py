"""The yardstick of a grade: the reference's models on the 25,000 images that its two scores need, nothing else.

    python bench/bare.py [BATCH [TIMES]]

A plain script without a grader: 10,000 test images through the classifier, 10,000 and 5,000 through the
embedding model, TIMES times over. Prints the seconds of the passes alone, wall and CPU, without imports and loading.
"""

import gzip
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))

import numpy as np
import torch
from hyperparameters import embed_size, heads, hidden_size, image_size, in_channels, layers, patch_size
from torch import Tensor
from vit_model import ClassificationHead, LinearEmbeddingHead, ViT

REFERENCE = Path(sys.path[0])


def images(name: str) -> Tensor:
    """(n, 1, 28, 28), normalised as the reference does."""
    raw = Path(os.environ.get("FASHION_MNIST_ROOT", "data"), "FashionMNIST", "raw")
    packed = raw / f"{name}-images-idx3-ubyte.gz"
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else packed.with_suffix("").read_bytes()
    pixels = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return (torch.from_numpy(pixels.copy()) / 255 - 0.286) / 0.353


def model(file: str, key: str, head: torch.nn.Module) -> torch.nn.Sequential:
    """A ViT and a head with the weights of a checkpoint."""
    saved = torch.load(REFERENCE / file, weights_only=True)
    vit = ViT(image_size, patch_size, in_channels, hidden_size, layers, heads)
    vit.load_state_dict(saved["vit"])
    head.load_state_dict(saved[key])
    return torch.nn.Sequential(vit, head).eval()


def main(batch: int = 100, times: int = 1) -> None:
    """Time the passes and print their seconds."""
    classifier = model("vit_classifier.pt", "classifier", ClassificationHead(hidden_size, 10))
    embedding = model("vit_embeds.pt", "embedding_head", LinearEmbeddingHead(hidden_size, embed_size))
    test, reference = images("t10k"), images("train")[:5_000]
    with torch.no_grad():
        classifier(test[:batch])  # what the first pass costs is no pass
        wall, cpu = time.perf_counter(), time.process_time()
        for network, inputs in ((classifier, test), (embedding, test), (embedding, reference)) * times:
            torch.cat([network(part) for part in inputs.split(batch)])
        print(time.perf_counter() - wall, time.process_time() - cpu)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
