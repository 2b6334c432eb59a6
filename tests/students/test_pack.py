"""The zip that students make to hand in: what it holds, what it says, and that its grade has the same digest."""

import argparse
import shutil
import zipfile
from pathlib import Path

import pytest

from grader import finding
from grader.assignments.vit.assignment import VIT
from grader.errors import GraderError
from grader.students import pack
from tests import grades

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    """A student's folder, with what tools and data leave there."""
    made = tmp_path / "student"
    shutil.copytree(ROOT / "student", made)
    for name in ("__pycache__/a.pyc", ".git/HEAD", "data/raw/images.gz", "notes/plan.md", "vit_embeds.pt", "cat.png"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(b"x")
    return made


@pytest.fixture
def packed(tmp_path, monkeypatch, capsys):
    """Pack a folder without looking at its models; what is said, and the zip."""
    monkeypatch.chdir(tmp_path)

    def run(path, *more):
        parser = argparse.ArgumentParser()
        pack.add_arguments(parser)
        assert pack.run(parser.parse_args([str(path), "--skip-models", *more])) == 0
        return capsys.readouterr().out, tmp_path / "student.zip"

    return run


def names(file):
    with zipfile.ZipFile(file) as archive:
        return {name.removeprefix("submission/") for name in archive.namelist()}


def digest(path):
    with pack._opened(path, VIT) as submission:
        return submission.sha256


def test_the_zip_holds_what_counts_and_has_the_same_digest(folder, packed):
    said, file = packed(folder)
    assert names(file) >= {"submission.ipynb", "vit_model.py", "vit_embeds.pt", "notes/plan.md"}
    assert not any(part in name for name in names(file) for part in ("pycache", ".git", "images", "cat.png"))
    assert digest(file) == digest(folder)
    assert said.splitlines()[-1].endswith(digest(folder))


def test_what_stays_out_is_named_with_the_reason_and_a_whole_folder_once(folder, packed):
    said, _ = packed(folder)
    assert "Left out: data/ (no notebook, .py file, checkpoint or small text)" in said
    assert "Left out: cat.png (no notebook" in said
    assert "Left out: __pycache__/ (made by a tool or a system)" in said
    assert "images.gz" not in said


def test_packed_again_it_is_the_same_file_byte_by_byte_and_tells_nothing_of_the_machine(folder, packed):
    _, file = packed(folder)
    first = file.read_bytes()
    packed(folder)
    assert file.read_bytes() == first
    assert str(folder.parent).encode() not in first
    with zipfile.ZipFile(file) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not any(info.extra for info in archive.infolist())


def test_one_file_is_no_plural(folder, packed, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(folder / "submission.ipynb", alone)
    assert ": 1 file, " in packed(alone)[0].splitlines()[0]


def test_a_folder_around_all_files_changes_nothing(folder, packed, tmp_path):
    around = tmp_path / "around" / "inner"
    around.parent.mkdir()
    folder.rename(around)
    said, _ = packed(around.parent, "--to", "student.zip")
    assert digest(tmp_path / "student.zip") == digest(around)
    assert "Left out: inner/cat.png" in said


def test_a_notebook_is_packed_with_the_files_beside_it(folder, packed, tmp_path):
    _, file = packed(folder / "submission.ipynb", "--to", "student.zip")
    assert names(file) >= {"submission.ipynb", "vit_model.py", "vit_embeds.pt"}
    assert digest(file) == digest(folder / "submission.ipynb")


def test_more_than_the_course_takes_is_said(folder, packed, tmp_path, monkeypatch):
    settings = tmp_path / "settings.toml"
    settings.write_text("max_mb = 0.001\n")
    monkeypatch.setattr(finding, "SETTINGS", settings)
    assert "the zip is larger than the 0.001 MB that the course takes" in packed(folder)[0]


def test_what_intake_remarks_is_passed_on(folder, packed):
    (folder / "vit_model.py").write_text("class ViT(:\n    pass\n")
    assert "Look at this: vit_model.py, line 1: invalid syntax" in packed(folder)[0]


def test_what_is_no_submission_is_one_line(tmp_path, packed):
    (tmp_path / "empty").mkdir()
    with pytest.raises(GraderError, match="no notebook"):
        packed(tmp_path / "empty")
    assert not list(tmp_path.glob("*.zip"))


def test_what_is_wrong_with_the_models_is_said(folder, monkeypatch, capsys, tmp_path):
    missing = grades.grade(vit_accuracy=("missing", "there is no vit_classifier.pt"))

    class Grader:
        def grade(self, path, only):
            assert path == tmp_path / "made.zip"
            assert tuple(only) == VIT.trained
            return missing

        def close(self):
            pass

    monkeypatch.setattr("grader.pipeline.open_grader", lambda options: Grader())
    parser = argparse.ArgumentParser()
    pack.add_arguments(parser)
    pack.run(parser.parse_args([str(folder), "--to", str(tmp_path / "made.zip")]))
    assert "Look at this: vit.accuracy: there is no vit_classifier.pt" in capsys.readouterr().out


def test_right_code_without_models_is_told_of_the_models_alone(tmp_path, capsys):
    reference = tmp_path / "student"
    shutil.copytree(ROOT / "reference", reference, ignore=shutil.ignore_patterns("*.pt", "*.ipynb"))
    shutil.copyfile(ROOT / "student" / "submission.ipynb", reference / "submission.ipynb")
    parser = argparse.ArgumentParser()
    pack.add_arguments(parser)
    pack.run(parser.parse_args([str(reference), "--to", str(tmp_path / "made.zip")]))
    lines = [line.split(":")[1].strip() for line in capsys.readouterr().out.splitlines() if line.startswith("Look")]
    assert lines == ["vit.accuracy", "contrastive.logs", "contrastive.precision"]


def test_what_cannot_be_written_leaves_nothing_behind(folder, tmp_path):
    parser = argparse.ArgumentParser()
    pack.add_arguments(parser)
    (tmp_path / "taken.zip").mkdir()
    with pytest.raises(GraderError, match="could not be written"):
        pack.run(parser.parse_args([str(folder), "--skip-models", "--to", str(tmp_path / "taken.zip")]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["student", "taken.zip"]


def test_another_name_than_a_zips_is_refused(folder, tmp_path):
    parser = argparse.ArgumentParser()
    pack.add_arguments(parser)
    with pytest.raises(GraderError, match="expected a name that ends in"):
        pack.run(parser.parse_args([str(folder), "--skip-models", "--to", str(tmp_path / "abc")]))
    assert not (tmp_path / "abc").exists()
