"""A class on a Dask cluster: a real scheduler, two real workers, one of them killed meanwhile."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from grader import cli, given
from grader.assignments.vit.assignment import VIT
from grader.errors import GraderError
from grader.gradebook import remote
from grader.gradebook.reader import GradebookReader
from grader.intake import Found
from tests.gradebook import classroom
from tests.gradebook.test_class import ROOT, committed, start, wait_until

QUIET = ["--no-dashboard"]


@pytest.fixture
def cluster(tmp_path):
    """The address of a scheduler, and the processes of its two workers."""
    file = tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = []

    def run(module, *more):
        command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(file), *QUIET, *more]
        with (tmp_path / f"{module}-{len(started)}.log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path)
        started.append(process)
        return process

    run("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
    wait_until(lambda: file.exists() and file.read_text().strip().endswith("}"))
    workers = [run("dask_worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1") for _ in range(2)]
    yield json.loads(file.read_text())["address"], workers
    for process in reversed(started):  # workers first; one that waits for a scheduler that is gone is not waited for
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def test_a_worker_that_is_killed_costs_no_grade(cluster, tmp_path):
    address, workers = cluster
    folder, out = classroom.make(tmp_path / "class"), tmp_path / "grades"
    course = tmp_path / "given"
    course.mkdir()
    (course / "course.py").write_text("def sample_balanced_subset(train_dataset):\n    return train_dataset\n")
    run = start(folder, out, "--scheduler", address, "--given", str(course))
    wait_until(lambda: committed(out) >= 1)
    os.kill(workers[0].pid, signal.SIGKILL)
    _, err = run.communicate(timeout=100)
    assert run.returncode == 0, err
    assert classroom.points(out) == classroom.POINTS
    assert len(classroom.rows(out)) == len(classroom.POINTS)
    with GradebookReader(out) as reader:  # a worker holds submissions against the files that this machine was given
        assert {entry.grade.given for entry in reader.entries()} == {given.replaced(course, VIT).digest}


def test_no_scheduler_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("grader.gradebook.cluster.CONNECT_SECONDS", 0.2)
    folder = classroom.make(tmp_path / "class")
    assert cli.main([str(folder), "--out", str(tmp_path / "g"), "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err.startswith("tcp://127.0.0.1:9: no Dask scheduler answers there")


@pytest.mark.parametrize("loose", [True, False], ids=["loose files", "a folder"])
def test_a_submission_arrives_as_it_was_sent(tmp_path, loose):
    home = tmp_path / "home" / "anna"
    classroom.notebook(home / "a.ipynb", classroom.RIGHT)
    (home / "more").mkdir()
    (home / "more" / "x.py").write_text("lr = 1")
    found = Found("anna", home / "a.ipynb", files={"b.ipynb": home / "a.ipynb"}) if loose else Found("anna", home)
    (tmp_path / "there").mkdir()
    there = remote._unpack(remote.pack(found, 1, 1 << 20), tmp_path / "there")
    assert remote.files_of(there).keys() == remote.files_of(found).keys()
    assert [p.read_bytes() for p in remote.files_of(there).values()] == [
        p.read_bytes() for p in remote.files_of(found).values()
    ]
    with pytest.raises(remote.TooLarge):
        remote.pack(found, 1, 10)


def test_a_worker_of_another_version_says_so():
    with pytest.raises(GraderError, match="other code of the grader; install the same there"):
        remote._same_version(("x", "y", remote.digests.environment()))
