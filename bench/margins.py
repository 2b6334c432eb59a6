"""What honest embedding models score, on which the margins of logs and warnings rest.

    python -m bench.margins --models 10 --epochs 25

Trains the reference's embedding model with one seed after the other on the 5,000 images, about four minutes
each on one core, and prints for each

    test            Precision@1 of the test images
    unseen - test   … of training images outside the subset, minus that: `HONEST` of `leak.*`
    moved / test    … of test images moved by a pixel, with noise, over that: `min_kept`
    augmented       … against augmented reference images, minus that: `log_computed` and `MAX_LOSS_OF_SAME_CODE`

and in the end the mean, the spread, and how many models each warning would be wrong about.
"""

import argparse
import importlib
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grader.assignments.vit.thresholds import origin, questions
from grader.assignments.vit.thresholds.plausibility import HONEST
from grader.assignments.vit.thresholds.sources import EMBEDDINGS
from grader.assignments.vit.thresholds.suspicion import BOUNDS
from grader.shipped import HOME as ROOT
from grader.torchkit import fashion_mnist as data
from grader.torchkit import lookups
from grader.torchkit.nearest import precision_at_1

MEAN, STD = 0.286, 0.353
NAMES = ("test", "unseen - test", "moved / test", "augmented")


def trained(seed: int, epochs: int, images: Tensor, labels: Tensor) -> nn.Module:
    """The reference's recipe on tensors in memory, with its augmentation."""
    reference: dict[str, Any] = {
        name: importlib.import_module(name) for name in ("vit_model", "hyperparameters", "contrastive")
    }
    h, library = reference["hyperparameters"], reference["contrastive"]
    torch.manual_seed(seed)
    vit = reference["vit_model"].ViT(h.image_size, h.patch_size, h.in_channels, h.hidden_size, h.layers, h.heads)
    model = nn.Sequential(vit, reference["vit_model"].LinearEmbeddingHead(h.hidden_size, h.embed_size))
    optimizer = torch.optim.AdamW(model.parameters(), lr=h.lr, weight_decay=h.weight_decay)
    steps = epochs * -(-len(images) // h.batch_size)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=h.lr, total_steps=steps)
    miner = library.miners.TripletMarginMiner(margin=h.margin, type_of_triplets="all")
    loss_function = library.losses.TripletMarginLoss(margin=h.margin)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(h.batch_size):
            embeddings = model(augmented(images[rows]))
            loss = loss_function(embeddings, labels[rows], miner(embeddings, labels[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
    return model.eval()


def augmented(x: Tensor) -> Tensor:
    """Flips and brightness, as the reference's tfm_train."""
    flipped = torch.where((torch.rand(len(x)) < 0.5)[:, None, None, None], x.flip(3), x)
    brightness = 0.7 + 0.6 * torch.rand(len(x), 1, 1, 1)
    return ((flipped * STD + MEAN) * brightness).clamp(0, 1).sub(MEAN).div(STD)


def embedded(model: nn.Module, x: Tensor) -> np.ndarray:
    """(n, E) embeddings of length 1."""
    with torch.no_grad():
        return np.concatenate([F.normalize(model(part)).numpy() for part in x.split(500)])


def tensors(images: np.ndarray) -> Tensor:
    """(n, 1, 28, 28) normalised images."""
    return torch.from_numpy(np.array(images)).float().div(255).sub(MEAN).div(STD).unsqueeze(1)


def measured(model: nn.Module, found: data.FashionMNIST) -> tuple[float, ...]:
    """The four figures of one model."""
    subset, outside = questions.reference_rows(found.train_labels), questions.unseen_rows(found.train_labels)
    images, labels = tensors(found.train_images[subset]), np.array(found.train_labels[subset])
    reference = embedded(model, images)

    def score(query: np.ndarray, right: np.ndarray, among: np.ndarray = reference) -> float:
        return precision_at_1(embedded(model, tensors(query)), np.array(right), among, labels)

    test = score(found.test_images, found.test_labels)
    unseen = score(found.train_images[outside], found.train_labels[outside])
    near = questions.COUNTS.changed
    moved = score(lookups.moved(found.test_images[:near], np.random.default_rng(near)), found.test_labels[:near])
    still = score(found.test_images[:near], found.test_labels[:near])
    log = score(found.test_images, found.test_labels, embedded(model, augmented(images)))
    return test, unseen - test, moved / still, log - test


def main() -> None:
    """Train the models and print their figures."""
    parser = argparse.ArgumentParser(description="Margins that rest on honest models.")
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    sys.path.insert(0, str(ROOT / "reference"))
    found = data.load()
    rows = questions.reference_rows(found.train_labels)
    images, labels = tensors(found.train_images[rows]), torch.from_numpy(np.array(found.train_labels[rows])).long()
    figures = []
    for seed in range(asked.first, asked.first + asked.models):
        figures.append(measured(trained(seed, asked.epochs, images, labels), found))
        print(f"seed {seed}", *(f"{n} {v:.4f}" for n, v in zip(NAMES, figures[-1], strict=True)), sep="  ", flush=True)
    table = np.array(figures)
    for name, column in zip(NAMES, table.T, strict=True):
        spread = column.std(ddof=1) if len(column) > 1 else float("nan")
        print(f"{name:15} mean {column.mean():.4f}, spread {spread:.4f}, {column.min():.4f} to {column.max():.4f}")
    usual, apart = HONEST.mean, HONEST.spreads * HONEST.spread
    print("models that leak.train would be wrong about:", int((table[:, 1] > usual + apart).sum()))
    print("models that leak.test would be wrong about:", int((table[:, 1] < usual - apart).sum()))
    print(
        "models that would seem to look images up:",
        int((table[:, 2] < BOUNDS[EMBEDDINGS].min_kept["moved"]).sum()),
    )
    print("logs beyond log_computed:", int((np.abs(table[:, 3]) > 0.05).sum()), "beyond MAX_LOSS_OF_SAME_CODE:",
          int((np.abs(table[:, 3]) > origin.MAX_LOSS_OF_SAME_CODE).sum()))  # fmt: skip


if __name__ == "__main__":
    main()
