"""Draws the picture in the README, of the reference with faults seeded: ``python -m tests.picture FILE.svg``."""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from grader import audit
from grader.grading import REFERENCE, Options, open_grader
from grader.reports import terminal
from tests.corpus import load

FAULTS = ("vit.patches_cut_by_view", "application.knn_squared")
SEED = 1234


def main(target: str) -> int:
    """Grade a copy of the reference with the faults, draw what the terminal shows."""
    with tempfile.TemporaryDirectory() as folder:
        submission = Path(folder) / "ab12"
        audit.apply(_edits(), REFERENCE, submission)
        grader = open_grader(Options(seed=SEED, train="never"))
        try:
            grade = grader.grade(submission)
        finally:
            grader.close()
    grade.submission["path"] = "ab12"  # not where this machine keeps its temporary files
    terminal.show([grade])
    terminal.picture(grade, Path(target))
    return 0


def _edits() -> dict[str, list[tuple[str, str]]]:
    """The replacements of all faults together."""
    edits: dict[str, list[tuple[str, str]]] = {}
    for case in load()[0]:
        if case.id in FAULTS:
            for name, replacements in case.edits.items():
                edits.setdefault(name, []).extend(replacements)
    return edits


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
