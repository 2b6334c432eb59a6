"""The student-facing suites, on grades made by hand and on the untouched template."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.assignments.vit.assignment import VIT
from grader.records import CheckResult, GradeWarning
from grader.reports import record
from grader.students import last_run
from tests import grades, warm_commands

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[2]
CHECKS = sum(len(criterion.checks) for criterion in VIT.criteria.values())
GIVEN = """
import json, os, pathlib, warnings
from grader.reports.record import from_dict
from grader.students.items import Session

def given(self):
    warnings.warn("as an import may", DeprecationWarning)
    with open("asked.log", "a") as log:
        log.write("asked\\n")
    asked = sorted(self.wanted or ())
    pathlib.Path("asked.json").write_text(json.dumps([str(self.submission), asked]))
    return from_dict(json.loads(pathlib.Path("grade.json").read_text()))

pytest_plugins = ["grader.students"]

def pytest_configure(config):  # this run's session alone: the class is the same in the run that tests it
    session = Session.of(config)
    session._grade, session.begin = given.__get__(session), lambda: None
"""


@pytest.fixture
def project(pytester):
    """A folder like the project's, whose submission has the grade that the test gives it."""
    shutil.copytree(ROOT / "tests" / "student", pytester.path / "tests" / "student")
    (pytester.path / "student").mkdir()
    pytester.makeconftest(GIVEN)
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\ntestpaths = ["tests/student"]\naddopts = "--no-header"')

    def grade(warnings=(), **statuses):
        made = dataclasses.replace(grades.grade(**statuses), warnings=warnings)
        criteria = tuple(dataclasses.replace(c, checks=_checks(c)) for c in made.criteria)
        written = record.to_dict(dataclasses.replace(made, criteria=criteria))
        (pytester.path / "grade.json").write_text(json.dumps(written))
        return pytester

    return grade


def _checks(criterion):
    """The first of the criterion's checks gets its status, the others pass."""
    first, *rest = (check.name for check in VIT.criteria[criterion.id].checks)
    made = criterion.checks[0]
    status = made.status if made.status == "skipped" else "passed"
    return (dataclasses.replace(made, name=first), *(CheckResult(name, status, made.message) for name in rest))


def asked(pytester):
    return json.loads((pytester.path / "asked.json").read_text())


def test_there_is_one_test_for_each_check_in_part_order(project):
    pytester = project()
    result = pytester.runpytest("--collect-only", "-q")
    lines = [line for line in result.outlines if "::" in line]
    assert len(lines) == CHECKS
    assert lines == sorted(lines, key=lambda line: line.split("::")[0])
    assert not (pytester.path / "asked.json").exists()  # listing grades nothing


def test_a_right_submission_passes(project):
    result = project().runpytest()
    result.assert_outcomes(passed=CHECKS)
    result.stdout.fnmatch_lines(["Nothing left to do here."])


def test_the_grade_is_made_once_and_no_warning_filter_or_time_limit_of_a_test_reaches_it(project):
    pytester = project()
    here = "ignore:Module already imported"  # the run in this process finds the grader loaded by the one that tests it
    pytester.runpytest("-W", "error", "-W", here, "--timeout", "60").assert_outcomes(passed=CHECKS)
    assert (pytester.path / "asked.log").read_text() == "asked\n"


def test_what_only_the_official_grade_decides_is_said_and_the_next_step_comes_last(project):
    result = project(vit_accuracy=("missing", "no vit_classifier.pt yet"), vit_heads=("failed", "no")).runpytest()
    said = " ".join(result.outlines)
    decided = [said.index("is decided in the official"), said.index("are decided in the official")]
    assert said.rindex("Next: vit.heads") > max(decided)


def test_the_points_so_far_are_told_and_what_is_decided_later(project):
    result = project(vit_accuracy=("missing", "no vit_classifier.pt yet"), vit_heads=("failed", "no")).runpytest()
    said = " ".join(" ".join(result.outlines).split())
    assert "checks passed, 21 of 23 points (and 5 in the official grade)" in said
    assert "Part 4: 8 of 8 checks passed, 16 of 16 points" in said
    assert "93 of 95 points so far, 5 are decided in the official grade" in said


def test_only_what_the_official_grade_trains_itself_is_decided_there(project):
    result = project(contrastive_precision=("missing", "there is no vit_embeds.pt")).runpytest()
    said = " ".join(" ".join(result.outlines).split())
    assert "90 of 100 points so far Next: contrastive.precision: run your training" in said


def test_a_file_that_cannot_be_read_is_named_where_all_checks_pass(project):
    words = "vit_model.py, line 210: '(' was never closed"
    warnings = (GradeWarning("syntax.error", words), GradeWarning("grader.error", "not for students"))
    result = project(warnings=warnings).runpytest()
    said = " ".join(" ".join(result.outlines).split())
    assert f"Look at this: {words}" in said and "not for students" not in said


def test_a_test_of_the_students_own_takes_nothing_from_the_summary(project):
    pytester = project(vit_heads=("failed", "no"))
    (pytester.path / "test_mine.py").write_text("def test_mine():\n    assert 1\n")
    result = pytester.runpytest("test_mine.py", "tests/student/part2.md")
    result.stdout.fnmatch_lines(["26 of 28 points so far", "Next: vit.heads*"])


def test_who_starts_it_beside_the_suites_is_told_where(project, monkeypatch):
    pytester = project()
    monkeypatch.chdir(pytester.path / "student")
    result = pytester.runpytest_inprocess("--rootdir", str(pytester.path))
    result.stdout.fnmatch_lines([f"The tests are found from {pytester.path}: start pytest there."])


def test_a_criterion_that_is_misspelt_is_answered_by_the_one_that_is_meant(project):
    result = project().runpytest("-k", "vit.haeds")
    result.stdout.fnmatch_lines(["There is no check 'vit.haeds', did you mean 'vit.heads'?"])


def test_what_is_wrong_in_the_code_comes_before_a_training(project):
    missing = ("missing", "there is no vit_classifier.pt")
    result = project(vit_accuracy=missing, application_knn=("failed", "no")).runpytest()
    result.stdout.fnmatch_lines(["Next: application.knn, alone with: pytest -k application.knn"])


def test_the_next_step_is_a_command_for_the_same_submission(project):
    pytester = project(vit_heads=("failed", "no"))
    (pytester.path / "my work").mkdir()
    result = pytester.runpytest("--submission=my work")
    result.stdout.fnmatch_lines(["Next: vit.heads, alone with: pytest --submission='my work' -k vit.heads"])


def test_the_points_of_one_part_are_told_alone(project):
    result = project(vit_heads=("failed", "no")).runpytest("-k", "part2")
    result.stdout.fnmatch_lines(["26 of 28 points so far"])


def test_a_run_is_remembered_for_explain(project):
    pytester = project(vit_heads=("failed", "no"))
    pytester.runpytest("-k", "vit.heads")
    pytester.runpytest("-k", "part1")
    assert last_run.seen(pytester.path, "vit.heads")["status"] == "failed"
    assert last_run.seen(pytester.path, "augmentation.variety")["status"] == "passed"
    assert last_run.seen(pytester.path, "vit.model") is None


def test_a_failed_check_shows_the_sentence_the_difference_and_the_hint_and_no_traceback(project):
    result = project(vit_heads=("failed", "expected (8, 10), got (8, 64)")).runpytest()
    check = VIT.criteria["vit.heads"].checks[0]
    result.assert_outcomes(passed=CHECKS - 1, failed=1)
    result.stdout.fnmatch_lines(
        [f"*vit.heads::{check.name}*", "*expected (8, 10), got (8, 64)", "*Look there.", "Next: vit.heads*"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*.py:*")


def test_what_several_checks_met_is_shown_once(project):
    made = project(vit_heads=("failed", "on an input of shape (6, 24) it raised KeyError: 'a' at vit_model.py, line 3"))
    file = made.path / "grade.json"
    written = json.loads(file.read_text())
    heads = next(criterion for criterion in written["criteria"] if criterion["id"] == "vit.heads")
    first, second, *_ = heads["checks"]
    second.update(first, name=second["name"], message=first["message"].replace("6", "2"))
    file.write_text(json.dumps(written))
    result = made.runpytest("-k", "vit.heads")
    assert str(result.stdout).count("KeyError") == 1
    result.stdout.fnmatch_lines(
        [f"*vit.heads::{first['name']}:*", "*Look there.", f"*The same fails {second['name']}."]
    )


def test_a_criterion_about_all_classes_is_no_next_step_while_one_about_some_of_them_is_left(project):
    shapes = ("failed", "check_vit.py says ViT: wrong")
    result = project(vit_shapes=shapes, vit_heads=("failed", "expected (8, 10)")).runpytest()
    result.stdout.fnmatch_lines(["Next: vit.heads, *"])
    project(vit_shapes=shapes).runpytest().stdout.fnmatch_lines(["Next: vit.shapes, *"])


def test_what_is_to_do_is_said_once_a_criterion_and_counts_as_failed(project):
    result = project(vit_heads=("missing", "still to do (x.py, line 3): map D to E")).runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert str(result.stdout).count("map D to E") == 1
    result.stdout.fnmatch_lines(
        ["*vit.heads to do: (x.py, line 3): map D to E", f"* {len(VIT.criteria['vit.heads'].checks)} to do in *"]
    )


@pytest.mark.parametrize(
    "said, line",
    {
        "still to do (x.py, line 3): map D to E": "○ vit.heads to do: (x.py, line 3)*",
        "`ClassificationHead` is not defined": "○ vit.heads to do: `Class*",
        "x.py, line 2 cannot be parsed, so `ClassificationHead` is not defined": "✗ vit.heads not found: x.py, line 2 cannot*",
        "`ClassificationHead` is not defined: x.py, line 2 defines `Head`": "✗ vit.heads not found: `Class*",
    }.items(),
    ids=["a head", "nothing", "an error", "another name"],
)
def test_what_was_written_and_is_not_found_is_told_from_what_nobody_has_begun(project, said, line):
    project(vit_heads=("missing", said)).runpytest("-k", "vit.heads").stdout.fnmatch_lines([f"*{line}"])


def test_a_model_that_is_not_trained_yet_is_skipped_with_words(project):
    result = project(vit_accuracy=("missing", "no vit_classifier.pt yet")).runpytest("-m", "thresholds")
    assert result.parseoutcomes()["skipped"] == len(VIT.criteria["vit.accuracy"].checks)
    result.stdout.fnmatch_lines(["*vit.accuracy not trained: no vit_classifier.pt yet"])


def test_a_blocked_criterion_waits_for_the_one_it_names(project):
    result = project(vit_heads=("blocked", "could not be judged because of vit.model: broken")).runpytest()
    assert result.parseoutcomes()["skipped"] == len(VIT.criteria["vit.heads"].checks)
    result.stdout.fnmatch_lines(["*vit.heads waits for vit.model: broken"])


def test_only_what_was_selected_is_asked(project):
    pytester = project()
    pytester.runpytest("-k", "part4")
    assert asked(pytester)[1] == ["application.knn", "application.transfer"]


@pytest.mark.parametrize("way", [["-k", "vit.heads"], ["tests/student/part2.md::vit.heads"]], ids=["-k", "node id"])
def test_one_criterion_can_be_run_alone(project, way):
    result = project().runpytest(*way)
    assert result.parseoutcomes()["passed"] == len(VIT.criteria["vit.heads"].checks)


def test_the_last_failures_can_be_run_alone(project):
    pytester = project(vit_heads=("failed", "no"))
    pytester.runpytest()
    pytester.runpytest("--lf").assert_outcomes(failed=1)


def test_x_stops_at_the_first_failure(project):
    result = project(augmentation_variety=("failed", "no"), vit_heads=("failed", "no")).runpytest("-x")
    assert result.parseoutcomes()["failed"] == 1


def test_another_submission_can_be_named_in_both_ways(project, tmp_path):
    pytester = project()
    for way in (["--submission", "other"], ["--submission=other"]):
        (pytester.path / "other").mkdir(exist_ok=True)
        pytester.runpytest(*way).assert_outcomes(passed=CHECKS)
        assert asked(pytester)[0] == str(pytester.path / "other")


def test_a_submission_that_is_not_there_is_one_line(project):
    result = project().runpytest("--submission=no-such")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --submission no-such: no such file or folder"])


@pytest.mark.parametrize("way", ["--submission={}", "--submission {}"])
def test_nothing_of_a_submission_is_imported(project, tmp_path, way):
    pytester = project()
    for name in ("conftest.py", "sitecustomize.py", "einops.py", "test_evil.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p einops\n")
    arguments = ["-m", "pytest", "-p", "grader.students", *way.format(tmp_path).split(" ")]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=pytester.path, capture_output=True, text=True, timeout=100,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, check=False,
    )  # fmt: skip
    assert not (tmp_path / "ran").exists(), done.stdout + done.stderr
    assert f"{CHECKS} passed" in done.stdout


def test_hostile_text_reaches_the_terminal_as_text(project):
    result = project(vit_heads=("failed", "\x1b[2J\x1b]0;x\x07 \u202egnp")).runpytest()
    assert not set(str(result.stdout)) & set("\x1b\x07\u202e")


def test_the_debugger_opens_at_the_students_own_line(tmp_path):
    source = (ROOT / "reference" / "vit_model.py").read_text()
    wrong = source.replace("x = x.flatten(2)  #", "x = x.flatten(2).oops()  #")
    (tmp_path / "vit_model.py").write_text(wrong)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--submission={tmp_path}", "-k", "vit.patch", "--pdb"],
        cwd=ROOT, input="p x.shape\nq\n", capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert "vit_model.py(47)forward()" in done.stdout and "(Pdb) torch.Size([" in done.stdout, done.stdout


def test_it_opens_where_the_operations_of_an_assignment_are_a_file(tmp_path):
    example = ROOT / "docs" / "examples" / "linear_regression"
    (tmp_path / "solution.py").write_text(
        "def fit(x, y):\n    return x.oops()\n\ndef predict(x, w):\n    return x @ w\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--submission={tmp_path}", f"--assignment={example}", "--pdb"],
        cwd=ROOT, input="p x.shape\nq\n", capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert "solution.py(2)fit()" in done.stdout and "(Pdb) torch.Size([" in done.stdout, done.stdout + done.stderr


def test_the_untouched_template_says_what_is_to_do():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=warm_commands.environment(os.environ),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert " passed" not in done.stdout.splitlines()[-1] and " failed" not in done.stdout.splitlines()[-1]
    assert "to do" in done.stdout.splitlines()[-1] and "Next: augmentation.variety" in done.stdout


def test_given_files_that_are_not_there_are_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--given", "nowhere", "-k", "vit.heads"],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert "nowhere: expected a folder with the course's given files" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_project_that_is_no_course_notices_nothing(tmp_path):
    (tmp_path / "test_own.py").write_text(
        "import sys\ndef test_own(): assert 'grader.students.plugin' not in sys.modules\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for arguments, status in ((["-q"], 0), (["--submission=x"], 4)):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "grader.students", "-p", "no:cacheprovider", *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
    assert "unrecognized arguments" in done.stderr


def test_options_have_a_prefix_of_their_own(project):
    project().runpytest("--grade-submission=student", "-k", "vit.heads").assert_outcomes(passed=9)


@pytest.mark.parametrize(
    ("other_tests", "kept"), [(False, False), (True, True)], ids=["checks alone", "other tests, too"]
)
def test_hypothesis_is_loaded_for_other_tests_alone(project, other_tests, kept):
    class Told:
        def pytest_unconfigure(self, config):
            self.kept = config.pluginmanager.has_plugin("hypothesispytest")

    pytester, told = project(), Told()
    if other_tests:
        (pytester.path / "tests" / "student" / "test_own.py").write_text("def test_own(): pass\n")
    pytester.runpytest(plugins=[told])
    assert told.kept is kept
