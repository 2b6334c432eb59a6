"""What is kept of a large class: its size, and how long it takes to regrade, to export and to look at.

A small class is graded, and its rows are copied to as many students as are wanted: what each costs is that of one
whose answers are its own, for every kept frame is read, decoded and judged for each of them.
"""

import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import grades, measure

STUDENTS, GRADED = 2_000, 4
GRADE_PY = (sys.executable, str(grades.ROOT / "grade.py"))


def at_scale(repeat: int, students: int = STUDENTS) -> dict[str, Any]:
    """Regrades, an export and the desk's first page for a class of so many."""
    from grader.assignments.vit.assignment import VIT

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "grades")
        only = ["--only", *grades.without_models()]
        measure.run([*grades.GRADE, str(grades.classroom(Path(folder, "class"), GRADED)), "--out", str(out), *only])
        book = out / "gradebook.sqlite"
        size = _bytes_of_one(book)
        _fill(book, students)
        text = VIT.rubric.read_text(encoding="utf-8")
        rubrics = [Path(folder, f"{number}.toml") for number in range(repeat)]
        for number, rubric in enumerate(rubrics):
            rubric.write_text(_with_threshold(text, f"0.6{number + 1}"), encoding="utf-8")
        thresholds = [_regrade(out, "--rubric", str(rubric)) for rubric in rubrics]
        checks = [_regrade_by_another_check(out, Path(folder, f"code{number}")) for number in range(repeat)]
        exports = [
            measure.run([*GRADE_PY, "export", "json", "--to", f"{folder}/all.json", "--out", str(out)]).wall
            for _ in range(repeat)
        ]
        pages = [_first_page(out) for _ in range(repeat)]
    middle = statistics.median
    return {
        "students": students, "kB kept of one, embeddings aside": size / 1_000,
        "regrade, a threshold": middle(cost.wall for cost in thresholds),
        "regrade, a check": middle(cost.wall for cost in checks),
        "regrade, peak MiB": middle(cost.peak >> 20 for cost in (*thresholds, *checks)),
        "export": middle(exports), "desk's first page": middle(page for page, _ in pages),
        "… until similar work is found": middle(whole for _, whole in pages),
        "promised": "a threshold 10 s, a check 30 s, export 5 s, the first page 2 s; 250 kB",
    }  # fmt: skip


def start(repeat: int) -> dict[str, Any]:
    """Commands that need no torch, and one criterion by pytest."""
    commands: dict[str, list[str]] = {
        "imports alone": [sys.executable, "-c", "import torch, torchvision, pytorch_metric_learning"],
        "grade.py --help": [*GRADE_PY, "--help"],
        **{f"grade.py {name} --help": [*GRADE_PY, name, "--help"] for name in ("regrade", "export", "log")},
        "pytest -k vit.heads": [
            sys.executable, "-m", "pytest", "-q", "-k", "vit.heads", f"--submission={grades.REFERENCE}",
        ],
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, command in commands.items():
        found[name] = statistics.median(measure.run(command, grades.ROOT).wall for _ in range(repeat))
    found["to the first probe"] = statistics.median(_to_first_probe() for _ in range(repeat))
    return {**found, "promised": "commands <= 0.3 s, pytest <= 3 s, the first probe <= imports + 0.5 s"}


def _to_first_probe() -> float:
    """Seconds from the start of the grader to its first question, which a small program tells."""
    tell = (
        "import os, sys, time; import grader.asking as asking; ask = asking.Asking.ask\n"
        "def first(self, probe, question):\n"
        "    if probe.id == 'load':\n"
        "        return ask(self, probe, question)\n"
        "    print('first probe', time.time(), flush=True)\n"
        "    os._exit(0)\n"
        "asking.Asking.ask = first\n"
        "from grader import cli; cli.main(sys.argv[1:])"
    )
    with tempfile.TemporaryDirectory() as out:
        begun = time.time()
        told = measure.run(
            [sys.executable, "-c", tell, str(grades.REFERENCE / "submission.ipynb"), "--out", out], grades.ROOT
        )
    return float(told.output.rpartition("first probe ")[2].split()[0]) - begun


def _regrade(out: Path, *more: str, code: Path = grades.ROOT) -> measure.Cost:
    return measure.run([sys.executable, str(code / "grade.py"), "regrade", "--out", str(out), *more], memory=True)


def _regrade_by_another_check(out: Path, code: Path) -> measure.Cost:
    """By a copy of this project in which the module of one criterion's checks and questions reads differently."""
    not_needed = shutil.ignore_patterns(".*", "__pycache__", "tests", "docs", "bench", "grades")
    shutil.copytree(grades.ROOT, code, ignore=not_needed)
    with (code / "grader" / "assignments" / "vit" / "model" / "heads.py").open("a", encoding="utf-8") as file:
        file.write(f"\n# {code.name}\n")
    return _regrade(out, code=code)


def _with_threshold(text: str, value: str) -> str:
    changed = text.replace("precision_at_1 = 0.60", f"precision_at_1 = {value}")
    if changed == text:
        raise RuntimeError("the rubric's threshold reads otherwise than is replaced here")
    return changed


def _first_page(out: Path) -> tuple[float, float]:
    """Seconds that the review desk takes for its list of the class, and until who handed in nearly the same is on it."""
    from grader.desk import alike, app
    from grader.desk.desk import DeskOptions

    flask, guard = app.make(DeskOptions(out, "bench"), 8000)
    begun, seconds = time.perf_counter(), []
    while True:
        answer = flask.test_client().get(guard.url, base_url="http://127.0.0.1:8000")
        if answer.status_code != 200:
            raise RuntimeError(f"the desk answered {answer.status}: {answer.get_data(as_text=True)[:300]}")
        seconds.append(time.perf_counter() - begun)
        if alike.LOOKING.missing not in answer.get_data(as_text=True):
            return seconds[0], seconds[-1]
        time.sleep(1)


def _bytes_of_one(book: Path) -> float:
    """Bytes that are kept of a submission, without its embeddings."""
    with sqlite3.connect(book) as db:
        frames = sum(size for (size,) in db.execute("SELECT length(data) FROM frames"))
        largest = sum(size for (size,) in db.execute(
            "SELECT length(data) FROM frames ORDER BY length(data) DESC LIMIT ?", (GRADED,)
        ))  # fmt: skip
        others = "SELECT sum(length(submission) + length(answers)) FROM observations"
        total = frames - largest + db.execute(others).fetchone()[0]
        total += db.execute("SELECT sum(length(grade)) FROM grades").fetchone()[0]
    db.close()
    return float(total) / GRADED


def _fill(book: Path, students: int) -> None:
    """Copy the rows of the graded submissions to other students."""
    with sqlite3.connect(book) as db:
        db.row_factory = sqlite3.Row
        rows: Callable[[str], list[dict[str, Any]]] = lambda query: list(map(dict, db.execute(query)))  # noqa: E731
        graded = rows("SELECT * FROM submissions ORDER BY id")
        kept = {row["submission"]: row for row in rows("SELECT * FROM grades")}
        seen = {row["id"]: row for row in rows("SELECT * FROM observations")}
        compared = {row["observations"]: row for row in rows("SELECT * FROM compared")}
        for number in range(len(graded) + 1, students + 1):
            original = graded[number % len(graded)]
            name = f"student{number:05}"
            own = {"id": number, "key": name, "content": name, "fingerprint": name, "path": f"class/{name}"}
            grade, observed = kept[original["id"]], dict(seen[kept[original["id"]]["observations"]])
            work = compared[observed["id"]]
            _insert(db, "submissions", {**original, **own})
            _insert(db, "observations", {**observed, "id": 10_000 + number})
            _insert(db, "compared", {**work, "observations": 10_000 + number})
            _insert(
                db, "grades", {**grade, "id": 10_000 + number, "submission": number, "observations": 10_000 + number}
            )
    db.close()


def _insert(db: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
