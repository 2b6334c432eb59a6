"""Part 4: a GPT learns to add.

Shapes: B batch, T tokens.
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from hyperparameters import batch_size, block_size, characters, d_model, lr, n_head, n_layer, num_epochs
from model import GPT

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


# PROVIDED: no need to change it.
def exact_match(model: nn.Module, dataset: Dataset) -> float:
    """Measure for which share of the sums each digit of the result is the most likely one.

    The model is given the right digits before each one, and still this is the share that it answers right by itself:
    up to its first mistake it has written the right digits.
    """
    was_training = model.training
    model.eval()
    right = 0
    with torch.no_grad():
        for x, y in DataLoader(dataset, batch_size=500):
            x, y = x.to(device), y.to(device)
            logits, _ = model(x)
            right += ((logits.argmax(dim=-1) == y) | (y == -100)).all(dim=1).sum().item()
    model.train(was_training)
    return right / len(dataset)


def train_model(train_dataset: Dataset, test_dataset: Dataset) -> float:
    """Train a new GPT for ``num_epochs`` epochs, and keep the best in ``gpt.pt``.

    After each epoch, one line tells its number, the loss and the exact match on the test set
    (``Epoch 3/20  loss 0.1234  exact match 0.9512``). The file holds ``{"model": state dict, "exact_match": value}``.

    Args:
        train_dataset: sums to learn from: pairs of x and y, as ``SumDataset`` gives them.
        test_dataset: sums to measure with, and to learn nothing from.

    Returns:
        The best exact match of all epochs. The model that reached it is in ``gpt.pt``.
    """
    raise NotImplementedError("train with an optimizer and a scheduler, measure each epoch, keep the best model")
