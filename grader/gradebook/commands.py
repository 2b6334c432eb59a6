"""Commands on a gradebook: ``grade.py regrade`` and ``grade.py similar``."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from grader.arguments import Parser
from grader.gradebook.reader import GradebookReader
from grader.gradebook.regrade import RegradedSubmission, regrade_all, remember, remembered
from grader.gradebook.session import alone
from grader.gradebook.similarity import LEAST, groups
from grader.gradebook.similarity import similar as find_similar
from grader.gradebook.store import NAME, Gradebook
from grader.reports.text import printable


def regrade(arguments: Sequence[str]) -> int:
    """Compute the grades of a class again from what was observed, and say who moved."""
    p = Parser(
        prog="grade.py regrade",
        description="Grade a class again after a change of rubric, threshold or check, from what was observed: no "
        "student code runs, unless a probe is new; then that probe is asked, and nothing else.",
    )
    p.add_argument("--out", type=Path, default=Path("grades"), metavar="DIR", help="with the gradebook (./grades)")
    p.add_argument("--rubric", type=Path, metavar="FILE", help="points and thresholds (default: as the class had)")
    p.add_argument("--given", type=Path, metavar="DIR", help="the course's own given files (default: as the class had)")
    p.add_argument("--data", type=Path, metavar="DIR", help="torchvision root with FashionMNIST/raw")
    given = p.parse_args(arguments)
    if not (given.out / NAME).is_file():
        Gradebook(given.out / NAME, must_exist=True)  # says what is missing
    with alone(given.out), contextlib.closing(Gradebook(given.out / NAME, must_exist=True)) as book:
        options = remembered(book, given.rubric, given.data, given.given)
        moved = regrade_all(options, book)
        remember(book, options)
    _tell(moved)
    return int(any(each.after is None or each.after.status == "needs_review" for each in moved))


def _tell(moved: Sequence[RegradedSubmission]) -> None:
    for each in moved:
        if each.after is None:
            print(f"{printable(each.key)}: stays at {each.before.total}: {printable(each.why)}")
        elif each.by or each.changed or each.before.status != each.after.status:
            change = f"{each.before.total} → {each.after.total} ({each.by:+g})"
            print(f"{printable(each.key)}: {change}  {', '.join(each.changed)}".rstrip())
    others = sum(bool(each.by) for each in moved)
    print(f"{len(moved)} submissions, {others} with another score")


def similar(arguments: Sequence[str]) -> int:
    """List submissions of a class that are nearly the same."""
    p = Parser(
        prog="grade.py similar",
        description="List groups of submissions whose code or checkpoints are nearly the same, the largest first: for "
        "the instructor's eye, no points depend on it. What the template holds is left out; the score is 1 where "
        "nothing but layout, comments and names differs.",
    )
    p.add_argument("--out", type=Path, default=Path("grades"), metavar="DIR", help="with the gradebook (./grades)")
    p.add_argument("--least", type=float, default=LEAST, metavar="X", help=f"scores to show, from here to 1 ({LEAST})")
    p.add_argument("--attempts", choices=("latest", "best"), default="latest", help="which of a student's counts")
    given = p.parse_args(arguments)
    with GradebookReader(given.out, given.attempts) as reader:
        found = groups(find_similar(reader, given.least))
    for group in found:
        print(printable(str(group)))
    if not found:
        print(f"no two submissions are alike by {given.least:g} or more")
    return 0
