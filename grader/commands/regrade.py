"""``grade.py regrade``: a class's grades computed again from what was observed, and who moved."""

import argparse
import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.commands.arguments import shared
from grader.errors import GraderError
from grader.gradebook import late, moves
from grader.gradebook.basis import moved_to, rubric_of
from grader.gradebook.reader import GradebookReader, look_again
from grader.gradebook.store import NAME, Gradebook
from grader.reports.text import printable
from grader.sentences import number_of

if TYPE_CHECKING:
    from grader.gradebook.regrade import RegradedSubmission


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Grade a class again after a change of rubric, threshold, check or roster, from what was observed: no student "
        "code runs, unless a probe is new; then that probe is asked, and nothing else."
    )
    shared(parser, "--out", "--rubric", "--roster", "--zone", "--given", "--data", "--assignment")


def run(given: argparse.Namespace) -> int:
    """Compute the grades again and tell who moved; 1 when something needs a person's look."""
    # Slow to import, and --help needs none of it.
    from grader import finding  # noqa: PLC0415
    from grader.gradebook.regrade import regrade_all  # noqa: PLC0415
    from grader.gradebook.remembering import remember, remembered  # noqa: PLC0415
    from grader.gradebook.session import alone  # noqa: PLC0415

    if not (given.out / NAME).is_file():
        Gradebook(given.out / NAME, must_exist=True)  # says what is missing
    with alone(given.out), contextlib.closing(Gradebook(given.out / NAME, must_exist=True)) as book:
        if given.assignment:
            moved_to(book, finding.find(given.assignment))
        options = remembered(book, given.rubric, given.data, given.given)
        before = _standings_before(book, options.rubric_file)
        moves.take(book, given.roster, given.zone)
        regraded = regrade_all(options, book)
        remember(book, options)
    _tell(regraded)
    with GradebookReader(given.out) as reader:
        moved = moves.moved(before, moves.standings(reader))
        stale = reader.page_remarks() if moved or any(each.by or each.changed for each in regraded) else []
        for line in (*moved, *look_again(reader), *reader.roster_remarks(), *stale):
            print(printable(line))
    return int(any(each.after is None or each.after.status == "needs_review" for each in regraded))


def _standings_before(book: Gradebook, now: Path) -> "dict[str, moves.Standing]":
    """Where students stand by the rubric of before, as it was then; by today's where nobody knows what it was."""
    with tempfile.TemporaryDirectory(prefix="vit-grade-") as folder:
        before = Path(folder, "rubric.toml")
        before.write_text(book.setting("rubric text", "") or _text_before(book, now), encoding="utf-8")
        return moves.standings_of(book.path.parent, before)


def _text_before(book: Gradebook, now: Path) -> str:
    """The rubric that a gradebook names which does not hold its text; today's where it is gone or spoilt."""
    try:
        rubric = rubric_of(book)
        late.load(rubric)
        return rubric.read_text(encoding="utf-8")
    except GraderError:
        return now.read_text(encoding="utf-8")


def _tell(moved: "Sequence[RegradedSubmission]") -> None:
    for each in moved:
        if each.after is None:
            print(f"{printable(each.key)}: stays at {each.before.total}: {printable(each.why)}")
        elif each.by or each.changed or each.before.status != each.after.status:
            change = f"{each.before.total} → {each.after.total} ({each.by:+g})"
            print(f"{printable(each.key)}: {change}  {', '.join(each.changed)}".rstrip())
    others = sum(bool(each.by) for each in moved)
    print(f"{number_of(len(moved), 'submission')}, {others} with another score")
