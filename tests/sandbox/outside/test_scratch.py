"""Folders of hostile content are counted and removed without harm."""

import os
from pathlib import Path

from grader.sandbox.inside import scratch, usage
from grader.sandbox.inside.plan import Limits

NOBODY = 1 << 30  # no process has this number
LIMITS = Limits(scratch_bytes=1 << 20, scratch_files=50)


def over(folder: Path) -> str:
    return usage.LimitWatch(NOBODY, LIMITS, str(folder)).over()


def deep(folder: Path, levels: int) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_any_folder_is_removed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    folder = tmp_path / "scratch"
    scratch.make(str(folder), None)
    deep(folder, 3000)
    (folder / "link").symlink_to(outside)
    (folder / "closed").mkdir(mode=0)
    os.mkfifo(folder / "fifo")
    (folder / "1~").mkdir()
    scratch.remove(str(folder))
    assert not folder.exists()
    assert (outside / "kept").read_text() == "kept"


def test_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    scratch.remove(str(tmp_path / "nothing"))


def test_size_and_number_are_counted(tmp_path: Path) -> None:
    assert over(tmp_path) == ""
    (tmp_path / "large").write_bytes(b"x" * (2 << 20))
    assert over(tmp_path) == "scratch"
    (tmp_path / "large").unlink()
    for number in range(60):
        (tmp_path / str(number)).touch()
    assert over(tmp_path) == "scratch"


def test_a_sparse_file_counts_what_it_takes(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert over(tmp_path) == ""


def test_a_path_too_long_to_look_at_is_too_much(tmp_path: Path) -> None:
    deep(tmp_path, 45)
    assert over(tmp_path) == ""
    deep(tmp_path, 0)
    scratch.remove(str(tmp_path / "d"))
    deep(tmp_path, 2500)
    assert over(tmp_path) == "scratch"
    scratch.remove(str(tmp_path / "d"))
