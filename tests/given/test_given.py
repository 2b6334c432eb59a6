"""Given files that an instructor brings: what is read, what is refused, and what they change."""

import json
from pathlib import Path

import jsonschema
import nbformat
import pytest

from grader import cli, given
from grader.assignments.vit import blocks, model
from grader.assignments.vit.assignment import VIT
from grader.errors import GraderError
from grader.gradebook import digests
from grader.pipeline import Options
from grader.reports import record
from grader.reports.written import SCHEMA
from tests import harness
from tests.assignments.vit.test_blocks import source
from tests.gradebook import classroom

ROOT = Path(__file__).resolve().parents[2]
CHECK_VIT = (ROOT / "check_vit.py").read_text()
EDITED = source().replace("indices += of_class", "indices = indices + of_class")


def folder(path: Path, **files: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


def notebook(code: str) -> str:
    cells = [nbformat.v4.new_code_cell(f"!pip install faiss\n{code}")]
    return json.dumps(nbformat.v4.new_notebook(cells=cells))


def test_the_projects_own_files_hold_every_block_and_check_vit() -> None:
    own = given.own(VIT)
    assert {"check_vit.py", "project.py", "course_2023.py"} <= own.texts.keys()
    assert blocks.known(own).blocks.texts.keys() == set(blocks.RULES.names)
    assert not own.replaced and own.kept() == ""


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "found none of them"),
        ({"helper__py": "lr = 1"}, "found none of them"),
        ({"blocks__py": "def sample_balanced_subset(:"}, "blocks.py cannot be read: invalid syntax"),
        ({"blocks__ipynb": "{"}, "blocks.ipynb cannot be read"),
        ({"blocks__ipynb": "[]"}, "expected a notebook of version 4"),
        ({"blocks__sha256": "12  sample_balanced_subset"}, "<name of a given block>`, got '12"),
        ({"check_vit__py": "CASES = open('x')"}, "check_vit.py: CASES cannot be read"),
        ({"check_vit__py": "CASES = {'ViT': 3}"}, "check_vit.py: CASES cannot be read"),
        ({"check_vit__py": "CASES = {'ViT': [((28,), 'no', (2,))]}"}, "expected CASES to hold"),
    ],
    ids=["empty", "other code", "syntax", "no JSON", "no notebook", "digests", "no table", "no cases", "no shapes"],
)
def test_bad_given_files_are_one_line(files: dict[str, str], said: str, tmp_path: Path, capsys) -> None:
    where = folder(tmp_path / "given", **files)
    submission = classroom.notebook(tmp_path / "a.ipynb", classroom.RIGHT)
    assert cli.main([str(submission), "--given", str(where)]) == 2
    err = capsys.readouterr().err
    assert said in err and str(where) in err and err.count("\n") == 1


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, capsys) -> None:
    submission = classroom.notebook(tmp_path / "a.ipynb", classroom.RIGHT)
    assert cli.main([str(submission), "--given", str(tmp_path / "no")]) == 2
    assert "expected a folder with the course's given files" in capsys.readouterr().err


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (folder(tmp_path / "given") / "blocks.py").write_bytes(b"\xff\xfe")
    with pytest.raises(GraderError, match=r"blocks\.py: expected text in UTF-8"):
        given.replaced(tmp_path / "given", VIT)


@pytest.mark.parametrize("name", ["blocks__py", "assignment__ipynb"])
def test_the_blocks_of_an_instructors_file_are_the_given_ones(name: str, tmp_path: Path) -> None:
    text = EDITED if name.endswith("py") else notebook(EDITED)
    found = blocks.known(given.replaced(folder(tmp_path / "given", **{name: text}), VIT)).blocks
    own = blocks.known(given.own(VIT)).blocks
    assert len(found.texts["sample_balanced_subset"]) == 1
    assert found.texts["sample_balanced_subset"].keys() != own.texts["sample_balanced_subset"].keys()


def test_digests_alone_are_enough(tmp_path: Path) -> None:
    lines = (ROOT / "grader" / "assignments" / "vit" / "given" / "course_2023.sha256").read_text()
    found = blocks.known(given.replaced(folder(tmp_path / "given", course__sha256=lines), VIT))
    assert found.blocks.texts.keys() == set(blocks.RULES.names)


def test_an_instructors_check_vit_is_the_one_that_is_asked(tmp_path: Path) -> None:
    larger = CHECK_VIT.replace("((64,), (2, 64), (2, 10))", "((64, 12), (2, 64), (2, 12))")
    files = given.replaced(folder(tmp_path / "given", check_vit__py=larger), VIT)
    seen = harness.evidence({"vit_model": "lr = 1"}, [model.shapes.TOPIC], given=files)
    assert seen["shapes"].question.known["ClassificationHead"]["cases"][0] == ((64, 12), (2, 64), (2, 12))


def test_a_check_vit_without_cases_is_only_compared(tmp_path: Path) -> None:
    files = given.replaced(folder(tmp_path / "given", check_vit__py="from vit_model import ViT\n"), VIT)
    seen = harness.evidence({"vit_model": "lr = 1"}, [model.shapes.TOPIC], given=files)
    known = {name: asked["cases"][:-1] for name, asked in seen["shapes"].question.known.items()}
    assert known == model.shapes.cases(CHECK_VIT)


def test_the_digest_tells_files_apart_and_survives_being_kept(tmp_path: Path) -> None:
    one = given.replaced(folder(tmp_path / "one", blocks__py=source()), VIT)
    other = given.replaced(folder(tmp_path / "other", blocks__py=EDITED), VIT)
    assert len({one.digest, other.digest, given.own(VIT).digest}) == 3
    kept = given.from_kept(one.kept(), VIT)
    assert kept is not None and kept.digest == one.digest
    assert given.from_kept("", VIT) is None


def test_a_grade_with_other_given_files_is_not_current(tmp_path: Path) -> None:
    files = given.replaced(folder(tmp_path / "given", blocks__py=EDITED), VIT)
    assert digests.judging(Options()) != digests.judging(Options(given=files))
    assert digests.judging(Options()) == digests.judging(Options(given=given.own(VIT)))


def test_another_assignment_has_no_given_files(tmp_path: Path) -> None:
    example = ROOT / "docs" / "examples" / "linear_regression" / "assignment.py"
    where, submission = folder(tmp_path / "given", blocks__py=EDITED), classroom.notebook(tmp_path / "a.ipynb", "x = 1")
    assert cli.main([str(submission), "--assignment", str(example), "--given", str(where)]) == 2


def test_the_digest_stands_in_the_grade(tmp_path: Path) -> None:
    where, submission = (
        folder(tmp_path / "given", blocks__py=EDITED),
        classroom.notebook(tmp_path / "a.ipynb", classroom.RIGHT),
    )
    written = tmp_path / "grade.json"
    arguments = ["--given", str(where), "--json", str(written), "--out", str(tmp_path / "out"), *classroom.ONLY]
    assert cli.main([str(submission), *arguments]) == 0
    grade = json.loads(written.read_text())
    jsonschema.validate(grade, json.loads(SCHEMA.read_text()))
    assert grade["given"] == given.replaced(where, VIT).digest
    assert record.from_dict(grade).given == grade["given"]


def test_a_record_without_the_digest_still_loads(tmp_path: Path) -> None:
    from tests import grades

    assert "given" not in record.to_dict(grades.grade())
    assert record.from_dict(record.to_dict(grades.grade())).given == ""
