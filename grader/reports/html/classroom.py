"""The page of a class, for its teacher: where it struggled, what needs a person's look, everybody in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import mean, median

from markupsafe import Markup

from grader.records import Grade, SimilarGroup
from grader.reports.html import causes, charts
from grader.reports.html.rendering import render
from grader.reports.html.student import PageLink


@dataclass(frozen=True)
class ClassRow:
    """One submission of the class.

    Attributes:
        grade: its grade.
        page: its page, where there is one.
        points: the score less what lateness costs.
        late: what a reader should know of that, in words.
        excused: there is no score.
    """

    grade: Grade
    page: PageLink | None = None
    points: float | None = None
    late: str = ""
    excused: bool = False

    @property
    def name(self) -> str:
        return self.grade.submission["name"]

    @property
    def score(self) -> float:
        return self.grade.score if self.points is None else self.points

    @property
    def open(self) -> float:
        """Points that nobody has decided yet."""
        return self.grade.undecided

    @property
    def parts(self) -> dict[int, float]:
        """Points by part."""
        found: dict[int, float] = {}
        for result in self.grade.criteria:
            found[result.part] = found.get(result.part, 0.0) + result.points
        return found

    @property
    def lost(self) -> list[str]:
        """Titles of criteria without full marks."""
        return [r.title for r in self.grade.criteria if r.status not in ("passed", "error")]


@dataclass(frozen=True)
class Review:
    """Why a person should look at a submission."""

    entry: ClassRow
    reason: str


def page(entries: Sequence[ClassRow], title: str = "", groups: Sequence[SimilarGroup] = (),
         labels: Mapping[str, str] | None = None, absent: Sequence[str] = ()) -> str:  # fmt: skip
    """Make the page of a class.

    Args:
        entries: the submissions that count, by name.
        title: of the assignment.
        groups: submissions that resemble each other.
        labels: what the assignment's measures are called, by name; the first two have columns.
        absent: who has not handed in.
    """
    measures = dict(islice((labels or {}).items(), 2))
    graded = [entry for entry in entries if entry.grade.criteria]
    scores = [entry.score for entry in graded if entry.grade.status == "graded" and not entry.excused]
    most = max((entry.grade.max_score for entry in entries), default=100.0)
    reviews = [Review(entry, reason) for entry in entries for reason in entry.grade.to_look_at]
    return render(
        "class.html", "page.js", "class.js", styles=("class.css",), title=title, entries=entries, most=most,
        graded=graded, mean=mean(scores) if scores else 0.0, median=median(scores) if scores else 0.0,
        full=sum(score >= most for score in scores), histogram=charts.histogram(scores, most) if scores else None,
        scatter=_scatter(graded, measures), measures=measures, lost=causes.lost([entry.grade for entry in graded]), reviews=reviews,
        warnings=_by_code(entries), groups=groups, parts=sorted({part for entry in graded for part in entry.parts}),
        linked={entry.name: entry for entry in entries}, late=any(entry.late for entry in entries), absent=absent,
    )  # fmt: skip


def _scatter(entries: Sequence[ClassRow], measures: Mapping[str, str]) -> Markup | None:
    """Two measures against each other, where there are two."""
    both = [e for e in entries if all(name in e.grade.measured for name in measures)]
    if len(measures) < 2 or not both:
        return None
    x, y = measures.values()
    return charts.scatter([tuple(e.grade.measured[name] for name in measures) for e in both], x, y)


def _by_code(entries: Sequence[ClassRow]) -> dict[str, list[tuple[ClassRow, str]]]:
    """Warnings, those of leaks and claims first."""
    found: dict[str, list[tuple[ClassRow, str]]] = {}
    for entry in entries:
        for warning in entry.grade.warnings:
            found.setdefault(warning.code, []).append((entry, warning.message))
    order = ("forged", "leak", "checkpoint", "log")
    rank = {name: number for number, name in enumerate(order)}
    return dict(sorted(found.items(), key=lambda item: (rank.get(item[0].partition(".")[0], 9), -len(item[1]))))
