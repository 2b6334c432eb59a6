"""Files that a browser or a system renamed, and old notebooks: they are read as their author meant them."""

import json
from pathlib import Path

import pytest

from grader.errors import GraderError, Rejected
from grader.intake import find_submissions
from tests.intake.building import opened, write_modules, write_notebook

COPIES = [
    "vit_embeds (1)",
    "vit_embeds(1)",
    "Copy of vit_embeds",
    "vit_embeds - Copy",
    "vit_embeds-1",
    "vit_embeds-Copy1",
]
NOT_COPIES = ["vit_embeds_v2", "vit_embeds-2024", "embeds"]


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.usefixtures("in_process")
def test_a_copy_of_a_checkpoint_counts_where_it_is_the_only_one(tmp_path: Path, name: str) -> None:
    path = write_notebook(tmp_path / "ab12/a.ipynb", "lr = 1")
    path.with_name(f"{name}.pt").write_bytes(b"copy")
    submission = opened(path.parent)
    assert submission.files["vit_embeds.pt"] == submission.root / f"{name}.pt"


@pytest.mark.parametrize("name", NOT_COPIES)
@pytest.mark.usefixtures("in_process")
def test_a_checkpoint_of_another_name_is_no_copy(tmp_path: Path, name: str) -> None:
    path = write_notebook(tmp_path / "ab12/a.ipynb", "lr = 1")
    path.with_name(f"{name}.pt").write_bytes(b"other")
    assert "vit_embeds.pt" not in opened(path.parent).files


@pytest.mark.usefixtures("in_process")
def test_the_original_goes_before_its_copies_and_the_last_copy_before_others(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "ab12/a.ipynb", "lr = 1")
    for name in ("vit_embeds.pt", "vit_embeds (1).pt", "vit_classifier (2).pt", "vit_classifier (10).pt"):
        path.with_name(name).write_bytes(name.encode())
    files = opened(path.parent).files
    assert files["vit_embeds.pt"].name == "vit_embeds.pt"
    assert files["vit_classifier.pt"].name == "vit_classifier (10).pt"


@pytest.mark.parametrize(
    "name", ["assignment3.ipynb.txt", "assignment3.ipynb.json", "assignment3.txt", "assignment3.json"]
)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside a module"])
@pytest.mark.usefixtures("in_process")
def test_a_notebook_that_was_saved_as_text_is_graded_under_its_name(tmp_path: Path, name: str, alone: bool) -> None:
    path = write_notebook(tmp_path / "ab12" / name, "lr = 1")
    if not alone:
        path.with_name("vit_model.py").write_text("num_epochs = 3")
    submission = opened(path.parent)
    assert str(submission.program.names["lr"]) == f"{name}, cell 1, line 1"
    assert ("num_epochs" in submission.program.names) is not alone


@pytest.mark.usefixtures("in_process")
def test_a_notebook_that_was_saved_as_text_is_opened_by_its_path(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "ab12.ipynb.txt", "lr = 1")
    submission = opened(path)
    assert submission.name == "ab12" and "lr" in submission.program.names


def test_a_class_of_notebooks_saved_as_text_is_a_class(tmp_path: Path) -> None:
    for name in ("ada.ipynb.txt", "bob.ipynb"):
        write_notebook(tmp_path / "class" / name, "lr = 1")
    assert [found.key for found in find_submissions(tmp_path / "class")] == ["ada", "bob"]


@pytest.mark.usefixtures("in_process")
def test_other_text_is_no_notebook(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "ab12/a.ipynb", "lr = 1")
    path.with_name("config.json").write_text('{"cells": [], "nbformat": "?"}')
    path.with_name("notes.ipynb.txt").write_text("lr = 2")
    assert opened(path.parent).notebook == "a.ipynb"
    path.unlink()
    path.with_name("config.json").unlink()
    with pytest.raises((Rejected, GraderError), match="holds no notebook"):
        opened(path.parent, workspace=tmp_path / "again")


def version_3(*cells: dict[str, object]) -> str:
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": list(cells)}]})


@pytest.mark.parametrize("lines", [["lr = 1\n", "num_epochs = 2"], "lr = 1\nnum_epochs = 2"], ids=["list", "text"])
def test_a_notebook_of_version_3_is_read_with_its_headings_and_lines(tmp_path: Path, lines: list[str] | str) -> None:
    output = {"output_type": "stream", "stream": "stdout", "text": ["Best\n", "0.8"]}
    code = {"cell_type": "code", "input": lines, "language": "python", "outputs": [output], "prompt_number": 1}
    heading = {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Assignment 3"]}
    (tmp_path / "a.ipynb").write_text(version_3(heading, code))
    submission = opened(tmp_path / "a.ipynb")
    assert submission.program.names.keys() == {"lr", "num_epochs"}
    assert submission.cells[0].text == "Best\n0.8\n"


@pytest.mark.parametrize("name", ["my-vit", "2_vit", "vit model (final)", "Copy of vit_model", "vit.v2"])
@pytest.mark.usefixtures("in_process")
def test_what_a_module_defines_counts_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    write_notebook(tmp_path / "ab12/a.ipynb", "lr = 1")
    write_modules(tmp_path / "ab12", **{name: "class ViT: pass"})
    assert opened(tmp_path / "ab12").program.names["ViT"].file == f"{name}.py"


@pytest.mark.usefixtures("in_process")
def test_a_module_that_an_import_can_name_goes_before_others(tmp_path: Path) -> None:
    write_modules(tmp_path / "ab12", **{"vit-model": "class ViT: old = 1", "vit_model": "class ViT: new = 1"})
    assert opened(tmp_path / "ab12").program.names["ViT"].file == "vit_model.py"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.usefixtures("in_process")
def test_a_module_is_read_in_the_encodings_of_windows(tmp_path: Path, encoding: str) -> None:
    write_notebook(tmp_path / "ab12/a.ipynb", "lr = 1")
    mark = "" if encoding in ("utf-16", "utf-8-sig") else "\ufeff"
    (tmp_path / "ab12/vit_model.py").write_bytes(f"{mark}class ViT:  # größer\r\n    pass\r\n".encode(encoding))
    submission = opened(tmp_path / "ab12")
    assert submission.program.names["ViT"].file == "vit_model.py" and not submission.syntax_errors


OTHER_FORMATS = {
    "a document of a word processor (RTF)": r"{\rtf1\ansi class ViT(nn.Module):\par def forward(self):\par }",
    "a zip file or a document": "PK\x03\x04word/document.xml",
    "a PDF": "%PDF-1.7 class ViT",
    "a web page": "<!DOCTYPE html><pre>class ViT(nn.Module):</pre>",
    "a notebook": '{\n "cells": [{"source": ["class ViT(nn.Module):"]}]}',
}


@pytest.mark.parametrize("what, text", OTHER_FORMATS.items(), ids=list(OTHER_FORMATS))
@pytest.mark.usefixtures("in_process")
def test_a_module_that_is_no_plain_text_is_told_as_what_it_is(tmp_path: Path, what: str, text: str) -> None:
    write_notebook(tmp_path / "ab12/a.ipynb", "lr = 1")
    (tmp_path / "ab12/vit_model.py").write_text(text)
    (problem,) = opened(tmp_path / "ab12").syntax_errors
    assert str(problem).startswith(f"vit_model.py, line 1 cannot be parsed: it is {what}")
    assert "ViT" in problem.names or "class" not in text
