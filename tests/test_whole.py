"""The command line on the real data: the template has no points, the reference has them all, the same twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from grader.reports.written import SCHEMA
from tests import warm_commands

ROOT = Path(__file__).resolve().parent.parent
SUBMISSIONS = ("student", "reference", "reference/submission.ipynb")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run over the template and, twice, the reference."""
    target = tmp_path_factory.mktemp("run") / "grades.json"
    done = subprocess.run(
        [sys.executable, "grade.py", *SUBMISSIONS, "--seed", "7", "--train", "never", "--json", str(target),
         "--out", str(target.parent / "grades")],
        cwd=ROOT, env=warm_commands.environment(os.environ), capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done, json.loads(target.read_text())


def test_the_json_of_real_grades_fits_the_schema(run):
    jsonschema.validate(run[1], json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)


def test_off_a_terminal_each_is_a_line_on_stderr_as_it_is_done_and_nothing_else_is_there(run):
    lines = run[0].stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["1 of 3", "2 of 3", "3 of 3"]
    assert all(" of 100 points, graded, " in line for line in lines)


def test_the_untouched_template_has_no_points_and_no_failed_criterion(run):
    template = run[1][0]
    assert template["score"] == 0 and template["status"] == "graded"
    assert {criterion["status"] for criterion in template["criteria"]} <= {"missing", "blocked"}


def test_the_reference_has_full_marks_and_no_warning(run):
    reference = run[1][1]
    lost = {c["id"]: c["feedback"] for c in reference["criteria"] if c["points"] < c["max_points"]}
    assert not lost and reference["score"] == 100 and reference["warnings"] == []


def test_the_reference_clears_the_thresholds_with_room(run):
    measured = run[1][1]["measured"]
    assert measured["accuracy"] >= 0.89 and measured["precision_at_1"] >= 0.80


def test_the_same_seed_gives_the_same_grade_however_the_submission_is_named(run):
    first, second = ({**grade, "timings": None, "submission": None} for grade in run[1][1:])
    assert first == second


def test_the_terminal_shows_a_line_for_each_of_several(run):
    names = ("student", "reference", "submission")
    assert len([line for line in run[0].stdout.splitlines() if line.startswith(names)]) == 3


def test_what_is_no_submission_is_written_as_rejected_and_said_in_a_line(tmp_path):
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "report.docx").write_bytes(b"PK")
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "grade.py", tmp_path / "submission", "--format", f"gradescope={results}", "--out", tmp_path],
        cwd=ROOT, env=warm_commands.environment(os.environ), capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    found = json.loads(results.read_text())
    assert found["score"] == 0 and "holds no notebook and no .py file" in found["output"]


@pytest.mark.parametrize("seconds", [0.5, 4.0])
def test_an_interrupt_ends_it_in_one_line_and_leaves_no_process(seconds):
    run = subprocess.Popen(
        [sys.executable, "grade.py", "reference"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGINT)  # what a terminal does
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, "", "interrupted; nothing was written\n")
    left = [entry.name for entry in Path("/proc").glob("[0-9]*") if _session(int(entry.name)) == run.pid]
    assert not left


def _session(pid):
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
