"""Grading again from what was observed: no student code, only what is new, and who moved."""

import contextlib
import dataclasses
import json
import shutil

import pytest

from grader import cli, given
from grader.asking import ReferenceAnswers
from grader.assignments.vit.assignment import VIT
from grader.assignments.vit.files import RUBRIC as DEFAULT
from grader.errors import GraderError
from grader.evidence import Probe, Question
from grader.gradebook import digests, packing, regrade
from grader.gradebook.reader import GradebookReader
from grader.gradebook.store import NAME, Gradebook
from grader.gradebook.unasked import DataWhenNeeded
from grader.judging import Criterion, Fail, checks
from grader.observations import Answered
from grader.pipeline import Options
from grader.shipped import HOME
from tests.gradebook import classroom


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("grades")
    classroom.make(folder)
    assert cli.main([str(folder), "--out", str(out), *classroom.ONLY]) == 0
    return folder, out


@pytest.fixture
def copied(graded, tmp_path):
    """A gradebook that a test may change."""
    return shutil.copytree(graded[1], tmp_path / "grades")


@pytest.fixture
def nobody_to_ask(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("student code would run")

    monkeypatch.setattr("grader.pipeline.choose_workers", refuse)
    monkeypatch.setattr(regrade, "open_grader", refuse)
    monkeypatch.setattr(regrade.DataWhenNeeded, "loaded", property(refuse))


def rubric(folder, *edits):
    text = DEFAULT.read_text()
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = folder / "rubric.toml"
    path.write_text(text)
    return path


def test_other_points_move_grades_without_running_anything(copied, tmp_path, capsys, nobody_to_ask):
    changed = rubric(tmp_path, ("checks = { indices = 4, distances = 2 }", "checks = { indices = 1, distances = 5 }"))
    assert cli.main(["regrade", "--out", str(copied), "--rubric", str(changed)]) == 0
    out = capsys.readouterr().out
    assert "bela: 2 → 5 (+3)  application.knn\n" in out and "cleo: 4 → 1 (-3)  application.knn\n" in out
    assert out.endswith("6 submissions, 2 with another score\n") and "anna" not in out
    assert classroom.points(copied) == {**classroom.POINTS, "bela": 5, "cleo": 1}


def test_the_same_command_again_goes_on_by_the_rubric_of_the_class(graded, copied, tmp_path, capsys):
    changed = rubric(tmp_path, ("checks = { indices = 4, distances = 2 }", "checks = { indices = 1, distances = 5 }"))
    cli.main(["regrade", "--out", str(copied), "--rubric", str(changed)])
    cli.main([str(graded[0]), "--out", str(copied), *classroom.ONLY])
    assert classroom.points(copied) == {**classroom.POINTS, "bela": 5, "cleo": 1}
    assert f"graded by {changed}, as before; --rubric names another" in capsys.readouterr().err
    cli.main([str(graded[0]), "--out", str(copied), *classroom.ONLY, "--rubric", str(DEFAULT)])
    assert classroom.points(copied) == classroom.POINTS
    cli.main([str(graded[0]), "--out", str(copied), *classroom.ONLY])
    assert "as before" not in capsys.readouterr().err


def test_a_rubric_that_was_spoilt_is_named_and_another_one_takes_its_place(copied, tmp_path, capsys, nobody_to_ask):
    changed = rubric(tmp_path, ("checks = { indices = 4, distances = 2 }", "checks = { indices = 1, distances = 5 }"))
    cli.main(["regrade", "--out", str(copied), "--rubric", str(changed)])
    with changed.open("a") as file:
        file.write("[[crit\n")
    capsys.readouterr()
    for command in (["regrade"], ["export", "md"], ["adjust", "bela", "application.knn", "3", "--why", "x"]):
        assert cli.main([*command, "--out", str(copied)]) == 2
        assert capsys.readouterr().err.startswith(f"{changed}: not valid TOML: ")
    assert cli.main(["regrade", "--out", str(copied), "--rubric", str(DEFAULT)]) == 0
    assert classroom.points(copied) == classroom.POINTS


def test_who_moves_by_a_late_policy_that_was_added_to_the_rubric_is_told(copied, tmp_path, capsys, nobody_to_ask):
    changed = rubric(tmp_path)
    cli.main(["regrade", "--out", str(copied), "--rubric", str(changed)])
    changed.write_text(DEFAULT.read_text() + "\n[late]\ndeadline = 2001-01-01T00:00:00Z\nper_day = 50\n")
    capsys.readouterr()
    cli.main(["regrade", "--out", str(copied)])
    assert "anna: 6 → 0 (-6): " in capsys.readouterr().out


def test_grades_of_one_assignment_are_not_exported_as_anothers(copied, capsys):
    assert cli.main(["export", "md", "--out", str(copied), "--assignment", "adder"]) == 2
    assert "holds grades of the assignment vit, not of adder" in capsys.readouterr().err


def test_an_export_tells_of_a_rubric_that_has_changed_since(copied, tmp_path, capsys, nobody_to_ask):
    changed = rubric(tmp_path, ("checks = { indices = 4, distances = 2 }", "checks = { indices = 1, distances = 5 }"))
    cli.main(["regrade", "--out", str(copied), "--rubric", str(changed)])
    cli.main(["export", "md", "--out", str(copied)])
    assert "has changed" not in capsys.readouterr().err
    changed.write_text(DEFAULT.read_text())
    cli.main(["export", "md", "--out", str(copied)])
    assert f"{changed} has changed since the grades were computed" in capsys.readouterr().err


@pytest.fixture
def judged(monkeypatch):
    """The submissions that were judged again, not only counted again."""
    met, original = [], regrade.Regrader._grader
    monkeypatch.setattr(regrade.Regrader, "_grader", lambda self, *args: met.append(1) or original(self, *args))
    return met


def note(out, *asked):
    """Have the kept verdicts rest on an answer of the rubric."""
    with contextlib.closing(Gradebook(out / NAME)) as book:
        for ident, packed in book.db.execute("SELECT id, verdicts FROM grades WHERE verdicts NOT NULL").fetchall():
            kept = packing.unpack_verdicts(packed)
            changed = packing.pack_verdicts(dataclasses.replace(kept, noted=[*kept.noted, *asked]))
            book.db.execute("UPDATE grades SET verdicts = ? WHERE id = ?", (changed, ident))


def test_other_points_are_counted_and_nothing_is_judged(copied, tmp_path, judged, nobody_to_ask):
    changed = rubric(tmp_path, ("checks = { indices = 4, distances = 2 }", "checks = { indices = 1, distances = 5 }"))
    assert cli.main(["regrade", "--out", str(copied), "--rubric", str(changed)]) == 0
    assert classroom.points(copied) == {**classroom.POINTS, "bela": 5, "cleo": 1} and not judged
    assert cli.main(["regrade", "--out", str(copied), "--rubric", str(DEFAULT)]) == 0
    assert classroom.points(copied) == classroom.POINTS and not judged


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        pytest.param(["threshold", "accuracy"], True, id="the number is another"),
        pytest.param(["below", "accuracy", 0.885], True, id="the score is below it now"),
        pytest.param(["below", "accuracy", 0.95], False, id="the score is above it still"),
    ],
)
def test_another_threshold_has_those_judged_again_whom_it_concerns(
    copied, tmp_path, judged, nobody_to_ask, asked, again
):
    note(copied, [asked, 0.88 if asked[0] == "threshold" else False])
    changed = rubric(tmp_path, ("accuracy = 0.88 ", "accuracy = 0.89 "))
    assert cli.main(["regrade", "--out", str(copied), "--rubric", str(changed)]) == 0
    assert classroom.points(copied) == classroom.POINTS and bool(judged) == again


def test_other_checks_have_all_judged_again(copied, judged, monkeypatch):
    monkeypatch.setattr(digests, "checks", lambda: "changed")
    assert cli.main(["regrade", "--out", str(copied)]) == 0
    assert len(judged) == 5 and classroom.points(copied) == classroom.POINTS


def test_where_a_piece_of_the_grader_raised_it_is_tried_again(copied, tmp_path, judged):
    with contextlib.closing(Gradebook(copied / NAME)) as book:
        ident, text = book.db.execute("SELECT id, grade FROM grades WHERE verdicts NOT NULL").fetchone()
        grade = json.loads(text)
        grade["warnings"].append({"code": "grader.error", "message": "the warning stale raised"})
        book.db.execute("UPDATE grades SET grade = ? WHERE id = ?", (json.dumps(grade), ident))
    changed = rubric(tmp_path, ("accuracy = 0.88 ", "accuracy = 0.89 "))
    assert cli.main(["regrade", "--out", str(copied), "--rubric", str(changed)]) == 0
    assert len(judged) == 1


def handed_out(folder):
    """Given files of an instructor's: a sampler in other words."""
    folder.mkdir()
    (folder / "course.py").write_text("def sample_balanced_subset(train_dataset):\n    return train_dataset\n")
    return folder


def digests_of_given_files(out):
    with GradebookReader(out) as reader:
        return {entry.grade.given for entry in reader.entries() if entry.grade.status == "graded"}


def test_other_given_files_are_taken_up_without_running_anything(copied, tmp_path, capsys, nobody_to_ask):
    where = handed_out(tmp_path / "given")
    own, theirs = given.own(VIT).digest, given.replaced(where, VIT).digest
    assert digests_of_given_files(copied) == {own}
    assert cli.main(["regrade", "--out", str(copied), "--given", str(where)]) == 0
    assert digests_of_given_files(copied) == {theirs}
    shutil.rmtree(where)  # the gradebook holds them
    assert cli.main(["regrade", "--out", str(copied)]) == 0
    assert digests_of_given_files(copied) == {theirs}
    assert capsys.readouterr().out.count("0 with another score") == 2


def test_given_files_that_cannot_be_read_change_nothing(copied, tmp_path, capsys):
    before = classroom.rows(copied)
    assert cli.main(["regrade", "--out", str(copied), "--given", str(tmp_path / "no")]) == 2
    assert "expected a folder with the course's given files" in capsys.readouterr().err
    assert classroom.rows(copied) == before


def test_a_grade_that_rests_on_the_same_is_left_alone(copied, capsys, nobody_to_ask):
    before = classroom.rows(copied)
    assert cli.main(["regrade", "--out", str(copied)]) == 0
    assert capsys.readouterr().out == "6 submissions, 0 with another score\n"
    assert classroom.rows(copied) == before


def test_a_changed_check_is_made_on_what_was_observed(copied, capsys, nobody_to_ask, monkeypatch):
    def never(seen):
        """Nothing is ever right."""
        raise Fail("no")

    old = VIT.criteria["application.knn"]
    new = Criterion(old.id, tuple(dataclasses.replace(check, function=never) for check in old.checks), old.names)
    monkeypatch.setitem(VIT.criteria, "application.knn", new)
    monkeypatch.setattr(digests, "checks", lambda: "changed")
    assert cli.main(["regrade", "--out", str(copied)]) == 0
    assert "anna: 6 → 0 (-6)" in capsys.readouterr().out


def test_only_a_new_probe_is_asked(graded, copied, monkeypatch):
    asked = []

    class Workers:
        forks = False
        sandbox = {}  # noqa: RUF012

        def open(self, program, files):
            return self

        def ask(self, op, args, seconds):
            from grader.records import Observation

            asked.append((op, args))
            return Observation("value", value={"answer": 42})

        def close(self):
            return None

    class Opened:
        workers, known = Workers(), ReferenceAnswers()

        def close(self):
            return None

    def knows(seen):
        """It knows the answer."""
        if seen["knn.answer"].value["answer"] != 42:
            raise Fail("no")

    old = VIT.criteria["application.knn"]
    new = Criterion(old.id, (*old.checks, *checks(knows)), old.names)
    probe = Probe("knn.answer", "new_op", lambda seen, rng: Question({"x": 1}), serves=(old.id,))
    assignment = dataclasses.replace(VIT, probes=(*VIT.probes, probe), criteria={**VIT.criteria, old.id: new})
    monkeypatch.setattr(regrade, "open_grader", lambda options: Opened())
    monkeypatch.setattr(digests, "checks", lambda: "changed")
    with contextlib.closing(Gradebook(copied / NAME)) as book:
        moved = regrade.regrade_all(Options(out=copied, assignment=assignment), book)
    assert asked == [("new_op", {"x": 1})] * 5  # of the five that could be opened
    assert {each.key: each.after.score for each in moved} == classroom.POINTS
    again = shutil.copytree(copied, copied.with_name("again"))
    asked.clear()
    with contextlib.closing(Gradebook(again / NAME)) as book:
        regrade.regrade_all(Options(out=again, assignment=assignment), book)
    assert asked == []
    other = dataclasses.replace(assignment, forms={**VIT.forms, "new_op": Answered(dict[str, str])})
    monkeypatch.setattr(digests, "checks", lambda: "changed again")
    with contextlib.closing(Gradebook(again / NAME)) as book:
        moved = regrade.regrade_all(Options(out=again, assignment=other), book)
    # What was kept has another form than is declared now, and the reference is asked once whether it has that one.
    assert asked == [("new_op", {"x": 1})] * 6
    assert all(each.after for each in moved)


def test_without_the_files_a_new_probe_leaves_the_grade_and_says_so(copied, capsys, monkeypatch, graded, tmp_path):
    probe = Probe("knn.answer", "new_op", lambda seen, rng: Question({"x": 1}))
    monkeypatch.setattr(digests, "checks", lambda: "changed")
    folder = graded[0]
    folder.rename(tmp_path / "elsewhere")
    try:
        assignment = dataclasses.replace(
            VIT, probes=(*VIT.probes, dataclasses.replace(probe, serves=("application.knn",)))
        )
        with contextlib.closing(Gradebook(copied / NAME)) as book:
            moved = regrade.regrade_all(Options(out=copied, assignment=assignment), book)
    finally:
        (tmp_path / "elsewhere").rename(folder)
    assert sum(each.after is None for each in moved) == 5 and "files" in moved[0].why
    assert classroom.points(copied) == classroom.POINTS


def test_there_must_be_a_gradebook(tmp_path, capsys):
    assert cli.main(["regrade", "--out", str(tmp_path / "none")]) == 2
    assert "no gradebook there" in capsys.readouterr().err and not (tmp_path / "none").exists()


EXAMPLE = HOME / "docs" / "examples" / "linear_regression"


def test_another_assignment_is_regraded_by_its_own_checks(tmp_path, capsys):
    mine = shutil.copytree(EXAMPLE, tmp_path / "assignment")
    right = (mine / "reference" / "regression.py").read_text()
    for name, text in (("anna", right), ("bela", right.replace("x @ weights + bias", "x @ weights"))):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "regression.py").write_text(text)
    out = ["--out", str(tmp_path / "grades")]
    assert cli.main([str(tmp_path / "class"), "--assignment", str(mine / "assignment.py"), *out]) == 0
    before = classroom.points(tmp_path / "grades")
    assert before["anna"] == 10 > before["bela"]
    capsys.readouterr()
    code = mine / "assignment.py"
    code.write_text(code.read_text() + "\n# another comment: the checks are others\n")
    assert cli.main(["regrade", *out]) == 0
    assert capsys.readouterr().out == "2 submissions, 0 with another score\n"
    assert classroom.points(tmp_path / "grades") == before
    assert len(classroom.rows(tmp_path / "grades")) == 4


def test_data_that_cannot_be_had_are_looked_for_once(tmp_path):
    tried = []

    def missing(folder):
        tried.append(folder)
        raise GraderError("no data on this machine")

    data = DataWhenNeeded(Options(assignment=dataclasses.replace(VIT, data=missing), data=tmp_path))
    for _ in range(3):
        with pytest.raises(GraderError, match="no data on this machine"):
            data.test_labels  # noqa: B018
    assert tried == [tmp_path]
