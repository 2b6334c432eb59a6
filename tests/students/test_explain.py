"""What a student is told about one criterion."""

import json
from pathlib import Path

import pytest

from grader import rubric
from grader.assignments.vit.assignment import VIT
from grader.errors import GraderError
from grader.students import last_run
from grader.students.commands import main
from grader.students.explain import explained


def explanation(criterion, root):
    return " ".join("\n".join(explained(VIT, criterion, root)).split())


@pytest.mark.parametrize("criterion", VIT.criteria)
def test_a_criterion_says_its_points_its_checks_where_to_read_and_how_to_run_it_alone(criterion, tmp_path):
    said = explanation(criterion, tmp_path)
    assert all(" ".join(check.sentence.split()) in said for check in VIT.criteria[criterion].checks)
    assert all(part in said for part in (" points)", "Read: ", "Not run here yet.", f"pytest -k {criterion}"))


def test_what_the_last_run_saw_is_told(tmp_path):
    kept = tmp_path / ".pytest_cache" / "v" / last_run.CACHE_KEY
    kept.parent.mkdir(parents=True)
    kept.write_text(
        json.dumps({"vit.heads": {"status": "failed", "feedback": "got (8, 64)", "at": "2026-11-28 21:00"}})
    )
    assert "Last run, 2026-11-28 21:00: failed: got (8, 64)" in explanation("vit.heads", tmp_path)
    assert "Not run here yet." in explanation("vit.model", tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"vit.heads": 3}', '{"vit.heads": {}}'])
def test_a_damaged_cache_is_passed_over(tmp_path, text):
    kept = Path(tmp_path, ".pytest_cache", "v", last_run.CACHE_KEY)
    kept.parent.mkdir(parents=True)
    kept.write_text(text)
    assert "Not run here yet." in explanation("vit.heads", tmp_path)


def test_without_a_name_all_are_listed(tmp_path):
    lines = explained(VIT, None, tmp_path)
    assert [line.split()[0] for line in lines] == [
        entry.id for entry in rubric.load(VIT.rubric, VIT.check_names).criteria
    ]


def test_a_misspelt_name_is_one_line_that_says_what_was_meant(capsys):
    with pytest.raises(GraderError, match=r"did you mean 'vit\.heads'\?"):
        explained(VIT, "vit.head", Path())
    assert main(["explain", "vit.head"]) == 2
    assert capsys.readouterr().err == "explain: there is no criterion 'vit.head', did you mean 'vit.heads'?\n"
