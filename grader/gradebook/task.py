"""One submission of a class: from its files to a packed grade, whatever goes wrong with it."""

import dataclasses
from collections.abc import Callable, Collection
from dataclasses import dataclass

from grader.errors import GraderError
from grader.evidence import Evidence
from grader.firewall import Firewall
from grader.gradebook import packing, sources
from grader.gradebook.store import PackedGrade
from grader.intake import Found
from grader.pipeline import Grader
from grader.records import Grade

Step = Callable[[str, str, float], None]  # the student, what is being done, and how much of it is


@dataclass(frozen=True)
class Task:
    """One submission to be graded: a row of the gradebook."""

    submission: int
    found: Found
    seed: int


def grade_task(
    grader: Grader, task: Task, only: Collection[str] | None = None, step: Step | None = None
) -> PackedGrade:
    """Grade one submission; what goes wrong with it is a grade that needs review, and nobody else's problem.

    Raises:
        GraderError: it is not the submission that cannot be graded: no worker can be started, the disk is full.
    """
    found, packed = task.found, []

    def progress(what: str, share: float) -> None:
        if step is not None:
            step(found.key, what, share)

    if found.refused:
        reason = f"{found.path}: {found.refused}; nothing was graded"
        return PackedGrade(grader.rejected(found.path, found.key, task.seed, reason, 0.0), grader.settings(only))
    try:
        graded = grader.graded(
            found.path, task.seed, found.key, found.files or None, only, progress, look=lambda e: packed.append(pack(e))
        )
    except (GraderError, OSError, MemoryError):
        raise
    except Exception as error:
        wall = Firewall()
        wall.note("the grading", error)
        words = wall.lines[0]
        return PackedGrade(unfinished(task, words, grader.rubric.max_score), grader.settings(only))
    whole = packed[0] if packed else PackedGrade(graded.grade)
    return dataclasses.replace(whole, grade=graded.grade, options=grader.settings(only))


def pack(evidence: Evidence) -> PackedGrade:
    """Pack evidence while its submission's files are there; the grade is added later."""
    answers, frames = packing.pack_answers(evidence.answers)
    scores = packing.pack_scores(evidence.measured)
    none = Grade({}, "needs_review", 0.0, 0.0, evidence.seed, ())
    verdicts = packing.pack_verdicts(packing.verdicts_of(evidence, sources.of(evidence.assignment).digest))
    return PackedGrade(none, {}, packing.pack_submission(evidence.submission), answers, frames, scores, verdicts)


def unfinished(task: Task, reason: str, max_score: float) -> Grade:
    """The grade of a submission that could not be graded, through no proven fault of its own."""
    return Grade(
        submission={"name": task.found.key, "path": str(task.found.path), "sha256": ""},
        status="needs_review", score=0.0, undecided=max_score, max_score=max_score, seed=task.seed, criteria=(),
        reason=reason,
    )  # fmt: skip
