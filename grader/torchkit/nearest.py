"""Nearest neighbours among embeddings, and Precision@1.

Shapes: Q queries, R references, E numbers of an embedding.
"""

import numpy as np


def nearest_rows(query: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Find the reference that is nearest to each query, by Euclidean distance.

    Args:
        query: (Q, E) float32.
        reference: (R, E) float32.

    Returns:
        (Q,) rows of ``reference``.
    """
    import faiss  # noqa: PLC0415  0.1 s, and not every grade needs it

    faiss.omp_set_num_threads(1)
    _, nearest = faiss.knn(np.ascontiguousarray(query), np.ascontiguousarray(reference), 1)  # (Q, 1)
    rows: np.ndarray = nearest[:, 0]
    return rows


def precision_at_1(query: np.ndarray, labels: np.ndarray, reference: np.ndarray, reference_labels: np.ndarray) -> float:
    """Precision@1: how many queries have the class of their nearest reference, by Euclidean distance.

    It is the number that pytorch-metric-learning's ``AccuracyCalculator`` gives, from the search that it uses,
    without the seconds that importing it takes.

    Args:
        query, labels: (Q, E) float32 and (Q,).
        reference, reference_labels: (R, E) float32 and (R,).
    """
    return float((reference_labels[nearest_rows(query, reference)] == labels).mean())
