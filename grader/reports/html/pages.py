"""The pages of a run, written as its grades come: one a submission, its notebook beside it, an index for several."""

import hashlib
import re
import threading
from pathlib import Path

from grader.evidence import Evidence
from grader.grading import Graded
from grader.records import Grade
from grader.reports import record
from grader.reports.html import notebook, student
from grader.reports.html.notebooks.client import Rendered, Renderer
from grader.reports.html.student import Link

LONGEST = 80  # characters of a file name
UNFIT = re.compile(r"[^\w.-]+|^\.+")


def file_stem(name: str) -> str:
    """A file name for a student's key that every file system takes, and that no other key has."""
    fit = UNFIT.sub("_", name)[:LONGEST]
    if fit == name and fit.lower() != "index":
        return fit
    return f"{fit}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:6]}"


class Pages:
    """Writes into a folder; may be told of grades by several threads."""

    def __init__(self, out: Path, several: bool = False) -> None:
        self.out, self.several = out, several
        self.renderer = Renderer()  # gets ready while the first submission is graded
        self.notebooks: dict[int, Rendered | None] = {}  # by the evidence that they belong to
        self.grades: list[Grade] = []
        self.lock = threading.Lock()

    def look(self, seen: Evidence) -> None:
        """Render the notebook while the submission's files are there."""
        self.notebooks[id(seen)] = notebook.rendered(seen.submission, self.renderer)

    def add(self, graded: Graded) -> Path:
        """Write the pages of one grade; returns where the student's is."""
        grade, seen = graded.grade, graded.evidence
        stem = file_stem(grade.submission["name"])
        page, beside = self.folder / f"{stem}.html", self.folder / f"{stem}-notebook.html"
        up = (Link("../index.html", "The class"),) if self.several else ()
        cells = self.notebooks.pop(id(seen), None)
        if seen is not None and cells is not None:
            record.replace(beside, notebook.page(grade, seen, cells, (*up, Link(page.name, "The grade"))))
        there = (Link(beside.name, "Your notebook"),) if cells is not None else ()
        record.replace(page, student.page(grade, seen, (*up, *there)))
        with self.lock:
            self.grades.append(grade)
        return page

    @property
    def folder(self) -> Path:
        """Where the submissions' pages are."""
        return self.out / "pages" if self.several else self.out

    def close(self) -> None:
        """End the process that renders notebooks."""
        self.renderer.close()
