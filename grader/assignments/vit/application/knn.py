"""``retrieve_topk_nearest_neighbors_l2``: the right rows, and their distances.

Points go to the two checks by themselves: which rows come back and in what order, and whether the numbers
beside them are their L2 distances. So a distance is held against the row that it stands beside.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Malformed, Missing, Skip, checks, raised_hint, raised_words, word, words
from grader.sandbox.outside.replies import raised_from

PROBE, NAME = "knn", "retrieve_topk_nearest_neighbors_l2"
DEFAULT = 5
# A query in the bank: torch.cdist in float32 finds up to 0.004 instead of 0 where embeddings have a norm of 10
ABSOLUTE, RELATIVE = 0.02, 5e-3
KNOWN = 40  # queries from the bank: a root of less than zero shows with one in four of them
GAP = 0.02  # between the distances that decide, so that noise cannot turn the order round

Array = np.ndarray


@dataclass(frozen=True)
class Case:
    """One call: (E,) or (1, E) query, (M, E) bank, how many are wanted."""

    query: Array
    ref: Array
    k: int | None
    known: bool = False  # whether the query is a row of the bank

    @property
    def wanted(self) -> int:
        return DEFAULT if self.k is None else self.k

    @property
    def distances(self) -> Array:
        return np.linalg.norm(self.ref.astype(np.float64) - self.query.astype(np.float64), axis=-1)

    @property
    def nearest(self) -> Array:
        return np.argsort(self.distances, kind="stable")[: self.wanted]

    @property
    def words(self) -> str:
        return (
            f"query {self.query.shape}, ref {self.ref.shape}, k={self.wanted}{' by default' if self.k is None else ''}"
        )


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    cases = [
        _case(rng, 60, 16, None, batched=True),
        _case(rng, 40, 16, 3, batched=False),
        _case(rng, 200, 32, 1, batched=True),
        _case(rng, 80, 24, 4, batched=True, known=True),
        _case(rng, 9, 8, 7, batched=False),
        *(_case(rng, 8, 32, 2, batched=True, known=True) for _ in range(KNOWN)),
    ]
    asked = [{"query": c.query, "ref": c.ref, "k": c.k} for c in cases]
    return Question({"cases": asked, "seed": int(rng.integers(2**31))}, cases)


def _case(rng: np.random.Generator, m: int, e: int, k: int | None, batched: bool, known: bool = False) -> Case:
    """Embeddings of all lengths, so that directions and distances disagree; drawn anew until no two are too close."""
    while True:
        ref = rng.standard_normal((m, e)) * rng.uniform(0.4, 2.0, (m, 1)) + 0.5
        query = ref[rng.integers(m)].copy() if known else rng.standard_normal(e) + 0.5
        case = Case((query[None] if batched else query).astype(np.float32), ref.astype(np.float32), k, known)
        closest = np.sort(case.distances)[: case.wanted + 1]
        if np.diff(closest).min() > GAP:
            return case


def indices(seen: Evidence) -> None:
    """The rows of the bank with the smallest L2 distances come back, nearest first."""
    answers = list(_answers(seen))
    for case, pair in answers:
        if isinstance(pair, Exception):
            raise pair
        got = _numbers(pair[1])
        if got is None or (np.mod(got, 1) != 0).any():
            raise Fail(*_no_indices(pair, case))
        _expect_shape(got, case, "indices")
        if not np.array_equal(got.ravel(), case.nearest):
            raise Fail(
                f"expected the rows {_show(case.nearest)} for {case.words}, got {_show(got.ravel())}",
                _why_lost(answers)
                if case.known and not _found(case, pair)
                else _why_rows(got.ravel().astype(np.int64), case),
            )


def distances(seen: Evidence) -> None:
    """The L2 distance of each row that comes back stands beside it, and what was given stays as it is."""
    found, answers = False, list(_answers(seen))
    for (case, pair), facts in zip(answers, seen[PROBE].value, strict=True):
        if isinstance(pair, Exception):
            continue  # the other check tells
        found = True
        if changed := words(facts, "changed"):
            raise Fail(
                f"the call changes {' and '.join(f'`{name[:60]}`' for name in changed)}, which the caller goes on using",
                "Methods whose names end in _ and operators such as -= work in place: write `ref - query`.",
            )
        got, rows = _numbers(pair[0]), _numbers(pair[1])
        if got is None:
            raise Fail(
                f"expected the distances as a tensor of numbers, got {_what(pair[0])}", "Return (distances, indices)."
            )
        swapped = rows is not None and np.array_equal(got.ravel(), case.nearest)
        if swapped and case.wanted > 1:
            raise Fail(
                "the rows' indices come back where the distances belong", "Return (distances, indices), in this order."
            )
        _expect_shape(got, case, "distances")
        expected = case.distances[_usable(rows, case)]
        if not any(np.allclose(got.ravel(), case.distances[meant], RELATIVE, ABSOLUTE) for meant in _meant(rows, case)):
            raise Fail(
                f"expected the L2 distances {_show(expected)} for {case.words}, got {_show(got.ravel())}",
                _why_distances(got.ravel(), expected, case, rows),
            )
    if not found:
        raise Skip


def _answers(seen: Evidence) -> Iterator[tuple[Case, list[Any] | Exception]]:
    """The two things that came back in each case; or what came instead, in words."""
    answer = seen[PROBE]
    if not isinstance(answer.value, list) or len(answer.value) != len(answer.known):
        raise Malformed
    for case, facts in zip(answer.known, answer.value, strict=True):
        yield case, _pair(facts, case)


def _pair(facts: Any, case: Case) -> list[Any] | Exception:
    if not isinstance(facts, dict):
        return Malformed()
    if "raised" in facts:
        raised = raised_from(facts["raised"])
        if raised is None:
            return Malformed()
        if "NotImplementedError" in raised.bases:
            return Missing(f"still to do: {raised.message}")
        return Fail(f"for {case.words} it {raised_words(raised)}", raised_hint(raised) or _shape_hint(case))
    items = facts.get("items")
    if word(facts, "kind") != "sequence" or not isinstance(items, list) or len(items) != 2:
        count = f" of {len(items)}" if isinstance(items, list | dict) else ""
        return Fail(
            f"expected a pair (distances, indices), got {_what(facts)}{count}", "Return both, as topk gives them."
        )
    return items


def _shape_hint(case: Case) -> str:
    return "A query may come as (E,) or as (1, E): give it both axes where your code needs them."


def _numbers(facts: Any) -> Array | None:
    """The numbers of a tensor, an array or a list, with their shape; None where it is none of these."""
    if not isinstance(facts, dict):
        return None
    kind = word(facts, "kind")
    if kind in ("tensor", "ndarray"):
        array = facts.get("array")
        return array.astype(np.float64) if isinstance(array, np.ndarray) and array.dtype.kind in "biuf" else None
    if kind == "number":
        number = facts.get("number")
        return np.array(number, np.float64) if isinstance(number, int | float) else None
    if kind == "sequence" and isinstance(facts.get("items"), list):
        rows = [_numbers(item) for item in facts["items"]]
        if rows and all(row is not None and row.shape == rows[0].shape for row in rows):  # type: ignore[union-attr]
            return np.stack(rows)  # type: ignore[arg-type]
    return None


def _expect_shape(got: Array, case: Case, what: str) -> None:
    k = case.wanted
    if got.shape in ((k,), (1, k)) or (k == 1 and got.shape == ()):
        return
    hint = ""
    if got.size == len(case.ref):
        hint = "All rows come back: keep the k nearest."
    elif got.size != k:
        hint = "Is `k` used, or another number?" if case.k is not None else f"Without `k` it is {DEFAULT}."
    elif got.shape == (k, 1):
        hint = "The axes are the other way round: one row for the query, or no axis for it at all."
    raise Fail(f"expected {what} of shape ({k},) or (1, {k}) for {case.words}, got {got.shape}", hint)


def _no_indices(pair: list[Any], case: Case) -> tuple[str, str]:
    first = _numbers(pair[0])
    if first is not None and np.array_equal(first.ravel(), case.nearest):
        return "indices and distances come back in the other order", "Return (distances, indices), in this order."
    return f"expected the indices of rows, whole numbers, got {_what(pair[1])}", "topk and argsort give them."


def _why_lost(answers: list[tuple[Case, list[Any] | Exception]]) -> str:
    """Why a query from the bank, which others than these are right about, does not find its own row."""
    found = [_found(case, pair) for case, pair in answers if case.known]
    if not any(found):
        return LEFT_OUT
    return (
        f"{found.count(False)} of {len(found)} queries that are in the bank do not find their own row: where rounding "
        "leaves its squared distance a little below 0, the root is NaN, and NaN sorts last. Clamp at 0 first, or use "
        "torch.cdist."
    )


def _found(case: Case, pair: list[Any] | Exception) -> bool:
    rows = None if isinstance(pair, Exception) else _numbers(pair[1])
    return rows is not None and case.nearest[0] in rows


LEFT_OUT = "The nearest row is left out. It may be the query itself, but that is for the caller to decide."


def _why_rows(got: Array, case: Case) -> str:
    """The fault that gives these rows."""
    ranking, k = np.argsort(case.distances, kind="stable"), case.wanted
    if np.array_equal(got, ranking[::-1][:k]) or set(got) == set(ranking[::-1][:k]):
        return "These are the farthest: topk returns the largest values unless it is told largest=False."
    if set(got) == set(case.nearest):
        return "The rows are right and their order is not: the nearest comes first."
    if np.array_equal(got, ranking[1 : k + 1]):
        return LEFT_OUT
    if np.array_equal(got, case.nearest + 1):
        return "Each is one too large: rows count from 0."
    if np.array_equal(got + 1, ranking[ranking > 0][:k]):
        return "Each is one too small, and the first row is never found: search all of `ref`."
    if np.array_equal(got, np.argsort(ranking)[:k]):
        return "These are the ranks of the first rows of the bank: argsort once gives the rows, twice their ranks."
    query, ref = case.query.ravel().astype(np.float64), case.ref.astype(np.float64)
    dots = ref @ query
    others = {
        "the most similar by cosine": -dots / np.linalg.norm(ref, axis=1),
        "those with the largest dot product": -dots,
        "the nearest by the L1 distance": np.abs(ref - query).sum(1),
        "the nearest by the largest coordinate difference": np.abs(ref - query).max(1),
        "the least similar by cosine": dots / np.linalg.norm(ref, axis=1),
        "the first ones of the bank": np.arange(len(ref)),
    }
    for name, score in others.items():
        if np.array_equal(got, np.argsort(score, kind="stable")[:k]):
            return f"These are {name}; the L2 distance is asked for."
    return "Compute the L2 distance of the query to every row, and keep the k smallest."


def _usable(rows: Array | None, case: Case) -> Array:
    """The rows that the distances stand beside; the nearest where those cannot be used."""
    inside = rows is not None and rows.size == case.wanted and (np.mod(rows, 1) == 0).all()
    if not inside or rows is None or rows.min() < 0 or rows.max() >= len(case.ref):
        return case.nearest
    return rows.ravel().astype(np.int64)


def _meant(rows: Array | None, case: Case) -> list[Array]:
    """Whose distances may come back: of the rows beside them, or of the right ones where those are wrong or one off."""
    beside = _usable(rows, case)
    return [beside, case.nearest, *(np.clip(beside + step, 0, len(case.ref) - 1) for step in (-1, 1))]


def _why_distances(got: Array, expected: Array, case: Case, rows: Array | None) -> str:
    """The fault that gives these distances."""
    own = case.ref[_usable(rows, case)].astype(np.float64)
    query = case.query.ravel().astype(np.float64)
    cosine = own @ query / np.linalg.norm(own, axis=1) / np.linalg.norm(query)
    others = {
        "The distances are squared: take the root.": expected**2,
        "The distances are negative.": -expected,
        "The distances are negative and squared.": -(expected**2),
        "These are L1 distances, L2 is asked for.": np.abs(own - query).sum(1),
        "These are roots of means: L2 is the root of the sum.": expected / np.sqrt(len(query)),
        "These are mean squared differences: L2 is the root of the sum.": expected**2 / len(query),
        "These are cosine similarities.": cosine,
        "These are cosine distances.": 1 - cosine,
        "These are distances of normalised embeddings: use them as they are given.": np.sqrt(
            np.maximum(2 - 2 * cosine, 0)
        ),
        "These are dot products.": own @ query,
    }
    for why, values in others.items():
        if np.allclose(got, values, RELATIVE, ABSOLUTE):
            return why
    if np.allclose(np.sort(got), np.sort(expected), RELATIVE, ABSOLUTE):
        return "Distances and indices are not in the same order."
    if not np.isfinite(got).all():
        return "The root of a tiny negative number is NaN: clamp at 0 first, or use torch.cdist."
    return "The L2 distance is the root of the sum of squared differences."


def _what(facts: Any) -> str:
    if not isinstance(facts, dict):
        return "something else"
    if facts.get("none") is True:
        return "None"
    return (word(facts, "type") or word(facts, "kind") or "something else")[:60]


def _show(values: Array) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in values[:8]) + (", …]" if len(values) > 8 else "]")


PROBES = (Probe(PROBE, "knn.ask", _ask, lambda seen: seen.has(NAME), serves=("application.knn",)),)
CRITERIA = (Criterion("application.knn", checks(indices, distances), names=(NAME,)),)
