"""The page of one grade, for its student."""

from dataclasses import dataclass
from urllib.parse import quote

from grader import scoring
from grader.evidence import Evidence
from grader.firewall import Firewall
from grader.records import Grade
from grader.reports.html import figures
from grader.reports.html.rendering import render
from grader.reports.html.sources import SourceLines
from grader.reports.html.story import first_steps, sentences, tell


@dataclass(frozen=True)
class PageLink:
    """A way to another page: a file in this page's folder, or in the one named."""

    file: str
    text: str
    folder: str = "."

    @property
    def href(self) -> str:
        return f"{self.folder}/{quote(self.file, errors='replace')}"  # a file that is called "javascript:…" is a file all the same


@dataclass(frozen=True)
class ScoreAndThreshold:
    name: str
    value: float
    needed: float | None


def page(grade: Grade, evidence: Evidence | None = None, links: tuple[PageLink, ...] = (), name: str = "",
         stamp: str = "", wall: Firewall | None = None, note: str = "") -> str:  # fmt: skip
    """Make a student's page.

    Args:
        grade: what it tells.
        evidence: what the grade rests on; without it there are neither pictures nor lines of code.
        links: shown above.
        name: of the assignment.
        stamp: tells this page from one of another grade.
        wall: is told of pictures that raise.
        note: what the student should know besides, as of lateness.
    """
    wall = wall or Firewall()
    titles = evidence.assignment.parts if evidence else None
    parts = tell(grade, SourceLines(evidence.submission if evidence else None), sentences(evidence), titles)
    rows = {row.result.id: row for part in parts for row in part.rows}
    pictures = figures.draw(evidence, wall) if evidence is not None else []
    grade = scoring.noted(grade, wall)
    explains = [f for f in pictures if f.criterion in rows and rows[f.criterion].result.status in ("failed", "partial")]
    beside = {ident: [f for f in explains if f.criterion == ident] for ident in rows}
    lost = [row for row in rows.values() if row.result.status != "passed"]
    max_roomy = 8  # open criteria at most: an untouched template has seventeen, and is read from a list
    return render(
        "student.html", "page.js", grade=grade, parts=parts, links=links, assignment=name or _assignment(evidence),
        anchors=rows, figures=beside, gallery=[f for f in pictures if f not in explains],
        measured=_measured(grade, evidence), steps=first_steps(parts), roomy=len(lost) <= max_roomy, stamp=stamp, note=note,
    )  # fmt: skip


def _assignment(evidence: Evidence | None) -> str:
    return str(evidence.rubric.name) if evidence is not None else "Grade"


def _measured(grade: Grade, evidence: Evidence | None) -> list[ScoreAndThreshold]:
    needed = dict(evidence.rubric.thresholds) if evidence is not None else {}
    called = evidence.assignment.shown_measures if evidence is not None else {}
    return [ScoreAndThreshold(called.get(n, n), value, needed.get(n)) for n, value in grade.measured.items()]
