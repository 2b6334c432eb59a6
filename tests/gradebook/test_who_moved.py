"""What a regrade tells: who moved, through which criterion, who is not where the roster has them, and which pages are of before."""

import contextlib
import dataclasses

from grader import cli
from grader.gradebook.regrade import RegradedSubmission
from grader.gradebook.store import NAME, Gradebook
from tests import grades
from tests.gradebook.handmade import hand_in


def test_what_was_replaced_in_its_place_is_neither_computed_again_nor_counted(tmp_path, capsys):
    refused = dataclasses.replace(grades.grade("ada"), status="rejected", reason="no notebook", criteria=())
    for files in ("first", "second"):
        hand_in(tmp_path, "ada", refused, files=files)
    with contextlib.closing(Gradebook(tmp_path / NAME)) as book:
        book.db.execute("UPDATE submissions SET path = 'class/ada'")
        assert cli.main(["regrade", "--out", str(tmp_path)]) == 0
        assert [len(book.grades(row.id)) for row in book.submissions()] == [1, 2]
    assert capsys.readouterr().out == "1 submission, 0 with another score\n"


def test_a_criterion_that_is_not_judged_any_more_is_named_and_one_that_is_new():
    whole = grades.grade("ada")
    short = dataclasses.replace(whole, criteria=whole.criteria[1:])
    gone = whole.criteria[0].id
    assert RegradedSubmission("ada", whole, short).changed == RegradedSubmission("ada", short, whole).changed == [gone]
    assert RegradedSubmission("ada", whole, None).changed == []


def test_a_row_of_a_changed_roster_that_fits_nobody_is_named(tmp_path, capsys):
    hand_in(tmp_path, "ada", dataclasses.replace(grades.grade("ada"), status="rejected", reason="empty", criteria=()))
    (tmp_path / "roster.csv").write_text("key,extension\nAda Lovelac,3d\n")
    options = ["--roster", str(tmp_path / "roster.csv"), "--out", str(tmp_path)]
    assert cli.main(["regrade", *options]) == 0
    assert capsys.readouterr().out.endswith("Not handed in: Ada Lovelac\nNot on the roster: ada\n")
    assert cli.main(["export", "json", *options]) == 0
    assert capsys.readouterr().err.endswith("Not handed in: Ada Lovelac\nNot on the roster: ada\n")


def test_pages_of_before_are_told(tmp_path, capsys):
    hand_in(tmp_path, "ada", grades.grade("ada"))
    decide = ["adjust", "ada", "vit.model", "3", "--why", "a slip", "--out", str(tmp_path)]
    assert cli.main(decide) == 0 and "pages" not in capsys.readouterr().out
    (tmp_path / "index.html").touch()
    assert cli.main([*decide[:3], "2", *decide[4:]]) == 0
    assert f"{tmp_path / 'index.html'} and its pages are of before: the command that" in capsys.readouterr().out
    (tmp_path / "roster.csv").write_text("key,excused\nada,yes\n")
    cli.main(["regrade", "--roster", str(tmp_path / "roster.csv"), "--out", str(tmp_path)])
    assert "its pages are of before" in capsys.readouterr().out
    cli.main(["regrade", "--out", str(tmp_path)])
    assert "its pages are of before" not in capsys.readouterr().out
