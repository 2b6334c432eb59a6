"""Where assignments are found, and what is said where there is none."""

import importlib.metadata
import shutil
from pathlib import Path

import pytest

from grader import finding, shipped
from grader.assignments.vit.assignment import VIT
from grader.data import NoData
from grader.errors import GraderError
from grader.mistakes import mistakes
from grader.pipeline import hidden_folders

EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "examples" / "linear_regression"


def test_an_installed_one_is_found_by_its_name_and_by_its_folder():
    assert finding.find("vit") is VIT
    assert finding.find(str(VIT.folder)) is VIT
    assert finding.source_of(VIT) == "vit"


def test_the_settings_say_which_is_meant_where_none_is_named():
    assert finding.find("") is finding.find(finding.default_name())


@pytest.mark.parametrize("place", ["", "assignment.py"], ids=["folder", "file"])
def test_another_one_is_found_by_its_folder_or_its_file(place):
    found = finding.find(str(EXAMPLE / place))
    assert found.name == "linear regression"
    assert finding.source_of(found) == str(EXAMPLE)


def test_an_entry_point_names_one(monkeypatch):
    module = "grader.assignments.vit.assignment"
    point = importlib.metadata.EntryPoint("other", f"{module}:VIT", "grader.assignments")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point] * (group == "grader.assignments"))
    assert finding.find("other") is VIT


def test_every_assignment_here_is_without_mistakes():
    for each in (*finding.names(), str(EXAMPLE), str(shipped.PACKAGE / "publish" / "skeleton")):
        assert not list(mistakes(finding.find(each)))


def test_its_modules_import_each_other_and_are_read_afresh(tmp_path):
    folder = shutil.copytree(EXAMPLE, tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "names.py").write_text("NAME = 'one'\n")
    code = (folder / "assignment.py").read_text()
    (folder / "assignment.py").write_text("from . import names\n" + code.replace('"linear regression"', "names.NAME"))
    assert finding.find(str(folder)).name == "one"
    (folder / "names.py").write_text("NAME = 'another'\n")
    assert finding.find(str(folder)).name == "another"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module", "cannot be imported: ModuleNotFoundError"),
        ("x = 1 +", r"cannot be imported: SyntaxError: invalid syntax \(assignment.py, line 1\)$"),
        ("ASSIGNMENT = 3", "expected it to define one grader.assignment.Assignment, found 0"),
    ],
)
def test_one_that_cannot_be_used_is_one_line(tmp_path, code, words):
    (tmp_path / "assignment.py").write_text(code)
    with pytest.raises(GraderError, match=words) as refused:
        finding.find(str(tmp_path))
    assert "\n" not in str(refused.value) and "frozen" not in str(refused.value)


def test_a_folder_without_one_and_a_misspelt_name_are_one_line(tmp_path):
    with pytest.raises(GraderError, match=r"expected a folder with assignment\.py"):
        finding.find(str(tmp_path))
    with pytest.raises(GraderError, match=r"vitt: expected .* did you mean 'vit'"):
        finding.find("vitt")


def test_no_worker_may_read_the_reference_or_the_corpus_wherever_they_lie(tmp_path):
    folder = shutil.copytree(EXAMPLE, tmp_path / "mine")
    (folder / "corpus").mkdir()
    assert hidden_folders(finding.find(str(folder)), NoData()) == [str(folder / "reference"), str(folder / "corpus")]
