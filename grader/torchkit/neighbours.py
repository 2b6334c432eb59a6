"""Nearest neighbours: cases whose answer is known, and which mistake gives another one.

Shapes: E embedding size, M rows of the bank, K neighbours that are asked for.
"""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
MIN_GAP = 0.02  # between the distances that decide, so that noise cannot change the order


@dataclass(frozen=True)
class LookUpCase:
    """One look-up.

    Attributes:
        query: (E,) or (1, E).
        bank: (M, E).
        k: how many are asked for.
        k_given: whether the call says so; else it is the default.
        in_bank: whether the query is a row of the bank.
    """

    query: Array
    bank: Array
    k: int
    k_given: bool = True
    in_bank: bool = False

    @property
    def distances(self) -> Array:
        """(M,) the L2 distance of each row to the query."""
        return np.linalg.norm(self.bank.astype(np.float64) - self.query.astype(np.float64), axis=-1)

    @property
    def nearest(self) -> Array:
        """(K,) indices of the nearest rows, nearest first."""
        return np.argsort(self.distances, kind="stable")[: self.k]

    @property
    def words(self) -> str:
        """How the function is called."""
        k = f"k={self.k}" if self.k_given else f"k left at its default, {self.k}"
        return f"a query of shape {self.query.shape}, a ref of shape {self.bank.shape} and {k}"


def drawn(
    rng: np.random.Generator, m: int, e: int, k: int, *, batched: bool, k_given: bool = True, in_bank: bool = False
) -> LookUpCase:
    """Draw embeddings of all lengths, so that directions and distances disagree, until no two are too close.

    Args:
        m, e: size of the bank.
        batched: whether the query has an axis of its own, (1, E).
        in_bank: whether it is a row of the bank.
    """
    while True:
        bank = rng.standard_normal((m, e)) * rng.uniform(0.4, 2.0, (m, 1)) + 0.5
        query = bank[rng.integers(m)].copy() if in_bank else rng.standard_normal(e) + 0.5
        query = (query[None] if batched else query).astype(np.float32)
        case = LookUpCase(query, bank.astype(np.float32), k, k_given, in_bank)
        if np.diff(np.sort(case.distances)[: k + 1]).min() > MIN_GAP:
            return case


def close(got: Array, expected: Array) -> bool:
    """Whether distances agree, up to rounding."""
    # Distances are compared up to this: torch.cdist in float32 finds up to 0.004 instead of 0 where embeddings have a norm
    # of 10.
    absolute, relative = 0.02, 5e-3
    return np.allclose(got, expected, relative, absolute)


NEAREST_LEFT_OUT = "The nearest row is left out. Keep it even where it is the query itself: leaving it out is for the caller to decide."


def wrong_rows_hint(got: Array, case: LookUpCase) -> str:
    """The mistake that gives these rows.

    Args:
        got: (K,) indices.
    """
    ranking, k = np.argsort(case.distances, kind="stable"), case.k
    if np.array_equal(got, ranking[::-1][:k]) or set(got) == set(ranking[::-1][:k]):
        return "These are the farthest rows: topk returns the largest values unless it is told otherwise."
    if set(got) == set(case.nearest):
        return "The rows are right, but not their order: put the nearest first."
    if np.array_equal(got, ranking[1 : k + 1]):
        return NEAREST_LEFT_OUT
    if np.array_equal(got, case.nearest + 1):
        return "Each index is one too large: rows are counted from 0."
    if np.array_equal(got + 1, ranking[ranking > 0][:k]):
        return "Each index is one too small, and the first row is never found: search all rows of `ref`."
    if np.array_equal(got, np.argsort(ranking)[:k]):
        return "These are the ranks of the first rows, as argsort of argsort gives them: call argsort once."
    columns = np.linalg.norm(case.bank - case.query.ravel(), axis=0)
    if np.array_equal(got, np.argsort(columns, kind="stable")[:k]):
        rows, features = case.bank.shape
        return (
            f"These are the nearest of the {features} columns of `ref`, of whose {rows} rows the nearest are asked for: the sum of "
            "squares runs over the other axis, the features of a row."
        )
    for name, score in _other_scores(case).items():
        if np.array_equal(got, np.argsort(score, kind="stable")[:k]):
            return f"These are {name}: the L2 distance is asked for."
    return "Compute the L2 distance of the query to every row, and keep the k smallest."


def _other_scores(case: LookUpCase) -> dict[str, Array]:
    """What else rows may be sorted by, smallest first: by what it gives, (M,) scores."""
    query, bank = case.query.ravel().astype(np.float64), case.bank.astype(np.float64)
    dots = bank @ query
    return {
        "the rows most similar by cosine": -dots / np.linalg.norm(bank, axis=1),
        "the rows with the largest dot product": -dots,
        "the rows nearest by L1 distance": np.abs(bank - query).sum(1),
        "the rows nearest by the largest difference of a coordinate": np.abs(bank - query).max(1),
        "the rows least similar by cosine": dots / np.linalg.norm(bank, axis=1),
        "the first rows of `ref`": np.arange(len(bank)),
    }


def wrong_distances_hint(got: Array, rows: Array, case: LookUpCase) -> str:
    """The mistake that gives these distances.

    Args:
        got: (K,) distances.
        rows: (K,) the rows that they belong to.
    """
    right = case.distances[rows]
    for why, values in _other_distances(case.bank[rows].astype(np.float64), case.query.ravel(), right).items():
        if close(got, values):
            return why
    if close(np.sort(got), np.sort(right)):
        return "Distances and indices are not in the same order."
    if others := _rows_at(got, case):
        first = others == list(range(case.k))
        which = f"the first {case.k} rows" if first else f"the rows {', '.join(map(str, others[:8]))}"
        return (
            f"These are the distances of {which} of `ref`, not of the rows that are returned: write distances[indices]."
        )
    if not np.isfinite(got).all():
        return "The root of a tiny negative number is NaN: clamp at 0 first, or use torch.cdist."
    return "The L2 distance is the root of the sum of squared differences."


def _rows_at(got: Array, case: LookUpCase) -> list[int]:
    """The rows that lie at these distances; empty where some distance is none of a row."""
    rows = [int(np.abs(case.distances - each).argmin()) for each in got]
    exact = np.allclose(got, case.distances[rows], 1e-3, 1e-4)  # of many rows, some other one lies nearly as far
    return rows if exact and case.k > 1 else []


def _other_distances(rows: Array, query: Array, right: Array) -> dict[str, Array]:
    """What else may stand in the place of distances: by the hint, (K,) values."""
    query = query.astype(np.float64)
    cosine = rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    return {
        "The distances are squared: take the root.": right**2,
        "The distances are negative: negate them before they are returned.": -right,
        "The distances are negative and squared.": -(right**2),
        "These are L1 distances: use L2, the root of the sum of squared differences.": np.abs(rows - query).sum(1),
        "This is the root of the mean of squared differences: L2 is the root of their sum.": right
        / np.sqrt(len(query)),
        "This is the mean of squared differences: L2 is the root of their sum.": right**2 / len(query),
        "These are cosine similarities: use L2 distances.": cosine,
        "These are cosine distances: use L2 distances.": 1 - cosine,
        "These are distances of normalised embeddings: use the embeddings as they are given.": np.sqrt(
            np.maximum(2 - 2 * cosine, 0)
        ),
        "These are dot products: use L2 distances.": rows @ query,
    }
