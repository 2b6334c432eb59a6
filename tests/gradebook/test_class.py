"""A class on the command line: graded once, only what is missing, whatever happens meanwhile."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import jsonschema
import pytest

from grader import cli, scoring
from grader.gradebook import inputs, session, task
from grader.gradebook.reader import GradebookReader
from grader.gradebook.store import NAME
from grader.intake import opening
from grader.reports.written import SCHEMA
from tests import warm_commands
from tests.gradebook import classroom

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class, graded: its folder and the output folder."""
    folder, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("grades")
    classroom.make(folder)
    assert cli.main([str(folder), "--out", str(out), "--json", str(out / "all.json"), *classroom.ONLY]) == 0
    return folder, out


def test_every_submission_gets_its_own_grade(graded):
    assert classroom.points(graded[1]) == classroom.POINTS


def test_the_grades_are_a_list_in_the_schema(graded):
    grades = json.loads((graded[1] / "all.json").read_text())
    schema = json.loads(SCHEMA.read_text())
    for grade in grades:
        jsonschema.validate(grade, schema)
    assert [grade["submission"]["name"] for grade in grades] == sorted(classroom.POINTS)


def test_a_second_run_grades_nothing(graded):
    folder, out = graded
    before = classroom.rows(out)
    assert cli.main([str(folder), "--out", str(out), *classroom.ONLY]) == 0
    assert classroom.rows(out) == before


def test_what_changed_is_graded_anew_and_the_old_grade_is_history(graded):
    folder, out = graded
    before = classroom.rows(out)
    classroom.notebook(folder / "dora" / "a.ipynb", classroom.RIGHT)
    assert cli.main([str(folder), "--out", str(out), *classroom.ONLY]) == 0
    after = classroom.rows(out)
    assert len(after) == len(before) + 1
    assert [score for key, _, score in after if key == "dora"] == [0, 6]
    assert classroom.points(out)["dora"] == 6
    classroom.notebook(folder / "dora" / "a.ipynb", classroom.SEARCHES["dora"])
    cli.main([str(folder), "--out", str(out), *classroom.ONLY])
    assert classroom.points(out) == classroom.POINTS


def start(folder, out, *more):
    command = [sys.executable, "grade.py", str(folder), "--out", str(out), "--jobs", "1", *classroom.ONLY, *more]
    variables = warm_commands.environment(os.environ)
    return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def committed(out):
    try:
        with sqlite3.connect(f"file:{out / NAME}?mode=ro", uri=True) as db:
            return db.execute("SELECT COUNT(*) FROM grades").fetchone()[0]
    except sqlite3.Error:
        return 0


def wait_until(condition):
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def test_a_file_that_was_not_unpacked_is_rejected_and_named(tmp_path, capsys):
    archive = tmp_path / "class.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(classroom.notebook(tmp_path / "a.ipynb", classroom.RIGHT), "doejane_12_90_a.ipynb")
        packed.writestr("roejoe_13_91_report.docx", b"PK")
        packed.writestr("poeann_14_92_work.rar", b"Rar!")
    assert cli.main([str(archive), "--out", str(tmp_path / "grades"), *classroom.ONLY]) == 0
    with GradebookReader(tmp_path / "grades") as reader:
        grades = {entry.key: entry.grade for entry in reader.entries()}
    assert {key: grade.status for key, grade in grades.items()} == {
        "doejane": "graded", "roejoe": "rejected", "poeann": "rejected",
    }  # fmt: skip
    assert "roejoe_13_91_report.docx: holds no notebook and no .py file" in grades["roejoe"].told_reason
    assert "is an archive of another kind; expected .zip" in grades["poeann"].told_reason


@pytest.mark.parametrize("name", ["roejoe_13_91_" + 120 * "ü" + ".ipynb", "roejoe_13_91_" + 300 * "a" + "/a.ipynb"])
def test_a_name_that_no_disk_holds_is_its_students_alone(tmp_path, name):
    archive = tmp_path / "class.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for place in ("doejane_12_90_a.ipynb", "poeann_14_92_a.ipynb", name):
            packed.write(classroom.notebook(tmp_path / "a.ipynb", classroom.RIGHT), place)
    assert cli.main([str(archive), "--out", str(tmp_path / "grades"), *classroom.ONLY]) == 0
    with GradebookReader(tmp_path / "grades") as reader:
        grades = {entry.key: entry.grade for entry in reader.entries()}
    assert [grades[key].status for key in ("doejane", "poeann")] == ["graded", "graded"]
    (other,) = (grade for key, grade in grades.items() if key not in ("doejane", "poeann"))
    assert other.status == "rejected" and "a name too long" in other.told_reason


def test_the_times_of_a_zipped_class_are_the_archives_whoever_copied_the_folder(tmp_path):
    archive, out = tmp_path / "class.zip", tmp_path / "grades"
    with zipfile.ZipFile(archive, "w") as packed:
        for key in ("doejane_12_90", "roejoe_13_91"):
            text = classroom.notebook(tmp_path / f"{key}.ipynb", classroom.RIGHT).read_bytes()
            packed.writestr(zipfile.ZipInfo(f"{key}_a.ipynb", (2026, 11, 22, 9, 0, 0)), text)
    found = inputs.find([archive], out)
    times = {each.key: inputs.handed_in(each) for each in found}
    for each in found:
        os.utime(each.path)
    assert {each.key: inputs.handed_in(each) for each in inputs.find([archive], out)} == times


def test_a_member_without_a_date_costs_no_other_its_time(tmp_path):
    archive = tmp_path / "class.zip"
    undated = zipfile.ZipInfo("roejoe_13_91_a.ipynb")
    undated.date_time = (1980, 0, 0, 0, 0, 0)  # as writers store "no date"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(zipfile.ZipInfo("doejane_12_90_a.ipynb", (2026, 11, 22, 9, 0, 0)), "{}")
        packed.writestr(undated, "{}")
    times = {each.key: inputs.handed_in(each) for each in inputs.find([archive], tmp_path / "grades")}
    assert times == {"doejane": 1795338000.0, "roejoe": None}


def test_a_time_that_is_no_number_is_not_known(tmp_path):
    archive = tmp_path / "class.tar"
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as packed:
        for name, at in (("doejane/a.ipynb", "nan"), ("roejoe/a.ipynb", "1795338000"), ("poeann/a.ipynb", "1e30")):
            member = tarfile.TarInfo(name)
            member.size, member.pax_headers = 2, {"mtime": at}
            packed.addfile(member, io.BytesIO(b"{}"))
    times = {each.key: inputs.handed_in(each) for each in inputs.find([archive], tmp_path / "grades")}
    assert times == {"doejane": None, "poeann": None, "roejoe": 1795338000.0}


@pytest.mark.timeout(100)
def test_a_killed_run_goes_on_where_it_was(tmp_path):
    folder, out = classroom.make(tmp_path / "class"), tmp_path / "grades"
    run = start(folder, out)
    wait_until(lambda: committed(out) >= 2)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    before = classroom.rows(out)
    decided = before[0][0]
    assert cli.main(["adjust", decided, "application.knn", "3", "--why", "as I see it", "--out", str(out)]) == 0
    again = start(folder, out)
    _, err = again.communicate(timeout=100)
    assert again.returncode == 0, err
    assert classroom.points(out) == {**classroom.POINTS, decided: 3}, "what a person decided in between stays"
    after = classroom.rows(out)
    assert set(before) <= set(after) and len(after) == len(classroom.POINTS)


def test_an_interrupt_says_how_to_go_on(tmp_path):
    folder, out = classroom.make(tmp_path / "class"), tmp_path / "grades"
    for number in range(40):  # six may be done before the signal arrives
        classroom.notebook(folder / f"more{number}" / "a.ipynb", f"{classroom.RIGHT}# {number}")
    run = start(folder, out, "-q")
    wait_until(lambda: committed(out) >= 1)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "of 46 are graded and kept" in err and "the same command goes on" in err and err.count("\n") == 1


def test_a_second_run_waits_for_the_first_and_not_for_ever(graded, capsys, monkeypatch):
    monkeypatch.setattr(session, "MAX_WAIT_SECONDS", 0.5)
    folder, out = graded
    with session.alone(out):
        assert cli.main([str(folder), "--out", str(out), *classroom.ONLY]) == 2
    assert "waiting for it" in (err := capsys.readouterr().err) and "still grading into this folder" in err
    assert cli.main([str(folder), "--out", str(out), *classroom.ONLY]) == 0


def test_where_nothing_can_be_written_several_are_graded_all_the_same(tmp_path, capsys, monkeypatch):
    classroom.notebook(tmp_path / "anna.ipynb", classroom.RIGHT)
    classroom.notebook(tmp_path / "bela.ipynb", classroom.SEARCHES["dora"])
    (tmp_path / "grades").write_text("a file where the folder should be")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["anna.ipynb", "bela.ipynb", "--json", "all.json", *classroom.ONLY]) == 0
    assert [grade["score"] for grade in json.loads(Path("all.json").read_text())] == [6, 0]
    assert "grades: nothing can be written there" in capsys.readouterr().err


def test_an_error_of_the_graders_over_one_submission_is_noticed_by_no_other(tmp_path, monkeypatch):
    folder, out = classroom.make(tmp_path / "class"), tmp_path / "out"
    pack_one, scores = task.pack, scoring.grade

    def pack(seen):
        if seen.submission.name == "bela":
            raise RecursionError("too deep")
        return pack_one(seen)

    def grade(seen, *more):
        if seen.submission.name == "cleo":
            raise MemoryError
        return scores(seen, *more)

    monkeypatch.setattr(task, "pack", pack)
    monkeypatch.setattr(scoring, "grade", grade)
    assert cli.main([str(folder), "--out", str(out), *classroom.ONLY]) == 1
    with GradebookReader(out) as reader:
        found = {entry.key: entry.grade for entry in reader.entries()}
    assert {key: each.score for key, each in found.items()} == {**classroom.POINTS, "cleo": 0}
    assert [key for key, each in found.items() if each.status == "needs_review"] == ["cleo"]
    assert (found["cleo"].undecided, found["cleo"].total) == (6, "0 + 6 open")
    assert "keeping what was observed failed" in found["bela"].warnings[0].message
    monkeypatch.undo()
    assert cli.main([str(folder), "--out", str(out), "--retry", *classroom.ONLY]) == 0
    assert classroom.points(out) == classroom.POINTS


def test_a_reading_process_that_fails_over_some_submissions_stops_no_class(tmp_path, monkeypatch):
    folder, out = tmp_path / "class", tmp_path / "out"
    classroom.make(folder)
    for name in ("a1", "a2", "a3", "a4"):
        (folder / name).mkdir()
        (folder / name / "m.py").write_text("x = 1")
    read = opening.run

    def run(path, message, limits):
        done = read(path, message, limits)
        if path.name in ("a1", "a2", "a3", "a4"):
            done.stdout, done.stderr = "", "ValueError: something of ours"
        return done

    monkeypatch.setattr(opening, "run", run)
    assert cli.main([str(folder), "--out", str(out), *classroom.ONLY]) == 1
    with GradebookReader(out) as reader:
        found = {entry.key: entry.grade for entry in reader.entries()}
    assert {key: each.score for key, each in found.items() if key in classroom.POINTS} == classroom.POINTS
    assert {each.status for key, each in found.items() if key not in classroom.POINTS} == {"needs_review"}
