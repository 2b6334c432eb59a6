"""What a person should look at first, and why."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from grader.gradebook.looks import Look
from grader.gradebook.reader import GradedSubmission
from grader.gradebook.requests import StudentRequest
from grader.records import SimilarGroup

# The kinds of reasons, those that wait for a person most urgently first.
KINDS = {
    "request": "asks for another look",
    "undecided": "not decided",
    "look again": "changed since it was decided",
    "rejected": "could not be opened",
    "warning": "warning",
    "near": "just below a threshold",
    "similar": "nearly the same as others",
    "adjusted": "decided by a person",
}
# Those that end when somebody has looked; the others end with an answer or a decision.
ENDED_BY_A_LOOK = ("warning", "near", "similar", "adjusted")


@dataclass(frozen=True)
class Reason:
    """Why a person should look.

    Attributes:
        kind: a key of ``KINDS``.
        said: more of it, in words.
        request: the request's row, where a student asks.
        others: the rows of submissions that it is also about.
    """

    kind: str
    said: str
    request: int = 0
    others: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """What is kept of it when somebody has looked: said in other words, it is another reason."""
        return f"{KINDS[self.kind]}: {self.said}"

    @property
    def mark(self) -> str:
        """Stands for its text in a form, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True)
class DeskRow:
    """A submission on the desk.

    Attributes:
        entries: it, once for each student for whom it counts.
        reasons: the most urgent first.
        looked_at: reasons that somebody has looked at, each with who that was.
    """

    entries: tuple[GradedSubmission, ...]
    reasons: tuple[Reason, ...]
    looked_at: tuple[tuple[Reason, str], ...] = ()

    @property
    def entry(self) -> GradedSubmission:
        """As it counts for one of its students: verdicts are the same for all."""
        return self.entries[0]

    @property
    def id(self) -> int:
        """The submission's row in the gradebook."""
        return self.entry.row.id

    @property
    def names(self) -> str:
        """Whose it is."""
        return ", ".join(entry.key for entry in self.entries)

    def without_names(self) -> "DeskRow":
        """The same, its reasons without whose it is: a path names its student."""
        names = sorted({str(self.entry.path), *(entry.key for entry in self.entries)}, key=len, reverse=True)

        def nameless(reason: Reason) -> Reason:
            return replace(reason, said=_without(reason.said, names))

        return replace(
            self,
            reasons=tuple(nameless(each) for each in self.reasons),
            looked_at=tuple((nameless(each), by) for each, by in self.looked_at),
        )

    @property
    def ends_with_a_look(self) -> tuple[Reason, ...]:
        """The reasons that end when a person has looked and leaves all as it is."""
        return tuple(each for each in self.reasons if each.kind in ENDED_BY_A_LOOK)

    @property
    def urgency(self) -> int:
        """The smaller, the sooner a person should look."""
        return min((list(KINDS).index(reason.kind) for reason in self.reasons), default=len(KINDS))


def _without(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = text.replace(name, "…") if len(name) > 2 else text  # two letters are in every text
    return text


def survey(
    entries: Sequence[GradedSubmission], requests: Sequence[StudentRequest], groups: Sequence[SimilarGroup],
    looks: Sequence[Look] = (),
) -> list[DeskRow]:  # fmt: skip
    """The submissions of a class in the order in which a person should look at them.

    Args:
        entries: the submissions that count, by student.
        requests: of students, that are open.
        groups: submissions that are nearly the same.
        looks: what somebody has looked at.
    """
    by_row = sorted(entries, key=lambda entry: entry.row.id)
    shared = [tuple(those) for _, those in groupby(by_row, lambda entry: entry.row.id)]
    row_of = {entry.key: entry.row.id for entry in entries}
    seen = {(look.submission, look.reason): look.by for look in looks}
    rows = [_row(those, _ordered(_reasons(those, requests, groups, row_of)), seen) for those in shared]
    return sorted(rows, key=lambda row: (row.urgency, row.names.casefold()))


def _row(
    entries: tuple[GradedSubmission, ...], reasons: tuple[Reason, ...], seen: Mapping[tuple[int, str], str]
) -> DeskRow:
    by = [(each, seen.get((entries[0].row.id, each.text), "")) for each in reasons]
    ended = tuple((each, who) for each, who in by if who and each.kind in ENDED_BY_A_LOOK)
    return DeskRow(entries, tuple(each for each in reasons if each not in dict(ended)), ended)


def _ordered(reasons: Iterator[Reason]) -> tuple[Reason, ...]:
    order = list(KINDS)
    return tuple(sorted(reasons, key=lambda reason: order.index(reason.kind)))


def _reasons(
    entries: Sequence[GradedSubmission], requests: Sequence[StudentRequest], groups: Sequence[SimilarGroup],
    row_of: Mapping[str, int],
) -> Iterator[Reason]:  # fmt: skip
    grade, keys = entries[0].grade, [entry.key for entry in entries]
    yield from (Reason("request", each.text, each.id) for each in requests if each.key in keys)
    if grade.status == "needs_review":
        yield Reason("undecided", grade.reason.removeprefix(f"{KINDS['undecided']}: "))
    elif grade.status == "rejected":
        yield Reason("rejected", grade.reason)
    yield from (Reason("look again", line) for line in grade.look_again)
    yield from (Reason("warning", f"`{each.code}` {each.message}") for each in grade.warnings)
    yield from (Reason("near", each.near) for each in grade.criteria if each.near)
    for group in groups:
        if any(key in group.keys for key in keys):
            others = tuple(sorted({row_of[key] for key in group.keys if key in row_of} - {entries[0].row.id}))
            yield Reason("similar", group.claim, others=others)
    for each in grade.adjustments:
        yield Reason("adjusted", f"`{each.criterion}` {each.was:g} → {each.points:g} by {each.by}: {each.why}")
