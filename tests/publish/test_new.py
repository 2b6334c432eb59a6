"""``grade.py new``: an assignment that works as it is written, in every command."""

import json
import shutil

import pytest

from grader import finding, shipped
from grader.cli import main
from grader.publish import new
from grader.students import commands, notebook


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A new assignment."""
    folder = tmp_path_factory.mktemp("new") / "demo"
    assert main(["new", str(folder)]) == 0
    return folder


def test_its_reference_has_full_marks_and_its_template_none(demo, tmp_path):
    command = [str(demo / "reference"), str(demo / "student"), "--assignment", str(demo), "--out", str(tmp_path)]
    assert main([*command, "--json", str(tmp_path / "grades.json")]) == 0
    grades = json.loads((tmp_path / "grades.json").read_text())
    assert [(grade["assignment"], grade["score"], grade["max_score"]) for grade in grades] == [
        ("demo", 10, 10), ("demo", 0, 10),
    ]  # fmt: skip


def test_it_passes_its_own_audit(demo, tmp_path, capsys):
    assert main(["audit", "--assignment", str(demo), "--out", str(tmp_path)]) == 0
    assert "5 cases, 0 not as they should be; 2 of 2 faults named" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("def load", "def lod", "corpus.py: expected a function load, which gives (faults, variants)"),
        ("from ", "import numpyy\nfrom ", "the corpus cannot be imported: ModuleNotFoundError: No module named 'numpyy' (corpus.py, line "),
    ],
    ids=["a misspelt function", "an import"],
)  # fmt: skip
def test_a_corpus_that_is_none_is_named_with_its_file(demo, tmp_path, capsys, old, new, line):
    own = shutil.copytree(demo, tmp_path / "own")
    text = (own / "corpus.py").read_text()
    assert old in text
    (own / "corpus.py").write_text(text.replace(old, new, 1))
    assert main(["audit", "--assignment", str(own), "--out", str(tmp_path / "out")]) == 2
    assert line in capsys.readouterr().err


def test_a_criterion_of_it_is_checked_in_a_session(demo):
    verdict = notebook.check("softmax.values", demo / "reference", assignment=demo)
    assert verdict.passed
    with pytest.raises(ValueError, match=r"did you mean 'softmax\.values'"):
        notebook.check("softmax.value", demo / "reference", assignment=demo)


def test_what_students_ask_in_its_folder_is_about_it(demo, monkeypatch, capsys):
    monkeypatch.chdir(demo)
    assert commands.main(["explain"]) == 0
    assert "softmax.values" in capsys.readouterr().out
    monkeypatch.chdir(demo.parent)
    assert commands.main(["explain"]) == 0
    assert "vit.model" in capsys.readouterr().out


@pytest.mark.parametrize("system", [["release", "--skip-audit"], ["package", "source"]], ids=lambda words: words[0])
def test_a_file_of_its_own_that_is_no_text_goes_with_it(demo, tmp_path, system):
    own = shutil.copytree(demo, tmp_path / "own")
    (own / "words.bin").write_bytes(b"\x97\x00")
    assert main([*system, "--assignment", str(own), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "grader" / "assignments" / "own" / "words.bin").read_bytes() == b"\x97\x00"


@pytest.mark.parametrize("system", [["release", "--skip-audit"], ["package", "source"]], ids=lambda words: words[0])
def test_a_line_that_the_grader_holds_anyway_gives_nothing_away(demo, tmp_path, capsys, system):
    own = shutil.copytree(demo, tmp_path / "own")
    line = 'optimizer = torch.optim.SGD(trained, lr=call["lr"])'
    assert line in "".join(path.read_text() for path in shipped.PACKAGE.glob("torchkit/**/*.py"))
    solution = (own / "reference" / "softmax.py").read_text()
    (own / "reference" / "softmax.py").write_text(solution.replace("    powers =", f"    {line}\n    powers ="))
    command = [*system, "--assignment", str(own), "--out"]
    assert main([*command, str(tmp_path / "out")]) == 0
    (own / "ops.py").write_text(f"{(own / 'ops.py').read_text()}\n# {line}\n")
    assert main([*command, str(tmp_path / "again")]) == 2
    assert "ops.py: holds a line of the solution" in capsys.readouterr().err


def test_its_template_is_what_its_reference_says(demo):
    assert main(["template", "--check", "--assignment", str(demo)]) == 0


def test_a_gradebook_remembers_the_assignment_and_takes_no_other(demo, tmp_path, capsys):
    shutil.copytree(demo / "reference", tmp_path / "class" / "anna")
    shutil.copytree(demo / "student", tmp_path / "class" / "bela")
    out = ["--out", str(tmp_path / "grades")]
    assert main([str(tmp_path / "class"), "--assignment", str(demo), *out]) == 0
    rubric = tmp_path / "rubric.toml"
    rubric.write_text((demo / "rubric.toml").read_text().replace("points = 4", "points = 14"))
    capsys.readouterr()
    assert main(["regrade", "--rubric", str(rubric), *out]) == 0
    assert "anna: 10 → 20 (+10)  softmax.large" in capsys.readouterr().out
    assert main(["export", "json", "--to", str(tmp_path / "all.json"), *out]) == 0
    assert {grade["assignment"] for grade in json.loads((tmp_path / "all.json").read_text())} == {"demo"}
    assert main(["similar", *out]) == 0
    assert main([str(tmp_path / "class"), "--assignment", "vit", *out]) == 2
    assert "holds grades of the assignment" in capsys.readouterr().err
    assert main(["regrade", "--assignment", "vit", *out]) == 2
    assert "holds grades of the assignment" in capsys.readouterr().err
    moved = shutil.copytree(demo, tmp_path / "moved" / "demo")
    assert main(["regrade", "--assignment", str(moved), *out]) == 0
    moved.rename(tmp_path / "demo")
    assert main(["regrade", *out]) == 2
    assert "`grade.py regrade --assignment FOLDER` takes it from where it is now" in capsys.readouterr().err
    assert main(["regrade", "--assignment", str(tmp_path / "demo"), *out]) == 0
    assert main(["regrade", *out]) == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [("vit", "an installed assignment has that name"), ("My-Task", "expected a name of small letters"), ("there", "there is something already")],
)  # fmt: skip
def test_a_name_that_cannot_be_is_one_line(tmp_path, capsys, name, words):
    (tmp_path / "there").mkdir()
    assert main(["new", str(tmp_path / name)]) == 2
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_the_skeleton_is_no_assignment_that_is_installed():
    assert "skeleton" not in finding.names()
    assert "skeleton" not in "".join(path.read_text() for path in new.SKELETON.glob("reference/*"))
