"""Checks: pure functions from evidence to a verdict.

A check is a function of ``Evidence`` whose docstring is the sentence that a student reads. When the
submission is right it returns None, or a remark that costs nothing; else it raises one of

    Fail      the submission is wrong: what was expected, what was seen, and a hint
    Missing   the thing to judge is not there
    Blocked   it cannot be judged because another criterion's part is missing or broken
    Undecided the grader did not get far enough to know: the points stay open until a person decides

It runs nothing and looks at nothing but the evidence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from grader.evidence import Evidence
from grader.records import GradeWarning, Measurement


class Verdict(Exception):
    """What a check raises when it has not passed; anything else that it raises is an error of the grader's own."""


class Fail(Verdict):
    """The submission is wrong; ``measurement`` is that of a score below its threshold."""

    def __init__(self, message: str, hint: str = "", measurement: Measurement | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.measurement = message, hint, measurement


class Skip(Verdict):
    """The check cannot be made because an earlier one of the same criterion failed."""


class Missing(Verdict):
    """What the check judges is not there; the message says what is to do."""


class Blocked(Verdict):
    """The check cannot be made because of another criterion."""

    def __init__(self, by: str, why: str) -> None:
        super().__init__(f"could not be judged because of {by}: {why}")
        self.by = by


class Undecided(Verdict):
    """The grader did not get far enough to judge; the message says why, and a person has to look."""


@dataclass(frozen=True)
class Check:
    """One thing that is demanded.

    Attributes:
        name: what reports and the rubric call it.
        sentence: what it demands, for students.
        function: the check itself.
        comes_after: names of checks of the same criterion; where one of them fails, this one makes no sense.
        about: the name of the criterion's that it looks at; empty where it is the first, or all.
    """

    name: str
    sentence: str
    function: Callable[[Evidence], str | None]
    comes_after: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True)
class Criterion:
    """What the rubric gives points for.

    Attributes:
        names: must all be defined, or the criterion is missing.
        needs: criteria that are judged before it: its checks may look at their verdicts.
        threshold: of the rubric, which its score is held against; empty where it has no score. The ``Fail`` of a score
            below it holds a ``Measurement``, or steps of the rubric give nothing for it.
    """

    id: str
    checks: tuple[Check, ...]
    names: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    threshold: str = ""


def sentences(criteria: Mapping[str, Criterion]) -> dict[str, dict[str, str]]:
    """What each check demands, by criterion and name, in the assignment's words."""
    return {ident: {check.name: check.sentence for check in criterion.checks} for ident, criterion in criteria.items()}


def checks(*functions: Callable[[Evidence], str | None]) -> tuple[Check, ...]:
    """Make checks of functions: the name from the function's, the sentence from its docstring, the order from
    ``after``, what it is about from ``about``.

    Raises:
        ValueError: a check comes after one that is not before it in the list.
    """
    found = tuple(
        Check(f.__name__, _sentence(f), f, getattr(f, "comes_after", ()), getattr(f, "about", "")) for f in functions
    )
    for number, check in enumerate(found):
        if strangers := set(check.comes_after) - {earlier.name for earlier in found[:number]}:
            raise ValueError(f"the check {check.name} comes after {', '.join(sorted(strangers))}: put it behind")
    return found


def _sentence(function: Callable[..., Any]) -> str:
    return " ".join((function.__doc__ or function.__name__).split("\n\n")[0].split())


Function = TypeVar("Function", bound=Callable[..., Any])


def after(*earlier: Callable[..., Any]) -> Callable[[Function], Function]:
    """Mark a check that makes no sense when another check of the same criterion fails; that one says why then."""

    def mark(function: Function) -> Function:
        function.comes_after = tuple(each.__name__ for each in earlier)  # type: ignore[attr-defined]
        return function

    return mark


def about(name: str) -> Callable[[Function], Function]:
    """Mark a check that looks at one of several names of its criterion: where it fails, that name's line is shown."""

    def mark(function: Function) -> Function:
        function.about = name  # type: ignore[attr-defined]
        return function

    return mark


def warn(code: str, message: str) -> list[GradeWarning]:
    """One warning, as a list for the functions that return lists."""
    return [GradeWarning(code, message)]
