"""What Gradescope knows of a submission, and the page's story in its results."""

import dataclasses
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from grader.assignments.vit.assignment import VIT
from grader.assignments.vit.files import RUBRIC as DEFAULT
from grader.commands import grading as command
from grader.errors import GraderError
from grader.exports import gradescope, handed_in
from grader.exports.result import of_grade, with_lateness
from grader.gradebook.late import LatePolicy
from grader.judging import sentences
from grader.publish.package import PACKAGES
from tests import grades

CHECKS = sentences(VIT.criteria)["vit.model"]
NOW = grades.grade("ab12", vit_model=("failed", "expected (8, 10), got (8, 17)"), vit_heads=("passed", "right"))
BEFORE = gradescope.results(
    of_grade(grades.grade("ab12", vit_heads=("failed", "no"), application_knn=("failed", "no")))
)
METADATA = {
    "id": 123456, "created_at": "2026-11-22T10:00:00.365935-07:00", "submission_method": "upload",
    "assignment": {
        "due_date": "2026-11-20T23:59:00.000000-07:00", "late_due_date": "2026-11-27T23:59:00.000000-07:00",
        "group_size": 2, "id": 9, "course_id": 8, "title": "ViT", "total_points": "100.0",
    },
    "users": [{"email": "ada@x.example", "id": 1, "name": "Ada L."}, {"email": "al@x.example", "id": 2, "name": ""}],
    "previous_submissions": [
        {"submission_time": "2026-11-19T14:24:48.087023-07:00", "score": 20.0, "autograder_error": False, "results": {}},
        {"submission_time": "2026-11-20T14:24:48.087023-07:00", "score": 91.0, "autograder_error": False, "results": BEFORE},
        {"submission_time": "2026-11-21T14:24:48.087023-07:00", "score": None, "autograder_error": True, "results": None},
    ],
}  # fmt: skip
POLICY = LatePolicy(per_day=10, most=50)


@pytest.fixture
def metadata(tmp_path):
    path = tmp_path / "submission_metadata.json"
    path.write_text(json.dumps(METADATA))
    return path


def told(metadata, policy=POLICY, grade=NOW):
    return gradescope.results(with_lateness(of_grade(grade, sentences(VIT.criteria)), handed_in.read(metadata), policy))


def test_lateness_is_by_gradescopes_own_deadline(metadata):
    whole = told(metadata)
    assert whole["score"] == 75  # of 95, two days begun
    assert "2 days late, 20 points taken off" in whole["output"]
    assert "Handed in by Ada L., al@x.example, 2026-11-22 17:00 UTC" in whole["output"]
    assert "Due 2026-11-21 06:59 UTC, late submissions until 2026-11-28 06:59 UTC" in whole["output"]


def test_what_changed_since_the_submission_before_is_told(metadata):
    output = told(metadata, LatePolicy())["output"]
    assert "Your submission before, of 2026-11-20 21:24 UTC, got 91: +4 points" in output
    assert "More points than then: " in output and "Fewer points than then: The whole ViT" in output


def test_a_submission_in_time_says_nothing_of_lateness(metadata, tmp_path):
    metadata.write_text(json.dumps({**METADATA, "created_at": "2026-11-20T10:00:00-07:00", "previous_submissions": []}))
    whole = told(metadata)
    assert whole["score"] == 95 and "late" not in whole["output"] and "before" not in whole["output"]


def test_without_a_due_date_the_rubrics_deadline_holds(metadata):
    metadata.write_text(json.dumps({**METADATA, "assignment": {"due_date": None}}))
    deadline = handed_in.read(metadata).created_at - timedelta(hours=1)
    assert told(metadata, dataclasses.replace(POLICY, deadline=deadline))["score"] == 85
    assert told(metadata)["score"] == 95


def test_an_open_grade_is_charged_once_it_is_decided(metadata):
    grade = dataclasses.replace(grades.grade("x", vit_model=("error", "ours")), status="needs_review", reason="ours")
    whole = told(metadata, grade=grade)
    assert (
        whole["score"] == 95
        and "charged once the grade is decided" in whole["output"]
        and whole["visibility"] == "hidden"
    )


def test_results_tell_the_pages_story(metadata):
    whole = gradescope.results(of_grade(named(NOW), sentences(VIT.criteria)))
    test = next(test for test in whole["tests"] if test["tags"] == ["vit.model"])
    name = next(iter(CHECKS))
    assert test["output"].splitlines() == [
        "failed", "submission.ipynb, cell 3, line 7", "", f"Expected: {CHECKS[name]}",
        "Seen: expected (8, 10), got (8, 17)", "Look at next: Look there.",
    ]  # fmt: skip
    assert whole["output"].splitlines()[:3] == [
        "95 of 100 points",
        "Look at these first:",
        "  The whole ViT (up to 5 points)",
    ]
    assert "full marks" in gradescope.results(of_grade(grades.grade("x")))["output"]


def named(grade):
    """The grade, its check of the whole ViT under a name that the assignment has."""
    name = next(iter(CHECKS))

    def renamed(result):
        return dataclasses.replace(result, checks=(dataclasses.replace(result.checks[0], name=name),))

    criteria = tuple(renamed(each) if each.id == "vit.model" else each for each in grade.criteria)
    return dataclasses.replace(grade, criteria=criteria)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"created_at": "yesterday", "assignment": {}}', '{"created_at": 1}'])
def test_what_is_no_metadata_is_one_line(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(GraderError, match=r"expected Gradescope's submission_metadata\.json"):
        handed_in.read(path)


@pytest.mark.parametrize(
    "results", [None, {}, {"tests": None}, {"tests": [1, {"tags": "x"}, {"tags": [], "score": 1}]}], ids=str
)
def test_earlier_results_of_another_form_say_nothing(results):
    earlier = {"submission_time": "2026-11-20T14:24:48Z", "score": 1, "results": results}
    assert msgspec.convert(earlier, handed_in.EarlierSubmission, strict=False).points == {}


def test_a_grade_is_never_lost_to_metadata(tmp_path, capsys):
    given = parsed("x", "--metadata", str(tmp_path / "none.json"))
    (result,) = command.exported(given, [NOW])
    assert result.points == 95 and "none.json: cannot be read" in capsys.readouterr().err


def test_the_command_reads_metadata_with_the_rubrics_policy(metadata, tmp_path):
    rubric = tmp_path / "rubric.toml"
    rubric.write_text(DEFAULT.read_text() + "\n[late]\nper_day = 5\n")
    (result,) = command.exported(parsed("x", "--metadata", str(metadata), "--rubric", str(rubric)), [NOW])
    assert result.points == 85


def parsed(*arguments):
    from grader.cli import parser

    return parser("grade").parse_args(arguments)


def test_run_autograder_hands_the_metadata_over(tmp_path):
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "autograder" / "results").mkdir(parents=True)
    python = tmp_path / "env" / "bin" / "python"
    python.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/said\nfor word; do case $word in gradescope=*) echo {{}} > "${{word#gradescope=}}";; esac; done\n'
    )
    python.chmod(0o755)
    variables = {
        **os.environ,
        "AUTOGRADER": str(tmp_path / "autograder"),
        "VIT_GRADE_ENVIRONMENT": str(tmp_path / "env"),
    }
    for there in (False, True):
        if there:
            (tmp_path / "autograder" / "submission_metadata.json").write_text("{}")
        subprocess.run([PACKAGES / "gradescope" / "run_autograder"], env=variables, check=True)
        assert ("--metadata" in Path(tmp_path, "said").read_text()) == there


def test_gradescope_needs_no_extra():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pygments', 'jinja2', 'nh3', 'matplotlib', 'markupsafe'])); "
        "from grader import exports; from grader.exports.result import of_grade; from tests import grades; "
        "print(exports.FORMATS['gradescope'].write([of_grade(grades.grade())])[:1])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "{\n"
