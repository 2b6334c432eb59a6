"""Gradebooks made by hand: grades are written into them as if they had been computed, and no worker is started."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from grader.assignments.vit.assignment import VIT
from grader.gradebook import digests
from grader.gradebook.digests import Digests
from grader.gradebook.packing import pack_answers
from grader.gradebook.store import NAME, Gradebook, PackedGrade
from grader.records import Grade

NOW = Digests("asks", "checks", digests.of_rubric(VIT.rubric), "environment")
DEADLINE = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


def hand_in(
    out: Path, key: str, grade: Grade, hours: float = -1.0, files: str = "first", student: str | None = None,
    late: bool | None = None, kept: bytes | None = None,
) -> None:  # fmt: skip
    """Note a submission and its grade.

    Args:
        hours: after the deadline.
        files: stands for what is in them; the same again is the same submission.
        student: the id that Canvas or Moodle gave.
        late: what the download says.
        kept: of the submission, as ``packing`` packs it.
    """
    with contextlib.closing(Gradebook(out / NAME)) as book:
        facts = {
            "path": f"class/{key}/{files}", "files": "{}", "late": late, "student": student, "attempt": None,
            "handed_in": DEADLINE.timestamp() + 3600 * hours, "run": 1,
        }  # fmt: skip
        content = f"{key} {files}"
        row = book.submission_row(key, content, lambda: content, facts)
        answers = None if kept is None else pack_answers({})[0]
        book.finish(row.id, NOW, PackedGrade(grade, submission=kept, answers=answers))
