"""The submitted notebook with the verdicts beside the cells that they are about."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader import patterns
from grader.errors import GraderError, Rejected
from grader.evidence import Evidence
from grader.intake import open_submission
from grader.records import Grade, Submission
from grader.reports.html.notebooks.client import Rendered, Renderer
from grader.reports.html.rendering import render
from grader.reports.html.sources import SourceLines
from grader.reports.html.story import MAX_SEARCHED, CriterionStory, sentences, tell
from grader.reports.html.student import PageLink


def rendered(submission: Submission, renderer: Renderer) -> Rendered | None:
    """The cells, while the file is there; None where no notebook was handed in."""
    if submission.notebook is None:
        return None
    return renderer.render(Path(submission.root, submission.notebook).resolve())


def rendered_again(evidence: Evidence, renderer: Renderer, files: Mapping[str, Path] | None) -> Rendered | None:
    """The same from where the submission was handed in, if it is still there.

    Args:
        files: original name → file, where the submission is some files among others.
    """
    a, before = evidence.assignment, evidence.submission
    if before.notebook is None:
        return None
    with tempfile.TemporaryDirectory(prefix="vit-grade-") as workspace:
        try:
            now = open_submission(
                before.path,
                Path(workspace),
                a.wanted,
                a.provided,
                a.never_called,
                before.name,
                files=files,
                modules=a.modules,
            )
        except (GraderError, Rejected) as reason:
            return Rendered(problem=str(reason))
        if now.sha256 != before.sha256:
            return Rendered(problem="the submission is not the one any more that was graded")
        return rendered(now, renderer)


def page(grade: Grade, evidence: Evidence, notebook: Rendered, links: tuple[PageLink, ...] = ()) -> str:
    """Make the page of a notebook.

    Args:
        notebook: its cells as HTML that is harmless.
        links: shown above.
    """
    rows = [row for part in tell(grade, SourceLines(evidence.submission), sentences(evidence)) for row in part.rows]
    beside: dict[int | None, list[CriterionStory]] = {}
    shown = {cell.number for cell in notebook.cells}
    for row in rows:
        cell = next((number for number in _cells(row, evidence) if number in shown), None)
        beside.setdefault(cell, []).append(row)
    elsewhere = beside.pop(None, [])
    return render(
        "notebook.html", "page.js", styles=("notebook.css",), grade=grade, notebook=notebook, beside=beside,
        elsewhere=elsewhere, links=links, wrong=[n for n in sorted(filter(None, beside)) if _wrong(beside[n])],
    )  # fmt: skip


def _wrong(rows: list[CriterionStory]) -> bool:
    return any(row.result.status in ("failed", "partial", "missing", "error") for row in rows)


def _cells(row: CriterionStory, evidence: Evidence) -> Iterator[int]:
    """Cells that a verdict may stand beside, the best first: named by it, defined there, used there."""
    submission, result = evidence.submission, row.result
    named = patterns.compile(rf"{patterns.escape(submission.notebook or '')}, cell (\d{{1,6}}), line")
    for check in result.checks:
        if check.status != "passed":
            yield from (int(number) for number in named.findall(check.message[:MAX_SEARCHED]))
    if result.origin is not None and result.origin.file == submission.notebook and result.origin.cell is not None:
        yield result.origin.cell
    if find := evidence.assignment.cells.get(result.id):
        yield from find(submission)
    criterion = evidence.assignment.criteria.get(result.id)
    for name in criterion.names if criterion else ():
        called = patterns.compile(rf"(?P<defined>def )?\b{name}\s*\(")
        yield from (c.cell for c in submission.cells if any(m["defined"] is None for m in called.finditer(c.source)))
