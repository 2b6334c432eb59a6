"""Precision@1 of embeddings that came back, against labels that never left."""

from grader.evidence import Evidence


def precision(seen: Evidence, queries: str) -> float | None:
    """Precision@1 of one set of queries; None where there are no sound embeddings of it."""
    return None
