"""Is anything lost, changed or done twice when the grading of a class is killed at random instants?

    python bench/class_of_200.py [--students 200] [--kills 50] [--only CRITERION ...] [--dask]

Builds a class from grader/assignments/vit/corpus, a tenth of it hostile or broken, grades it undisturbed, then again with
SIGKILL at random instants and a new start after each, compares, and times a regrade after a change of a
threshold. With --dask the class is graded once more by two Dask workers, one of which is killed. All
criteria, training aside, where --only names none. Exit status 1 when a grade differs, is missing, or was
committed twice.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grader import audit  # noqa: E402 (the project need not be installed)
from grader.assignments.vit import corpus  # noqa: E402
from grader.gradebook.reader import GradebookReader  # noqa: E402

SEED = "7"


def cell(source: str) -> Callable[[Path], None]:
    """The reference with one more definition that runs when it is loaded."""

    def make(folder: Path) -> None:
        audit.apply({}, ROOT / "reference", folder)
        path = folder / "vit_model.py"
        path.write_text(f"{path.read_text()}\n{source}\n")

    return make


def text(name: str, content: bytes) -> Callable[[Path], None]:
    """A folder with one file."""

    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / name).write_bytes(content)

    return make


def bomb(folder: Path) -> None:
    """An archive of 4 GB of zeros."""
    folder.mkdir()
    with (
        zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.ipynb", "w", force_zip64=True) as file,
    ):
        for _ in range(4_000):
            file.write(bytes(1 << 20))


def link(folder: Path) -> None:
    """A notebook that is a link to a file of the grader's account."""
    folder.mkdir()
    (folder / "a.ipynb").symlink_to("/etc/passwd")


HOSTILE = {
    "killer": cell("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(os.getpid(), signal.SIGKILL)"),
    "broken": text("a.ipynb", b'{"nbformat": 4, "cells": ['),
    "crash": cell("import ctypes\nctypes.string_at(0)"),
    "essay": text("essay.txt", b"I did not get round to it."),
    "hog": cell("hog = bytearray(1 << 40)"),
    "torn": text("a.zip", b"PK\x03\x04" + bytes(999)),
    "forks": cell("import os\nwhile True:\n    os.fork()"),
    "link": link,
    "exit": cell("import os\nos._exit(0)"),
    "bomb": bomb,
    "large": text("a.ipynb", b'{"nbformat": 4, "cells": []' + b" " * (200 << 20) + b"}"),
    "=cmd|'x'!A1": cell("print('::error::' + chr(27) + '[2J')"),
    "hang": cell("while True: pass"),
}


def build(folder: Path, students: int, chance: random.Random) -> None:
    """Make a class: faults and correct variants of the reference, a tenth hostile or broken."""
    faults, variants = corpus.load()
    hostile = list(HOSTILE.items())
    for number in range(students):
        if number % 10 == 9:
            name, make = hostile[number // 10 % len(hostile)]
            make(folder / f"{number:03} {name}")
        else:
            case = chance.choice(faults + variants)
            audit.apply(case.edits, ROOT / "reference", folder / f"{number:03} {case.id}")


def command(folder: Path, out: Path, given: argparse.Namespace, *more: str) -> list[str]:
    only = ["--only", *given.only] if given.only else []
    jobs = ["--jobs", str(given.jobs)] if given.jobs else []
    return [sys.executable, "grade.py", str(folder), "--out", str(out), "--seed", SEED, "--train", "never",
            "--json", str(out / "all.json"), *jobs, *more, *only]  # fmt: skip


def run(arguments: list[str], kill_after: float | None = None) -> float:
    """Run to the end, or kill after some seconds; returns how long it ran."""
    start = time.monotonic()
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        process.wait(kill_after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.wait()
    return time.monotonic() - start


def verdicts(out: Path) -> dict[str, object]:
    """By student: status, score, and every criterion's status and points."""
    with GradebookReader(out) as reader:
        return {
            entry.key: (
                entry.grade.status,
                entry.grade.score,
                [(c.id, c.status, c.points) for c in entry.grade.criteria],
            )
            for entry in reader.entries()
        }


def rows(out: Path) -> list[tuple[int, int, float]]:
    """All grades ever committed, and that the file is whole."""
    path = out / "gradebook.sqlite"
    if not path.exists():
        return []
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'grades'").fetchone():
            return []  # killed, or looked at, before there was a table
        return db.execute("SELECT id, submission, score FROM grades ORDER BY id").fetchall()


def differences(one: dict[str, object], other: dict[str, object]) -> list[str]:
    return [
        f"{key}: {one.get(key)} and {other.get(key)}"
        for key in sorted({*one, *other})
        if one.get(key) != other.get(key)
    ]


def disturbed(folder: Path, out: Path, given: argparse.Namespace, whole: float, chance: random.Random) -> list[str]:
    """Kill and start again; returns what is wrong."""
    wrong: list[str] = []
    for number in range(given.kills):
        before = rows(out)
        ran = run(command(folder, out, given), kill_after=chance.uniform(0, min(whole, given.longest)))
        after = rows(out)
        wrong += [f"kill {number + 1} lost a grade"] * (after[: len(before)] != before)
        print(f"kill {number + 1:2}: after {ran:5.1f} s, {len(after)} grades committed", flush=True)
    run(command(folder, out, given))
    done = [submission for _, submission, _ in rows(out)]
    return wrong + [f"{len(done) - len(set(done))} grades were committed twice"] * (len(done) != len(set(done)))


def regraded(out: Path, folder: Path) -> str:
    """Change a threshold; the last line, and how long it took."""
    text = (ROOT / "grader" / "assignments" / "vit" / "rubric.toml").read_text()
    changed = folder / "rubric.toml"
    changed.write_text(
        text.replace("accuracy = 0.88", "accuracy = 0.95").replace("precision_at_1 = 0.60", "precision_at_1 = 0.9")
    )
    start = time.monotonic()
    arguments = [sys.executable, "grade.py", "regrade", "--out", str(out), "--rubric", str(changed)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"{time.monotonic() - start:.1f} s: {(done.stdout.splitlines() or [done.stderr.strip()])[-1]}"


def with_dask(folder: Path, out: Path, given: argparse.Namespace, whole: float) -> None:
    """A scheduler and two workers; one is killed about a third of the way."""
    file = out.with_suffix(".scheduler.json")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = []
    for module, *more in (["dask_scheduler", "--port", "0"], *[["dask_worker", "--nthreads", "1", "--no-nanny"]] * 2):
        arguments = [sys.executable, "-m", f"distributed.cli.{module}", "--host", "127.0.0.1", "--no-dashboard", *more]
        process = subprocess.Popen(
            [*arguments, "--scheduler-file", str(file)], env=environment, stderr=subprocess.DEVNULL
        )
        started.append(process)
        while not file.exists() or not file.read_text().endswith("}"):
            time.sleep(0.1)
    try:
        grading = subprocess.Popen(
            command(folder, out, given, "--scheduler", json.loads(file.read_text())["address"]), cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        while len(rows(out)) < given.students // 3 and grading.poll() is None:
            time.sleep(0.2)
        started[1].kill()
        grading.wait()
    finally:
        for process in started:
            process.kill()
            process.wait()


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--students", type=int, default=200)
    p.add_argument("--kills", type=int, default=50)
    p.add_argument("--longest", type=float, default=60.0, help="seconds until a kill, at the most")
    p.add_argument("--jobs", type=int)
    p.add_argument("--only", nargs="+")
    p.add_argument("--dask", action="store_true")
    p.add_argument("--seed", type=int, default=1)
    given = p.parse_args()
    chance, wrong = random.Random(given.seed), []
    with tempfile.TemporaryDirectory(prefix="vit-bench-") as top:
        folder, calm, rough, dask = (Path(top, name) for name in ("class", "calm", "rough", "dask"))
        build(folder, given.students, chance)
        print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {given.students} students")
        whole = run(command(folder, calm, given))
        expected = verdicts(calm)
        print(f"undisturbed: {whole:.0f} s, {len(expected)} grades", flush=True)
        wrong += [f"undisturbed: {given.students - len(expected)} grades are missing"] * (
            len(expected) < given.students
        )
        wrong += disturbed(folder, rough, given, whole, chance)
        wrong += [f"killed: {each}" for each in differences(expected, verdicts(rough))]
        if given.dask:
            with_dask(folder, dask, given, whole)
            wrong += [f"Dask: {each}" for each in differences(expected, verdicts(dask))]
            print(f"Dask: {len(verdicts(dask))} grades", flush=True)
        print(f"regrade: {regraded(calm, Path(top))}")
        shutil.rmtree(folder)
    print("\n".join(wrong) or "the same grades, none missing, none twice")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
