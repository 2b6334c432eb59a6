"""What was left out though it holds names of the assignment is told; what holds none is not."""

from pathlib import Path

import pytest

from grader.assignments.vit import model
from grader.assignments.vit.application import transfer
from tests import harness
from tests.intake.building import opened, write_modules, write_notebook

pytestmark = pytest.mark.usefixtures("in_process")

VIT = "class ViT: pass\ndef get_embeddings(): pass\n"
TOLD = {
    "a library's name": ({"code": VIT}, "code.py was left out, for it has the name of a library"),
    "a second file": (
        {"vit_model": VIT, "vit_model (1)": VIT + "lr = 1"},
        "for vit_model.py is imported by the same name",
    ),
    "a folder": ({"vit_model": VIT, "old-code/vit_model": VIT + "lr = 1"}, "old-code/vit_model.py was left out"),
}
UNTOLD = {
    "a hyphen": {"my-vit": VIT},
    "a number": {"2_vit": VIT},
    "the same with a hyphen": {"vit_model": VIT, "vit-model": VIT},
    "a copy": {"vit_model": VIT, "vit_model (1)": VIT},
    "a value found elsewhere": {"2_plots": "num_epochs = 3"},
    "of no matter": {"conftest": "import pytest\ndef fixture(): pass", "make-plots": "print()", "code/__init__": ""},
    "nothing": {"vit_model": VIT, "code/vit": VIT},
}


@pytest.mark.parametrize("modules, line", TOLD.values(), ids=TOLD.keys())
def test_a_file_that_holds_a_name_is_told(tmp_path: Path, modules: dict[str, str], line: str) -> None:
    write_notebook(tmp_path / "hand-in" / "a.ipynb", "num_epochs = 1")
    write_modules(tmp_path / "hand-in", **modules)
    (told,) = opened(tmp_path / "hand-in").left_out
    assert line in told


@pytest.mark.parametrize("modules", UNTOLD.values(), ids=UNTOLD.keys())
def test_a_file_that_holds_none_is_not(tmp_path: Path, modules: dict[str, str]) -> None:
    write_notebook(tmp_path / "hand-in" / "a.ipynb", "num_epochs = 1")
    write_modules(tmp_path / "hand-in", **modules)
    assert opened(tmp_path / "hand-in").left_out == ()


def test_another_notebook_is_told_where_it_holds_a_name_and_is_no_copy(tmp_path: Path) -> None:
    cells = {"hw": VIT + "num_epochs = 1", "old": VIT, "plots": "num_epochs = 2", "hw-Copy1": VIT + "num_epochs = 1"}
    for name, cell in cells.items():
        write_notebook(tmp_path / "hand-in" / f"{name}.ipynb", cell)
    expected = "old.ipynb was left out, for hw.ipynb is graded; it defines `ViT` and `get_embeddings`"
    assert opened(tmp_path / "hand-in").left_out == (expected,)


def test_a_broken_notebook_is_told_and_an_empty_one_is_not(tmp_path: Path) -> None:
    write_notebook(tmp_path / "hand-in" / "a.ipynb", VIT)
    (tmp_path / "hand-in" / "b.ipynb").write_text("{")
    (tmp_path / "hand-in" / "c.ipynb").write_text("\n")
    (told,) = opened(tmp_path / "hand-in").left_out
    assert told.startswith("b.ipynb was left out, for it is not a notebook: its JSON is broken")


def test_no_more_than_a_few_files_are_told(tmp_path: Path) -> None:
    write_modules(
        tmp_path / "hand-in",
        a="",
        **dict.fromkeys(("ast", "code", "csv", "io", "json", "math", "random", "re", "types"), VIT),
    )
    told = opened(tmp_path / "hand-in").left_out
    assert (len(told), told[-1]) == (5, "5 more files were left out, for the like reasons")


def test_a_missing_name_says_which_file_was_left_out(tmp_path: Path) -> None:
    write_modules(tmp_path / "hand-in", a="", code=VIT)
    seen = harness.evidence({"vit_model": ""}, [model.TOPIC])
    seen.submission = opened(tmp_path / "hand-in")
    feedback = harness.judged(seen, "vit.model").feedback
    assert feedback == f"{seen.submission.left_out[0]}, so `ViT` is not defined"


def test_a_missing_name_says_why_its_definition_was_left_out(tmp_path: Path) -> None:
    seen = harness.evidence({"vit_model": ""}, [transfer.TOPIC])
    wanted = ("train_classification_model_head_only",)
    path = write_notebook(tmp_path / "submission.ipynb", "train_classification_model_head_only = input()")
    seen.submission = opened(path, wanted=wanted)
    feedback = harness.judged(seen, "application.transfer").feedback
    assert feedback.startswith("cell 1, line 1: this definition of 'train_classification_model_head_only' was left out")
    assert feedback.endswith("by input(), so `train_classification_model_head_only` is not defined")
