"""Trains a submitted classifier of images to a wanted accuracy, soon.

All images lie in memory, batches are table look-ups, weight matrices are trained by Muon (Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon/), the rest by AdamW, the learning rate warms up and falls to zero, and
held-out training images say when it is enough.

Shapes: B batch, n images, H and W their sides, D features.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grader.sandbox.inside import faults


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training.

    Attributes:
        batch: images.
        cycles: passes over the training images, each cycle with a schedule of its own.
        muon_lr, adam_lr: the highest learning rates of the first cycle.
        later: their share in later cycles.
        decay: of the weights.
        warm: share of a cycle in which the learning rate rises.
        narrowest: the least side of a matrix that Muon trains.
        held_out: training images that say when it is enough.
        margin: of the held-out accuracy over the target: the test images are 0.7 points harder (bench/trainer.py).
        timed: share of a cycle after which it is known how long the whole will take.
    """

    batch: int = 64
    cycles: tuple[float, ...] = (4, 4, 6, 9)
    muon_lr: float = 0.006
    adam_lr: float = 3e-3
    later: float = 0.7
    decay: float = 0.01
    warm: float = 0.1
    narrowest: int = 8
    held_out: int = 5_000
    margin: float = 0.009
    timed: float = 0.25


RECIPE = Recipe()


@dataclass
class Training:
    """One training and how it went.

    Attributes:
        body: (B, 1, H, W) → (B, D), the model whose layers Muon trains.
        head: (B, D) → logits.
        images: (n, H, W) uint8, or (n, 1, H, W) float where a transform made them.
        labels: (n,) int64.
        table: (256,) values of the grey levels; None where the images are floats.
        target: share of held-out images that is to be named right, before the margin.
        deadline: of ``time.monotonic``, in seconds.
        generator: draws the batches and their changes.
        history: by cycle, the passes that were made and the held-out accuracy.
    """

    body: nn.Module
    head: nn.Module
    images: Tensor
    labels: Tensor
    table: Tensor | None
    target: float
    deadline: float
    generator: torch.Generator
    recipe: Recipe
    history: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.models = nn.ModuleList([self.body, self.head]).to(self.device)
        self.images, self.labels = self.images.to(self.device), self.labels.to(self.device)
        self.table = None if self.table is None else self.table.to(self.device)
        last = min(self.recipe.held_out, len(self.labels) // 10)
        self.held_out = torch.arange(len(self.labels))[-last:].to(self.device)  # the same ones for every seed

    def logits(self, images: Tensor) -> Tensor:
        """(B, 1, H, W) → (B, number of classes)."""
        logits: Tensor = self.head(self.body(images))
        return logits

    def values_of(self, images: Tensor) -> Tensor:
        """(B, 1, H, W) float32."""
        return images if self.table is None else self.table[images.int()].unsqueeze(1)


def until_enough(training: Training) -> str:
    """Train cycle after cycle; tells what ended it: target, budget, or the end of all cycles."""
    wanted = training.target + training.recipe.margin
    best, kept = -1.0, training.models.state_dict()
    for number, passes in enumerate(training.recipe.cycles):
        done, whole = _cycle(training, number, passes)
        score = _held_out_accuracy(training)
        training.history.append({"passes": done, "accuracy": score})
        if score > best:
            best, kept = score, {name: value.clone() for name, value in training.models.state_dict().items()}
        if score >= wanted or not whole:
            break
    training.models.load_state_dict(kept)
    return "target" if best >= wanted else "cycles" if whole else "budget"


def _cycle(training: Training, number: int, passes: float) -> tuple[float, bool]:
    """One warm-up and fall of the learning rate.

    After a part of the cycle it is clear whether the budget allows the rest; only where it does not is the
    cycle made shorter, so that what comes out depends on the clock.

    Returns:
        passes over the training set that were made, and whether they are all.
    """
    recipe, rows = training.recipe, _training_rows(training)
    optimizers = _optimizers(training, 1.0 if number == 0 else recipe.later)
    planned = steps = max(1, int(passes * len(rows) / recipe.batch))
    begun = time.monotonic()
    training.models.train()
    for done, batch in enumerate(_batches(training, rows, augmented=number > 0), 1):
        _step(training, optimizers, batch, (done - 1) / steps)
        now = time.monotonic()
        if done == max(1, int(recipe.timed * planned)):
            steps = min(planned, max(done, int(done * (training.deadline - begun) / (now - begun))))
        if done >= steps or now > training.deadline:
            break
    return done * passes / planned, done == planned


def _training_rows(training: Training) -> Tensor:
    mask = torch.ones(len(training.labels), dtype=torch.bool)
    mask[training.held_out.cpu()] = False
    return mask.nonzero().flatten()


def _optimizers(training: Training, share: float) -> list[torch.optim.Optimizer]:
    """Muon for the weight matrices of the body's layers, AdamW for all else."""
    recipe = training.recipe
    matrices = [p for p in _layer_weights(training.body) if p.requires_grad and min(p.shape) >= recipe.narrowest]
    ids = {id(p) for p in matrices}
    rest = [p for p in training.models.parameters() if p.requires_grad and id(p) not in ids]
    made: list[torch.optim.Optimizer] = []
    if matrices:
        made.append(torch.optim.Muon(matrices, lr=recipe.muon_lr * share, weight_decay=recipe.decay))
    if rest:
        made.append(
            torch.optim.AdamW(rest, lr=recipe.adam_lr * share, weight_decay=recipe.decay, betas=(0.9, 0.98), fused=True)
        )
    for optimizer in made:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return made


def _layer_weights(body: nn.Module) -> list[Tensor]:
    """The matrices that features are multiplied with; embeddings and norms are none."""
    multiplies = (nn.Linear, nn.MultiheadAttention)
    names = ("weight", "in_proj_weight")
    named = [getattr(m, n, None) for m in body.modules() for n in names if isinstance(m, multiplies)]
    return list({id(p): p for p in named if isinstance(p, nn.Parameter) and p.ndim == 2}.values())


def _step(
    training: Training, optimizers: list[torch.optim.Optimizer], batch: tuple[Tensor, Tensor], progress: float
) -> None:
    """One step of all optimizers, at a share of a cycle from 0 to 1."""
    faults.step()
    warm = training.recipe.warm
    share = min(progress / warm + 1e-3, (1 - progress) / (1 - warm))
    images, labels = batch
    loss = F.cross_entropy(training.logits(images), labels)
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * max(0.0, share)
        optimizer.step()


def _batches(training: Training, rows: Tensor, augmented: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end, in an order of their own in each pass."""
    size = training.recipe.batch
    while True:
        order = rows[torch.randperm(len(rows), generator=training.generator)].to(training.device)
        for start in range(0, max(1, len(order) - size + 1), size):
            chosen = order[start : start + size]
            images = training.images[chosen]
            if augmented:
                images = augment(images, training.generator)
            yield training.values_of(images), training.labels[chosen]


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of a batch, and move all of it by the same step of at most one pixel.

    Args:
        images: (B, …, H, W) uint8 or float.

    Returns:
        of the same shape and dtype.
    """
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    images = torch.where(mirrored.to(images.device).view(-1, *[1] * (images.ndim - 1)), images.flip(-1), images)
    down, right = (torch.randint(-1, 2, (2,), generator=generator)).tolist()
    return images.roll((down, right), (-2, -1))


def _held_out_accuracy(training: Training) -> float:
    """The share of held-out images whose class is predicted."""
    training.models.eval()
    right = 0
    with torch.no_grad():
        for rows in training.held_out.split(100):
            faults.step()
            logits = training.logits(training.values_of(training.images[rows]))
            right += int((logits.argmax(1) == training.labels[rows]).sum())
    return right / max(1, len(training.held_out))
