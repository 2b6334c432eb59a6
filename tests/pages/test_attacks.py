"""Forty attempts to run something in a reader's browser, in every text that a submission may choose."""

import dataclasses
import json

import pytest

from grader.records import CellLog, CheckResult, GradeWarning, Origin, Piece, Program, SimilarGroup, Submission
from grader.reports.html import classroom, notebook, student
from grader.reports.html.notebooks.client import Renderer
from grader.reports.html.student import PageLink
from tests import grades
from tests.pages.browser import AUDIT
from tests.pages.hostile import SCRIPTS

ATTACKS = pytest.mark.parametrize("attack", SCRIPTS, ids=range(len(SCRIPTS)))


def hostile_grade(attack):
    """A grade in which every text is the attack."""
    first, *rest = grades.grade(
        attack, vit_model=("blocked", f"could not be judged because of vit.heads: {attack}")
    ).criteria
    checks = (
        CheckResult(attack, "failed", f"`{attack}` {attack} at {attack}, line 1", attack),
        CheckResult(attack, "passed", attack),
    )
    worst = dataclasses.replace(
        first,
        status="failed",
        points=0.0,
        title=attack,
        feedback=attack,
        checks=checks,
        origin=Origin(attack, None, 1, None),
    )
    return dataclasses.replace(
        grades.grade(attack), criteria=(worst, *rest), warnings=(GradeWarning(attack, attack),), status="needs_review",
        reason=attack, submission={"name": attack, "path": attack, "sha256": attack},
    )  # fmt: skip


def hostile_evidence(made, attack, tmp_path):
    """Evidence of a submission whose files, names and code are the attack."""
    program = Program((Piece(f"x = 1  # {attack}\n{attack}", attack, 1, 1),), {}, {})
    submission = Submission(
        attack, tmp_path, tmp_path, "", attack, program, (CellLog(1, attack, attack, (attack,)),), {}
    )
    return dataclasses.replace(made[0].evidence, submission=submission, answers={}, verdicts={}, measured={})


@pytest.fixture(scope="module")
def renderer():
    found = Renderer()
    yield found
    found.close()


@pytest.fixture(scope="module")
def window(browser, tmp_path_factory):
    """A window that shows one page after the other: opening one takes longer than looking at a page."""
    (empty := tmp_path_factory.mktemp("window") / "empty.html").touch()
    with browser.open(empty) as seen:
        yield seen


def harmless(window, path):
    """Open a page, follow what can be followed, and look for anything that ran or could."""
    page = window.go(path)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("window.hacked") is None
    assert page.evaluate(AUDIT) == [] and not window.complaints and not window.asked
    assert page.locator("main h2").first.is_visible()


@ATTACKS
def test_a_students_page_runs_nothing(attack, made, window, tmp_path):
    (path := tmp_path / "page.html").write_text(
        student.page(
            hostile_grade(attack), hostile_evidence(made, attack, tmp_path), (PageLink(attack, attack),), attack
        ),
        encoding="utf-8",
    )
    harmless(window, path)


def test_a_class_page_runs_nothing(window, tmp_path):
    entries = [classroom.ClassRow(hostile_grade(attack), PageLink(attack, attack), late=attack) for attack in SCRIPTS]
    (path := tmp_path / "index.html").write_text(
        classroom.page(entries, SCRIPTS[0], [SimilarGroup((attack, attack), (attack,), 1.0) for attack in SCRIPTS]),
        encoding="utf-8",
    )
    harmless(window, path)


def test_a_notebook_runs_nothing(made, renderer, window, tmp_path):
    cells = []
    for attack in SCRIPTS:
        outputs = [
            {"output_type": "stream", "name": "stderr", "text": attack},
            {"output_type": "error", "ename": attack, "evalue": attack, "traceback": [attack]},
            *({"output_type": "display_data", "metadata": {}, "data": {kind: attack}}
              for kind in ("text/html", "text/plain", "text/markdown", "text/latex", "image/svg+xml", "image/png")),
        ]  # fmt: skip
        cells.append(
            {"cell_type": "markdown", "metadata": {}, "source": attack, "attachments": {"a": {"image/svg+xml": attack}}}
        )
        cells.append({"cell_type": "code", "metadata": {}, "source": attack, "outputs": outputs, "execution_count": 1})
        cells.append({"cell_type": "raw", "metadata": {"format": "text/html"}, "source": attack})
    (file := tmp_path / "n.ipynb").write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    )
    found = renderer.render(file)
    assert len(found.cells) == len(cells)
    seen = hostile_evidence(made, SCRIPTS[0], tmp_path)
    (path := tmp_path / "page.html").write_text(notebook.page(hostile_grade(SCRIPTS[0]), seen, found), encoding="utf-8")
    harmless(window, path)
    assert "Score: 100" in path.read_text(encoding="utf-8")
