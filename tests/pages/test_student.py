"""The student's page, read as text."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from grader.assignments.vit.assignment import VIT
from grader.evidence import Answer
from grader.records import Observation, Origin, Piece, Program
from grader.reports.html import definitions, figures, student
from grader.reports.html.pages import Pages
from grader.reports.html.sources import SourceLines
from grader.reports.html.story import first_steps, tell
from grader.reports.text import file_stem
from tests import grades


def test_every_criterion_says_what_was_expected_seen_and_to_do_next(made):
    page = student.page(made[0].grade, made[0].evidence)
    assert "applies two or more different kinds of random augmentation" in page
    assert "one kind of random augmentation changes images" in page and "The distances are squared" in page


def test_the_lines_at_fault_are_shown_and_marked(made):
    page = student.page(made[0].grade, made[0].evidence)
    named = [line for line in page.splitlines() if 'class="line named"' in line]
    assert any("MultiStepLR" in line for line in named) and any("flip" in line.lower() for line in named)


def test_all_pictures_are_there_and_the_page_is_small(made):
    page = student.page(made[0].grade, made[0].evidence)
    for figure in ("augmentation", "schedule", "log", "attention", "map", "neighbours", "classes"):
        assert f'id="{figure}"' in page
    assert len(page.encode()) < 1_000_000


def test_a_page_needs_no_evidence():
    page = student.page(grades.grade(vit_model=("failed", "expected (8, 64), got (8, 17, 64)")))
    assert "got (8, 17, 64)" in page and "<svg" in page


def test_a_rejected_submission_gets_a_page_with_the_reason():
    assert "not a notebook" in student.page(grades.rejected())


def test_a_page_with_the_same_grade_is_the_same(made):
    one, other = (student.page(made[0].grade, None) for _ in range(2))
    assert one == other


def test_what_is_blocked_stands_under_its_first_cause():
    grade = grades.grade(
        vit_model=("missing", "`ViT` is not defined"),
        vit_accuracy=("blocked", "could not be judged because of vit.model: there is no `ViT`"),
        contrastive_logs=("blocked", "could not be judged because of vit.accuracy: no model"),
    )
    parts = tell(grade, SourceLines(None), {})
    cause = next(row for part in parts for row in part.rows if row.result.id == "vit.model")
    assert [row.result.id for row in cause.waiting] == ["vit.accuracy", "contrastive.logs"]
    assert first_steps(parts)[0] is cause and cause.gain == 5 + 5 + 4


def test_blocked_in_a_circle_comes_to_an_end():
    grade = grades.grade(
        vit_model=("blocked", "could not be judged because of vit.accuracy: x"),
        vit_accuracy=("blocked", "could not be judged because of vit.model: y"),
    )
    assert "Waits for" in student.page(grade)


@pytest.mark.parametrize(
    ("words", "lines"),
    [("MultiStepLR counts batches", [2]), ("call scheduler.step()", [2, 4]), ("nothing of it", [])],
)
def test_lines_are_found_by_the_names_in_a_message(words, lines):
    source = "def train():\n    scheduler = MultiStepLR(optimizer)\n    for x in y:\n        scheduler.step()\n"
    assert definitions.naming(source, words) == lines


def test_a_definition_begins_without_its_docstring():
    assert definitions.beginning('def f():\n    """Long.\n\n    text"""\n    return 1\n') == [1, 5]


def test_a_line_of_a_cell_is_found_where_a_message_names_it(made):
    submission = dataclasses.replace(
        made[0].evidence.submission,
        cells=(),
        program=Program((Piece("a = 1\nb = <2\nc = 3", "n.ipynb", 4, 10),), {}, {}),
    )
    (excerpt,) = SourceLines(submission).named("raised ValueError at n.ipynb, cell 4, line 11: `b`")
    assert [line.number for line in excerpt.lines if line.named] == [11] and "&lt;" in excerpt.lines[1].code
    assert SourceLines(submission).named("n.ipynb, cell 4, line 112") == []


def test_a_place_that_is_not_there_shows_nothing():
    assert SourceLines(None).about(Origin("x.py", None, 3, "x"), "words") is None


@pytest.mark.parametrize("name", ["a/b", "..", "index", "INDEX", "a b", "<script>", "x" * 300, "\ud800", "Müller"])
def test_a_key_becomes_a_file_name_of_its_own(name):
    stem = file_stem(name)
    assert "/" not in stem and not stem.startswith(".") and stem.lower() != "index" and len(stem.encode()) < 200
    assert stem != file_stem(name + "!")


def test_a_grade_displays_itself_in_a_notebook():
    shown = grades.grade("<b>", vit_model=("failed", "expected <8>"))._repr_html_()
    assert "expected &lt;8&gt;" in shown and "&lt;b&gt;" in shown and "<script" not in shown


def test_nothing_of_the_pages_is_imported_where_none_is_asked_for():
    code = "import sys, grader.cli, grader.pipeline; print([n for n in sys.modules if 'nbconvert' in n or 'reports.html' in n])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("junk", [None, "junk", [], {}, float("nan"), np.zeros((3, 0)), {"outputs": {"test": 3}}])
def test_junk_in_the_place_of_observations_means_no_picture(junk, made):
    seen = made[0].evidence
    answers = {p: Answer(p, a.question, Observation("value", junk)) for p, a in seen.answers.items()}
    found = figures.draw(dataclasses.replace(seen, answers=answers, verdicts={}, measured={}))
    assert [figure.id for figure in found] in ([], ["log"])


def test_a_flood_of_words_makes_no_flood_of_a_page():
    flood = {entry["id"].replace(".", "_", 1): ("failed", "<" * 500_000) for entry in grades.RUBRIC}
    assert len(student.page(grades.grade(**flood)).encode()) < 500_000


def test_a_page_or_a_picture_that_raises_is_named_and_the_others_are_written(made, tmp_path, monkeypatch):
    graded, _, _ = made

    def raising(*_, **__):
        raise RecursionError("too deep")

    functions = figures.functions(VIT)
    monkeypatch.setattr(figures, "functions", lambda assignment: {**functions, "schedule": raising})
    pages = Pages(tmp_path)
    try:
        text = pages.add(graded).read_text()
        assert "the picture schedule failed" in text and "grader.error" in text
        assert any("the picture schedule failed" in line for line in pages.trouble.values())
        monkeypatch.setattr("grader.reports.html.student.page", raising)
        pages.add(graded)
        assert any("the page failed" in line for line in pages.trouble.values())
        assert [entry.page is None for entry in pages.entries] == [False, True]
        assert pages.index().is_file()
    finally:
        pages.close()
