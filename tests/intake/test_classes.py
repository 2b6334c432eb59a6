"""One submission or a class of them, in every layout that instructors meet."""

import os
import zipfile
from pathlib import Path

import pytest

from grader.intake import find_submissions
from grader.intake.layouts import names_given
from grader.intake.opening import GraderError
from tests.intake.building import opened, run, write_notebook

NOTEBOOK = '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "lr = 1"}]}'

ONE = {
    "a notebook and its modules": ["a.ipynb", "vit_model.py", "vit_embeds.pt"],
    "a notebook alone": ["a.ipynb"],
    "a notebook and the zip of it": ["a.ipynb", "a.zip"],
    "modules only": ["vit_model.py", "contrastive.py"],
    "several notebooks with modules": ["a.ipynb", "b.ipynb", "vit_model.py"],
    "several notebooks with a checkpoint": ["a.ipynb", "b.ipynb", "vit_embeds.pt"],
    "a folder in a folder": ["hw3/a.ipynb", "hw3/vit_model.py"],
    "code and notebooks apart": ["src/vit_model.py", "notebooks/a.ipynb"],
    "code, an older copy and notebooks": ["src/vit_model.py", "old/vit_model.py", "notebooks/a.ipynb"],
    "two packages and notebooks": ["vits/__init__.py", "vits/m.py", "heads/__init__.py", "heads/h.py", "nb/a.ipynb"],
    "a copy beside the notebook": ["project/vit_model.py", "notebooks/a.ipynb", "notebooks/vit_model.py"],
    "modules beside a folder of notebooks": ["vit_model.py", "notebooks/a.ipynb"],
    "a package beside a notebook": ["a.ipynb", "models/vit.py", "models/__init__.py"],
    "a clone": [".git/config", "a.ipynb", "data/FashionMNIST/raw/x.gz", "README.md"],
    "a notebook with its checkpoint and archives": ["a.ipynb", "vit_embeds.pt", "data.zip", "old.zip"],
    "a notebook with its checkpoint and older ones": ["a.ipynb", "vit_embeds.pt", "v1/a.ipynb", "v2/a.ipynb"],
    "a zip alone": ["Assignment3.zip"],
    "a hidden copy": ["a.ipynb", ".ipynb_checkpoints/a-checkpoint.ipynb"],
    "nothing": ["essay.txt"],
}

CLASSES = {
    "a folder each": (["ab12/a.ipynb", "cd34/a.ipynb", "cd34/vit_model.py"], ["ab12", "cd34"]),
    "a folder each, inside a folder": (["hw3/ab12/a.ipynb", "hw3/cd34/a.ipynb"], ["ab12", "cd34"]),
    "a folder each, one without code": (["ab12/a.ipynb", "cd34/essay.pdf", "ef56/a.ipynb"], ["ab12", "cd34", "ef56"]),
    "clones": (["ab12/.git/x", "ab12/a.ipynb", "cd34/.git/x", "cd34/x/a.ipynb", "data/x"], ["ab12", "cd34"]),
    "modules each": (["ab12/vit_model.py", "cd34/vit_model.py"], ["ab12", "cd34"]),
    "modules each, one a notebook": (
        ["ab12/a.ipynb", "cd34/vit_model.py", "ef56/hw3/vit_model.py"],
        ["ab12", "cd34", "ef56"],
    ),
    "modules each, and a notebook": (["ab12.ipynb", "cd34/vit_model.py", "ef56/vit_model.py"], ["ab12", "cd34", "ef56"]),
    "a script beside them": (["grade.py", "ab12/a.ipynb", "cd34/a.ipynb"], ["ab12", "cd34"]),
    "a zip each": (["ab12.zip", "cd34.tar.gz"], ["ab12", "cd34"]),
    "a zip each and a notebook": (["ab12.zip", "cd34.zip", "ef56.ipynb"], ["ab12", "cd34", "ef56"]),
    "a notebook beside folders": (["ab12/a.ipynb", "cd34/a.ipynb", "ef56.ipynb"], ["ab12", "cd34", "ef56"]),
    "one of each": (["ab12/a.ipynb", "cd34.zip", "ef56.ipynb"], ["ab12", "cd34", "ef56"]),
    "a notebook each": (["ab12.ipynb", "cd34.ipynb"], ["ab12", "cd34"]),
    "a zip in a folder each": (["ab12/x.zip", "cd34/x.zip"], ["ab12", "cd34"]),
    "same name twice": (["ab12.zip", "ab12.ipynb", "cd34.zip"], ["ab12.ipynb", "ab12.zip", "cd34"]),
    "Canvas": (["doejane_12_345_a.ipynb", "roejoe_LATE_13_346_A3.zip"], ["doejane", "roejoe"]),
    "Canvas, one student": (["doejane_12_345_a.ipynb", "doejane_12_346_vit_model.py"], ["doejane"]),
    "Canvas, same name": (["li_1_2_a.ipynb", "li_3_4_a.ipynb"], ["li_1", "li_3"]),
    "Canvas with a gradebook": (["doejane_12_345_a.ipynb", "grades.csv", "x.ipynb"], ["doejane", "x"]),
    "Moodle": (["A Doe_77_assignsubmission_file_/a.ipynb", "J. R_78_assignsubmission_file/b.zip"], ["A Doe", "J. R"]),
    "Moodle files": (["A Doe_7_assignsubmission_file_a.ipynb", "J_R_8_assignsubmission_file_b.py"], ["A Doe", "J_R"]),
    "Moodle, a text alone": (
        ["J D_7_assignsubmission_file_/a.ipynb", "O P_8_assignsubmission_onlinetext_/onlinetext.html"],
        ["J D", "O P"],
    ),
    "Canvas, a file named as Moodle might": (
        ["adal_1_10_a.zip", "bo_2_11_x_1_assignsubmission_file_y.zip", "cy_LATE_3_12_z_3_assignsubmission_file_y.zip"],
        ["adal", "bo", "cy"],
    ),
    "Moodle, files named as another student's, or as Canvas might": (
        [
            "Ada L_44_assignsubmission_file_a.zip",
            "Bo M_55_assignsubmission_file_Ada L_44_assignsubmission_file_a.zip",
            "Cy N_66_assignsubmission_file_x_1_2_a.zip",
        ],
        ["Ada L", "Bo M", "Cy N"],
    ),
    "Moodle, a student named as a folder of another's": (
        ["Ada L_44_assignsubmission_file_/a.ipynb", "Ada L_44_assignsubmission_file_B_55_assignsubmission_file_/a.ipynb"],
        ["Ada L", "Ada L_44_assignsubmission_file_B"],
    ),
    "Moodle with texts": (
        ["J D_7_assignsubmission_file_/a.ipynb", "J D_7_assignsubmission_onlinetext_/x.html"],
        ["J D"],
    ),
}  # fmt: skip


def filled(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NOTEBOOK if name.endswith(".ipynb") else "lr = 1")
    return folder


@pytest.mark.parametrize("names", ONE.values(), ids=ONE.keys())
def test_one_submission_is_told_from_a_class(tmp_path: Path, names: list[str]) -> None:
    found = find_submissions(filled(tmp_path / "ab12", names))
    assert [(each.key, each.path) for each in found] == [("ab12", tmp_path / "ab12")]


@pytest.mark.parametrize("names, keys", CLASSES.values(), ids=CLASSES.keys())
def test_a_class_gives_its_students_by_their_names_outside(tmp_path: Path, names: list[str], keys: list[str]) -> None:
    assert [each.key for each in find_submissions(filled(tmp_path / "class", names))] == keys


@pytest.mark.parametrize("names, keys", CLASSES.values(), ids=CLASSES.keys())
def test_the_archive_of_a_class_gives_the_same(tmp_path: Path, names: list[str], keys: list[str]) -> None:
    folder = filled(tmp_path / "class", names)
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    found = find_submissions(tmp_path / "class.zip", tmp_path / "unpacked")
    assert [each.key for each in found] == keys
    assert all(each.path.is_relative_to(tmp_path / "unpacked") for each in found)


def class_zip(path: Path, **more: bytes) -> Path:
    """Write the archive of three students, with more files of the third."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in ("ada", "bob", "cid"):
            archive.writestr(f"{student}/a.ipynb", NOTEBOOK)
        for name, content in more.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name", ["cid/../../x.py", "cid/a\nb.py", "cid\\..\\x.py", "cid/A.IPYNB", "cid/" + "b/" * 40 + "c.py"]
)
def test_one_bad_name_in_the_archive_of_a_class_is_that_students_alone(tmp_path: Path, name: str) -> None:
    found = find_submissions(class_zip(tmp_path / "class.zip", **{name: b""}), tmp_path / "unpacked")
    assert [(each.key, bool(each.refused)) for each in found] == [("ada", False), ("bob", False), ("cid", True)]


@pytest.mark.parametrize("name", ["cid/readme.md", "cid/.git/Config", "cid/__MACOSX/../x.md"])
def test_a_name_that_hurts_nobody_refuses_nobody(tmp_path: Path, name: str) -> None:
    more = {"cid/README.md": b"", "cid/.git/config": b"", name: b""}
    found = find_submissions(class_zip(tmp_path / "class.zip", **more), tmp_path / "unpacked")
    assert [bool(each.refused) for each in found] == [False, False, ".." in name]


def test_one_bomb_in_the_archive_of_a_class_is_that_students_alone(tmp_path: Path) -> None:
    path = class_zip(tmp_path / "class.zip", **{"cid/x.pt": bytes(40_000_000)})
    found = find_submissions(path, tmp_path / "unpacked")
    assert ["times its size" in each.refused for each in found] == [False, False, True]
    assert not (tmp_path / "unpacked/cid/x.pt").exists()


def test_one_damaged_member_in_the_archive_of_a_class_is_that_students_alone(tmp_path: Path) -> None:
    path = class_zip(tmp_path / "class.zip", **{"cid/x.py": b"lr = 1 # no one reads this"})
    data = bytearray(path.read_bytes())
    data[data.index(b"cid/x.py") + 12] ^= 0xFF
    path.write_bytes(data)
    found = find_submissions(path, tmp_path / "unpacked")
    assert ["cannot be read" in each.refused for each in found] == [False, False, True]


def test_a_member_that_is_nobodys_refuses_the_archive_of_a_class(tmp_path: Path) -> None:
    found = find_submissions(class_zip(tmp_path / "class.zip", **{"../x.py": b""}), tmp_path / "unpacked")
    assert [each.path for each in found] == [tmp_path / "class.zip"]


def test_the_archive_of_one_submission_is_left_packed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ab12.zip", "w") as archive:
        archive.writestr("Assignment3/a.ipynb", NOTEBOOK)
        archive.writestr("Assignment3/vit_model.py", "lr = 1")
    assert [(each.key, each.path) for each in find_submissions(tmp_path / "ab12.zip")] == [
        ("ab12", tmp_path / "ab12.zip")
    ]


def test_the_archive_of_a_class_needs_a_workspace(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("ab12/a.ipynb", NOTEBOOK)
        archive.writestr("cd34/a.ipynb", NOTEBOOK)
    with pytest.raises(GraderError, match="unpack it"):
        find_submissions(tmp_path / "class.zip")


def test_canvas_files_of_one_student_belong_together_under_their_own_names(tmp_path: Path) -> None:
    names = ["doejane_LATE_12_345_a.ipynb", "doejane_LATE_12_346_vit_model-1.py", "doejane_LATE_12_344_vit_model.py"]
    folder = filled(tmp_path / "bulk", [*names, "roe_1_2_a.ipynb", "roe_1_3_vit_model.py"])
    found = find_submissions(folder)[0]
    assert (found.late, found.id, found.attempt) == (True, "12", "346")
    assert found.files == {"a.ipynb": folder / names[0], "vit_model.py": folder / names[1]}
    submission = opened(found.path, files=found.files, name=found.key)
    assert submission.files.keys() == {"a.ipynb", "vit_model.py"}


@pytest.mark.parametrize(
    "names",
    [["doe_1_2_a.ipynb", "roe_3_4_a.ipynb"], ["Doe Jane_7_assignsubmission_file_a.ipynb"]],
    ids=["Canvas", "Moodle"],
)
def test_what_was_put_beside_a_download_is_graded_as_well(tmp_path: Path, names: list[str]) -> None:
    beside = ["late.ipynb", "by mail.zip", "folder/a.ipynb"]
    nobodys = ["roster.csv", "notes/todo.txt", "grades/old.ipynb", "data/a.py"]
    found = find_submissions(filled(tmp_path / "bulk", [*names, *beside, *nobodys]))
    assert len(found) == len(names) + len(beside)
    assert {each.key for each in found} >= {"late", "by mail", "folder"}


def test_of_several_students_folders_beside_a_download_none_is_left_out_without_a_word(tmp_path: Path) -> None:
    names = ["Doe Jane_7_assignsubmission_file_a.ipynb", "ab/a.ipynb", "cd/a.ipynb", "ef/readme.md", "gh/report.pdf"]
    found = find_submissions(filled(tmp_path / "bulk", names))
    assert len(found) == len(names)


def test_a_students_own_file_that_is_named_as_canvas_might_makes_no_class(tmp_path: Path) -> None:
    folder = filled(tmp_path / "doe", ["a.ipynb", "vit_model.py", "best_12_88_run.pt"])
    assert [(each.key, each.files) for each in find_submissions(folder)] == [("doe", {})]


def test_notebooks_of_a_class_do_not_see_each_others_files(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    write_notebook(folder / "ab12.ipynb", "from cd34 import lr")
    write_notebook(folder / "cd34.ipynb", "lr = 1")
    found = find_submissions(folder)[0]
    assert opened(found.path, files=found.files).files.keys() == {"ab12.ipynb"}


def test_an_open_class_grades_what_its_folders_hold(tmp_path: Path) -> None:
    folder = filled(tmp_path / "class", ["ab12/deep/a.ipynb", "cd34/a.ipynb"])
    assert [run(opened(each.path, files=each.files))["lr"] for each in find_submissions(folder)] == [1, 1]


def test_a_student_whose_folder_is_empty_is_listed(tmp_path: Path) -> None:
    for name in ("ada/a.ipynb", "bob/a.ipynb"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("{}")
    for name in ("cleo", "data"):
        (tmp_path / name).mkdir()
    assert [found.key for found in find_submissions(tmp_path)] == ["ada", "bob", "cleo"]


def test_a_link_in_a_class_folder_is_nobodys(tmp_path: Path) -> None:
    folder = filled(tmp_path / "class", ["ab12/a.ipynb", "cd34/a.ipynb"])
    (folder / "ef56").symlink_to("/etc")
    assert [each.key for each in find_submissions(folder)] == ["ab12", "cd34"]


@pytest.mark.parametrize("folders", [1, 2, 0])
def test_a_student_who_is_only_linked_to_is_rejected_and_not_forgotten(tmp_path: Path, folders: int) -> None:
    filled(tmp_path / "elsewhere", ["grace/a.ipynb", "bob/a.ipynb"])
    filled(tmp_path / "class", ["ada/a.ipynb", "alan/a.ipynb"][:folders]).mkdir(exist_ok=True)
    for name in ("grace", "bob"):
        (tmp_path / "class" / name).symlink_to(tmp_path / "elsewhere" / name)
    found = find_submissions(tmp_path / "class")
    assert {each.key for each in found if each.refused} == {"bob", "grace"} and len(found) == folders + 2
    (tmp_path / "class" / ".venv").symlink_to(tmp_path / "elsewhere")  # which holds notebooks, too
    assert len(find_submissions(tmp_path / "class")) == folders + 2


def test_a_missing_path_is_said(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match="no such file"):
        find_submissions(tmp_path / "x")


@pytest.mark.parametrize(
    ("names", "students"),
    [
        (["bo_2_11_x_1_assignsubmission_file_y.zip"], [("bo", "2")]),
        (["Cy N_66_assignsubmission_file_x_1_2_a.zip"], [("Cy N", "66")]),
        (["a_1_10_a.zip", "x_2_66_assignsubmission_file_y.zip"], [("a", "1"), ("x", "2")]),
        (["A_65_assignsubmission_file_a.zip", "x_2_66_assignsubmission_file_y.zip"], [("A", "65"), ("x_2", "66")]),
    ],
    ids=["of Canvas", "of Moodle", "beside one of Canvas", "beside one of Moodle"],
)
def test_no_file_is_named_into_another_system_or_for_another_student(names, students):
    moodle, canvas = names_given(dict.fromkeys(names))
    assert sorted((match["who"], match["id"]) for _, match in moodle + canvas) == sorted(students)


def test_a_folder_whose_name_is_not_utf_8_has_a_key_that_every_page_and_table_can_hold(tmp_path):
    for name in (b"bad\xff", b"good"):
        (folder := tmp_path / os.fsdecode(name)).mkdir()
        (folder / "a.ipynb").write_text(NOTEBOOK)
    assert [each.key for each in find_submissions(tmp_path)] == ["bad\\udcff", "good"]
