"""The JSON of a grade: its schema, its shape, and the way back."""

import dataclasses
import json
import os
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import GraderError
from grader.reports import record
from grader.reports.written import SCHEMA
from grader.reports.written import text as schema_text
from tests import grades

VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))

KINDS = {
    "full marks": grades.grade(),
    "mixed": grades.grade(
        vit_model=("failed", "no"), application_knn=("partial", "half"), vit_heads=("missing", "to do")
    ),
    "needs review": dataclasses.replace(grades.grade(vit_model=("error", "us")), status="needs_review", reason="us"),
    "rejected": grades.rejected(),
}


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(VALIDATOR.schema)


def test_the_schemas_file_is_made_from_the_types():
    """Where it differs: python -m grader.reports.written"""
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("grade", KINDS.values(), ids=KINDS)
def test_every_kind_of_grade_fits_the_schema(grade):
    VALIDATOR.validate(record.to_dict(grade))


def test_a_list_of_grades_fits_the_schema():
    VALIDATOR.validate([record.to_dict(grade) for grade in KINDS.values()])


@pytest.mark.parametrize("grade", KINDS.values(), ids=KINDS)
def test_a_record_reads_back_as_the_same_grade(grade):
    written = record.to_dict(grade)
    assert record.to_dict(record.from_dict(json.loads(json.dumps(written)))) == written


def test_keys_come_in_the_order_of_the_specification():
    assert list(record.to_dict(grades.grade())) == [
        "schema_version", "submission", "status", "score", "undecided", "max_score", "seed",
        "criteria", "measured", "warnings", "sandbox", "timings",
    ]  # fmt: skip


def _broken(change):
    written = record.to_dict(grades.grade(vit_model=("failed", "no")))
    change(written)
    return written


WRONG = {
    "an unknown key": lambda g: g.update(extra=1),
    "an unknown status": lambda g: g.update(status="fine"),
    "a missing seed": lambda g: g.pop("seed"),
    "open points of a plain grade": lambda g: g.update(undecided=5.0),
    "a score as text": lambda g: g.update(score="91"),
    "a warning with words for a code": lambda g: g["warnings"].append({"code": "made up", "message": "x"}),
    "points for what failed": lambda g: next(c for c in g["criteria"] if c["status"] == "failed").update(points=1.0),
    "a rejected grade with points": lambda g: g.update(status="rejected", reason="x", score=5.0),
    "a reason for a plain grade": lambda g: g.update(reason="x"),
    "a sandbox that says too little": lambda g: g["sandbox"].pop("network"),
    "a share over one": lambda g: g["measured"].update(accuracy=89.1),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_the_schema_refuses(change):
    assert not VALIDATOR.is_valid(_broken(change))


def test_what_is_not_finite_is_not_measured():
    grade = dataclasses.replace(grades.grade(), measured={"accuracy": float("nan"), "precision_at_1": 0.5})
    assert record.to_dict(grade)["measured"] == {"precision_at_1": 0.5}


@given(st.text(st.characters(), max_size=40))  # halves of surrogate pairs included
def test_any_text_of_a_submission_makes_json_that_others_can_read(text):
    written = record.to_dict(grades.grade(name=text, vit_model=("failed", text or "x")))
    assert json.loads(json.dumps(written, ensure_ascii=False).encode()) == written


def test_a_record_of_another_version_is_refused():
    with pytest.raises(GraderError, match="schema version 2"):
        record.from_dict({"schema_version": 3})


def test_a_record_of_version_1_gave_points_that_are_open_now():
    written = record.to_dict(KINDS["needs review"])
    old = {**written, "schema_version": 1, "score": 100.0}
    del old["undecided"]
    old["criteria"] = [{**c, "points": c["max_points"]} for c in written["criteria"]]
    assert record.to_dict(record.from_dict(old)) == written


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    target = tmp_path / "new" / "grade.json"
    record.write([grades.grade()], str(target))
    record.write([grades.grade(), grades.grade()], str(target))
    assert len(json.loads(target.read_text())) == 2
    assert [path.name for path in target.parent.iterdir()] == ["grade.json"]


def test_a_device_is_written_to_and_not_replaced():
    record.write([grades.grade()], os.devnull)
    assert not Path(os.devnull).is_file()


def test_a_pipe_is_written_to_by_the_name_that_a_shell_gives_it():
    reader, writer = os.pipe()
    record.put("whole", f"/dev/fd/{writer}")
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "whole"


def test_what_stands_in_a_file_that_a_shell_opened_stays_there(tmp_path):
    with (tmp_path / "job.log").open("w") as log:
        log.write("before\n")
        log.flush()
        record.put("after\n", f"/dev/fd/{log.fileno()}")
    assert (tmp_path / "job.log").read_text() == "before\nafter\n"


def test_a_place_that_cannot_be_written_is_said_with_its_path(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(GraderError, match=r"file.grade\.json: cannot be written"):
        record.write([grades.grade()], str(tmp_path / "file" / "grade.json"))
