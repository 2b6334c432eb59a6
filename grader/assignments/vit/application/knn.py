"""``retrieve_topk_nearest_neighbors_l2``: the right rows, and their distances.

Points go to the two checks by themselves: which rows come back and in what order, and whether the numbers beside them
are their L2 distances. So a distance is held against the row that it stands beside.

Shapes: K neighbours that are asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grader.assignment import Topic
from grader.assignments.vit.application.answers import LookUp
from grader.assignments.vit.settings import size
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Missing, Skip, checks
from grader.observations import ArrayResult, RaisedResult, Result, SequenceResult, TensorResult
from grader.raised import raised_hint, raised_words
from grader.sentences import return_hint
from grader.torchkit.neighbours import (
    NEAREST_LEFT_OUT,
    Array,
    LookUpCase,
    close,
    drawn,
    wrong_distances_hint,
    wrong_rows_hint,
)
from grader.torchkit.results import numbers_of, words_of

NAME = "retrieve_topk_nearest_neighbors_l2"
DEFAULT_K = 5
ORDER_HINT = "Return (distances, indices), in this order."


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    e = size(evidence, "embed_size", 64)
    cases = [
        drawn(rng, 60, e, DEFAULT_K, batched=True, k_given=False),
        drawn(rng, 40, e, 3, batched=False),
        drawn(rng, 200, e, 1, batched=True),
        drawn(rng, 80, e, 4, batched=True, in_bank=True),
        drawn(rng, 9, e, 7, batched=False),
        # 40 queries from the bank: a root of less than zero shows with one in four of them
        *(drawn(rng, 8, e, 2, batched=True, in_bank=True) for _ in range(40)),
    ]
    asked = [{"query": case.query, "ref": case.bank, "k": case.k if case.k_given else None} for case in cases]
    return Question({"cases": asked, "seed": int(rng.integers(2**31))}, cases)


@dataclass(frozen=True)
class ReturnedPair:
    """The pair that came back in one case."""

    case: LookUpCase
    distances: Result
    indices: Result
    changed: tuple[str, ...]

    @property
    def rows(self) -> Array | None:
        """The indices as numbers, whatever they are; None where there are none."""
        return numbers_of(self.indices)

    @property
    def finds_nearest(self) -> bool:
        """Whether the nearest row is among those that came back."""
        return self.rows is not None and bool((self.rows == self.case.nearest[0]).any())

    def rows_of_distances(self) -> Array:
        """(K,) the rows that the distances stand beside; the nearest ones where those cannot be used."""
        rows, case = self.rows, self.case
        if rows is None or rows.size != case.k or (np.mod(rows, 1) != 0).any():
            return case.nearest
        if rows.min() < 0 or rows.max() >= len(case.bank):
            return case.nearest
        return rows.ravel().astype(np.int64)

    def accepted_rows(self) -> list[Array]:
        """Whose distances may come back: of the rows beside them, or of the right ones where those are wrong or one off."""
        beside, last = self.rows_of_distances(), len(self.case.bank) - 1
        return [beside, self.case.nearest, np.clip(beside - 1, 0, last), np.clip(beside + 1, 0, last)]


def indices(evidence: Evidence) -> None:
    """The rows of `ref` with the smallest L2 distances come back, nearest first."""
    for pair in _pairs(evidence):
        if isinstance(pair, Fail):
            raise pair
        case, got = pair.case, pair.rows
        if got is None or (np.mod(got, 1) != 0).any():
            raise Fail(*_no_indices(pair))
        if isinstance(pair.indices, TensorResult | ArrayResult) and pair.indices.array.dtype.kind == "f":
            raise Fail(
                f"expected the indices as whole numbers, got {pair.indices.dtype}, with which no row can be looked up",
                "Return them as `topk` and `argsort` do, or turn them with .long().",
            )
        _expect_shape(got, case, "indices")
        if not np.array_equal(got.ravel(), case.nearest):
            lost = case.in_bank and not pair.finds_nearest
            raise Fail(
                f"expected the rows {_show(case.nearest)} for {case.words}, got {_show(got.ravel())}",
                _why_lost(evidence) if lost else wrong_rows_hint(got.ravel().astype(np.int64), case),
            )


def distances(evidence: Evidence) -> None:
    """The L2 distance of each row that comes back stands beside it, and what was given stays as it is."""
    pairs = [pair for pair in _pairs(evidence) if isinstance(pair, ReturnedPair)]  # the other check tells of the others
    if not pairs:
        raise Skip
    for pair in pairs:
        _expect_distances(pair)


def _expect_distances(pair: ReturnedPair) -> None:
    case, got, rows = pair.case, numbers_of(pair.distances), pair.rows
    if pair.changed:
        raise Fail(
            f"the call changes {' and '.join(f'`{name}`' for name in pair.changed)}, which the caller goes on using",
            "Methods whose names end in _ and operators such as -= work in place: write `ref - query`.",
        )
    if got is None:
        raise Fail(f"expected the distances as a tensor of numbers, got {words_of(pair.distances)}", ORDER_HINT)
    if rows is not None and case.k > 1 and np.array_equal(got.ravel(), case.nearest):
        raise Fail("expected (distances, indices), got (indices, distances)", ORDER_HINT)
    if rows is not None and rows.shape == got.shape and rows.size != case.k:
        raise Skip  # as many indices came back, of which the other check tells
    _expect_shape(got, case, "distances")
    beside = pair.rows_of_distances()
    if not any(close(got.ravel(), case.distances[meant]) for meant in pair.accepted_rows()):
        right = np.array_equal(beside, case.nearest)
        of = case.words if right else f"the rows that came back for {case.words}"
        raise Fail(
            f"expected the L2 distances {_show(case.distances[beside])} for {of}, got {_show(got.ravel())}",
            wrong_distances_hint(got.ravel(), beside, case),
        )


def _pairs(evidence: Evidence) -> Iterator[ReturnedPair | Fail]:
    """The pair that came back in each case, or why there is none."""
    answer = evidence["knn"]
    for case, call in zip(answer.known, answer.value, strict=True):
        yield _pair(call, case)


def _pair(call: LookUp, case: LookUpCase) -> ReturnedPair | Fail:
    result = call.result
    if isinstance(result, RaisedResult):
        raised = result.exception
        if raised.is_to_do:
            raise Missing(f"still to do: {raised.message}")
        of_shapes = {"RuntimeError", "IndexError", "ValueError", "TypeError"} & set(raised.bases)
        hint = raised_hint(raised)
        if "index k out of range" in raised.message:
            hint = "The distances have fewer numbers than ref has rows: each row has one, so norm and sum need dim=1."
        elif of_shapes and case.k == 1 and "not iterable" in raised.message:
            hint = "With k=1 some functions give a number in the place of a list of one."
        elif of_shapes and (not hint or "shapes cannot be multiplied" in raised.message):  # no layer is in it
            hint = "A query may come as (E,) or as (1, E): give it both axes where your code needs them."
        return Fail(f"for {case.words} it {raised_words(raised)}", hint)
    if not isinstance(result, SequenceResult) or len(result.items) != 2:
        got = words_of(result)
        hint = return_hint(got, "Return both, as topk returns them.")
        return Fail(f"expected a pair (distances, indices), got {got}", hint)
    distances, indices = result.items
    return ReturnedPair(case, distances, indices, call.changed)


def _expect_shape(got: Array, case: LookUpCase, what: str) -> None:
    k = case.k
    if got.shape in ((k,), (1, k)) or (k == 1 and got.shape == ()):
        return
    hint = ""
    if got.size == len(case.bank):
        hint = "All rows come back: keep the k nearest."
    elif got.size != k:
        hint = (
            "Is `k` used, or another number?"
            if case.k_given
            else f"Is `k` used, and {DEFAULT_K} where it is not given?"
        )
    elif got.shape == (k, 1):
        hint = "The axes are swapped: put the query's axis first, or leave it out."
    came = got.shape or "a single number"
    raise Fail(f"expected {what} of shape ({k},) or (1, {k}) for {case.words}, got {came}", hint)


def _no_indices(pair: ReturnedPair) -> tuple[str, str]:
    first = numbers_of(pair.distances)
    if first is not None and np.array_equal(first.ravel(), pair.case.nearest):
        return "expected (distances, indices), got (indices, distances)", ORDER_HINT
    return (
        f"expected the indices of rows, whole numbers, got {words_of(pair.indices)}",
        "`topk` and `argsort` return the indices.",
    )


def _why_lost(evidence: Evidence) -> str:
    """Why a query from the bank does not find its own row."""
    found = [
        isinstance(pair, ReturnedPair) and pair.finds_nearest
        for pair, case in zip(_pairs(evidence), evidence["knn"].known, strict=True)
        if case.in_bank
    ]
    if not any(found):
        return NEAREST_LEFT_OUT
    return (
        f"{found.count(False)} of {len(found)} queries that are in the bank do not find their own row: where rounding "
        "leaves its squared distance a little below 0, the root is NaN, and NaN sorts last. Clamp at 0 first, or use "
        "torch.cdist."
    )


def _show(values: Array) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in values[:8]) + (", …]" if len(values) > 8 else "]")


TOPIC = Topic(
    probes=(Probe("knn", "knn.ask", _ask, lambda evidence: evidence.has(NAME), serves=("application.knn",)),),
    criteria=(Criterion("application.knn", checks(indices, distances), names=(NAME,)),),
)
