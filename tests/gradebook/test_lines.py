"""What a run over a class tells where no terminal shows a table."""

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest

from grader import cli
from grader.gradebook import lines
from grader.gradebook.adjusting import Adjuster
from grader.gradebook.live import Table
from grader.gradebook.run import Done, Run
from grader.gradebook.store import NAME, Gradebook
from grader.gradebook.task import Task, unfinished
from grader.intake import Found, find_submissions
from tests import grades
from tests.gradebook import classroom
from tests.gradebook.test_run import NOW, Breaking


def task(key: str) -> Task:
    return Task(1, Found(key, Path(key)), 1)


def told(telling: lines.Telling) -> None:
    """A run over four: one graded, one given up, one kept, one under way."""
    with lines.shown(4, telling) as run:
        for key in ("anna", "bela\x1b[2J", "dora"):
            run.watch.began(task(key))
            run.step(key, "vit.heads", 0.5)
        run.watch.done(Done(task("cleo"), grades.grade("cleo"), "kept"))
        run.watch.done(Done(task("anna"), grades.grade("anna", vit_model=("failed", "")), "graded"))
        run.watch.done(Done(task("bela\x1b[2J"), unfinished(task("b"), "it hung", 100.0), "given up"))


def test_off_a_terminal_each_submission_that_is_done_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    told("auto")
    said = capsys.readouterr()
    assert said.out == "" and said.err.splitlines() == [
        "2 of 4: anna: 95 of 100 points, graded, 0.0 s",
        "3 of 4: bela\\x1b[2J: 0 + 100 open of 100 points, given up, needs review, 0.0 s: it hung",
    ]


def test_verbose_tells_what_is_begun_and_what_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    told("verbose")
    said = capsys.readouterr().err.splitlines()
    assert said[:4] == ["anna: begun", "bela\\x1b[2J: begun", "dora: begun",
                        "1 of 4: cleo: 100 of 100 points, kept, graded, 0.0 s"]  # fmt: skip


def test_quiet_tells_nothing_and_shows_nothing_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    told("quiet")
    assert capsys.readouterr() == ("", "")
    assert isinstance(lines.shown(4, "auto"), Table)


def test_json_lines_tell_the_run_and_each_submission(capsys: pytest.CaptureFixture[str]) -> None:
    told("json")
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [each["event"] for each in events] == ["begun", *["submission"] * 3, "ended"]
    assert events[0]["submissions"] == 4
    anna = events[2]
    assert {name: anna[name] for name in ("number", "key", "how", "status", "score", "undecided", "max_score")} == {
        "number": 2, "key": "anna", "how": "graded", "status": "graded", "score": 95, "undecided": 0, "max_score": 100,
    }  # fmt: skip
    assert events[3]["reason"] == "it hung"
    assert (events[-1]["done"], events[-1]["to_be_looked_at"]) == (3, 1)


def test_a_run_that_is_stopped_tells_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), lines.shown(2, "json") as run:
        run.watch.done(Done(task("cleo"), grades.grade("cleo"), "graded"))
        raise KeyboardInterrupt("stopped")
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (last["done"], last["stopped"]) == (1, "stopped")


def test_a_reader_who_has_gone_costs_no_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", closed := io.StringIO())
    closed.close()
    told("json")


def test_scores_are_told_as_people_decided_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    halved = grades.grade(vit_model=("partial", "by hand"))
    monkeypatch.setattr(Adjuster, "grade", lambda self, row, computed: halved if row.key == "anna" else computed)
    found = find_submissions(classroom.make(tmp_path / "class"))
    with contextlib.closing(Gradebook(tmp_path / NAME)) as book:
        Run(book, Breaking(), NOW, 1, watch=lines.Lines(len(found)).watch).grade(found)
    said = capsys.readouterr().err
    assert "anna: 97.5 of 100 points, graded" in said and said.count(": 100 of 100 points, graded") == 5


def test_the_options_reach_a_class_and_a_single_submission(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classroom.notebook(tmp_path / "anna.ipynb", classroom.RIGHT)
    out = ["--out", str(tmp_path / "grades"), *classroom.ONLY]
    assert cli.main([str(tmp_path / "anna.ipynb"), "--log-json", *out]) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(each["event"], each.get("score")) for each in events] == [
        ("begun", None), ("submission", 6), ("ended", None)]  # fmt: skip
    classroom.notebook(tmp_path / "bela.ipynb", classroom.SEARCHES["dora"])
    both = [str(tmp_path / "anna.ipynb"), str(tmp_path / "bela.ipynb")]
    assert cli.main([*both, *out]) == 0
    said = sorted(line.split(", ")[0][8:] for line in capsys.readouterr().err.splitlines())
    assert said == ["anna: 6 of 6 points", "bela: 0 of 6 points"]
    assert cli.main([*both, "-v", *out]) == 0
    assert capsys.readouterr().err.count("kept, graded") == 2
    assert cli.main([*both, "-q", *out]) == 0
    assert capsys.readouterr().err == ""
    assert cli.main([*both, "-q", "-v", *out]) == 2
    assert "not allowed with argument" in capsys.readouterr().err
