"""What verdicts take from a rubric, noted, so that it is known whether they would be the same by another one.

A check asks whether a score is below or above a threshold, or reads a number. Of a question the answer is noted: by
another rubric the same answer means the same verdict. What is read must be the same itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from grader.rubric import Rubric, RubricCriterion

Noted = list[list[Any]]  # as JSON keeps it: [how it was asked, of what, what came of it]


class RubricReads:
    """A rubric as probes, checks and warnings see it.

    Args:
        whole: the rubric; for scoring alone, which is done anew by every rubric.
    """

    def __init__(self, whole: Rubric) -> None:
        self.whole = whole
        self._noted: dict[tuple[Any, ...], Any] = {}

    @property
    def noted(self) -> Noted:
        """All that was asked so far."""
        return [[list(asked), answer] for asked, answer in self._noted.items()]

    def note_also(self, noted: Noted) -> None:
        """Add what was asked of a rubric that gives the same answers."""
        self._noted |= {tuple(asked): answer for asked, answer in noted}

    @property
    def name(self) -> str:
        """The assignment's, for titles: no verdict names it."""
        return self.whole.name

    def below(self, threshold: str, score: float) -> bool:
        """Whether a score is below a threshold."""
        return bool(self._note("below", threshold, float(score)))

    def above(self, threshold: str, value: float) -> bool:
        """Whether a value is above a threshold."""
        return bool(self._note("above", threshold, float(value)))

    @property
    def thresholds(self) -> Mapping[str, float]:
        """All thresholds; a verdict that takes a number from here holds for this number alone."""
        return _Thresholds(self)

    @property
    def strict(self) -> bool:
        """Whether a protected block that reads differently fails."""
        return bool(self._note("strict"))

    def criterion(self, ident: str) -> RubricCriterion | None:
        """A criterion; None where it is not judged."""
        self._note("criterion", ident)
        return self.whole.criterion(ident)

    def _note(self, *asked: Any) -> Any:
        self._noted[asked] = answer = _answer(self.whole, *asked)
        return answer


class _Thresholds(Mapping[str, float]):
    def __init__(self, reads: RubricReads) -> None:
        self.reads = reads

    def __getitem__(self, name: str) -> float:
        value = self.reads._note("threshold", name)
        if value is None:
            raise KeyError(name)
        return float(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.reads.whole.thresholds)

    def __len__(self) -> int:
        return len(self.reads.whole.thresholds)


def hold(noted: Noted, rubric: Rubric) -> bool:
    """Whether another rubric gives the same answers to all that was asked."""
    return all(_answer(rubric, *asked) == answer for asked, answer in noted)


def _answer(rubric: Rubric, how: str, name: str = "", value: float = 0.0) -> Any:
    """What a rubric says, as JSON keeps it."""
    if how == "strict":
        return rubric.strict
    if how == "criterion":
        return repr(rubric.criterion(name))
    threshold = rubric.thresholds.get(name)
    if how == "threshold" or threshold is None:
        return threshold
    return value < threshold if how == "below" else value > threshold
