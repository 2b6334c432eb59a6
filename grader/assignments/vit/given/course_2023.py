"""Blocks as the course of 2023 gave them: its sampler goes through the items, and stops at a class that it lacks."""

import torch
from torch.utils.data import DataLoader, Subset


def sample_balanced_subset(train_dataset, n_samples_per_class=50, n_classes=10):
    found = {c: [] for c in range(n_classes)}
    for i, (_, c) in enumerate(train_dataset):
        if len(found[c]) < n_samples_per_class:
            found[c].append(i)
    return Subset(train_dataset, sum(found.values(), []))


def get_embeddings_over_dataset(dataset, vit_model, model_embedding):
    pairs = [(get_embeddings(x, vit_model, model_embedding), y) for x, y in DataLoader(dataset, batch_size=200)]
    return torch.cat([e for e, _ in pairs]), torch.cat([y for _, y in pairs])


def test_embedding_model(vit_model, model_embedding, accuracy_calculator, train_dataset, test_dataset):
    r, ry = get_embeddings_over_dataset(train_dataset, vit_model, model_embedding)
    q, qy = get_embeddings_over_dataset(test_dataset, vit_model, model_embedding)
    return accuracy_calculator.get_accuracy(q, qy, r, ry, False)["precision_at_1"]


def evaluate_at_end_epoch(vit_model, model_embedding, accuracy_calculator, best_prec, train_dataset, test_dataset):
    prec = test_embedding_model(vit_model, model_embedding, accuracy_calculator, train_dataset, test_dataset)
    if prec > best_prec:
        best_prec = prec
        torch.save(
            {"embedding_head": model_embedding.state_dict(), "vit": vit_model.state_dict(), "precision@1": prec},
            "vit_embeds.pt",
        )
        print("Best Precision@1:", best_prec)
    return best_prec
