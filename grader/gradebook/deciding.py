"""Taking decisions of people into the ledger: each is held against the grade that it is about, then all are kept.

The command ``grade.py adjust`` and the review desk come here with what a person wants; what cannot be is refused in a
line each, and nothing is written then.
"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.errors import GraderErrors
from grader.gradebook.adjusting import beneath
from grader.gradebook.ledger import WHOLE_SCORE, Decision, counting
from grader.gradebook.reader import GradebookReader, GradedSubmission
from grader.gradebook.together import Classlist, classlist, shown
from grader.sentences import did_you_mean


@dataclass(frozen=True)
class Wish:
    """What a person wants to decide.

    Attributes:
        key: the student's.
        criterion: its id, or "score" for the whole score of a submission that could not be graded.
        points: None takes the decision that stands back.
        why: the reason.
        comment: what the student reads instead of the reason.
        where: begins the line that refuses it, as "decisions.csv: row 3: ".
        confirms: whether a decision that stands, made once more, holds for what is beneath it now. A row of a file that
            is read again says nothing of that.
    """

    key: str
    criterion: str
    points: float | None
    why: str
    comment: str = ""
    where: str = ""
    confirms: bool = True


def decide(reader: GradebookReader, wishes: Sequence[Wish], by: str) -> list[Decision]:
    """Keep decisions, all of them or none; what stands already is not written again.

    Args:
        by: who decides.

    Returns:
        those that were written.

    Raises:
        GraderErrors: a line for each that cannot be.
    """
    refused: list[str] = []
    made: list[Decision] = []
    with reader.book.transaction():  # nobody grades or decides between looking and writing
        class_ = classlist(reader.book)
        for wish in wishes:
            try:
                made += _decision(reader, class_, wish, by, made)
            except ValueError as error:
                refused.append(f"{wish.where}{error}")
        if refused:
            raise GraderErrors(refused)
        reader.ledger.add(made)
    return made


def _decision(
    reader: GradebookReader, class_: Classlist, wish: Wish, by: str, before: Iterable[Decision]
) -> list[Decision]:
    """The decision that a wish comes to; none where it stands already.

    Raises:
        ValueError: it cannot be; why, in words.
    """
    entry, criterion = _entry(reader, class_, wish.key), wish.criterion
    key = entry.row.key  # a team's decision is kept with whose submission it is
    if any((each.key, each.criterion) == (key, criterion) for each in before):
        raise ValueError(f"{wish.key}: {criterion} is decided twice")
    standing = counting(reader.ledger.standing(entry.shared_by).values()).get(criterion)
    if wish.points is None:
        if standing is None:
            raise ValueError(f"{wish.key}: {criterion}: no decision stands that could be taken back")
        return [Decision(key, criterion, None, wish.why.strip(), "", by, time.time(), {})]
    _expect_criterion(entry, criterion)
    _expect_points(entry, criterion, wish.points)
    if not wish.why.strip():
        raise ValueError(f"{wish.key}: {criterion}: a decision needs a reason, --why")
    points, on = round(wish.points, 4), beneath(entry.kept.grade, criterion, entry.row.content)
    new = Decision(key, criterion, points, wish.why.strip(), wish.comment.strip(), by, time.time(), on)
    return [] if standing is not None and _same(standing, new, wish.confirms) else [new]


def _entry(reader: GradebookReader, class_: Classlist, key: str) -> GradedSubmission:
    named = class_.named(key)
    if (entry := reader.entry(named, class_)) is not None:
        return entry
    if any(each in class_.rows for each in class_.group(named)):
        raise ValueError(f"{key}: handed in, but not graded yet: grade the class first")
    meant = did_you_mean(shown(key), sorted(map(shown, class_.rows)))
    raise ValueError(f"{key}: nothing of this student is graded in {reader.book.path}{meant}")


def _expect_criterion(entry: GradedSubmission, criterion: str) -> None:
    known = [result.id for result in entry.kept.grade.criteria]
    if criterion == WHOLE_SCORE and known:
        raise ValueError(
            f"{entry.key}: only a submission that could not be graded takes a whole score: name a criterion"
        )
    if criterion != WHOLE_SCORE and not known:
        status = entry.kept.grade.status.replace("_", " ")
        raise ValueError(
            f"{entry.key}: {criterion}: nothing was judged ({status}), so only a whole score: {WHOLE_SCORE}"
        )
    if criterion != WHOLE_SCORE and criterion not in known:
        raise ValueError(f"{entry.key}: {criterion}: no such criterion in this grade{did_you_mean(criterion, known)}")


def _expect_points(entry: GradedSubmission, criterion: str, points: float) -> None:
    maxima = {result.id: result.max_points for result in entry.kept.grade.criteria}
    most = maxima.get(criterion, entry.kept.grade.max_score)
    if not (math.isfinite(points) and 0 <= points <= most):
        raise ValueError(f"{entry.key}: {criterion}: expected 0 to {most:g} points, got {points:g}")


def _same(old: Decision, new: Decision, confirms: bool) -> bool:
    """Whether a decision says nothing new; by another person it does, and where it confirms one upon other evidence."""
    names = ("points", "why", "comment", "by", *(["beneath"] if confirms else []))
    return all(getattr(old, name) == getattr(new, name) for name in names)
