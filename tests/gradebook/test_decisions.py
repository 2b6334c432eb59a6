"""What people decide: laid on the computed grade wherever it is read, never lost, refused in a line where it cannot be."""

import contextlib
import dataclasses
import json
import sqlite3
from pathlib import Path

import jsonschema
import pytest

from grader import cli
from grader.exports import FORMATS
from grader.exports.result import of_class
from grader.gradebook.ledger import Ledger
from grader.gradebook.reader import GradebookReader, GradedSubmission
from grader.gradebook.store import NAME, Gradebook
from grader.records import Grade
from grader.reports import record
from grader.reports.html import classroom, inline, student
from grader.reports.written import SCHEMA
from tests import grades
from tests.gradebook.handmade import hand_in

OPEN = dataclasses.replace(
    grades.grade("open", vit_model=("error", "out of memory"), vit_heads=("error", "out of memory")),
    status="needs_review", reason="not decided: vit.model, vit.heads; 7 points stay open until a person decides",
)  # fmt: skip
GIVEN_UP = dataclasses.replace(
    grades.rejected("lost", "its grading was begun 10 times"), status="needs_review", undecided=100.0
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A class of four: Ann lost a criterion, one is open, one was rejected, one could not be graded."""
    hand_in(tmp_path, "ann", grades.grade("ann", vit_model=("failed", "expected (8, 10), got (8, 64)")))
    hand_in(tmp_path, "open", OPEN)
    hand_in(tmp_path, "bad", grades.rejected("bad", "bad.ipynb: not a notebook"))
    hand_in(tmp_path, "lost", GIVEN_UP)
    return tmp_path


def adjust(out: Path, *arguments: str) -> int:
    return cli.main(["adjust", *arguments, "--out", str(out), "--by", "Prof. Oak"])


def entry(out: Path, key: str, attempts: str = "latest") -> GradedSubmission:
    with GradebookReader(out, attempts) as reader:
        found = reader.entry(key)
    assert found is not None
    return found


def graded(out: Path, key: str) -> Grade:
    return entry(out, key).grade


def decisions(out: Path) -> int:
    with GradebookReader(out) as reader:
        return len(reader.ledger.decisions())


def test_points_that_a_person_gives_count_and_the_computed_verdict_stays_beneath(out, capsys):
    assert adjust(out, "ann", "vit.model", "4", "--why", "one slip in the last line") == 0
    assert capsys.readouterr().out == "ann: vit.model: 4 points; now 99 of 100 points, graded\n"
    grade = graded(out, "ann")
    found = {result.id: result for result in grade.criteria}["vit.model"]
    assert (grade.score, found.points, found.status) == (99, 4, "partial")
    assert found.computed is not None and found.computed.feedback == "expected (8, 10), got (8, 64)"
    assert (
        "A person gave 4 of 5 points: one slip in the last line. Computed: failed, 0 points: expected" in found.feedback
    )
    written = record.to_dict(grade)
    (adjustment,) = written["adjustments"]
    assert adjustment | {"at": ""} == {
        "criterion": "vit.model", "points": 4, "was": 0, "why": "one slip in the last line", "by": "Prof. Oak", "at": "",
    }  # fmt: skip
    assert [c["id"] for c in written["criteria"] if c.get("adjusted")] == ["vit.model"]
    assert entry(out, "ann").kept.grade.score == 95, "the computed grade is never changed"


@pytest.mark.parametrize(
    ("key", "arguments"),
    [("ann", ("vit.model", "4")), ("open", ("vit.model", "5")), ("bad", ("score", "40")), ("lost", ("score", "70"))],
)
def test_an_adjusted_grade_is_in_the_schema_and_comes_back(out, key, arguments):
    assert adjust(out, key, *arguments, "--why", "seen", "--comment", "Well done.") == 0
    written = record.to_dict(graded(out, key))
    jsonschema.validate(written, json.loads(SCHEMA.read_text()))
    assert record.to_dict(record.from_dict(written)) == written


def test_the_last_open_criterion_that_is_decided_ends_the_review(out):
    assert adjust(out, "open", "vit.model", "5", "--why", "run by hand") == 0
    grade = graded(out, "open")
    assert (grade.score, grade.undecided, grade.status) == (98, 2, "needs_review")
    assert grade.reason == "not decided: vit.heads; 2 points stay open until a person decides"
    assert adjust(out, "open", "vit.heads", "0", "--why", "run by hand") == 0
    grade = graded(out, "open")
    assert (grade.score, grade.undecided, grade.status, grade.reason) == (98, 0, "graded", "")


@pytest.mark.parametrize("key", ["bad", "lost"])
def test_what_could_not_be_graded_takes_a_whole_score(out, key):
    assert adjust(out, key, "score", "40", "--why", "graded on paper") == 0
    grade = graded(out, key)
    assert (grade.score, grade.undecided, grade.status) == (40, 0, "graded")
    assert grade.adjustments[0].criterion == "score" and "Computed: " in grade.reason
    assert not grade.to_look_at


REFUSED = {
    "below 0": (("ann", "vit.model", "-1", "--why", "x"), "ann: vit.model: expected 0 to 5 points, got -1"),
    "above": (("ann", "vit.model", "5.5", "--why", "x"), "ann: vit.model: expected 0 to 5 points, got 5.5"),
    "not finite": (("ann", "vit.model", "nan", "--why", "x"), "expected 0 to 5 points, got nan"),
    "no number": (("ann", "vit.model", "five", "--why", "x"), "ann: vit.model: expected points, got 'five'"),
    "no reason": (("ann", "vit.model", "4"), "a decision needs a reason, --why"),
    "no such student": (("anne", "vit.model", "4", "--why", "x"), "did you mean 'ann'?"),
    "no such criterion": (("ann", "vit.modle", "4", "--why", "x"), "vit.modle: no such criterion in this grade, did you mean 'vit.model'?"),
    "rejected": (("bad", "vit.model", "4", "--why", "x"), "nothing was judged (rejected), so only a whole score: score"),
    "a whole score": (("ann", "score", "4", "--why", "x"), "only a submission that could not be graded takes a whole score"),
    "too much": (("bad", "score", "101", "--why", "x"), "bad: score: expected 0 to 100 points, got 101"),
    "nothing to take back": (("ann", "vit.model", "--undo"), "no decision stands that could be taken back"),
    "points and undo": (("ann", "vit.model", "4", "--undo"), "--undo takes a decision back and gives no points"),
    "no points": (("ann", "vit.model", "--why", "x"), "give KEY CRITERION POINTS --why TEXT"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_a_line_and_nothing_is_written(out, capsys, arguments, line):
    assert adjust(out, *arguments) == 2
    said = capsys.readouterr()
    assert line in said.err and said.err.count("\n") == 1 and not said.out
    assert decisions(out) == 0


def test_a_decision_is_taken_back_and_stays_in_the_history(out):
    adjust(out, "ann", "vit.model", "4", "--why", "a slip")
    adjust(out, "ann", "vit.model", "5", "--why", "no slip at all")
    assert graded(out, "ann").score == 100
    assert adjust(out, "ann", "vit.model", "--undo") == 0
    assert (graded(out, "ann").score, graded(out, "ann").adjustments, decisions(out)) == (95, (), 3)


def test_the_ledger_takes_no_change_and_no_deletion(out):
    adjust(out, "ann", "vit.model", "4", "--why", "a slip")
    db = sqlite3.connect(out / NAME)
    for query in ("UPDATE decisions SET points = 5", "DELETE FROM decisions"):
        with pytest.raises(sqlite3.IntegrityError, match="a decision is never"):
            db.execute(query)
    db.close()


FILE = "key,criterion,points,why,comment,undo\nann,vit.model,4,a slip,Nearly.,\nopen,vit.heads,2,seen,,\n"


def test_many_decisions_come_from_a_file_and_the_same_file_again_changes_nothing(out, tmp_path, capsys):
    (tmp_path / "d.csv").write_text(FILE)
    assert adjust(out, "--file", str(tmp_path / "d.csv")) == 0
    assert adjust(out, "--file", str(tmp_path / "d.csv")) == 0
    assert "2 of 2 stood already" in capsys.readouterr().out and decisions(out) == 2
    assert (graded(out, "ann").score, graded(out, "open").undecided) == (99, 5)
    assert (
        "Nearly." in graded(out, "ann").criteria[6].feedback and "a slip" not in graded(out, "ann").criteria[6].feedback
    )


def test_of_a_file_with_a_mistake_nothing_is_written_and_each_row_has_its_line(out, tmp_path, capsys):
    (tmp_path / "d.csv").write_text(FILE + "ann,vit.heads,9,x,,\nnobody,vit.heads,1,x,,\nann,vit.model,3,y,,\n")
    assert adjust(out, "--file", str(tmp_path / "d.csv")) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("row ")[2][:2] for line in lines] == ["4:", "5:", "6:"]
    assert "vit.model is decided twice" in lines[2] and decisions(out) == 0


def changed(**statuses: tuple[str, str]) -> Grade:
    return grades.grade("ann", **statuses)


MODEL = ("failed", "expected (8, 10), got (8, 64)")
WIDER = dataclasses.replace(
    changed(vit_model=MODEL),
    criteria=tuple(
        dataclasses.replace(result, max_points=3.0) if result.id == "vit.model" else result
        for result in changed(vit_model=MODEL).criteria
    ),
)
SHORTER = dataclasses.replace(WIDER, criteria=tuple(r for r in WIDER.criteria if r.id != "vit.model"))
LATER = {
    "the same again": (changed(vit_model=MODEL), "first", 99, ""),
    "other words": (changed(vit_model=("failed", "expected (8, 10), got (3, 3)")), "first", 99, ""),
    "another verdict": (changed(), "first", 99, "computed was failed with 0 points then and is passed with 5 points now"),
    "another submission": (changed(vit_model=MODEL), "second", 99, "another submission counts since"),
    "a lower maximum": (WIDER, "first", 98, "its maximum was 5 then and is 3 now"),
    "no such criterion": (SHORTER, "first", 95, "this criterion is not judged any more"),
}  # fmt: skip


@pytest.mark.parametrize(("grade", "files", "score", "line"), LATER.values(), ids=LATER)
def test_a_decision_stays_and_is_listed_where_what_is_beneath_it_has_changed(out, capsys, grade, files, score, line):
    adjust(out, "ann", "vit.model", "4", "--why", "a slip")
    hand_in(out, "ann", grade, files=files, hours=-0.5)
    found = graded(out, "ann")
    assert found.score == score
    assert [bool(each) for each in found.look_again] == [True] * bool(line)
    assert line in "".join(found.look_again) and bool(found.to_look_at) == bool(line)
    capsys.readouterr()
    assert adjust(out) == 0  # without arguments, the decisions that stand
    assert capsys.readouterr().out.startswith("look again: ann: vit.model: Prof. Oak gave 4 points;") == bool(line)


def test_a_decision_that_was_looked_at_again_leaves_the_list(out):
    adjust(out, "ann", "vit.model", "4", "--why", "a slip")
    hand_in(out, "ann", changed(vit_model=MODEL), files="second", hours=-0.5)
    assert graded(out, "ann").look_again
    adjust(out, "ann", "vit.model", "4", "--why", "a slip")
    assert not graded(out, "ann").look_again and decisions(out) == 2


@pytest.mark.parametrize("name", ["md", "junit", "github", "gradescope", "classroom50", "json"])
def test_every_export_has_the_decision(out, name):
    adjust(out, "ann", "vit.model", "4", "--why", "one slip")
    with GradebookReader(out) as reader:
        text = FORMATS[name].write([result for result in of_class(reader) if result.key == "ann"])
    assert "one slip" in text or name == "classroom50"
    assert ("99" in text) == (name != "github")


def test_every_page_has_the_decision_and_the_verdict_beneath(out):
    adjust(out, "ann", "vit.model", "4", "--why", "one <slip>")
    grade = graded(out, "ann")
    for page in (student.page(grade), inline.fragment(grade)):
        assert "one &lt;slip&gt;" in page and "expected (8, 10), got (8, 64)" in page
    row = classroom.ClassRow(dataclasses.replace(grade, look_again=("vit.model: look",)))
    assert "adjusted" in (page := classroom.page([row])) and "look again" in page


def test_the_log_tells_what_became_of_a_grade_in_order(out, capsys):
    adjust(out, "ann", "vit.model", "4", "--why", "a slip")
    assert cli.main(["export", "md", "--out", str(out), "--to", str(out / "x.md")]) == 0
    adjust(out, "ann", "vit.model", "--undo", "--why", "no")
    capsys.readouterr()
    assert cli.main(["log", "ann", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[25:39].strip() for line in lines] == ["submitted", "graded", "adjusted", "exported", "taken back"]
    assert lines[2].endswith("vit.model 0 → 4 of 5 by Prof. Oak: a slip") and "md: 99" in lines[3]
    assert cli.main(["log", "nobody", "--out", str(out)]) == 2


def test_what_a_zip_without_a_zone_says_of_the_time_is_told_as_that(out, capsys):
    hand_in(out, "zip", grades.grade("zip"), hours=-24 * 365)
    with contextlib.closing(Gradebook(out / NAME)) as book:
        book.db.execute("UPDATE submissions SET path = 'grades/unpacked/class.zip-0123/zip' WHERE key = 'zip'")
    assert cli.main(["log", "zip", "--out", str(out)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("2025-11-20 23:59:00") and first.endswith(
        "by the clock of a zip in a zone that is not known"
    )


def test_a_gradebook_of_before_takes_decisions(out):
    Gradebook(out / NAME).close()
    db = sqlite3.connect(out / NAME)
    db.executescript("DROP TABLE decisions; DROP TABLE exports; DROP TABLE rosters;")
    db.close()
    assert adjust(out, "ann", "vit.model", "4", "--why", "a slip") == 0
    book = Gradebook(out / NAME)
    assert len(Ledger(book).decisions("ann")) == 1
    book.close()


@pytest.mark.parametrize("written", ["new line", "new\nline"], ids=["as a table shows it", "as it is"])
def test_a_key_is_found_as_it_is_shown(out, capsys, written):
    hand_in(out, "new\nline", grades.grade("new\nline"))
    assert adjust(out, written, "vit.model", "4", "--why", "x") == 0 and graded(out, "new\nline").adjustments
    assert cli.main(["request", written, "--text", "my heads are right", "--out", str(out)]) == 0
    assert cli.main(["log", written, "--out", str(out)]) == 0
    assert "adjusted" in capsys.readouterr().out
    assert adjust(out, "new lin", "vit.model", "4", "--why", "x") == 2
    assert "did you mean 'new line'?" in capsys.readouterr().err


def test_who_is_not_graded_yet_is_not_taken_for_a_slip_of_the_pen(out, capsys):
    with contextlib.closing(Gradebook(out / NAME)) as book:
        book.db.execute("DELETE FROM grades WHERE submission = (SELECT id FROM submissions WHERE key = 'ann')")
    assert adjust(out, "ann", "vit.model", "4", "--why", "x") == 2
    assert capsys.readouterr().err == "ann: handed in, but not graded yet: grade the class first\n"
