"""The table that is shown while a class is graded."""

import time
from pathlib import Path

import pytest
from rich.console import Console

from grader.gradebook.live import Table, _minutes
from grader.gradebook.run import Done
from grader.gradebook.store import PackedGrade
from grader.gradebook.task import Task, unfinished
from grader.intake import Found
from tests import grades


def task(key):
    return Task(1, Found(key, Path(key)), 1)


def shown(table):
    console = Console(width=100, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115
    with console.file:
        console.print(table.render())
    return console.export_text()


def test_it_counts_what_is_done_and_names_what_is_running():
    table = Table(200)
    for key in ("anna", "bela\x1b[2J", "cleo", "dora"):
        table.watch.began(task(key))
    table.step("anna", "vit.patch_embeddings", 0.25)
    table.watch.done(Done(task("cleo"), grades.grade("cleo"), "graded"))
    table.watch.done(Done(task("dora"), unfinished(task("dora"), "it hung", 100.0), "given up"))
    table.watch.done(Done(task("emil"), grades.grade("emil"), "kept"))
    text = shown(table)
    assert "3 of 200 done (1 kept, 1 given up), 2 running, 1 to be looked at" in text
    assert " 25% vit.patch_embeddings" in text and "\x1b" not in text and "bela\\x1b[2J" in text


def test_the_end_is_told_from_what_was_graded_not_from_what_was_kept():
    table = Table(100)
    for number in range(50):
        table.done(Done(task(str(number)), grades.grade("x"), "kept"))
    assert table.left is None
    table.start = time.monotonic() - 100
    for number in range(10):
        table.done(Done(task(str(number)), grades.grade("x"), "graded"))
    assert table.left == pytest.approx(400, rel=0.01)


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s"), (600, "10 min"), (9000, "2 h 30 min")])
def test_times_are_for_people(seconds, words):
    assert _minutes(seconds) == words


def test_without_a_terminal_nothing_is_shown(capsys):
    with Table(3) as table:
        table.began(task("anna"))
        table.done(Done(task("anna"), PackedGrade(grades.grade("anna")).grade, "graded"))
    assert capsys.readouterr() == ("", "")
