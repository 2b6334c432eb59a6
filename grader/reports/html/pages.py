"""The pages of a run, written as its grades come: one a submission, its notebook beside it, an index for several."""

import hashlib
import re
import threading
from pathlib import Path

from grader.evidence import Evidence
from grader.grading import Graded
from grader.records import Grade
from grader.reports import record
from grader.reports.html import student
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
        self.lock = threading.Lock()
        self.grades: list[Grade] = []

    def look(self, seen: Evidence) -> None:
        """Keep what pages need of a submission's files while they are there."""

    def add(self, graded: Graded) -> Path:
        """Write the pages of one grade."""
        grade = graded.grade
        links = (Link("../index.html", "The class"),) if self.several else ()
        target = self.folder / f"{file_stem(grade.submission['name'])}.html"
        record.replace(target, student.page(grade, graded.evidence, links))
        with self.lock:
            self.grades.append(grade)
        return target

    @property
    def folder(self) -> Path:
        """Where the submissions' pages are."""
        return self.out / "pages" if self.several else self.out
