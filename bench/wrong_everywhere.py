"""A submission that is wrong in kind everywhere, so that no change of one answer makes it right; see fuzz_observations."""

import numpy as np
import torch
from torch import nn

image_size, in_channels, patch_size, hidden_size, layers, heads, embed_size = 28, 1, 5, 12, 2, 5, 3
batch_size, num_epochs, lr, weight_decay, margin = 64, 4, 0.5, 0.0, 0.1


def tfm_train(image):
    return np.full((2, 14), 3.0)


def tfm_test(image):
    return torch.rand(3, 5, 5).double()


class Constant(nn.Module):
    """Gives ones of some shape, whatever it is given; its parameter is used by nothing."""

    def __init__(self, *args, **kwargs):
        super().__init__()
        self.unused = nn.Parameter(torch.ones(3, 3))

    def forward(self, x):
        return torch.ones(7, 2, 3, dtype=torch.float64)


class PatchEmbeddings(Constant): ...


class PositionEmbedding(Constant): ...


class ResidualAttentionBlock(Constant): ...


class Transformer(Constant): ...


class ViT(Constant): ...


class ClassificationHead(Constant): ...


class LinearEmbeddingHead(Constant): ...


def sample_balanced_subset(train_dataset, n_samples_per_class=50, n_classes=10):
    return [train_dataset[0], train_dataset[1]]


def get_embeddings(x, vit_model, model_embedding):
    return np.ones(2)


def get_embeddings_over_dataset(dataset, vit_model, model_embedding):
    return "no embeddings"


def test_embedding_model(vit_model, model_embedding, accuracy_calculator, train_dataset, test_dataset):
    return {"precision": "high"}


def evaluate_at_end_epoch(vit_model, model_embedding, accuracy_calculator, best_prec, train_dataset, test_dataset):
    torch.save([1, 2], "vit_embeds.pt")
    return "better"


def train_embedding_model(train_dataset, test_dataset):
    """Trains another model on the test set, without an optimizer: one number then makes no learning rate move."""
    other = nn.Linear(1, 1)
    for x, _ in torch.utils.data.DataLoader(test_dataset, batch_size=batch_size):
        other(x.mean((1, 2, 3))[:, None]).sum().backward()
    return "done"


def retrieve_topk_nearest_neighbors_l2(query, ref, k=5):
    return [[-1.0, -2.0, -3.0], torch.ones(k, 2)]


def train_classification_model_head_only(vit_model, train_dataset, test_dataset, num_epochs=5):
    with torch.no_grad():
        for parameter in vit_model.parameters():
            parameter.add_(1)
    return {"acc": "high", "vit": vit_model, "classifier": ClassificationHead(vit_model.hidden_size)}
