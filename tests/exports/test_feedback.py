"""Pages on their way home: every one at its student, none too early, none twice, no zip too large."""

import re
import shutil
import time
from pathlib import Path

import pytest

from grader.assignments.vit.files import RUBRIC as DEFAULT
from grader.errors import GraderError
from grader.exports.feedback import FeedbackOptions, pack
from grader.gradebook import inputs, session
from grader.gradebook.ledger import Ledger
from grader.gradebook.reader import GradebookReader
from grader.gradebook.store import NAME, Gradebook
from grader.pipeline import Options
from grader.reports.html.pages import digest_of
from tests import grades
from tests.gradebook import classroom, uploads
from tests.gradebook.test_downloads import graded

NAMES = {123456: "Jane Doe", 123457: "Joe_Roe", 123458: "Ann Poe", 123459: "Émile <b>Zola"}
DAY = 86_400


def roster(out: Path, text: str) -> None:
    book = Gradebook(out / NAME, must_exist=True)
    book.take_roster("roster.csv", text, "a test")
    book.close()


def packed(out: Path, format_: str, target: Path, rubric: Path | None = None, **options):
    with GradebookReader(out, rubric=rubric) as reader:
        return pack(reader, FeedbackOptions(format_, target, **options))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A class of Moodle's in which three handed in, really graded; the fourth is in Jane's team."""
    place = tmp_path_factory.mktemp("course")
    for (number, name), search in zip(list(NAMES.items())[:3], ("anna", "bela", "dora"), strict=True):
        if number == 123458:  # a download without folders
            classroom.notebook(
                place / "class" / f"{name}_{number}_assignsubmission_file_a.ipynb", classroom.SEARCHES[search]
            )
        else:
            folder = place / "class" / f"{name}_{number}_assignsubmission_file_"
            classroom.notebook(folder / "a.ipynb", classroom.SEARCHES[search])
    out = place / "grades"
    session.grade_class(
        inputs.find([place / "class"], out), Options(out=out, seed=7, train="never"), ["application.knn"]
    )
    roster(out, "id,name,team\n123456,Jane Doe,red\n123459,Émile <b>Zola,red\n")
    return out


@pytest.fixture(scope="module")
def packed_once(course, tmp_path_factory):
    """All pages of the class in one zip, for tests that need not see them made."""
    return packed(course, "moodle-feedback", tmp_path_factory.mktemp("packed") / "m.zip").zips[0]


@pytest.fixture
def whole(packed_once, tmp_path):
    """The same as a file of the test's own."""
    return Path(shutil.copy(packed_once, tmp_path / "m.zip"))


@pytest.fixture
def canvas(tmp_path):
    """A class of Canvas's, graded without workers."""
    for name in ("doejane_12_9001_a.ipynb", "roejoe_LATE_13_9002_a-1.ipynb", "2000_14_9003_a.ipynb"):
        classroom.notebook(tmp_path / "class" / name, "score = 80")
    graded([tmp_path / "class"], tmp_path / "grades")
    return tmp_path / "grades"


ATTACHMENTS = {12: 9001, 13: 9002, 14: 9003}


def test_moodle_finds_every_page_and_notebook_at_its_student(course, tmp_path):
    done = packed(course, "moodle-feedback", tmp_path / "m.zip")
    received = uploads.moodle(done.zips, {**NAMES, 123459: "Émile b Zola"})  # as Moodle names files
    assert set(received) == set(NAMES) and not (done.left_out or done.held_back or done.trouble)
    for files in received.values():
        assert set(files) == {"feedback.html", "notebook.html"}
        assert b"./notebook.html" in files["feedback.html"] and b"./feedback.html" in files["notebook.html"]
    assert b"<h1>Joe_Roe</h1>" in received[123457]["feedback.html"]
    assert b"2 of 6 points" in received[123457]["feedback.html"]
    assert b"retrieve_topk_nearest_neighbors_l2" in received[123457]["notebook.html"]


def test_each_member_of_a_team_gets_a_copy_of_their_own(packed_once):
    received = uploads.moodle([packed_once], {**NAMES, 123459: "Émile b Zola"})
    assert "<h1>123459</h1>" in received[123459]["feedback.html"].decode()  # whom the gradebook knows by the id alone
    assert b"handed in by Jane Doe" in received[123459]["feedback.html"]


def test_the_same_export_makes_the_same_bytes_and_no_page_again(course, whole, monkeypatch):
    before = whole.read_bytes()
    monkeypatch.setattr("grader.exports.feedback.student.page", None)  # nothing is made
    assert packed(course, "moodle-feedback", whole).zips == [whole] and whole.read_bytes() == before
    with GradebookReader(course) as reader:
        said = [each for each in reader.ledger.exports("Joe_Roe") if each.format == "moodle-feedback"]
        assert len(said) == 1 and re.fullmatch(r"2 points, page [0-9a-f]{12}", said[0].said)


def test_a_zip_is_never_larger_than_it_may_be(course, whole, tmp_path):
    size = whole.stat().st_size
    assert packed(course, "moodle-feedback", whole, max_bytes=size).zips == [whole]
    done = packed(course, "moodle-feedback", whole, max_bytes=size * 0.6)
    assert [path.name for path in done.zips] == ["m-1.zip", "m-2.zip"] and not whole.exists()
    assert all(path.stat().st_size <= size * 0.6 for path in done.zips)
    assert set(uploads.moodle(done.zips, {**NAMES, 123459: "Émile b Zola"})) == set(NAMES)
    small = packed(course, "moodle-feedback", whole, max_bytes=1000)
    assert not small.zips and set(small.left_out.values()) == {"its page alone is larger than 0.001 MB"}
    assert not list(tmp_path.glob(".*"))


def test_evidence_out_of_a_gradebook_knows_its_verdicts(course):
    with GradebookReader(course) as reader, reader.evidence(reader.entry("Jane Doe")) as evidence:
        assert evidence.passed("application.knn") and not evidence.passed("vit.model")  # which was not judged


def test_canvas_finds_every_page_at_its_student(canvas, tmp_path):
    received, ignored = uploads.canvas(packed(canvas, "canvas-feedback", tmp_path / "c.zip").zips, ATTACHMENTS)
    assert set(received) == {12, 13, 14} and not ignored and all(received.values())  # one is called 2000
    assert all(b'<body class="student">' in page for files in received.values() for page in files.values())


def test_who_handed_in_what_does_not_count_for_the_team_is_found_by_their_own_names(canvas, tmp_path):
    roster(canvas, "id,team\n12,red\n13,red\n")  # whose roster names no member's attachment
    received, ignored = uploads.canvas(packed(canvas, "canvas-feedback", tmp_path / "c.zip").zips, ATTACHMENTS)
    assert set(received) == {12, 13, 14} and not ignored


def test_who_handed_in_what_does_not_count_for_the_team_needs_no_number_in_the_roster(tmp_path):
    for number in (1010, 1011):  # of one name; Moodle's folder names alone tell them apart
        classroom.notebook(
            tmp_path / f"class/Sam Poe_{number}_assignsubmission_file/a.ipynb", f"score = {number - 950}"
        )
    graded([tmp_path / "class"], tmp_path / "grades")
    roster(tmp_path / "grades", "key,team\nSam Poe_1010,red\nSam Poe_1011,red\n")
    done = packed(tmp_path / "grades", "moodle-feedback", tmp_path / "m.zip")
    assert set(uploads.moodle(done.zips, {1010: "Sam Poe", 1011: "Sam Poe"})) == {1010, 1011} and not done.left_out


def test_a_page_is_packed_for_canvas_once(canvas, tmp_path):
    target = tmp_path / "c.zip"
    packed(canvas, "canvas-feedback", target)
    before = target.read_bytes()
    done = packed(canvas, "canvas-feedback", target)
    assert (done.zips, len(done.before)) == ([], 3) and target.read_bytes() == before
    with GradebookReader(canvas) as reader:
        reader.ledger.note_exports("canvas-feedback", {"roejoe": "another page"})
    with pytest.raises(GraderError, match="may not have been uploaded yet"):
        packed(canvas, "canvas-feedback", target)
    received, _ = uploads.canvas(packed(canvas, "canvas-feedback", tmp_path / "d.zip").zips, ATTACHMENTS)
    assert set(received) == {13}
    assert len(packed(canvas, "canvas-feedback", target, again=True).keys) == 3


def test_a_class_that_lies_elsewhere_has_the_same_pages():
    one, other = (grades.grade("ab12"), grades.grade("ab12"))
    other.submission["path"] = "elsewhere/ab12.zip"
    assert digest_of(one) == digest_of(other) and digest_of(one) != digest_of(one, "a day late")


def test_an_export_that_was_killed_before_it_was_noted_is_made_again(canvas, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Ledger, "note_exports", killed)
    with pytest.raises(KeyboardInterrupt):
        packed(canvas, "canvas-feedback", tmp_path / "c.zip")
    monkeypatch.undo()
    before = (tmp_path / "c.zip").read_bytes()
    assert len(packed(canvas, "canvas-feedback", tmp_path / "c.zip").keys) == 3
    assert (tmp_path / "c.zip").read_bytes() == before


def test_no_page_goes_home_before_the_students_own_deadline(canvas, tmp_path):
    past, future = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + d * DAY)) for d in (-1, 2))
    rubric = tmp_path / "rubric.toml"
    rubric.write_text(DEFAULT.read_text() + f"\n[late]\ndeadline = {past}\n")
    roster(canvas, f"key,extension,excused\ndoejane,3d,\nroejoe,{future},\n2000,,\n")
    done = packed(canvas, "canvas-feedback", tmp_path / "c.zip", rubric)
    assert done.keys == ["2000"] and set(done.held_back) == {"doejane", "roejoe"}
    assert "held back until" in done.held_back["roejoe"] and "own deadline" in done.held_back["roejoe"]
    assert packed(canvas, "canvas-feedback", tmp_path / "d.zip", rubric, early=True).keys == ["doejane", "roejoe"]


def test_a_deadline_without_a_zone_holds_everything_back_and_says_why(canvas, tmp_path):
    rubric = tmp_path / "rubric.toml"
    rubric.write_text(DEFAULT.read_text() + "\n[late]\ndeadline = 2020-01-01T00:00:00\n")
    done = packed(canvas, "canvas-feedback", tmp_path / "c.zip", rubric)
    assert not done.zips and all("no time zone" in why for why in done.held_back.values())


def test_who_is_excused_or_open_or_unknown_there_gets_no_page(canvas, tmp_path):
    roster(canvas, "key,excused\ndoejane,yes\n")
    done = packed(canvas, "moodle-feedback", tmp_path / "m.zip")
    assert done.left_out == {"doejane": "excused, there is no score"} and set(done.keys) == {"2000", "roejoe"}


def test_what_was_not_handed_in_through_the_platform_is_named(tmp_path):
    classroom.notebook(tmp_path / "class" / "ab12" / "a.ipynb", "score = 80")
    classroom.notebook(tmp_path / "class" / "cd34" / "a.ipynb", "score = 70")
    graded([tmp_path / "class"], tmp_path / "grades")
    roster(tmp_path / "grades", "key,id,name\ncd34,77,Carl Deer\n")
    done = packed(tmp_path / "grades", "moodle-feedback", tmp_path / "m.zip")
    assert "participant number" in done.left_out["ab12"]
    assert set(uploads.moodle(done.zips, {77: "Carl Deer"})) == {77}
