"""What the command prints, and its exit status, on the second assignment."""

import shutil
from pathlib import Path

import pytest

from grader.cli import main
from grader.mutation import hunt
from grader.mutation.hunt import both
from grader.reports import mutation

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "linear_regression"
HOLE = "return solution[:-1], float(solution[-1])"
ENTRY = f"""
[[same]]
where = "regression.py"
function = "fit"
old = "{HOLE}"
new = "return solution[:-1], solution[-1]"
reason = "A tensor of one number is a number."
"""


@pytest.fixture
def assignment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, of which only the changes of one line are graded."""
    shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("__pycache__"))
    every = hunt.Hunter.mutants
    calls = ("call taken away", "statement left out")

    def some(self: hunt.Hunter, *args: object, **options: object) -> list[hunt.Mutant]:
        found = every(self, *args, **options)  # type: ignore[arg-type]
        return [m for m in found if HOLE in m.mutation.changed()[0] and m.mutation.what in calls]

    monkeypatch.setattr(hunt.Hunter, "mutants", some)
    monkeypatch.setattr(mutation, "PAIRS_DRAWN", 2)
    return tmp_path / "example"


def audited(assignment: Path, *more: str) -> int:
    return main(["--assignment", str(assignment / "assignment.py"), "--audit", "--mutate", *more])


def test_a_change_that_no_criterion_notices_is_shown_as_a_diff_and_fails(
    assignment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audited(assignment) == 1
    said = capsys.readouterr().out
    assert f"survived  regression.py, fit, line 11: call taken away\n    - {HOLE}\n    +" in said
    assert "2 of 2 mutants: 1 lost points, 1 of them by a criterion of what was changed" in said


def test_an_entry_explains_it(assignment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (assignment / "reference" / "equivalent.toml").write_text(ENTRY)
    assert audited(assignment, "regression", "--all") == 0
    said = capsys.readouterr().out
    assert "survived  " not in said and "1 are right as well" in said


def test_an_entry_that_no_mutant_needs_is_named(assignment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (assignment / "reference" / "equivalent.toml").write_text(ENTRY + ENTRY.replace('"fit"', '"predict"'))
    assert audited(assignment, "regression") == 0
    assert audited(assignment, "regression", "--all") == 1
    assert "no mutant needs the entry regression.py, predict:" in capsys.readouterr().out


def test_with_messages_every_mutant_is_shown(assignment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audited(assignment, "--messages")
    assert "killed    regression.py, fit, line 11: statement left out" in capsys.readouterr().out


def test_an_unknown_module_is_one_line(assignment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audited(assignment, "nothing") == 2
    assert "no module and no variant has 'nothing' in its name" in capsys.readouterr().err


def test_mutants_without_an_audit_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--mutate"]) == 2
    assert "--audit --mutate" in capsys.readouterr().err


def test_two_changes_come_together_where_they_are_in_different_lines() -> None:
    assert both("a\nb\nc\n", "x\nb\nc\n", "a\nb\ny\n") == "x\nb\ny\n"
    assert both("a\nb\n", "x\nb\n", "y\nb\n") is None


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    numbers = list(range(100))
    assert hunt.sample(numbers, 5, 1) == hunt.sample(numbers, 5, 1) != hunt.sample(numbers, 5, 2)  # type: ignore[arg-type,comparison-overlap]
