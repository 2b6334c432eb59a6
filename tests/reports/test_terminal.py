"""The report in the terminal."""

import dataclasses
import io
import xml.etree.ElementTree

import pytest
from rich.console import Console

from grader.reports import terminal
from grader.reports.text import printable, visible_line
from tests import grades

HOSTILE = "\x1b[31m\x1b]0;title\x07[bold]markup[/bold]\u202eesrever\nnew line \x00\x9b2J"


def shown(*those, width=100, encoding="utf-8"):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace", newline="")
    terminal.show(those, Console(file=stream, width=width, highlight=False))
    stream.seek(0)
    return stream.read()


def test_a_full_grade_fits_one_screen():
    text = shown(grades.grade())
    assert len(text.splitlines()) <= 30
    assert "100 of 100 points" in text and "seed 1234" in text and "Precision@1 0.8123" in text


def test_an_untouched_template_fits_one_screen():
    everything = {
        c["id"].replace(".", "_", 1): ("missing", "still to do (x.py, line 3): " + "word " * 40) for c in grades.RUBRIC
    }
    text = shown(grades.grade(**everything), width=80)
    assert len(text.splitlines()) <= 30
    assert max(map(len, text.splitlines())) <= 80


def test_a_lost_criterion_says_why_and_where_in_words_not_by_colour():
    text = shown(grades.grade(vit_model=("failed", "expected (8, 64), got (8, 17, 64)")))
    assert "✗ failed" in text and "got (8, 17, 64)" in text and "submission.ipynb, cell 3, line 7" in text


LONG = "vit_model.py, line 226 cannot be parsed: '(' was never closed, so `LinearEmbeddingHead` is not defined"


@pytest.mark.parametrize("status", ["missing", "blocked"])
def test_what_is_missing_says_why_to_the_end(status):
    lines = [" ".join(line.split()) for line in shown(grades.grade(vit_heads=(status, LONG))).splitlines()]
    assert LONG in " ".join(lines)


def test_what_is_missing_stands_in_one_line_where_it_fits():
    assert "heads  no file" in shown(grades.grade(vit_heads=("missing", "no file")))


def test_a_part_of_the_points_is_said():
    assert "partial" in (text := shown(grades.grade(application_knn=("partial", "half")))) and "3/6" in text


def test_no_text_of_a_submission_reaches_the_terminal_raw():
    grade = dataclasses.replace(
        grades.grade(name=HOSTILE, vit_model=("failed", HOSTILE), vit_heads=("missing", HOSTILE)),
        status="needs_review", reason=HOSTILE,
    )  # fmt: skip
    for text in (shown(grade), shown(grade, grade)):
        assert not set(text) & set("\x1b\x07\x00\x9b\u202e\r")
        assert "[bold]markup[/bold]" in text


def test_a_terminal_without_unicode_gets_plain_signs():
    text = shown(grades.grade(vit_model=("failed", "no")), encoding="ascii")
    assert "x failed" in text and "?" not in text


def test_a_class_is_a_table_with_a_line_for_each():
    text = shown(grades.grade("ab12"), grades.grade("cd34", vit_model=("failed", "no")), grades.rejected("ef56"))
    assert len(text.splitlines()[:4]) == 4 and "vit.model (failed)" in text
    assert text.endswith("\nTo be looked at: 1 of 3\n  ef56: not a notebook\n")


def test_in_a_class_what_failed_is_named_before_what_is_missing():
    absent = dict.fromkeys(("vit_accuracy", "contrastive_logs", "contrastive_precision"), ("missing", "no file"))
    one = grades.grade(vit_heads=("failed", "no"), application_knn=("partial", "half"), **absent)
    lines = " ".join(shown(one, grades.grade(), width=140).split())
    assert "vit.heads (failed), application.knn (partial), 3 missing" in lines


def test_what_does_not_confine_is_said():
    grade = dataclasses.replace(grades.grade(), sandbox={**grades.WALLS, "network": "not enforced"})
    assert "Not confined: network" in shown(grade)


def test_the_picture_is_svg_that_asks_the_network_for_nothing(tmp_path):
    path = tmp_path / "docs" / "grade.svg"
    terminal.picture(grades.grade(vit_model=("failed", "<script>alert(1)</script>")), path)
    root = xml.etree.ElementTree.parse(path).getroot()
    assert "url(" not in path.read_text().replace("url(#", "") and root.tag.endswith("svg")
    assert not [element for element in root.iter() if element.tag.endswith(("script", "image"))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\nb\tc", "a b c"), ("\x1b[2J", "\\x1b[2J"), ("é✓漢", "é✓漢"), ("\u202ex", "\\u202ex"), ("\ud800", "\\ud800")],
)
def test_printable_shows_what_would_not_be_seen(text, expected):
    assert printable(text) == expected


def test_printable_cuts_a_flood():
    assert len(printable("x" * 10_000_000)) == 2_000


def test_what_stands_in_a_line_begins_no_other() -> None:
    assert visible_line("  a\n::error::b\r\nc\td\x1b[2J") == r"  a\n::error::b\nc" + "\td" + r"\x1b[2J"
