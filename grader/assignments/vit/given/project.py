"""The blocks that student/ gives, generated from reference/ by python grade.py template."""

from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torch import Tensor
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torch.utils.data import Dataset
from torch.utils.data import Subset
import torch


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


def test_classification_model(vit_model, model_classifier):
    """Measure the accuracy on the images of ``test_loader``, from 0 to 1."""
    vit_model.eval()
    model_classifier.eval()
    correct = 0
    with torch.no_grad():
        for x, y in test_loader:
            logits = model_classifier(vit_model(x.to(device)))  # (B, num_classes)
            correct += (logits.argmax(dim=1).cpu() == y).sum().item()
    return correct / len(test_loader.dataset)


def train_classification_model():
    """Train a new ViT and classification head on ``train_loader``; write ``vit_classifier.pt``."""
    vit_model = ViT(image_size, patch_size, in_channels, hidden_size, layers, heads).to(device)
    model_classifier = ClassificationHead(hidden_size, num_classes).to(device)

    parameters = [*vit_model.parameters(), *model_classifier.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay)

    for epoch in range(1, num_epochs + 1):
        vit_model.train()
        model_classifier.train()
        total_loss = 0.0
        for x, y in train_loader:
            logits = model_classifier(vit_model(x.to(device)))  # (B, num_classes)
            loss = F.cross_entropy(logits, y.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total_loss += loss.item()
        acc = test_classification_model(vit_model, model_classifier)
        print(f"Epoch {epoch}/{num_epochs}  loss {total_loss / len(train_loader):.4f}  accuracy {acc:.4f}")

    checkpoint = {"classifier": model_classifier.state_dict(), "vit": vit_model.state_dict(), "acc": acc}
    torch.save(checkpoint, "vit_classifier.pt")
