"""Commands on a gradebook: ``grade.py regrade``."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from grader.batch.classes import alone
from grader.batch.gradebook import NAME, Gradebook
from grader.batch.regrade import Moved, regrade_all
from grader.cli import Parser
from grader.grading import Options
from grader.reports.text import printable
from grader.rubric import DEFAULT


def regrade(arguments: Sequence[str]) -> int:
    """Compute the grades of a class again from what was observed, and say who moved."""
    p = Parser(
        prog="grade.py regrade",
        description="Grade a class again after a change of rubric, threshold or check, from what was observed: no "
        "student code runs, unless a probe is new; then that probe is asked, and nothing else.",
    )
    p.add_argument("--out", type=Path, default=Path("grades"), metavar="DIR", help="with the gradebook (./grades)")
    p.add_argument("--rubric", type=Path, metavar="FILE", help="points and thresholds (default: as the class had)")
    p.add_argument("--data", type=Path, metavar="DIR", help="torchvision root with FashionMNIST/raw")
    given = p.parse_args(arguments)
    if not (given.out / NAME).is_file():
        Gradebook(given.out / NAME, must_exist=True)  # says what is missing
    with alone(given.out), contextlib.closing(Gradebook(given.out / NAME, must_exist=True)) as book:
        rubric = given.rubric or Path(book.setting("rubric", str(DEFAULT)))
        moved = regrade_all(Options(data=given.data, out=given.out, rubric=rubric), book)
        book.remember("rubric", str(rubric.absolute()))
    _tell(moved)
    return int(any(each.after is None or each.after.status == "needs_review" for each in moved))


def _tell(moved: Sequence[Moved]) -> None:
    for each in moved:
        if each.after is None:
            print(f"{printable(each.key)}: stays at {each.before.score:g}: {printable(each.why)}")
        elif each.by or each.changed or each.before.status != each.after.status:
            change = f"{each.before.score:g} → {each.after.score:g} ({each.by:+g})"
            print(f"{printable(each.key)}: {change}  {', '.join(each.changed)}".rstrip())
    others = sum(bool(each.by) for each in moved)
    print(f"{len(moved)} submissions, {others} with another score")
