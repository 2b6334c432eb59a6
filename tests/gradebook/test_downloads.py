"""Bulk downloads of Canvas and Moodle, built to the letter, go in and come out; late ones and second attempts."""

import contextlib
import csv
import dataclasses
import io
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader import cli
from grader.assignments.vit.files import RUBRIC as DEFAULT
from grader.errors import GraderError
from grader.gradebook import inputs, late
from grader.gradebook.digests import Digests
from grader.gradebook.reader import GradebookReader
from grader.gradebook.run import Run
from grader.gradebook.store import NAME, Gradebook, PackedGrade
from tests.exports.test_exports import CANVAS, MOODLE
from tests.gradebook import classroom
from tests.gradebook.test_run import Breaking

NOW = Digests("asks", "checks", "rubric", "environment")
DEADLINE = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
POLICY = '\n[late]\ndeadline = 2026-11-20T23:59:00Z\nzone = "UTC"\ngrace = 15\nper_day = 10\nmost = 30\ncloses = 7\n'


class Scores(Breaking):
    """A place that gives what the submission's first code cell asks for."""

    def submit(self, task):
        future = super().submit(task)
        files = task.found.files or {p.name: p for p in task.found.path.rglob("*") if p.is_file()}
        text = next(path.read_text() for name, path in files.items() if name.endswith(".ipynb"))
        score = float(text.partition("score = ")[2].partition('"')[0])
        sealed = future.result()
        future = type(future)()
        future.set_result(PackedGrade(dataclasses.replace(sealed.grade, score=score)))
        return future


def graded(paths, out):
    """Grade what lies there into a gradebook, without workers."""
    with contextlib.closing(Gradebook(out / NAME)) as book:
        return Run(book, Scores(), NOW, 1).grade(inputs.find(paths, out))


def hand_in(path: Path, score: float, hours: float = -1.0) -> None:
    """A notebook that is worth some points, handed in some hours after the deadline."""
    classroom.notebook(path, f"score = {score}")
    at = DEADLINE.timestamp() + 3600 * hours
    os.utime(path, (at, at))


def zipped(folder: Path) -> Path:
    """The folder as the archive that both systems offer, times kept as zips keep them."""
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder))
    return target


@pytest.fixture
def canvas(tmp_path):
    folder = tmp_path / "submissions"
    hand_in(folder / "doejane_12_9001_Assignment3.ipynb", 90)
    hand_in(folder / "roejoe_LATE_13_9002_assignment3-1.ipynb", 80, hours=1)
    hand_in(folder / "poeann_14_9003_a.ipynb", 70, hours=50)  # Canvas does not call it late
    return folder


@pytest.fixture
def moodle(tmp_path):
    folder = tmp_path / "Course-Assignment 3-77"
    hand_in(folder / "Jane Doe_123456_assignsubmission_file" / "a.ipynb", 90)
    hand_in(folder / "Joe Roe_123457_assignsubmission_file_" / "a.ipynb", 80, hours=30)
    return folder


@pytest.fixture
def rubric(tmp_path):
    path = tmp_path / "rubric.toml"
    path.write_text(DEFAULT.read_text() + POLICY)
    return path


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped], ids=["folder", "zip"])
def test_a_canvas_download_goes_in_and_its_gradebook_comes_out(tmp_path, canvas, pack, rubric, capsys):
    graded([pack(canvas)], tmp_path / "grades")
    sheet = tmp_path / "canvas.csv"
    sheet.write_text(CANVAS, newline="")
    command = ["export", "canvas", "--out", str(tmp_path / "grades"), "--rubric", str(rubric), "--sheet", str(sheet)]
    assert cli.main([*command, "--column", "12345", "--to", str(tmp_path / "import.csv")]) == 0
    rows = csv.DictReader(io.StringIO((tmp_path / "import.csv").read_text(encoding="utf-8-sig")))
    assert {row["ID"]: row["Assignment 3 (12345)"] for row in rows} == {"": "100", "12": "90", "13": "70", "14": "70"}


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped], ids=["folder", "zip"])
def test_a_moodle_download_goes_in_and_its_worksheet_comes_out(tmp_path, moodle, pack, rubric, monkeypatch):
    monkeypatch.setenv("TZ", "America/Edmonton")  # the zone of the machine does not matter
    graded([pack(moodle)], tmp_path / "grades")
    sheet = tmp_path / "Grades-Assignment 3.csv"
    sheet.write_text(MOODLE, newline="")
    command = ["export", "moodle", "--out", str(tmp_path / "grades"), "--rubric", str(rubric), "--sheet", str(sheet)]
    assert cli.main([*command, "--to", str(sheet)]) == 0
    with sheet.open(newline="") as file:
        rows = {row["Identifier"]: row for row in csv.DictReader(file)}
    assert rows["Participant 123456"]["Grade"] == "9"  # 90 of 100, Moodle's maximum is 10
    assert rows["Participant 123457"]["Grade"] == "6"  # 30 hours late, two days begun
    assert "2 days late, 20 points taken off" in rows["Participant 123457"]["Feedback comments"]
    assert rows["Participant 123458"]["Grade"] == "4.00"


def test_of_two_attempts_the_latest_counts_or_the_best(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    hand_in(first / "doejane_12_9001_a.ipynb", 90, hours=-9)
    hand_in(second / "doejane_12_9007_a.ipynb", 60)
    hand_in(second / "poeann_14_9003_a.ipynb", 70)
    graded([second, first], tmp_path / "grades")
    for attempts, points in (("latest", 60), ("best", 90)):
        with GradebookReader(tmp_path / "grades", attempts) as reader:
            entries = {entry.key: entry for entry in reader.entries()}
            assert entries["doejane"].points == points and entries["poeann"].points == 70
            assert len(reader.entries(every=True)) == 3 and entries["doejane"].attempts == 2


def test_lateness_may_make_the_worse_attempt_the_better(tmp_path, rubric):
    hand_in(tmp_path / "1" / "Jane Doe_12_assignsubmission_file_" / "a.ipynb", 80)
    hand_in(tmp_path / "2" / "Jane Doe_12_assignsubmission_file_" / "a.ipynb", 85, hours=2)
    graded([tmp_path / "1", tmp_path / "2"], tmp_path / "grades")
    with GradebookReader(tmp_path / "grades", "best", rubric) as reader:
        (entry,) = reader.entries()
    assert (entry.points, entry.attempt, entry.days_late) == (80, 1, 0)


def test_what_was_replaced_in_its_place_is_history_and_no_attempt(tmp_path):
    path = tmp_path / "class" / "doejane_12_9001_a.ipynb"
    hand_in(tmp_path / "class" / "poeann_14_9003_a.ipynb", 70)
    hand_in(path, 90)
    graded([tmp_path / "class"], tmp_path / "grades")
    hand_in(path, 60, hours=-5)
    graded([tmp_path / "class"], tmp_path / "grades")
    with GradebookReader(tmp_path / "grades", "best") as reader:
        entry = reader.entries()[0]
        assert (entry.points, entry.attempts) == (60, 1)
        assert [kept.grade.score for kept in reader.history("doejane")] == [90, 60]


@pytest.mark.parametrize(
    ("said", "hours", "days", "deduction"),
    [(None, -1, 0, 0), (None, 0.2, 0, 0), (None, 0.3, 1, 10), (None, 24.3, 2, 20), (None, 120, 5, 30),
     (None, 200, 9, 100), (False, 200, 0, 0), (True, -1, 1, 10), (True, 30, 2, 20), (None, None, 0, 0)],
)  # fmt: skip
def test_a_day_that_has_begun_counts_whole_and_the_download_has_the_last_word(said, hours, days, deduction, rubric):
    policy = late.load(rubric)
    at = None if hours is None else DEADLINE.timestamp() + 3600 * hours
    assert policy.days(said, at) == days and policy.deduction(days, 100) == deduction


def test_without_a_policy_nothing_is_taken_off():
    policy = late.load(DEFAULT)
    assert policy.deduction(policy.days(True, 0.0), 100) == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [("dedline = 1", "dedline: no such entry"), ("deadline = 'soon'", "expected a date and time"),
     ("per_day = -1", "a number of 0 or more"), ("per_day = true", "a number of 0 or more")],
)  # fmt: skip
def test_a_mistake_in_the_policy_is_named(tmp_path, line, said):
    path = tmp_path / "rubric.toml"
    path.write_text(f"[late]\n{line}\n")
    with pytest.raises(GraderError, match=said):
        late.load(path)


def test_two_students_of_one_name_in_two_folders_are_two(tmp_path):
    for section in ("a", "b"):
        hand_in(tmp_path / section / "anna.ipynb", 50)
        hand_in(tmp_path / section / f"only-{section}.ipynb", 60)
    done = graded([tmp_path / "a", tmp_path / "b"], tmp_path / "grades")
    assert [each.task.found.key for each in done] == ["anna", "only-a", "b/anna", "only-b"]
    with GradebookReader(tmp_path / "grades") as reader:
        assert len(reader.entries()) == 4


def test_documents_and_links_to_nothing_among_the_submissions_are_told(tmp_path: Path) -> None:
    for name in ("ann.ipynb", "bob.ipynb"):
        (tmp_path / name).write_text("{}")
    for name in ("cid.docx", "dora.html", "notes.csv", "README.md"):
        (tmp_path / name).write_text("x")
    (tmp_path / "emil").symlink_to("not mounted")
    found = inputs.find([tmp_path], tmp_path / "out")
    assert len(found) == 2
    assert inputs.documents_beside(found) == [
        "Not graded, for it is no notebook, folder or archive: cid.docx, dora.html, emil (a link to nothing)"
    ]
    assert inputs.documents_beside(found[:1]) == []
