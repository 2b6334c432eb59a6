"""How a class is graded, noted in its gradebook and taken from there again."""

import contextlib
import dataclasses
from pathlib import Path

from grader import finding
from grader import given as given_files
from grader.gradebook import sources
from grader.gradebook.basis import assignment_of, refuse_another, rubric_of
from grader.gradebook.store import NAME, Gradebook
from grader.pipeline import Options


def remember(book: Gradebook, options: Options) -> None:
    """Note by what a class is graded."""
    own = options.rubric_file.absolute() == options.assignment.rubric.absolute()
    book.remember("rubric", "" if own else str(options.rubric_file.absolute()))  # a copy of the project has its own
    book.remember("rubric text", options.rubric_file.read_text(encoding="utf-8"))
    book.remember("assignment", finding.source_of(options.assignment))
    judging = sources.of(options.assignment)
    book.keep_sources(judging.digest, judging.kept)
    book.remember("given", options.given.kept() if options.given is not None else "")


def remembered(
    book: Gradebook, rubric: Path | None = None, data: Path | None = None, given: Path | None = None
) -> Options:
    """How a class was graded; by another rubric or other given files where they are named.

    Raises:
        GraderError: the rubric or the assignment is no longer there.
    """
    options = Options(data=data, out=book.path.parent, rubric=rubric_of(book, rubric), assignment=assignment_of(book))
    kept = given_files.from_kept(book.setting("given", ""), options.assignment) if given is None else None
    return dataclasses.replace(options, given=given_files.replaced(given, options.assignment) if given else kept)


def as_before(options: Options) -> Options:
    """How a class is graded on: by the rubric and the given files of the runs before, where none are named.

    Raises:
        GraderError: the gradebook holds grades of another assignment, or that rubric is no longer there.
    """
    if not (options.out / NAME).is_file():
        return options
    with contextlib.closing(Gradebook(options.out / NAME)) as book:
        refuse_another(book, options.assignment)
        rubric, given = options.rubric, options.given
        if rubric is None and (kept := book.setting("rubric", "")):
            rubric = rubric_of(book) if Path(kept) != options.assignment.rubric.absolute() else None
        if given is None:
            given = given_files.from_kept(book.setting("given", ""), options.assignment)
        return dataclasses.replace(options, rubric=rubric, given=given)
