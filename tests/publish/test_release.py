"""What students get: everything that they need, and nothing of the solution."""

import hashlib
import shutil
import sys
from pathlib import Path

import pytest

from grader import given
from grader.assignments.vit.assignment import VIT
from grader.cli import main
from grader.errors import GraderError
from grader.publish import release, solutions
from tests.publish import running

ROOT = Path(__file__).resolve().parents[2]
PYTEST = ("-m", "pytest", "-p", "no:cacheprovider")


def texts(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_no_line_of_the_solution_is_in_it(released):
    solution = solutions.lines(ROOT / "reference")
    assert "self.attn = nn.MultiheadAttention(d_model, n_head, batch_first=True)" in solution
    assert len(solution) > 40
    assert {name: found for name, text in texts(released).items() if (found := solutions.leaked(text, solution))} == {}


def test_nothing_of_an_instructors_is_in_it(released):
    names = {name.split("/")[1].removesuffix(".py") for name in texts(released) if name.startswith("grader/")}
    assert not names & set(release.KEPT_APART)
    assert not {"reference", "docs", "bench"} & {path.name for path in released.iterdir()}
    assert [path.name for path in (released / "tests").iterdir()] == ["student"]
    assert not list(released.rglob("*.pt"))
    assert not [name for name, text in texts(released).items() if "BEGIN SOLUTION" in text]


def test_the_given_files_are_in_it(released):
    program = (
        "from grader import given; from grader.assignments.vit.assignment import VIT; print(given.own(VIT).digest)"
    )
    done = running.run([sys.executable, "-c", program], released)
    assert done.stdout.strip() == given.own(VIT).digest


def test_the_manifest_holds_the_digest_of_every_file(released):
    lines = (released / release.MANIFEST).read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts(released).items()}
    assert {**listed, release.MANIFEST: there[release.MANIFEST]} == there


def test_a_new_student_runs_pytest_in_it_and_is_told_what_to_do(run):
    done = run(*PYTEST)
    assert done.returncode == 1, done.stdout + done.stderr
    assert " passed" not in done.stdout.splitlines()[-1] and " to do" in done.stdout.splitlines()[-1]
    assert done.stdout.splitlines()[-2].startswith("Next: augmentation.variety"), done.stdout


def test_a_part_that_is_filled_in_passes_with_the_released_grader(released, run, tmp_path):
    folder = shutil.copytree(released, tmp_path / "own")
    for name in ("augmentation.py", "vit_model.py", "contrastive.py", "application.py"):
        shutil.copyfile(ROOT / "reference" / name, folder / "student" / name)
    done = run(*PYTEST, "-m", "not thresholds", folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing left to do here." in done.stdout


def test_a_verdict_is_shown_in_a_session_of_python(released, run):
    done = run("-c", "import grader; print(grader.__file__); print(grader.check('vit.heads'))")
    assert done.stdout.splitlines()[0] == str(released / "grader" / "__init__.py"), done.stderr
    assert "○ vit.heads missing" in done.stdout and "official grade" in done.stdout


@pytest.mark.timeout(400)
def test_installed_as_its_readme_says_it_serves_a_notebook_in_student(released, tmp_path):
    folder = shutil.copytree(released, tmp_path / "own")
    python = running.environment(tmp_path / "env") / "bin" / "python"
    running.run([python, "-m", "pip", "install", "--quiet", "--editable", "."], folder)
    program = "import grader; print(grader.__file__); print(grader.check('vit.heads', '.'))"
    done = running.run([python, "-c", program], folder / "student")
    assert done.stdout.splitlines()[0] == str(folder / "grader" / "__init__.py")
    assert "○ vit.heads missing" in done.stdout


def test_a_failed_audit_stops_it(tmp_path):
    def failing():
        raise GraderError("the audit fails")

    with pytest.raises(GraderError, match="audit fails"):
        release.release(tmp_path / "out", failing)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [0, 1], ids=["right", "wrong"])
def test_the_command_asks_the_audit(tmp_path, monkeypatch, capsys, wrong):
    monkeypatch.setattr("grader.reports.audit_table.run", lambda options, only: wrong)
    assert main(["release", "--out", str(tmp_path / "out")]) == (2 if wrong else 0)
    assert (tmp_path / "out").exists() != bool(wrong)


def test_an_unaudited_release_says_so_loudly(tmp_path, capsys):
    assert main(["release", "--out", str(tmp_path / "out"), "--skip-audit"]) == 0
    assert "NOT AUDITED" in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "theirs.txt").write_text("theirs")
    with pytest.raises(GraderError, match="new or empty folder"):
        release.release(tmp_path, lambda: None)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.txt"]


def test_a_solution_in_a_file_stops_it(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "fill", lambda out, *more: shutil.copy(ROOT / "reference/vit_model.py", out))
    with pytest.raises(GraderError, match="line of the solution"):
        release.release(tmp_path / "out", lambda: None)
    assert list(tmp_path.iterdir()) == []


def test_imports_are_followed_into_functions_and_packages(tmp_path):
    for name, text in {
        "p/__init__.py": "", "p/a.py": "def f():\n    from p.b import thing", "p/b/__init__.py": "thing = 1",
        "p/c.py": "import p.a",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {path.relative_to(tmp_path).as_posix() for path in release.imports(["p.a"], tmp_path)[0]}
    assert found == {"p/__init__.py", "p/a.py", "p/b/__init__.py"}
