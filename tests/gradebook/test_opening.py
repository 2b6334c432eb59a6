"""What a gradebook is opened from: its own file, whole; anything else is refused, and stays as it was."""

import contextlib
import signal
import sqlite3
import subprocess
import sys

import pytest

from grader import cli
from grader.errors import GraderError
from grader.gradebook.store import NAME, Gradebook
from tests import grades
from tests.gradebook.handmade import hand_in

KILLED = """
import os, signal, sys
from pathlib import Path
from grader.gradebook import store

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

%s = killed
store.Gradebook(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("place", ["os.link", "store.add_verdicts"], ids=["before it is whole", "after"])
def test_a_gradebook_is_usable_whose_making_was_killed(tmp_path, place):
    path = tmp_path / NAME
    killed = subprocess.run([sys.executable, "-c", KILLED % place, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL and path.exists() == (place != "os.link")
    with contextlib.closing(Gradebook(path)) as book:
        assert book.next_run() == 1


def test_an_empty_file_is_no_new_gradebook(tmp_path):
    path = tmp_path / NAME
    path.touch()
    log = path.with_name(f"{NAME}-wal")
    log.write_bytes(b"what was written last")
    with pytest.raises(GraderError, match="an empty file, which no run leaves: take a copy from before"):
        Gradebook(path)
    assert path.stat().st_size == 0 and log.read_bytes() == b"what was written last"


def test_another_sqlite_file_is_left_as_it_was(tmp_path):
    path = tmp_path / NAME
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE settings (name TEXT); INSERT INTO settings VALUES ('theirs')")
    before = path.read_bytes()
    with pytest.raises(GraderError, match="another SQLite file than a gradebook; choose another --out"):
        Gradebook(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_link_to_where_a_gradebook_shall_be_is_followed(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / NAME).symlink_to(tmp_path / "kept" / NAME)
    Gradebook(tmp_path / NAME).close()
    assert [each.name for each in (tmp_path / "kept").iterdir()] == [NAME]


def test_where_nothing_can_be_written_it_is_said_what_to_do(tmp_path):
    Gradebook(tmp_path / NAME).close()
    (tmp_path / f"{NAME}-wal").mkdir()  # its log cannot be written: as on a read-only disk, and root meets it as well
    with pytest.raises(GraderError, match=r"cannot be opened: unable to open .* it must be writable: copy its folder"):
        Gradebook(tmp_path / NAME, must_exist=True)


@pytest.mark.parametrize(
    ("table", "column", "text"),
    [
        ("grades", "grade", '{"schema_version": 2}'),
        ("grades", "grade", '{"schema_ver'),
        ("grades", "options", "{"),
        ("submissions", "files", "{"),
        ("decisions", "beneath", "{"),
    ],
)
def test_a_damaged_text_in_a_gradebook_is_no_fault_of_the_graders(tmp_path, capsys, table, column, text):
    hand_in(tmp_path, "ada", grades.grade("ada"))
    assert cli.main(["adjust", "ada", "vit.model", "3", "--why", "a slip", "--out", str(tmp_path)]) == 0
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as db, db:
        db.execute("DROP TRIGGER decisions_stay")
        db.execute(f"UPDATE {table} SET {column} = ?", (text,))
    assert cli.main(["export", "json", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"the gradebook in {tmp_path}: ") and "is damaged: take a copy from before" in said
