"""A gradebook that commit 035fbda wrote (version 2): the reference's knn and an empty template, criterion application.knn."""

import contextlib
import lzma
import shutil
import sqlite3
from pathlib import Path

import pytest

from grader.errors import Outdated
from grader.evidence import KeptAnswer
from grader.gradebook import packing
from grader.gradebook.schema import TABLES
from grader.gradebook.store import Gradebook

DATA = Path(__file__).parent / "data" / "version_2.sqlite.xz"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "gradebook.sqlite"
    path.write_bytes(lzma.decompress(DATA.read_bytes()))
    return path


def answers(book: Gradebook, key: str) -> dict[str, KeptAnswer]:
    (kept,) = book.history(key)
    return packing.unpack_answers(book.observed(kept.observations)[1], book.frame, {}, code_unchanged=False)


def test_it_is_upgraded_in_place_and_says_so(old: Path, capsys: pytest.CaptureFixture[str]):
    book = Gradebook(old)
    assert book.setting("version", "") == "3"
    assert [kept.grade.score for key in ("anna", "bela") for kept in book.history(key)] == [6.0, 0.0]
    assert "as it was, it lies in gradebook-version-2.sqlite" in capsys.readouterr().err


def test_a_copy_of_what_it_was_stays_beside_it(old: Path):
    (folder := old.parent / "before").mkdir()
    was = sqlite3.connect(shutil.copy(old, folder))
    Gradebook(old).close()
    copy = sqlite3.connect(old.with_name("gradebook-version-2.sqlite"))
    assert copy.execute("SELECT value FROM settings WHERE name = 'version'").fetchone() == ("2",)
    query = "SELECT id, answers FROM observations ORDER BY id"
    assert copy.execute(query).fetchall() == was.execute(query).fetchall()


def test_what_was_observed_can_be_read_arrays_that_lay_apart_too(old: Path):
    book = Gradebook(old)
    seen = answers(book, "anna")["knn"].read()
    assert seen.outcome == "value" and len(seen.value) == 45
    assert answers(book, "bela")["load"].read().value["defined"]


def test_an_answer_of_another_form_than_today_s_is_to_be_asked_again(old: Path):
    from grader.observations import Answered, Count

    book = Gradebook(old)
    (kept,) = book.history("anna")
    declared = {"knn": Answered(dict[str, Count])}
    read = packing.unpack_answers(book.observed(kept.observations)[1], book.frame, declared, code_unchanged=True)
    with pytest.raises(Outdated, match="graded again"):
        read["knn"].read()


def test_an_upgrade_that_fails_leaves_the_gradebook_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("grader.gradebook.migration._entry", fails)
    with pytest.raises(Exception, match="no space left"):
        Gradebook(old)
    monkeypatch.undo()
    assert Gradebook(old).setting("version", "") == "3"


def test_the_rubric_of_a_checkout_that_moved_is_forgotten(old: Path, tmp_path: Path):
    with contextlib.closing(sqlite3.connect(old)) as book, book:
        book.execute("UPDATE settings SET value = ? WHERE name = 'rubric'", (str(tmp_path / "moved" / "rubric.toml"),))
    assert Gradebook(old).setting("rubric", "") == ""


def test_a_new_gradebook_is_not_upgraded(tmp_path: Path):
    Gradebook(tmp_path / "gradebook.sqlite").close()
    assert not list(tmp_path.glob("*version*"))


def test_one_of_an_earlier_day_of_this_version_gets_its_new_column(tmp_path: Path):
    path = tmp_path / "gradebook.sqlite"
    before = "".join(line for line in TABLES.splitlines(True) if not line.lstrip().startswith("verdicts BLOB"))
    with sqlite3.connect(path) as db:
        db.executescript(before.replace("scores BLOB, ", "scores BLOB  "))
    db.close()
    for _ in range(2):
        book = Gradebook(path)
        assert "verdicts" in [row[1] for row in book.db.execute("PRAGMA table_info(grades)")]
        book.close()
