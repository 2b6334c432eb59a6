"""How a class is graded, noted in its gradebook and taken from there again."""

import dataclasses
from pathlib import Path

from grader import finding
from grader import given as given_files
from grader.assignment import Assignment
from grader.gradebook import sources
from grader.gradebook.basis import assignment_of, rubric_of
from grader.gradebook.store import Gradebook
from grader.pipeline import Options


def remember(book: Gradebook, options: Options) -> None:
    """Note by what a class is graded."""
    book.remember("rubric", str(options.rubric_file.absolute()))
    book.remember("assignment", finding.source_of(options.assignment))
    judging = sources.of(options.assignment)
    book.keep_sources(judging.digest, judging.kept)
    book.remember("given", options.given.kept() if options.given is not None else "")


def remembered(
    book: Gradebook, rubric: Path | None = None, data: Path | None = None, given: Path | None = None,
    assignment: Assignment | None = None,
) -> Options:  # fmt: skip
    """How a class was graded; by another rubric, other given files or an assignment in another place where they are named.

    Raises:
        GraderError: the rubric or the assignment is no longer there.
    """
    assignment = assignment or assignment_of(book)
    options = Options(data=data, out=book.path.parent, rubric=rubric_of(book, rubric), assignment=assignment)
    kept = given_files.from_kept(book.setting("given", ""), options.assignment) if given is None else None
    return dataclasses.replace(options, given=given_files.replaced(given, options.assignment) if given else kept)
