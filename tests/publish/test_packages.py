"""What Gradescope and Classroom 50 take in, run in folders laid out as theirs."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from grader.cli import main
from grader.errors import GraderError
from grader.publish import package, solutions
from tests.publish import submissions
from tests.publish.running import OFFLINE, run

pytestmark = pytest.mark.timeout(900)  # environments are made, and the grader is started several times
ROOT = Path(__file__).resolve().parents[2]
RUNNER = {
    "CLASSROOM": "ml", "ASSIGNMENT": "vit", "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://github.com/o/r/commit/a1b2c3d", "RELEASE_URL": "https://github.com/o/r/releases/tag/x",
    "REVIEW_URL": "https://github.com/o/r/compare/b...a1b2c3d",
}  # fmt: skip


@pytest.fixture(scope="module")
def gradescope(tmp_path_factory, environment):
    """/autograder after its image was built."""
    autograder = tmp_path_factory.mktemp("gradescope") / "autograder"
    archive = autograder.parent / "autograder.zip"
    package.gradescope(archive)
    for name in ("source", "submission", "results"):
        (autograder / name).mkdir(parents=True)
    run(["unzip", "-q", archive, "-d", autograder / "source"], autograder)
    run([autograder / "source" / "setup.sh"], "/", AUTOGRADER=str(autograder), VIT_GRADE_ENVIRONMENT=str(environment))
    return autograder


@pytest.mark.parametrize("system", package.SYSTEMS)
def test_a_rubric_that_cannot_be_read_is_not_packed(tmp_path, system):
    (tmp_path / "ours.toml").write_text("[[")
    with pytest.raises(GraderError, match="not valid TOML"):
        package.SYSTEMS[system](tmp_path / "out.zip", tmp_path / "ours.toml")
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize(
    ("system", "out", "words"),
    [("gradescope", "empty", "expected a name that ends in .zip"), ("gradescope", "a.txt/b.zip", "cannot be written"),
     ("source", "a.txt/b", "cannot be written"), ("classroom50", "a.txt", "expected a new or empty folder")],
)  # fmt: skip
def test_a_place_that_cannot_be_written_is_one_line(tmp_path, capsys, system, out, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("mine")
    assert main(["package", system, "--out", str(tmp_path / out)]) == 2
    assert words in capsys.readouterr().err
    assert (tmp_path / "a.txt").read_text() == "mine" and list((tmp_path / "empty").iterdir()) == []


def test_a_bundle_is_written_into_no_folder_that_holds_something(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(GraderError, match="expected a new or empty folder"):
        package.classroom50(tmp_path)


def test_gradescopes_zip_has_both_scripts_at_its_root_and_no_solution(gradescope):
    with zipfile.ZipFile(gradescope.parent / "autograder.zip") as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        texts = [archive.read(name).decode() for name in modes]
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    solution = solutions.lines(ROOT / "reference")
    assert not [found for text in texts for found in solutions.leaked(text, solution)]


def test_gradescope_gives_the_scores_of_the_command_line(gradescope, environment, folders, expected, tmp_path):
    def ask(folder):
        autograder = tmp_path / folder.name / "autograder"
        (autograder / "results").mkdir(parents=True)
        (autograder / "source").symlink_to(gradescope / "source")
        shutil.copytree(folder, autograder / "submission")
        variables = {"AUTOGRADER": str(autograder), "VIT_GRADE_ENVIRONMENT": str(environment)}
        run([gradescope / "source" / "run_autograder"], autograder / "submission", **variables)
        results = json.loads((autograder / "results" / "results.json").read_text())
        assert {"score", "max_score", "name", "number", "output"} <= results["tests"][0].keys()
        assert sum(test.get("score", 0) for test in results["tests"]) == results["score"]
        return results["score"]

    found = submissions.each(folders, ask)
    assert found == expected


def test_a_gradescope_run_without_a_grade_leaves_no_results(gradescope, environment):
    (gradescope / "results" / "results.json").write_text("{}")
    variables = {
        "AUTOGRADER": str(gradescope),
        "VIT_GRADE_ENVIRONMENT": str(environment),
        "VIT_GRADE_OPTIONS": "--only no",
    }
    with pytest.raises(AssertionError, match="no such criterion"):
        run([gradescope / "source" / "run_autograder"], "/", **variables)
    assert not (gradescope / "results" / "results.json").exists()


@pytest.fixture(scope="module")
def classroom50(tmp_path_factory):
    """The course's bundle, CLASSROOM/autograders/ASSIGNMENT."""
    bundle = tmp_path_factory.mktemp("course") / "ml" / "autograders" / "vit"
    package.classroom50(bundle)
    return bundle


def test_classroom_50_gives_the_scores_of_the_command_line(
    classroom50, gradescope, environment, folders, expected, tmp_path
):
    def ask(folder):
        checkout = shutil.copytree(folder, tmp_path / folder.name)
        (checkout / "result.json").symlink_to(tmp_path / "elsewhere.json")
        command = [sys.executable, classroom50 / "autograder.py"]
        run(command, checkout, VIT_GRADE_ENVIRONMENT=str(environment), **RUNNER)
        assert not (checkout / "result.json").is_symlink()
        return validated(json.loads((checkout / "result.json").read_text()))["score"]

    found = submissions.each(folders, ask)
    assert not (tmp_path / "elsewhere.json").exists()
    assert found == {name: int(score + 0.5) for name, score in expected.items()}


def validated(result):
    """As Classroom 50's collector looks at it; owner and assignment_type are stamped by its runner."""
    assert result["schema"] == "classroom50/result/v1"
    texts = ("classroom", "assignment", "submission", "commit", "release", "review", "datetime")
    assert all(isinstance(result[field], str) and result[field] for field in texts)
    for entry in (result, *result["tests"]):
        assert type(entry["score"]) is int and type(entry["max-score"]) is int
        assert 0 <= entry["score"] <= entry["max-score"]
    assert all(type(test["passed"]) is bool and isinstance(test["test-name"], str) for test in result["tests"])
    return result


def test_classroom_50s_environment_is_made_from_the_bundle(classroom50, tmp_path):
    program = (
        "import sys; from pathlib import Path; import autograder; print(autograder.environment(Path(sys.argv[1])))"
    )
    site = f"{classroom50}:{sysconfig.get_paths()['purelib']}"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], env={**os.environ, **OFFLINE, "PYTHONPATH": site},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("environment/lib/python*/site-packages/grader/assignments/vit/rubric.toml"))
