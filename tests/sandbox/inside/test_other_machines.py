# ruff: noqa: PTH103, PTH110, PTH120, PTH123, PTH208, SIM115
"""Paths of another machine lead into the scratch folder, whoever opens, makes or looks for them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from grader.sandbox.inside import other_machines

PATHS = (
    "/content/drive/MyDrive/hw3/model.pt",
    "/kaggle/working/model.pt",
    "C:/Users/alice/model.pt",
    r"D:\ml\model.pt",
    "/home/nobody-of-that-name/model.pt",
)


@pytest.fixture(autouse=True)
def _mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(other_machines.tempfile, "gettempdir", lambda: str(tmp_path / "scratch"))
    monkeypatch.chdir(tmp_path)
    (handed_in := tmp_path / "handed_in" / "hw3").mkdir(parents=True)
    (handed_in / "config.json").write_text("{}")
    torch.save({"a": 1}, handed_in / "model.pt")
    undo = other_machines.install(handed_in=str(tmp_path / "handed_in"))
    yield
    undo()


@pytest.mark.parametrize("path", PATHS)
def test_what_is_saved_there_is_found_there_again(path: str) -> None:
    torch.save({"a": 1}, path)
    assert os.path.exists(path) and Path(path).is_file()
    assert torch.load(path, weights_only=True) == {"a": 1}


@pytest.mark.parametrize("path", PATHS)
def test_folders_and_copies_can_be_made_there(path: str, tmp_path: Path) -> None:
    folder = os.path.dirname(path.replace("\\", "/")) + "/runs"
    os.makedirs(folder, exist_ok=True)
    (Path(folder) / "more").mkdir(parents=True, exist_ok=True)
    (tmp_path / "here.txt").write_text("text")
    shutil.copy(tmp_path / "here.txt", folder)
    with open(f"{folder}/log.txt", "a") as log:
        log.write("epoch 1\n")
    assert sorted(os.listdir(folder)) == ["here.txt", "log.txt", "more"]


def test_nothing_is_there_that_was_not_saved() -> None:
    assert not os.path.exists("/content/drive/MyDrive")
    with pytest.raises(FileNotFoundError):
        open("/content/drive/MyDrive/model.pt", "rb")


def test_what_was_handed_in_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("handed in")
    with open("/content/drive/MyDrive/notes.txt") as file:
        assert file.read() == "handed in"


def test_a_text_that_is_read_is_looked_for_in_what_was_handed_in(tmp_path: Path) -> None:
    handed_in = tmp_path / "handed_in" / "hw3"
    for path in ("config.json", "../config.json", "/content/hw3/config.json"):
        with open(path) as file:
            assert file.read() == "{}" and Path(path).read_text() == "{}"
    with pytest.raises(FileNotFoundError):
        torch.load("model.pt")
    Path("config.json").write_text("[]")  # what is written is the scratch's own
    assert Path("config.json").read_text() == "[]" and (handed_in / "config.json").read_text() == "{}"


def test_what_is_saved_beside_what_was_handed_in_is_found_there_and_changes_nothing(tmp_path: Path) -> None:
    handed_in = tmp_path / "handed_in" / "hw3"
    assert torch.load(handed_in / "model.pt", weights_only=True) == {"a": 1}
    torch.save({"a": 2}, handed_in / "model.pt")
    (handed_in / "new.txt").write_text("new")
    assert torch.load(handed_in / "model.pt", weights_only=True) == {"a": 2}
    assert (handed_in / "new.txt").read_text() == "new"
    assert sorted(os.listdir(handed_in)) == ["config.json", "model.pt"]


def test_paths_of_this_machine_stay_as_they_are(tmp_path: Path) -> None:
    for path in (str(tmp_path), "relative/file", "/tmp/file", "/usr/lib", 3, tmp_path):
        assert other_machines.here(path) is path


def test_the_scratch_is_never_left(tmp_path: Path) -> None:
    mapped = other_machines.here("/content/../../../../etc/passwd")
    assert mapped.startswith(str(tmp_path / "scratch"))


@pytest.mark.parametrize(("text", "named"), [("x = '/content/a'", True), ('open("C:/a")', True), ("a / b", False)])
def test_only_programs_that_name_such_paths_are_changed(text: str, named: bool) -> None:
    assert other_machines.named_in([text]) is named


def test_a_folder_that_a_cell_made_is_there_when_something_is_written_to_it(tmp_path: Path) -> None:
    torch.save({"a": 1}, "checkpoints/epoch1/last.pt")
    torch.save({"a": 2}, tmp_path / "runs" / "last.pt")
    with open("results/history.json", "w") as file:
        file.write("{}")
    assert torch.load("checkpoints/epoch1/last.pt", weights_only=True) == {"a": 1}
    assert sorted(os.listdir()) == ["checkpoints", "handed_in", "results", "runs"]
    with pytest.raises(FileNotFoundError):
        open("other/history.json")


def test_it_is_so_where_no_path_of_another_machine_is_named(tmp_path: Path) -> None:
    with open("results/history.json", "w") as file:
        file.write("{}")
    assert (tmp_path / "results" / "history.json").is_file()


def test_pandas_writes_where_a_folder_was(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    common = pandas.io.common
    monkeypatch.setattr(common, "check_parent_directory", common.check_parent_directory)  # put back afterwards
    other_machines.let_pandas_write()
    for path in ("logs/loss.csv", "/content/drive/MyDrive/loss.csv"):
        pandas.DataFrame({"loss": [1.0]}).to_csv(path, index=False)
        with open(path) as file:
            assert file.read() == "loss\n1.0\n"
