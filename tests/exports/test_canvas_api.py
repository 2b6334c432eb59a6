"""Scores and comments to Canvas, which is played by a server on loopback."""

import pytest

from grader.errors import GraderError
from grader.exports.canvas_api import CanvasPlace, place, plan
from grader.exports.result import ExportedGrade
from tests.exports.canvas_server import TOKEN, FakeCanvas, serving
from tests.exports.test_exports import LOST, REVIEW

pytestmark = pytest.mark.filterwarnings("ignore:Canvas may respond unexpectedly")  # it would rather speak https
RESULTS = [
    ExportedGrade(LOST, 92.5, "a day late, 10 points taken off", "12"),
    ExportedGrade(REVIEW, 10, student="13"),
    ExportedGrade(LOST, 50, student="14", excused=True),
    ExportedGrade(LOST, 50, student="99"),
]


@pytest.fixture
def canvas():
    return FakeCanvas([12, 13, 14])


@pytest.fixture
def where(canvas):
    with serving(canvas) as url:
        yield CanvasPlace(url, "5", "7", TOKEN)


def test_what_would_change_is_told_and_nothing_is_sent(canvas, where):
    changes, left = plan(where, RESULTS[:3], True)
    assert list(map(str, changes)) == ["cd34: score none → 92.5, a comment"] and not canvas.sent
    assert left == {
        "ef56": "left as it was: needs review (no score until a person has decided)",
        "cd34": "excused, left as it was",
    }


def test_who_is_not_in_the_course_is_named(where):
    assert "not among the students" in plan(where, RESULTS[3:], True)[1]["cd34"]


def test_a_score_and_a_comment_arrive_and_arrive_once(canvas, where):
    for change in plan(where, RESULTS[:1], True)[0]:
        change.send()
    ((user, sent),) = canvas.sent
    assert user == 12 and sent["submission[posted_grade]"] == "92.5"
    assert sent["comment[text_comment]"].startswith("92.5 of 100 points\na day late, 10 points taken off\n")
    assert plan(where, RESULTS[:1], True) == ([], {})


def test_another_score_is_sent_without_the_comment_that_is_there(canvas, where):
    for change in plan(where, RESULTS[:1], True)[0]:
        change.send()
    canvas.submissions[12]["entered_score"] = 3.0
    (change,) = plan(where, RESULTS[:1], True)[0]
    assert str(change) == "cd34: score 3 → 92.5"


def test_comments_may_be_left_out(where):
    assert [change.comment for change in plan(where, RESULTS[:1], False)[0]] == [None]


def test_a_late_policy_of_canvass_own_changes_no_score_again(canvas, where):
    canvas.submissions[12] |= {"entered_score": 92.5, "score": 80.0}
    assert plan(where, RESULTS[:1], False)[0] == []


def test_an_assignment_worth_other_points_is_refused(canvas, where):
    canvas.points_possible = 10.0
    with pytest.raises(GraderError, match=r"worth 10\.0 points there, the grades are of 100; nothing was sent"):
        plan(where, RESULTS, True)


@pytest.mark.parametrize(
    ("change", "line"),
    [({"token": "another"}, "Canvas refused: "), ({"course": "6"}, "ResourceDoesNotExist"), ({"url": "http://127.0.0.1:9"}, "cannot be reached")],
    ids=["token", "course", "server"],
)  # fmt: skip
def test_what_canvas_refuses_is_one_line_without_the_token(where, change, line):
    with pytest.raises(GraderError, match=line) as caught:
        plan(CanvasPlace(**{**vars(where), **change}), RESULTS, True)
    assert "\n" not in str(caught.value) and "another" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "environment", "line"),
    [
        ((None, None, "7"), {}, "--course and --column by their numbers"),
        ((None, "5", "7"), {}, "set CANVAS_API_URL"),
        (("https://c.example", "5", "7"), {}, "set CANVAS_API_TOKEN"),
        (("http://c.example", "5", "7"), {"CANVAS_API_TOKEN": "x"}, "in the clear"),
    ],
)  # fmt: skip
def test_what_is_missing_is_one_line(given, environment, line):
    with pytest.raises(GraderError, match=line):
        place(*given, environment)


def test_the_assignment_may_be_named_as_its_column_is():
    found = place("https://c.example", "5", "Assignment 3 (12345)", {"CANVAS_API_TOKEN": "x"})
    assert (found.course, found.assignment) == ("5", "12345")
