"""Of a class in which some hand in the same models, each model is asked once, and every grade is as if it were alone."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from grader.finding import default
from grader.gradebook import session
from grader.gradebook.reader import GradebookReader
from grader.intake import find_submissions
from grader.pipeline import Options, open_grader
from grader.records import Grade
from grader.sharing import Shared

REFERENCE = default().reference
ONLY = ["vit.accuracy", "contrastive.precision"]
CHANGED = ("return self.ln_post(x[:, 0])", "return 1.25 * self.ln_post(x[:, 0])")


def verdicts(grade: Grade) -> list[tuple[object, ...]]:
    """All that a grade says, times aside."""
    return [(c.id, c.status, c.points, c.checks) for c in grade.criteria]


def test_equal_models_are_asked_once_and_graded_as_if_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    students = {"anna": ("", ""), "bela": ("\n", "\n# by Bela\n"), "cleo": CHANGED}
    for name, (old, new) in students.items():
        own = tmp_path / "class" / name
        shutil.copytree(REFERENCE, own, ignore=shutil.ignore_patterns("__pycache__"))
        text = (own / "vit_model.py").read_text(encoding="utf-8")
        assert old in text
        (own / "vit_model.py").write_text(text.replace(old, new, 1) if old.strip() else text + new, encoding="utf-8")
    asked: list[str] = []
    answer = Shared.answer

    def counted(self, op, key, ask):  # type: ignore[no-untyped-def]
        return answer(self, op, key, lambda: asked.append(op) or ask())

    monkeypatch.setattr(Shared, "answer", counted)
    options = Options(train="never", sample=200, out=tmp_path / "out")
    session.grade_class(find_submissions(tmp_path / "class"), options, ONLY)
    assert Counter(asked) == {"checkpoint.classify": 2, "checkpoint.embed": 2}
    with GradebookReader(tmp_path / "out") as reader:
        grades = {entry.key: entry.grade for entry in reader.entries()}
    assert len({grade.seed for grade in grades.values()}) == len(students)
    grader = open_grader(options)
    try:
        grader.rubric = grader.rubric.narrowed(ONLY)
        for name, grade in grades.items():
            alone = grader.graded(tmp_path / "class" / name, grade.seed, only=ONLY).grade
            assert verdicts(grade) == verdicts(alone)
    finally:
        grader.close()
