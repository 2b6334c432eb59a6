"""A class of 60 in which people decide: decisions, extensions, teams, late days; graded, regraded, killed, handed on.

What was observed is made in this process, once for each kind of work, and kept for 57 students, so that a regrade
computes every grade as ever. The points that are expected were computed by hand.
"""

import contextlib
import csv
import dataclasses
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import time
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader import cli, scoring
from grader import rubric as rubrics
from grader.assignment import Topic
from grader.assignments.vit.application import knn
from grader.assignments.vit.assignment import VIT
from grader.evidence import Answer
from grader.gradebook import digests, packing
from grader.gradebook.reader import GradebookReader
from grader.gradebook.store import NAME, Gradebook, PackedGrade
from grader.gradebook.unasked import NobodyToAsk
from grader.pipeline import Grader, Options
from grader.records import Grade, Observation
from grader.rubric_reads import RubricReads
from tests import harness
from tests.gradebook import classroom
from tests.gradebook.handmade import DEADLINE

ONLY = ["application.knn"]
KINDS = {"right": "anna", "farthest": "bela", "squared": "cleo", "missing": "dora"}
ALL = [f"k{number:02}" for number in range(60)]
ABSENT = {"k12", "k16", "k17", "k19"}  # handed in nothing themselves
LATE_HOURS = {
    "k00": 5, "k01": 30, "k02": 50, "k03": 100, "k04": 50, "k05": 75, "k06": 30, "k07": 100, "k08": 30, "k09": 50,
    "k10": 50, "k11": 5, "k13": -5, "k14": 30, "k18": 30,
}  # fmt: skip
ROSTER = "key,team,extension,late_days,excused\n" + "".join(
    f"{key},{rows.get(key, ',,,')}\n"
    for rows in [{
        "k04": ",3d,,", "k05": ",3d,,", "k06": ",36h,,", "k07": ",2026-11-22T23:59:00+00:00,,", "k08": ",1d,0,",
        "k09": ",,0,", "k10": ",,5,", "k11": "red,,,", "k12": "red,,0,", "k13": "blue,,,", "k14": "blue,,,",
        "k15": "green,,,", "k16": "green,,,", "k17": "green,,,", "k18": ",,,yes",
    }]
    for key in ALL
)  # fmt: skip
DECISIONS = """\
key,criterion,points,why
k02,application.knn,5,the distances are right up to a factor
k14,application.knn,5,half of it
k20,application.knn,5,copied the signature
k21,application.knn,4,sorted the wrong way
k22,application.knn,6,squares were asked for in class
k23,application.knn,1.5,has the idea
k56,application.knn,3,run by hand
k59,score,2,graded on paper
"""
# By hand. Days late after the extension, days that the bank of 2 (or the row's own) pays, days that are charged:
DAYS = {
    "k00": (1, 1, 0), "k01": (2, 2, 0), "k02": (3, 2, 1), "k03": (5, 2, 3), "k04": (0, 0, 0), "k05": (1, 1, 0),
    "k06": (0, 0, 0), "k07": (3, 2, 1), "k08": (1, 0, 1), "k09": (3, 0, 3), "k10": (3, 3, 0), "k11": (1, 1, 0),
    "k12": (1, 0, 1), "k13": (2, 2, 0), "k14": (2, 2, 0), "k18": (2, 2, 0),
}  # fmt: skip
# Points of 6, a day costs 0.6; then of 9, a day costs 0.9. k18 is excused, k19 handed in nothing, k57 and k58 are open.
POINTS = {
    "k00": (6, 9), "k01": (6, 9), "k02": (4.4, 4.1), "k03": (4.2, 6.3), "k04": (6, 9), "k05": (6, 9), "k06": (6, 9),
    "k07": (5.4, 8.1), "k08": (5.4, 8.1), "k09": (4.2, 6.3), "k10": (6, 9), "k11": (6, 9), "k12": (5.4, 8.1),
    "k13": (5, 5), "k14": (5, 5), "k15": (6, 9), "k16": (6, 9), "k17": (6, 9), "k20": (5, 5), "k21": (4, 4),
    "k22": (6, 6), "k23": (1.5, 1.5), "k56": (3, 3), "k57": (0, 0), "k58": (0, 0), "k59": (2, 2),
    **dict.fromkeys(ALL[24:56:4], (6, 9)), **dict.fromkeys(ALL[25:56:4], (2, 3)),
    **dict.fromkeys(ALL[26:56:4], (4, 6)), **dict.fromkeys(ALL[27:56:4], (0, 0)),
}  # fmt: skip
LATE = '\n[late]\ndeadline = 2026-11-20T23:59:00+00:00\nzone = "UTC"\nper_day = 10\nmost = 50\ncloses = 7\nbank = 2\n'


def kind(key: str) -> str:
    number = int(key[1:])
    if number >= 56:
        return "rejected" if number == 59 else "fault"
    return "right" if number < 20 else list(KINDS)[number % 4]


def rubric(folder: Path, name: str, *edits: tuple[str, str]) -> Path:
    text = VIT.rubric.read_text() + LATE
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / name).write_text(text)
    return folder / name


def recorded(options: Options) -> dict[str, PackedGrade]:
    """What was observed of each kind of work, with its grade; nothing but functions of this process is run."""
    rubric_ = rubrics.load(options.rubric, VIT.check_names, VIT.thresholds).narrowed(ONLY)
    settings = Grader(options, NobodyToAsk(), None).settings(ONLY)  # type: ignore[arg-type]
    asked = Topic(tuple(probe for probe in VIT.probes if probe.wanted(ONLY)), knn.TOPIC.criteria)
    found = {}
    for name, student in [*KINDS.items(), ("fault", "anna")]:
        evidence = harness.evidence({"application": classroom.SEARCHES[student]}, [asked])
        if name == "fault":
            search = evidence.answers["knn"]
            fault = Observation("fault", detail="out of memory")
            evidence.answers["knn"] = Answer("knn", search.question, fault, search.asked)
        evidence = dataclasses.replace(evidence, rubric=RubricReads(rubric_), verdicts={})
        answers, frames = packing.pack_answers(evidence.answers)
        grade = scoring.grade(evidence, {}, {"total": 1.0})
        found[name] = PackedGrade(grade, settings, packing.pack_submission(evidence.submission), answers, frames)
    nothing = Grade(
        {"name": "", "path": "", "sha256": ""}, "rejected", 0.0, 6.0, 1, (), reason="a.ipynb: not a notebook"
    )
    return {**found, "rejected": PackedGrade(nothing, settings)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Path:
    """The class, graded by the first rubric; nobody has decided anything yet."""
    out = tmp_path_factory.mktemp("grades")
    first = rubric(out, "first.toml")
    worth = 'id = "application.knn"\npart = 4\ntitle = "Nearest neighbours"\n'
    rubric(
        out, "second.toml",
        (f"{worth}points = 6\nchecks = {{ indices = 4, distances = 2 }}", f"{worth}points = 9\nchecks = {{ indices = 6, distances = 3 }}"),
    )  # fmt: skip
    (out / "roster.csv").write_text(ROSTER)
    (out / "decisions.csv").write_text(DECISIONS)
    options = Options(out=out, rubric=first)
    kinds, now = recorded(options), digests.current(options, ONLY)
    with contextlib.closing(Gradebook(out / NAME)) as book, book.transaction():
        for key in sorted(set(ALL) - ABSENT):
            at = DEADLINE.timestamp() + 3600 * LATE_HOURS.get(key, -1)
            facts = {
                "path": f"/class/{key}",
                "files": "{}",
                "late": None,
                "handed_in": at,
                "student": key[1:],
                "run": 1,
            }
            row = book.submission_row(key, key, lambda key=key: key, facts)
            book.finish(row.id, now, named(kinds[kind(key)], key))
        book.remember("rubric", str(first))
    return out


def named(packed: PackedGrade, key: str) -> PackedGrade:
    """The same as another student's."""
    submission = packed.submission and zlib.compress(
        json.dumps({**json.loads(zlib.decompress(packed.submission)), "name": key}).encode()
    )
    grade = dataclasses.replace(packed.grade, submission={**packed.grade.submission, "name": key})
    return dataclasses.replace(packed, grade=grade, submission=submission)


@pytest.fixture
def out(graded: Path, tmp_path: Path) -> Path:
    return shutil.copytree(graded, tmp_path / "grades")


def run(out: Path, *arguments: str) -> int:
    return cli.main([*arguments, "--out", str(out)])


def decide(out: Path) -> None:
    """All that people decide, by the commands."""
    assert run(out, "adjust", "--file", str(out / "decisions.csv"), "--by", "Prof. Oak") == 0
    assert run(out, "regrade", "--roster", str(out / "roster.csv")) == 1  # two are open


def regrade(out: Path, which: str) -> None:
    assert run(out, "regrade", "--rubric", str(out / f"{which}.toml")) == 1


def points(out: Path) -> dict[str, float]:
    with GradebookReader(out) as reader:
        return {entry.key: entry.points for entry in reader.entries() if not entry.excused}


def expected(which: int) -> dict[str, float]:
    return {key: both[which] for key, both in POINTS.items()}


def test_deductions_and_points_are_those_computed_by_hand(out):
    decide(out)
    with GradebookReader(out) as reader:
        entries = {entry.key: entry for entry in reader.entries()}
        assert list(reader.not_handed_in()) == ["k19"] and list(reader.excused()) == ["k18"]
    spent = {key: (e.days_late, e.lateness.from_bank) for key, e in entries.items() if e.days_late or key in DAYS}
    assert spent == {key: days[:2] for key, days in DAYS.items()}
    charged = {key: 0.6 * days[2] for key, days in DAYS.items() if days[2]}
    assert {key: e.deduction for key, e in entries.items() if e.deduction} == pytest.approx(charged)
    assert points(out) == pytest.approx(expected(0))
    assert [key for key, e in entries.items() if e.open] == ["k57", "k58"]


def test_another_rubric_moves_what_was_computed_and_lists_what_was_decided(out, capsys):
    decide(out)
    capsys.readouterr()
    regrade(out, "second")
    said = capsys.readouterr().out.splitlines()
    assert points(out) == pytest.approx(expected(1))
    assert "k24: 6 → 9 (+3)  application.knn" in said and not any(line.startswith("k20: ") for line in said)
    again = [line.split(": ")[1] for line in said if line.startswith("look again: ")]
    assert again == ["k02", "k14", "k20", "k21", "k22", "k23", "k56", "k59"]
    assert "k03: 4.2 → 6.3 (+2.1): 5 days late, 2 from the bank, 2.7 points off" in said
    regrade(out, "first")
    assert points(out) == pytest.approx(expected(0))
    with GradebookReader(out) as reader:
        assert not [entry.key for entry in reader.entries() if entry.grade.look_again]


def whole(out: Path, which: str) -> None:
    """What may be killed at any instant."""
    run(out, "adjust", "--file", str(out / "decisions.csv"), "--by", "Prof. Oak")
    run(out, "regrade", "--roster", str(out / "roster.csv"), "--rubric", str(out / f"{which}.toml"))


def in_a_process(out: Path, which: str, seconds: float | None = None) -> None:
    """Do all of it, by one of the rubrics, in a process of its own, which is killed after some time."""
    if (child := os.fork()) == 0:
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            whole(out, which)
        finally:
            os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def rows(out: Path, query: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(out / NAME)) as db:
        return db.execute(query).fetchall()


@pytest.mark.timeout(300)  # twenty regrades of a class, on a machine that does something else
def test_killed_at_random_instants_no_decision_is_lost_or_applied_twice(out, tmp_path):
    start = time.monotonic()
    in_a_process(shutil.copytree(out, tmp_path / "unkilled"), "second")
    took, instants = time.monotonic() - start, random.Random(17)
    for number in range(20):
        in_a_process(out, ("second", "first")[number % 2], instants.uniform(0, took))
        assert rows(out, "SELECT COUNT(*) FROM decisions")[0][0] in (0, 8)
        assert rows(out, "SELECT COUNT(*) FROM rosters")[0][0] in (0, 1)
        most = rows(out, "SELECT DISTINCT json_extract(grade, '$.max_score') FROM grades "
                         "WHERE id IN (SELECT MAX(id) FROM grades GROUP BY submission)")  # fmt: skip
        assert len(most) == 1, "a class is regraded as a whole"
    decide(out)
    regrade(out, "first")
    assert points(out) == pytest.approx(expected(0))
    assert rows(out, "SELECT COUNT(*), COUNT(DISTINCT key) FROM decisions") == [(8, 8)]


def text(out: Path, name: str, capsys, *more: str) -> str:
    capsys.readouterr()
    assert run(out, "export", name, *more) == (name in ("canvas", "moodle", "classroom50")), "1: two are open"
    return capsys.readouterr().out


def sheet(column: str, key: str, most: float):
    def read(content: str) -> dict[str, float | None]:
        table = csv.DictReader(io.StringIO(content))
        return {
            f"k{row[key][-2:]}": float(row[column]) * 6 / most if row[column] else None for row in table if row[key]
        }

    return read


def in_folders(out: Path, name: str, capsys) -> dict[str, float]:
    text(out, name, capsys, "--to", str(out / name))
    return {path.parent.name: json.loads(path.read_text())["score"] for path in (out / name).glob("*/*.json")}


def test_sheets_have_a_cell_for_each_who_has_a_score_and_an_empty_one_for_who_is_excused(out, capsys):
    decide(out)
    wanted = {**expected(0), "k18": None}
    for key in ("k57", "k58"):
        del wanted[key]
    content = text(out, "canvas", capsys, "--column", "Assignment 3 (1)")
    found = sheet("Assignment 3 (1)", "Student", 6)(
        "\n".join(line for line in content.splitlines() if "Points Poss" not in line)
    )
    assert found == pytest.approx(wanted)
    worksheet = "".join(f"Participant {key[1:]},{key},,,7,10,Yes,-,-,\n" for key in ALL)
    (out / "m.csv").write_text(
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),"
        f"Last modified (grade),Feedback comments\n{worksheet}"
    )
    content = text(out, "moodle", capsys, "--sheet", str(out / "m.csv"))
    kept = dict.fromkeys(("k19", "k57", "k58"), 4.2)  # the 7 of 10 that stood there
    assert sheet("Grade", "Full name", 10)(content) == pytest.approx({**wanted, **kept}, abs=0.01)


def test_other_exports_have_the_points_and_leave_out_who_is_excused(out, capsys):
    decide(out)
    wanted = expected(0)
    assert in_folders(out, "gradescope", capsys) == pytest.approx(wanted)
    assert in_folders(out, "classroom50", capsys) == {key: int(value + 0.5) for key, value in wanted.items()}
    grades = json.loads(text(out, "json", capsys))
    late = {key: 0.6 * days[2] for key, days in DAYS.items()}
    scores = {
        grade["submission"]["name"]: grade["score"] - late.get(grade["submission"]["name"], 0) for grade in grades
    }
    assert scores == pytest.approx(wanted), "json has the score before lateness"
    assert sum(len(grade.get("adjustments", ())) for grade in grades) == 9, "8, one of them for a team of two"
    suites = ElementTree.fromstring(text(out, "junit", capsys))
    said = {suite.get("name"): (suite.findtext("system-out") or "").partition(" ")[0] for suite in suites}
    assert {key: float(value) for key, value in said.items()} == pytest.approx(wanted)
    table = [line.split(" | ") for line in text(out, "md", capsys).splitlines() if line.startswith("| k")]
    assert {row[0][2:]: row[1].partition(" ")[0] for row in table if row[0] != "| k18"} == {
        key: f"{value:g}" for key, value in wanted.items()
    }
    annotations = text(out, "github", capsys)
    assert annotations.count("run by hand") == 1 and "graded on paper" in annotations
