"""Draws the picture in the README, of the reference with faults seeded: ``python -m tests.picture FILE.svg``."""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from grader import audit
from grader.assignments.vit.corpus import load
from grader.assignments.vit.files import REFERENCE
from grader.pipeline import Options, open_grader
from grader.reports import terminal

FAULTS = ("augmentation.flip_never", "contrastive.scheduler_milestones_in_batches", "application.knn_squared")
NAME, SEED = "ab12", 1234


def main(target: str) -> int:
    """Grade a copy of the reference with the faults, draw what the terminal shows."""
    with tempfile.TemporaryDirectory() as folder:
        grader = open_grader(Options(seed=SEED, train="never"))
        try:
            grade = grader.grade(seeded(Path(folder)))
        finally:
            grader.close()
    grade.submission["path"] = NAME  # not where this machine keeps its temporary files
    terminal.show([grade])
    terminal.picture(grade, Path(target))
    return 0


def seeded(folder: Path) -> Path:
    """A copy of the reference with one fault after the other."""
    submission = REFERENCE
    for case in (case for case in load()[0] if case.id in FAULTS):
        audit.apply(case.edits, submission, folder / case.id)
        submission = folder / case.id
    return submission.rename(folder / NAME)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
