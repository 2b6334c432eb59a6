"""How far honest models and look-ups lie from the bounds of ``grader/assignments/vit/thresholds/suspicion.py``.

    python -m bench.lookups

Trains 46 small honest models (multi-layer perceptrons, convolutions, linear maps and Vision Transformers, with and
without augmentation), half an hour on one core: classifiers on the training images, embedding models with a triplet
loss on the 5,000 of the subset. Then builds look-ups that find the nearest test image by several keys and read its
label from a table, nine per cent of it wrong. Prints for each

    score        accuracy or Precision@1 on the 10,000 test images
    moved        the score on 500 moved images over that on the same ones, `min_kept`
    dimmed       the same for dimmed ones
    easy         errors on easy images over errors on all, `max_easy_errors`

and in the end how many honest models are suspected, and how many look-ups are not.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from pytorch_metric_learning import losses, miners
from torch import Tensor, nn
from torch.nn import functional as F

from bench.margins import MEAN, STD, tensors
from grader.assignments.vit.thresholds import questions
from grader.assignments.vit.thresholds.sources import CLASSIFIER, EMBEDDINGS
from grader.assignments.vit.thresholds.suspicion import BOUNDS, WORDS
from grader.shipped import HOME as ROOT
from grader.torchkit import fashion_mnist as data
from grader.torchkit import lookups
from grader.torchkit.nearest import nearest_rows

Named = Callable[[np.ndarray], np.ndarray]  # (n, 28, 28) images → (n,) classes
WIDTH = 64


def shifted(x: Tensor) -> Tensor:
    """Move (B, 1, 28, 28) images together by at most two pixels."""
    return torch.roll(x, tuple(torch.randint(-2, 3, (2,)).tolist()), (2, 3))


def flipped(x: Tensor) -> Tensor:
    """Mirror half of the (B, 1, 28, 28) images."""
    return torch.where((torch.rand(len(x)) < 0.5)[:, None, None, None], x.flip(3), x)


def brightened(x: Tensor) -> Tensor:
    """Give each of the (B, 1, 28, 28) images 0.7 to 1.3 times its light."""
    factor = 0.7 + 0.6 * torch.rand(len(x), 1, 1, 1)
    return ((x * STD + MEAN) * factor).clamp(0, 1).sub(MEAN).div(STD)


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "plain": lambda x: x, "shifted": shifted, "flipped": flipped, "brightened": brightened,
}  # fmt: skip


def body(kind: str) -> nn.Module:
    """(B, 1, 28, 28) → (B, WIDTH)."""
    if kind.startswith("vit"):
        from vit_model import ViT  # the reference's

        patch, layers = (int(number) for number in kind[3:].split("x"))
        return ViT(28, patch, 1, WIDTH, layers, 4)
    made: dict[str, Callable[[], nn.Module]] = {
        "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.GELU(), nn.Linear(128, WIDTH)),
        "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, WIDTH)),
        "convolutions": lambda: nn.Sequential(
            nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 49, WIDTH),
        ),
    }  # fmt: skip
    return made[kind]()


def trained(kind: str, out: int, epochs: int, augmentation: str, seed: int, x: Tensor, y: Tensor,
            loss: Callable[[Tensor, Tensor], Tensor]) -> nn.Module:  # fmt: skip
    """Train with AdamW and one cycle of the learning rate."""
    torch.manual_seed(seed)
    model = nn.Sequential(body(kind), nn.Linear(WIDTH, out))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    steps = epochs * -(-len(x) // 128)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            value = loss(model(AUGMENTATIONS[augmentation](x[rows])), y[rows])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            scheduler.step()
    return model.eval()


def triplet(kind: str) -> Callable[[Tensor, Tensor], Tensor]:
    """A triplet loss of (B, E) embeddings and (B,) labels; ``kind`` are the triplets that are mined."""
    miner, loss = miners.TripletMarginMiner(0.2, type_of_triplets=kind), losses.TripletMarginLoss(0.2)
    return lambda embeddings, labels: loss(embeddings, labels, miner(embeddings, labels))


def outputs(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """(n, K) outputs for (n, 28, 28) images."""
    with torch.no_grad():
        return np.concatenate([model(part).numpy() for part in tensors(images).split(500)])


def honest(found: data.FashionMNIST) -> Iterator[tuple[str, str, Named]]:
    """(probe, what it is, how it names images) of each model."""
    seeds = itertools.count()
    x, y = tensors(found.train_images), torch.from_numpy(np.array(found.train_labels)).long()
    for kind, epochs in (("mlp", 8), ("convolutions", 5), ("linear", 4), ("vit7x1", 4), ("vit14x2", 5)):
        for augmentation in AUGMENTATIONS:
            model = trained(kind, 10, epochs, augmentation, next(seeds), x, y, F.cross_entropy)
            yield CLASSIFIER, f"{kind}, {augmentation}", lambda i, model=model: outputs(model, i).argmax(1)
    subset = questions.reference_rows(found.train_labels)
    labels = np.array(found.train_labels[subset])
    recipes = (
        (2, "plain", "all"), (6, "flipped", "all"), (12, "brightened", "semihard"), (12, "plain", "hard"),
        (8, "shifted", "all"),
    )  # fmt: skip
    for kind in ("mlp", "convolutions", "linear", "vit7x1", "vit7x2", "vit14x1"):
        for epochs, augmentation, mined in recipes[: 1 if kind == "vit14x1" else None]:
            model = trained(kind, 32, epochs, augmentation, next(seeds), x[subset], y[subset], triplet(mined))
            bank = outputs(model, found.train_images[subset])
            yield (EMBEDDINGS, f"{kind}, {augmentation}, {mined}",
                   lambda i, model=model, bank=bank: labels[nearest_rows(outputs(model, i), bank)])  # fmt: skip


def pixels(images: np.ndarray) -> np.ndarray:
    """(n, 784) grey levels: the key of a look-up."""
    return np.asarray(images, dtype=np.float32).reshape(len(images), -1)


def standardised(images: np.ndarray) -> np.ndarray:
    """(n, 784) grey levels without their mean, of length 1."""
    flat = pixels(images) - pixels(images).mean(1, keepdims=True)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def coarse(images: np.ndarray) -> np.ndarray:
    """(n, 49) mean grey levels of the cells of a 7x7 grid."""
    return np.asarray(images).reshape(-1, 7, 4, 7, 4).mean((2, 4), dtype=np.float32).reshape(len(images), -1)


def tables(found: data.FashionMNIST) -> Iterator[tuple[str, str, Named]]:
    """The same for look-ups."""
    for key, wrong in itertools.product((pixels, standardised, coarse), (0.0, 0.05, 0.09)):
        rng = np.random.default_rng(1)
        spoilt = rng.random(len(found.test_labels)) < wrong
        labels = (found.test_labels + spoilt * rng.integers(1, 10, len(spoilt))).astype(int) % 10
        bank = key(found.test_images)
        for probe in (CLASSIFIER, EMBEDDINGS):
            yield (probe, f"nearest by {key.__name__}, {wrong:.0%} wrong",
                   lambda i, key=key, bank=bank, labels=labels: labels[nearest_rows(key(i), bank)])  # fmt: skip


def signs(name: Named, found: data.FashionMNIST) -> lookups.LookUpSigns:
    """What tells look-ups from models, for one that names images."""
    few, labels = questions.COUNTS.changed, np.array(found.test_labels)
    predicted = name(found.test_images)
    still = (predicted == labels)[:few].mean()
    changes = {"moved": lambda images: lookups.moved(images, np.random.default_rng(few)), "dimmed": lookups.dimmed}
    kept = {n: (name(change(found.test_images[:few])) == labels[:few]).mean() / still for n, change in changes.items()}
    easy = lookups.easy_errors(predicted != labels, found.easy_test_images)
    return lookups.LookUpSigns(float((predicted == labels).mean()), kept, easy)


def shown(models: Iterator[tuple[str, str, Named]], found: data.FashionMNIST) -> list[tuple[lookups.LookUpSigns, str]]:
    """Print a line for each model; its signs, and why it is suspected."""
    rows: list[tuple[lookups.LookUpSigns, str]] = []
    for probe, what, name in models:
        seen = signs(name, found)
        why = lookups.suspicion(WORDS[probe], seen, BOUNDS[probe])
        kept = "  ".join(f"{change} {share:.2f}" for change, share in seen.kept.items())
        easy = "too few errors" if seen.easy is None else f"{seen.easy:.2f}"
        print(f"{probe[11:]:10} {what:38} score {seen.score:.3f}  {kept}  easy {easy}{'  SUSPECTED' if why else ''}",
              flush=True)  # fmt: skip
        rows.append((seen, why))
    return rows


def main(arguments: Any = None) -> None:
    """Measure look-ups and honest models."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(arguments)
    torch.set_num_threads(1)
    sys.path.insert(0, str(ROOT / "reference"))
    found = data.load()
    looked_up = shown(tables(found), found)
    models = shown(honest(found), found)
    print(f"honest models suspected: {sum(bool(why) for _, why in models)} of {len(models)}")
    print(f"look-ups not suspected: {sum(not why for _, why in looked_up)} of {len(looked_up)}")


if __name__ == "__main__":
    main()
