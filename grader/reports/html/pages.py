"""The pages of a run, written as its grades come: one a submission, its notebook beside it, an index for several."""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from grader.evidence import Evidence
from grader.firewall import Firewall
from grader.pipeline import Graded
from grader.records import Grade, SimilarGroup
from grader.reports import record
from grader.reports.html import classroom, notebook, student
from grader.reports.html.classroom import ClassRow
from grader.reports.html.notebooks.client import Rendered, Renderer
from grader.reports.html.student import PageLink
from grader.reports.text import file_stem

Files = Mapping[str, Path]


def digest_of(grade: Grade, *more: str) -> str:
    """A digest of what a page shows.

    Args:
        more: what it shows besides the grade.
    """
    told = {key: value for key, value in record.to_dict(grade).items() if key != "timings"}
    told["submission"] = {key: value for key, value in told["submission"].items() if key != "path"}
    return hashlib.sha256(json.dumps([told, *more]).encode()).hexdigest()


def stamp_of(grade: Grade, *more: str) -> str:
    """The same with the code that makes the page."""
    return hashlib.sha256(f"{digest_of(grade, *more)} {_code()}".encode()).hexdigest()[:32]


@cache
def _code() -> str:
    files = sorted(
        path for path in Path(__file__).parent.rglob("*.*") if path.suffix in (".py", ".html", ".css", ".js")
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _stamped(page: Path, stamp: str) -> bool:
    """Whether a page is there and of the same grade; of a class of 500 only what is new is made."""
    try:
        with page.open("rb") as file:
            return has_stamp(file.read(2_000), stamp)
    except OSError:
        return False


def has_stamp(page: bytes, stamp: str) -> bool:
    """Whether a page begins as one of the same grade does."""
    return f'name="stamp" content="{stamp}"'.encode() in page[:2_000]


class Pages:
    """Writes into a folder; may be told of grades by several threads."""

    notebook_suffix = "-notebook"  # after the name of a page: that of its notebook

    def __init__(self, out: Path, several: bool = False) -> None:
        self.out, self.several = out, several
        self.renderer = Renderer()  # gets ready while the first submission is graded
        self.notebooks: dict[int, Rendered | None] = {}  # by the evidence that they belong to
        self.entries: list[ClassRow] = []
        self.title, self.labels = "", dict[str, str]()
        self.lock = threading.Lock()
        self.trouble: dict[str, str] = {}  # a line each: pages and pictures that could not be made, and why

    def look(self, evidence: Evidence) -> None:
        """Render the notebook while the submission's files are there."""
        name, wall = evidence.submission.name, Firewall()
        render = partial(notebook.rendered, evidence.submission, self.renderer)
        self.notebooks[id(evidence)] = wall.attempt("the page of the notebook", render, None)
        self._tell(name, wall)

    def add(self, graded: Graded, points: float | None = None, late: str = "", files: Files | None = None,
            excused: bool = False) -> Path:  # fmt: skip
        """Write the pages of one grade; returns where the student's is.

        What a page or a picture raises costs that one alone, and stands in ``trouble``.

        Args:
            points: the score less what lateness costs.
            late: what to know of that, in words.
            files: original name → file, where the submission is some files among others.
            excused: the student gets no score.
        """
        grade, wall = graded.grade, Firewall()
        page = self.target(grade)
        written = wall.attempt("the page", lambda: self._write(graded, page, files, wall), False)
        self._tell(grade.submission["name"], wall)
        with self.lock:
            link = PageLink(page.name, "", "pages") if written else None
            self.entries.append(ClassRow(grade, link, points, late, excused))
            if graded.evidence is not None:
                self.title, self.labels = graded.evidence.rubric.name, graded.evidence.assignment.shown_measures
        return page

    def _write(self, graded: Graded, page: Path, files: Files | None, wall: Firewall) -> bool:
        """Write a student's page, and that of the notebook, unless they are there already."""
        grade, evidence = graded.grade, graded.evidence
        beside = page.with_name(f"{page.stem}{self.notebook_suffix}.html")
        up = (PageLink("index.html", "The class", ".."),) if self.several else ()
        stamp = stamp_of(grade)
        if not self.several or not _stamped(page, stamp):
            links = (*up, PageLink(page.name, "The grade"))
            with_notebook = partial(self._write_notebook, grade, evidence, beside, links, files)
            shown = wall.attempt("the page of the notebook", with_notebook, False)
            there = (PageLink(beside.name, "Your notebook"),) if shown else ()
            record.replace(page, student.page(grade, evidence, (*up, *there), stamp=stamp, wall=wall))
        return True

    def _write_notebook(self, grade: Grade, evidence: Evidence | None, beside: Path, links: tuple[PageLink, ...],
                        files: Files | None) -> bool:  # fmt: skip
        """Write the page of a notebook, where there is one."""
        cells = self._cells(evidence, files)
        if evidence is None or cells is None:
            return False
        record.replace(beside, notebook.page(grade, evidence, cells, links))
        return True

    def _tell(self, name: str, wall: Firewall) -> None:
        with self.lock:
            self.trouble |= {
                f"{name}: {piece}": f"{name}: {line}" for piece, line in zip(wall.faults, wall.lines, strict=True)
            }

    def target(self, grade: Grade) -> Path:
        """Where a student's page is."""
        name = grade.submission["name"]
        is_a_notebooks = name.endswith(self.notebook_suffix)  # the name of another one's notebook
        stem = file_stem(f"{name} " if is_a_notebooks else name)
        return self.folder / f"{stem}.html"

    def _cells(self, evidence: Evidence | None, files: Files | None) -> Rendered | None:
        """The notebook as it was kept by ``look``, or from the submission where it still is."""
        if evidence is None or evidence.submission.notebook is None:
            return None
        if id(evidence) in self.notebooks:
            return self.notebooks.pop(id(evidence))
        return notebook.rendered_again(evidence, self.renderer, files)

    def index(self, groups: Sequence[SimilarGroup] = (), absent: Sequence[str] = ()) -> Path:
        """Write the page of the class.

        Args:
            groups: submissions that resemble each other.
            absent: who has not handed in.
        """
        target = self.out / "index.html"
        entries = sorted(self.entries, key=lambda entry: entry.name.casefold())
        record.replace(target, classroom.page(entries, self.title, groups, self.labels, absent))
        return target

    @property
    def folder(self) -> Path:
        """Where the submissions' pages are."""
        return self.out / "pages" if self.several else self.out

    def close(self) -> None:
        """End the process that renders notebooks."""
        self.renderer.close()
