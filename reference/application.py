"""Part 4: two uses of the features: looking up similar images, and learning a task from frozen features.

Shapes: B batch, M size of the reference set, D hidden size, E embedding size.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from hyperparameters import batch_size, lr, weight_decay
from vit_model import ClassificationHead

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def retrieve_topk_nearest_neighbors_l2(query: Tensor, ref: Tensor, k: int = 5) -> tuple[Tensor, Tensor]:
    """Find the rows of the reference set that are nearest to one query in Euclidean distance.

    Args:
        query: (1, E) or (E,) the embedding to look up.
        ref: (M, E) embeddings to search, M >= k.
        k: how many neighbours to return.

    Returns:
        distances: (k,) L2 distances, nearest first.
        indices: (k,) their rows in ``ref``.
    """
    ### BEGIN SOLUTION: return the k smallest distances to the query, and their rows
    distances = (ref - query).norm(dim=1)  # (M,): the query is broadcast over the rows
    return distances.topk(k, largest=False)  # both (k,), nearest first
    ### END SOLUTION


def train_classification_model_head_only(
    vit_model: nn.Module, train_dataset: Dataset, test_dataset: Dataset, num_epochs: int = 5
) -> dict[str, object]:
    """Train a new ``ClassificationHead`` on the features of a frozen ViT (transfer learning).

    Args:
        vit_model: images to (B, D) features. Its weights and buffers stay as they are.
        train_dataset: images and labels to learn from.
        test_dataset: images and labels to measure on.
        num_epochs: how often to go through ``train_dataset``.

    Returns:
        ``acc``: accuracy on ``test_dataset`` after the last epoch, from 0 to 1.
        ``vit`` and ``classifier``: the state dicts of the two models.
    """
    ### BEGIN SOLUTION: train a new head on the features of the ViT, which must not change
    train_loader = DataLoader(train_dataset, batch_size=batch_size, shuffle=True)
    test_loader = DataLoader(test_dataset, batch_size=500)

    vit_model = vit_model.to(device).eval()  # eval: a frozen model must not update running statistics either
    classifier = ClassificationHead(vit_model.hidden_size).to(device)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=lr, weight_decay=weight_decay)

    for epoch in range(1, num_epochs + 1):
        for x, y in train_loader:
            with torch.no_grad():
                features = vit_model(x.to(device))  # (B, D)
            loss = F.cross_entropy(classifier(features), y.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        correct = 0
        with torch.no_grad():
            for x, y in test_loader:
                logits = classifier(vit_model(x.to(device)))  # (B, num_classes)
                correct += (logits.argmax(dim=1).cpu() == y).sum().item()
        acc = correct / len(test_dataset)
        print(f"Epoch {epoch}/{num_epochs}  accuracy {acc:.4f}")

    return {"acc": acc, "vit": vit_model.state_dict(), "classifier": classifier.state_dict()}
    ### END SOLUTION
