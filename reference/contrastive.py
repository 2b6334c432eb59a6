"""Part 3: a space in which images of one class are near (Schroff et al. 2015, arXiv 1503.03832).

Shapes: B batch, C channels, H and W image height and width, M size of a data set, E embedding size.
"""

import torch
from pytorch_metric_learning import losses, miners
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset

from hyperparameters import (
    batch_size,
    embed_size,
    heads,
    hidden_size,
    image_size,
    in_channels,
    layers,
    lr,
    margin,
    num_epochs,
    patch_size,
    weight_decay,
)
from vit_model import LinearEmbeddingHead, ViT

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


# PROTECTED: the grader checks that this function does what it does here. Leave it as it is.
def sample_balanced_subset(
    train_dataset: Dataset, n_samples_per_class: int = 50, n_classes: int = 10
) -> Subset:
    """Keep the first items of each class, class by class.

    Args:
        train_dataset: a data set with a label per item in ``targets``.
        n_samples_per_class: how many items of each class to keep.
        n_classes: number of classes.

    Returns:
        The items of class 0, then those of class 1, and so on.
    """
    targets = torch.as_tensor(train_dataset.targets)
    indices = []
    for label in range(n_classes):
        of_class = torch.nonzero(targets == label).flatten()
        indices += of_class[:n_samples_per_class].tolist()
    return Subset(train_dataset, indices)


def get_embeddings(x: Tensor, vit_model: nn.Module, model_embedding: nn.Module) -> Tensor:
    """Embed a batch of images, for use and not for training.

    Args:
        x: (B, C, H, W) images, on any device.
        vit_model: images to (B, D) features.
        model_embedding: features to (B, E) embeddings.

    Returns:
        (B, E) embeddings on the CPU, without gradient. Row i depends on image i alone: both models are in
        eval mode.
    """
    ### BEGIN SOLUTION: embed in eval mode and without gradient, return to the CPU
    vit_model.eval()
    model_embedding.eval()
    with torch.no_grad():
        embeddings = model_embedding(vit_model(x.to(device)))  # (B, E)
    # The triplet loss compares points on the unit sphere, so that is where they are to be looked up.
    return F.normalize(embeddings, dim=1).cpu()
    ### END SOLUTION


# PROVIDED: no need to change it.
def get_embeddings_over_dataset(
    dataset: Dataset, vit_model: nn.Module, model_embedding: nn.Module
) -> tuple[Tensor, Tensor]:
    """Embed a whole data set.

    Args:
        dataset: M pairs of image and label.
        vit_model: images to features.
        model_embedding: features to embeddings.

    Returns:
        embeddings: (M, E) in the order of the data set.
        labels: (M,) in the same order.
    """
    embeddings, labels = [], []
    for x, y in DataLoader(dataset, batch_size=500):
        embeddings.append(get_embeddings(x, vit_model, model_embedding))
        labels.append(y)
    return torch.cat(embeddings), torch.cat(labels)


# PROVIDED: no need to change it.
def test_embedding_model(
    vit_model: nn.Module,
    model_embedding: nn.Module,
    accuracy_calculator: AccuracyCalculator,
    train_dataset: Dataset,
    test_dataset: Dataset,
) -> float:
    """Measure how often the nearest reference image of a test image is of its class.

    Args:
        vit_model: images to features.
        model_embedding: features to embeddings.
        accuracy_calculator: computes ``precision_at_1``.
        train_dataset: the reference set: the balanced subset that the model was trained on.
        test_dataset: the queries.

    Returns:
        Precision@1, from 0 to 1.
    """
    reference, reference_labels = get_embeddings_over_dataset(train_dataset, vit_model, model_embedding)
    query, query_labels = get_embeddings_over_dataset(test_dataset, vit_model, model_embedding)
    accuracies = accuracy_calculator.get_accuracy(query, query_labels, reference, reference_labels)
    return float(accuracies["precision_at_1"])


# PROTECTED: the grader checks that this function does what it does here. Leave it as it is.
def evaluate_at_end_epoch(
    vit_model: nn.Module,
    model_embedding: nn.Module,
    accuracy_calculator: AccuracyCalculator,
    best_prec: float,
    train_dataset: Dataset,
    test_dataset: Dataset,
) -> float:
    """Measure Precision@1, and keep the model in ``vit_embeds.pt`` when it is the best so far.

    Args:
        vit_model: images to features.
        model_embedding: features to embeddings.
        accuracy_calculator: computes ``precision_at_1``.
        best_prec: the best Precision@1 of the epochs before, 0 in the first.
        train_dataset: the reference set: the balanced subset that the model was trained on.
        test_dataset: the queries.

    Returns:
        The best Precision@1, this epoch's included: the next epoch's ``best_prec``.
    """
    precision = test_embedding_model(
        vit_model, model_embedding, accuracy_calculator, train_dataset, test_dataset
    )
    if precision > best_prec:
        best_prec = precision
        checkpoint = {
            "embedding_head": model_embedding.state_dict(),
            "vit": vit_model.state_dict(),
            "precision@1": best_prec,
        }
        torch.save(checkpoint, "vit_embeds.pt")
    print(f"Best Precision@1: {best_prec:.4f}")
    return best_prec


def train_embedding_model(train_dataset: Dataset, test_dataset: Dataset) -> float:
    """Train a new ViT and its embedding head together with a triplet loss, for ``num_epochs`` epochs.

    Training sees 500 images of each class: ``sample_balanced_subset(train_dataset, 500)``. After each epoch,
    one line tells its number, loss and learning rate (``Epoch 3/20  loss 0.1234  lr 2.0e-03``), and
    ``evaluate_at_end_epoch`` measures the models, with the subset as its reference set.

    Args:
        train_dataset: all training images, with ``tfm_train``.
        test_dataset: all test images, with ``tfm_test``.

    Returns:
        The best Precision@1 of all epochs. The model that reached it is in ``vit_embeds.pt``.
    """
    ### BEGIN SOLUTION: train on 500 images a class with triplet loss, miner and scheduler; evaluate
    train_subset = sample_balanced_subset(train_dataset, 500)
    loader = DataLoader(train_subset, batch_size=batch_size, shuffle=True)

    vit_model = ViT(image_size, patch_size, in_channels, hidden_size, layers, heads).to(device)
    model_embedding = LinearEmbeddingHead(hidden_size, embed_size).to(device)

    # Most triplets of a batch are in order, margin included, and teach nothing. The miner picks the others.
    miner = miners.TripletMarginMiner(margin=margin, type_of_triplets="all")
    triplet_loss = losses.TripletMarginLoss(margin=margin)
    accuracy_calculator = AccuracyCalculator(include=("precision_at_1",), k=1)

    # One optimizer for both models, and a schedule of warm-up and decay that is stepped once a batch:
    # it has to be told the number of batches, not of epochs.
    parameters = [*vit_model.parameters(), *model_embedding.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=num_epochs * len(loader)
    )

    best_prec = 0.0
    for epoch in range(1, num_epochs + 1):
        # The evaluation of the last epoch has left both models in eval mode.
        vit_model.train()
        model_embedding.train()
        total_loss = 0.0
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            embeddings = model_embedding(vit_model(x))  # (B, E)
            triplets = miner(embeddings, y)  # indices of anchors, positives and negatives
            loss = triplet_loss(embeddings, y, triplets)

            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total_loss += loss.item()

        last_lr = scheduler.get_last_lr()[0]
        print(f"Epoch {epoch}/{num_epochs}  loss {total_loss / len(loader):.4f}  lr {last_lr:.1e}")
        best_prec = evaluate_at_end_epoch(
            vit_model, model_embedding, accuracy_calculator, best_prec, train_subset, test_dataset
        )
    return best_prec
    ### END SOLUTION
