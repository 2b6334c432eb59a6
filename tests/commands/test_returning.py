"""The commands by which feedback gets home, and requests of students get in."""

import time

import pytest

from grader import cli
from grader.assignments.vit.files import RUBRIC as DEFAULT
from grader.gradebook.reader import GradebookReader
from grader.gradebook.requests import Requests
from tests.desk.desks import plain, undecided
from tests.exports.canvas_server import TOKEN, FakeCanvas, serving
from tests.gradebook.handmade import hand_in

pytestmark = pytest.mark.filterwarnings("ignore:Canvas may respond unexpectedly")  # it would rather speak https


@pytest.fixture
def out(tmp_path):
    """Three students of Canvas's, one of whom has an open criterion."""
    for number, name in enumerate(("doejane", "roejoe", "poeann")):
        hand_in(
            tmp_path / "grades", name, undecided(name) if name == "poeann" else plain(name), student=str(12 + number)
        )
    return tmp_path / "grades"


def test_classroom50_is_told_of_no_open_grade_and_the_exit_status_is_1(out, tmp_path, capsys):
    assert export(out, "classroom50", "--to", str(tmp_path / "each")) == 1
    assert capsys.readouterr().err == (
        "poeann: needs review: what is open counts for nothing there, until a person decides\n"
    )


def export(out, *arguments):
    return cli.main(["export", *arguments, "--out", str(out)])


def push(out, url, *arguments):
    return export(out, "canvas", "--push", "--url", url, "--course", "5", "--column", "7", *arguments)


@pytest.fixture
def canvas(monkeypatch):
    monkeypatch.setenv("CANVAS_API_TOKEN", TOKEN)
    return FakeCanvas([12, 13, 14])


def test_a_dry_run_says_what_a_push_would_change(out, canvas, capsys):
    with serving(canvas) as url:
        assert push(out, url, "--dry-run") == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "doejane: score none → 100, a comment", "roejoe: score none → 100, a comment",
        "2 of 3 would change; nothing was sent",
    ]  # fmt: skip
    assert said.err == "poeann: left as it was: needs review (no score until a person has decided)\n"
    assert not canvas.sent


def test_a_push_that_was_interrupted_sends_the_rest_and_nothing_twice(out, canvas, capsys):
    canvas.fails_after = 1
    with serving(canvas) as url:
        assert push(out, url) == 2
        canvas.fails_after = 1000
        assert push(out, url) == 1
        assert push(out, url) == 1
    assert [user for user, _ in canvas.sent] == [12, 13]
    assert "roejoe: Canvas refused" in capsys.readouterr().err
    with GradebookReader(out) as reader:
        assert [(each.format, each.said) for each in reader.ledger.exports("roejoe")] == [("canvas --push", "100")]


def test_nothing_is_sent_before_the_deadline(out, canvas, tmp_path, capsys):
    rubric = tmp_path / "rubric.toml"
    rubric.write_text(
        f"{DEFAULT.read_text()}\n[late]\ndeadline = {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 900))}\n"
    )
    with serving(canvas) as url:
        assert push(out, url, "--rubric", str(rubric)) == 0
        assert not canvas.sent and capsys.readouterr().err.count("held back until") == 3
        assert push(out, url, "--rubric", str(rubric), "--now") == 1
    assert len(canvas.sent) == 2


def test_pages_are_packed_by_a_command(out, tmp_path, capsys):
    target = tmp_path / "home.zip"
    assert export(out, "moodle-feedback", "--to", str(target), "--max-mb", "5") == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(target), "the pages of 2 students"] and target.is_file()
    assert said.err == "poeann: needs review\n"


def test_without_a_name_the_zip_lies_beside_the_gradebook(out, capsys):
    export(out, "moodle-feedback")
    assert (out / "moodle-feedback.zip").is_file()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["moodle", "--now"], "only moodle-feedback and canvas-feedback and canvas take it"),
        (["moodle-feedback", "--again"], "only canvas-feedback take"), (["canvas", "--dry-run"], "canvas takes it with --push"),
        (["json", "--push"], "json does not"), (["moodle-feedback", "--max-mb", "0"], "a number of megabytes"),
        (["canvas", "--push"], "--course and --column by their numbers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_an_option_in_the_wrong_place_is_one_line(out, capsys, arguments, line):
    assert export(out, *arguments) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def request(out, *arguments):
    return cli.main(["request", *arguments, "--out", str(out)])


def test_requests_are_taken_in_once(out, tmp_path, capsys):
    file = tmp_path / "requests.csv"
    file.write_text('\ufeffKey,Text,Timestamp\ndoejane,"a, b",1\nroejoe,c,2\n')
    assert request(out, "--file", str(file)) == 0 and request(out, "--file", str(file)) == 0
    assert request(out, "poeann", "--text", "d") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("2 taken in;") and said[1].startswith("0 taken in, 2 were there already")
    with GradebookReader(out) as reader:
        assert [(each.key, each.text) for each in Requests(reader.book).open()] == [
            ("doejane", "a, b"),
            ("roejoe", "c"),
            ("poeann", "d"),
        ]
    assert request(out) == 0 and capsys.readouterr().out.splitlines()[-1] == "3 open requests"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("key,text\ndoejane,a\nnobody,b\ndoejane,\n", "row 3: nobody: nothing was handed in"),
        ("who,text\nx,y\n", "expected a column 'key', found 'who', 'text'"), ("key,text\n", "holds no request"),
    ],
)  # fmt: skip
def test_of_a_wrong_file_nothing_is_taken(out, tmp_path, capsys, text, line):
    file = tmp_path / "requests.csv"
    file.write_text(text)
    assert request(out, "--file", str(file)) == 2
    assert line in capsys.readouterr().err
    with GradebookReader(out) as reader:
        assert not Requests(reader.book).open()
