"""Rosters: who belongs to a class, whose deadline is another, who hands in together, and what lateness costs each."""

import contextlib
import dataclasses
import sqlite3
import unicodedata
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from grader import cli
from grader.errors import GraderErrors
from grader.exports import canvas, moodle, sheets
from grader.exports.result import of_class
from grader.gradebook import late, moves
from grader.gradebook.reader import GradebookReader
from grader.gradebook.roster import Roster, parse
from grader.gradebook.store import NAME, Gradebook
from tests import grades
from tests.gradebook.handmade import DEADLINE, hand_in

POLICY = '[late]\ndeadline = 2026-11-20T23:59:00Z\nzone = "UTC"\nper_day = 10\nmost = 50\ncloses = 7\nbank = 2\n'


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Six of 100 points each: on time, two of a team, two late by 30 and 80 hours, one on Canvas."""
    (tmp_path / "rubric.toml").write_text(POLICY)
    for key, hours in (("ada", -1), ("bob", -1), ("cyd", 5), ("dan", 30), ("eve", 80)):
        hand_in(tmp_path, key, grades.grade(key), hours)
    hand_in(tmp_path, "roejoe", grades.grade("roejoe"), 30, student="13", late=True)
    with contextlib.closing(Gradebook(tmp_path / NAME)) as book:
        book.remember("rubric", str(tmp_path / "rubric.toml"))
    return tmp_path


def take(out: Path, text: str) -> list[str]:
    (out / "roster.csv").write_text(text)
    return moves.taken(out, out / "roster.csv", None)


def points(out: Path) -> dict[str, float]:
    with GradebookReader(out) as reader:
        return {entry.key: entry.points for entry in reader.entries()}


def test_without_a_roster_the_bank_of_the_rubric_is_spent_by_everybody(out):
    assert points(out) == {"ada": 100, "bob": 100, "cyd": 100, "dan": 100, "eve": 80, "roejoe": 100}


ROSTER = """\
key,id,name,team,extension,late_days,excused,section
ada,,Ada Lovelace,,,,,A
bob,,Bob Ross,red,,0,,A
cyd,,Cyd Charisse,red,,1,,A
dan,,Dan Dare,,3d,0,,B
eve,,Eve Online,,2026-11-22T23:59:00+00:00,1,,B
,13,Joe Roe,,,0,,B
flo,,Flo Mills,,,,yes,B
gus,,Gus Grissom,,,,,B
"""


def test_a_change_of_the_roster_moves_deductions_alone_and_says_who_moved(out):
    with contextlib.closing(Gradebook(out / NAME)) as book:
        before = [kept.grade for key in ("dan", "eve") for kept in book.history(key)]
    lines = take(out, ROSTER)
    assert points(out) == {"ada": 100, "bob": 90, "cyd": 100, "dan": 100, "eve": 90, "roejoe": 80}
    assert lines == [
        "bob: 100 → 90 (-10): 1 day late, 10 points off, the submission of cyd counts",
        "eve: 80 → 90 (+10): 2 days late, 1 from the bank, 10 points off",
        "roejoe: 100 → 80 (-20): 2 days late, 20 points off",
    ]
    assert take(out, ROSTER) == []
    with contextlib.closing(Gradebook(out / NAME)) as book:
        assert [kept.grade for key in ("dan", "eve") for kept in book.history(key)] == before


def test_who_has_not_handed_in_is_known_and_who_is_not_on_the_roster(out):
    take(out, ROSTER.replace("ada,,", "ada lovelace,,"))
    with GradebookReader(out) as reader:
        assert list(reader.not_handed_in()) == ["ada lovelace", "gus"]
        assert reader.not_on_roster() == ["ada"]


def test_the_submission_of_a_team_counts_for_each_member_and_attempts_says_which(out):
    hand_in(out, "bob", grades.grade("bob", vit_model=("failed", "no")), -9, files="better early")
    take(out, ROSTER + "hal,,Hal Finney,red,,2,,B\n")
    for attempts, by, expected in (
        ("latest", "cyd", {"bob": 90, "cyd": 100, "hal": 100}),
        ("best", "bob", {"bob": 100, "cyd": 100, "hal": 100}),
    ):
        with GradebookReader(out, attempts) as reader:  # type: ignore[arg-type]
            team = [entry for entry in reader.entries() if entry.key in expected]
        assert {entry.key: entry.points for entry in team} == expected
        assert {entry.row.key for entry in team} == {by} and {entry.attempts for entry in team} == {3}
        assert all(entry.grade.submission["name"] == entry.key for entry in team)


def test_a_decision_about_a_member_holds_for_the_team_whoever_hands_in(out):
    take(out, ROSTER)
    decide = ["adjust", "--out", str(out), "--by", "x", "--why", "x"]
    assert cli.main([*decide, "bob", "vit.model", "3"]) == 0
    assert (points(out)["bob"], points(out)["cyd"]) == (88, 98)
    hand_in(out, "bob", grades.grade("bob"), 6, files="again")
    with GradebookReader(out) as reader:
        (entry,) = [entry for entry in reader.entries() if entry.key == "cyd"]
    assert entry.row.key == "bob" and entry.grade.score == 98 and entry.grade.look_again
    assert cli.main([*decide, "cyd", "vit.model", "--undo"]) == 0
    assert points(out)["cyd"] == 100


def test_excused_students_have_no_score_and_an_empty_cell_in_every_sheet(out, capsys):
    take(out, ROSTER.replace("ada,,Ada Lovelace,,,,,", "ada,,Ada Lovelace,,,,yes,"))
    with GradebookReader(out) as reader:
        results = of_class(reader)
    assert [each.key for each in results if each.excused] == ["ada", "flo"]
    ours = canvas.fill(results, None, "Assignment 3 (1)").sheet
    assert {row[0]: row[-1] for row in ours.rows if row[0] in ("Ada Lovelace", "Flo Mills")} == {
        "Ada Lovelace": "",
        "Flo Mills": "",
    }
    theirs = sheets.Sheet(["Student", "ID", "HW (1)"], [["Lovelace, Ada", "7", "55"], ["Mills, Flo", "8", "0"]])
    assert [row[-1] for row in canvas.fill(results, theirs, "HW").sheet.rows] == ["", ""]
    worksheet = sheets.Sheet(
        list(moodle.COLUMNS), [["Participant 7", "Flo Mills", "", "", "3", "10", "Yes", "-", "-", ""]]
    )
    assert moodle.fill(results, worksheet).sheet.rows[0][4] == ""
    assert cli.main(["export", "md", "--out", str(out)]) == 0
    assert "| ada | | excused | |" in capsys.readouterr().out
    for format_ in ("json", "junit", "github"):
        cli.main(["export", format_, "--out", str(out)])
        assert "ada" not in capsys.readouterr().out


def test_emails_tell_students_by_whole_or_by_what_stands_before_the_at():
    text = "email,extension\nAda@x.example,1d\nbob@x.example,2d\ncyd@x.example,\n"
    keyed = parse(text, "r.csv").keys({"ada": None, "bob@x.example": None})
    assert {key: each.extension for key, each in keyed.items()} == {
        "ada": timedelta(days=1), "bob@x.example": timedelta(days=2), "cyd@x.example": None,
    }  # fmt: skip


def test_a_name_is_the_same_in_either_form_of_unicode():
    of_a_mac = unicodedata.normalize("NFD", "Zoë X")
    assert set(parse("key\nZoë X\n", "r.csv").keys({of_a_mac: None})) == {of_a_mac}
    assert set(parse("key\nZoë X\n", "r.csv").keys({of_a_mac: None, "Zoë X": None})) == {"Zoë X"}


def test_a_row_is_nobodys_whose_key_only_looks_like_it():
    keys = {"@At Attila": None, "ann@b.example": None}
    text = "email,id,name\n,1009,No Show Ned\nann@c.example,,\n"
    assert set(parse(text, "r.csv").keys(keys)) == {"1009", "ann@c.example"}


WRONG = {
    "a column misspelt": ("key,extention\nada,2d\n", "the column 'extention' means nothing here: write 'extension'"),
    "semicolons": (
        "key;name\nada;Ada\n",
        "expected a column 'key', 'email' or 'id', found 'key;name'; its cells are separated by semicolons",
    ),
    "no column": ("name\nada\n", "expected a column 'key', 'email' or 'id', found 'name'"),
    "nobody": ("key,name\n,Ada\n", "row 2: expected a key, an email or an id"),
    "an extension": ("key,extension\nada,soon\n", "row 2: extension: expected 3d, 36h or a time"),
    "no offset": (
        "key,extension\nada,2026-11-27T23:59\n",
        "row 2: extension: the time '2026-11-27T23:59' has no offset",
    ),
    "days": ("key,late_days\nada,-1\n", "row 2: late_days: expected a whole number of days, got '-1'"),
    "excused": ("key,excused\nada,perhaps\n", "row 2: excused: expected yes or nothing, got 'perhaps'"),
    "twice": ("key\nada\nbob\nada\n", "row 4: key 'ada' stands in row 2 already"),
    "a team": ("key,team,extension\nada,red,1d\nbob,red,\n", "row 3: team 'red': another extension than in row 2"),
    "a quote": ('key\n"ada\n', "unexpected end of data"),
}


@pytest.mark.parametrize(("text", "line"), WRONG.values(), ids=WRONG)
def test_a_row_that_is_wrong_is_named_and_nothing_is_taken(out, capsys, text, line):
    take(out, ROSTER)
    (out / "wrong.csv").write_text(text)
    assert cli.main(["regrade", "--out", str(out), "--roster", str(out / "wrong.csv")]) == 2
    assert f"{out / 'wrong.csv'}: {line}" in capsys.readouterr().err
    assert points(out)["bob"] == 90, "the roster of before holds"


def test_each_wrong_row_has_a_line_of_its_own():
    with pytest.raises(GraderErrors) as error:
        parse("key,extension,late_days\nada,soon,\nbob,,x\ncyd,1d,\n", "r.csv")
    assert [line[:12] for line in error.value.lines] == ["r.csv: row 2", "r.csv: row 3"]


def test_one_student_by_key_and_by_id_is_told_when_the_roster_is_taken(out):
    with pytest.raises(GraderErrors, match=r"row 3: 'roejoe' stands in row 2 already"):
        take(out, "key,id\nroejoe,\n,13\n")


def test_the_columns_may_come_in_any_case_and_the_file_with_a_byte_order_mark(out):
    (out / "bom.csv").write_bytes("\ufeffKey , Excused\r\nada,YES\r\n".encode())
    assert moves.taken(out, out / "bom.csv", None) == ["ada: 100 → excused"]


def test_the_rosters_of_before_stay_as_history(out):
    take(out, ROSTER)
    take(out, "key\nada\n")
    db = sqlite3.connect(out / NAME)
    assert db.execute("SELECT COUNT(*) FROM rosters").fetchone() == (2,)
    db.close()


@pytest.mark.parametrize(
    ("extension", "said", "hours", "days"),
    [
        (None, None, 1, 1), (timedelta(days=3), None, 71, 0), (timedelta(days=3), None, 73, 1),
        (timedelta(hours=36), None, 35, 0), (timedelta(hours=36), None, 37, 1),
        (DEADLINE + timedelta(days=1), None, 23, 0), (DEADLINE + timedelta(days=1), None, 49, 2),
        (timedelta(days=3), True, 71, 0), (timedelta(days=3), True, 73, 1), (timedelta(days=3), False, 99, 0),
        (timedelta(days=1), True, None, 0), (timedelta(hours=12), True, None, 1),
    ],
)  # fmt: skip
def test_an_extension_moves_the_deadline_of_its_student(extension, said, hours, days):
    at = None if hours is None else DEADLINE.timestamp() + 3600 * hours
    assert late.LatePolicy(DEADLINE).days(said, at, True, extension) == days


def test_days_of_an_extension_are_days_on_the_clock_where_summer_time_ends():
    plain = DEADLINE.replace(tzinfo=None, month=10, day=30)  # the clocks of Edmonton go back on 1 November
    policy = late.LatePolicy(plain, ZoneInfo("America/Edmonton"))
    before, after = policy.own_deadline(), policy.own_deadline(timedelta(days=3))
    assert before is not None and after is not None and after - before == 73 * 3600


@pytest.mark.parametrize(
    ("days", "late_days", "from_bank", "deduction"),
    [(0, None, 0, 0), (1, None, 1, 0), (3, None, 2, 10), (3, 0, 0, 30), (3, 5, 3, 0), (9, None, 2, 50), (10, None, 2, 100)],
)  # fmt: skip
def test_the_bank_pays_whole_days_first_and_the_rest_costs_points(tmp_path, days, late_days, from_bank, deduction):
    (tmp_path / "rubric.toml").write_text(POLICY)
    found = late.load(tmp_path / "rubric.toml").lateness(days, late_days, 100.0)
    assert dataclasses.astuple(found) == (days, from_bank, deduction)


def test_a_zone_may_be_given_by_the_command_and_is_asked_for_where_there_is_none(out, capsys):
    (out / "rubric.toml").write_text(POLICY.replace("00Z", "00").replace('zone = "UTC"\n', ""))
    export = ["export", "md", "--out", str(out)]
    assert cli.main(export) == 2
    said = capsys.readouterr()
    assert "the deadline in" in said.err and "--zone" in said.err and not said.out
    assert cli.main([*export, "--zone", "UTC"]) == 0
    assert "roejoe" in capsys.readouterr().out and points(out)["eve"] == 80
    assert cli.main(export) == 0, "it is remembered"
    assert cli.main([*export, "--zone", "Edmonton time"]) == 2


def test_a_class_without_a_roster_has_nobody_on_it(out):
    assert Roster().keys({"ada": None}) == {}
    with GradebookReader(out) as reader:
        assert (reader.not_handed_in(), reader.not_on_roster(), reader.excused()) == ({}, [], {})
