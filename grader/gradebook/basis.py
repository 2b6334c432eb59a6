"""By which assignment and which rubric a class was graded, as its gradebook remembers."""

from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderError
from grader.gradebook.store import Gradebook

if TYPE_CHECKING:
    from grader.assignment import Assignment


def assignment_of(book: Gradebook) -> "Assignment":
    """The assignment that a class was graded by.

    Raises:
        GraderError: it is no longer there.
    """
    from grader import finding  # noqa: PLC0415  slow to import, and whoever reads a gradebook seldom needs it

    kept = book.setting("assignment", "")
    if kept and not _is_there(kept):
        raise GraderError(
            f"{kept}: the class was graded by the assignment that lay there; "
            "`grade.py regrade --assignment FOLDER` takes it from where it is now"
        )
    return finding.find(kept)


def moved_to(book: Gradebook, assignment: "Assignment") -> None:
    """Note where the assignment of a class is now; a copy of it may be graded by.

    Raises:
        GraderError: it is another one.
    """
    from grader import finding  # noqa: PLC0415  as above

    kept = book.setting("assignment", "")
    if _is_there(kept) and finding.find(kept).name != assignment.name:
        raise _another(book, kept, assignment)
    book.remember("assignment", finding.source_of(assignment))


def _is_there(kept: str) -> bool:
    """Whether there is something still by the name or in the folder of an assignment."""
    from grader import finding  # noqa: PLC0415  as above

    return kept in finding.names() or (bool(kept) and Path(kept).exists())


def _another(book: Gradebook, kept: str, assignment: "Assignment") -> GraderError:
    from grader import finding  # noqa: PLC0415  as above

    asked = finding.source_of(assignment)
    return GraderError(f"{book.path}: holds grades of the assignment {kept}, not of {asked}; choose another --out")


def rubric_of(book: Gradebook, named: Path | None = None) -> Path:
    """The rubric that a class was graded by; another one where it is named.

    Raises:
        GraderError: it is no longer there.
    """
    kept = book.setting("rubric", "") if named is None else ""
    rubric = named or (Path(kept) if kept else assignment_of(book).rubric)
    if not rubric.is_file():
        again = "" if named else ", the class was graded by it; `grade.py regrade --rubric FILE` takes another"
        raise GraderError(f"{rubric}: no such rubric{again}")
    return rubric


def refuse_another(book: Gradebook, assignment: "Assignment") -> None:
    """See that a class is not graded by one assignment today and by another tomorrow.

    Raises:
        GraderError: the gradebook holds grades of another one.
    """
    from grader import finding  # noqa: PLC0415  as above

    kept = book.setting("assignment", "")
    # Where it is not there, it was moved to where the other one is.
    if _is_there(kept) and book.submissions() and finding.find(kept).folder != assignment.folder:
        raise _another(book, kept, assignment)
