"""The class page and the folder of pages, read as text."""

import dataclasses
import re
import shutil

import pytest

from grader import cli
from grader.pipeline import Graded
from grader.records import SimilarGroup
from grader.reports.html import causes, charts, classroom
from grader.reports.html.pages import Pages
from tests import grades


@pytest.fixture
def pages(tmp_path):
    found = Pages(tmp_path, several=True)
    yield found
    found.close()


def failing(name, words):
    return grades.grade(name, vit_model=("failed", words))


def test_verdicts_that_differ_in_numbers_and_places_are_one_cause():
    class_ = [
        failing("a", "expected output shape (8, 64), got (8, 17, 64)"),
        failing("b", "expected output shape (3, 16), got (3, 5, 16)"),
        failing("c", "raised ValueError: 3 is odd at n.ipynb, cell 4, line 12: `x`"),
        failing("d", "raised ValueError: 7 is odd at m.py, line 9: `y`"),
        failing("e", "something else"),
    ]
    (first, *_) = causes.lost(class_)
    assert first.id == "vit.model" and len(first.names) == 5
    assert [len(cause.names) for cause in first.causes] == [2, 2, 1]


def test_criteria_that_most_lost_come_first_and_blocked_ones_are_told_apart():
    class_ = [grades.grade("a", vit_heads=("missing", "x"), vit_model=("blocked", "y")), failing("b", "z")]
    found = {each.id: each for each in causes.lost(class_)}
    assert found["vit.heads"].missing == 1 and found["vit.model"].blocked == 1 and found["vit.model"].names == ("b",)


def test_a_class_page_is_told_of_lateness_reviews_warnings_and_pairs():
    review = dataclasses.replace(grades.grade("b"), status="needs_review", reason="out of memory")
    members = [classroom.ClassRow(grades.grade("a"), points=90.0, late="2 d, −10"), classroom.ClassRow(review)]
    page = classroom.page(members, "T", [SimilarGroup(("a", "b"), ("vit_embeds.pt",), 1.0)])
    for words in ("2 d, −10", "out of memory", "share vit_embeds.pt", "log.stale", "<b>90</b>"):
        assert words in page
    assert page.index("log.stale") < page.index("<code>similar</code>"), "similar submissions come after the warnings"


@pytest.mark.parametrize(
    "members", [[], [classroom.ClassRow(grades.rejected())]], ids=["nobody", "one that was rejected"]
)
def test_a_class_without_a_grade_has_a_page(members):
    assert "submissions" in classroom.page(members)


def test_pages_link_to_each_other(pages):
    for name in ("a", "b c/d", "a-notebook"):
        pages.add(Graded(grades.grade(name), None))
    index = pages.index().read_text()
    for page in pages.folder.iterdir():
        assert f'href="pages/{page.name}"' in index and 'href="../index.html"' in page.read_text()
    assert len(list(pages.folder.iterdir())) == 3 and not (pages.folder / "a-notebook.html").exists()


def test_a_page_of_the_same_grade_is_not_made_again(pages):
    path = pages.add(Graded(grades.grade("a"), None))
    path.write_text(path.read_text() + "mark")
    pages.add(Graded(dataclasses.replace(grades.grade("a"), timings={"total": 99.0}), None))
    assert path.read_text().endswith("mark")
    pages.add(Graded(failing("a", "no"), None))
    assert not path.read_text().endswith("mark")


def test_the_command_line_writes_pages_where_they_are_asked_for(tmp_path, capsys):
    assert cli.main(["student", "--html", "--out", str(tmp_path / "one"), "--train", "never"]) == 0
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"student.html", "student-notebook.html"}
    assert "student.html" in capsys.readouterr().out
    assert cli.main(["student", "--out", str(tmp_path / "none"), "--train", "never"]) == 0
    assert not (tmp_path / "none").exists()


def test_the_command_line_writes_the_pages_of_a_class(tmp_path):
    for name in ("a", "b"):
        shutil.copytree("student", tmp_path / "class" / name)
    assert cli.main([str(tmp_path / "class"), "--html", "--out", str(tmp_path / "out"), "--train", "never"]) == 0
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.html")}
    assert found == {"index.html", *(f"pages/{n}{kind}.html" for n in "ab" for kind in ("", "-notebook"))}
    assert "Four parts" in (tmp_path / "out" / "pages" / "a-notebook.html").read_text()


@pytest.mark.parametrize("near", [0.00001, 0.001, 0.1])
def test_no_two_marks_of_an_axis_are_called_the_same(near):
    chart = charts.scatter([(0.1, 0.6), (0.1 + near, 0.6 + near)], "across", "up")
    marks = re.findall(r">\s*([0-9.]+) %", str(chart))
    assert len(marks) > 5 and len(set(marks)) == len(marks)
