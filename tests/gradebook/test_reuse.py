"""After a change of code, what it can touch is judged again and nothing else, and it comes to the same as all anew."""

import contextlib
import json
import re
import shutil

import pytest

from grader import finding, shipped, verdicts
from grader.assignments.vit.assignment import VIT
from grader.data import NoData
from grader.gradebook import digests, packing, regrade, sources
from grader.gradebook.regrade import Regrader
from grader.gradebook.remembering import remember
from grader.gradebook.reuse import Reuse
from grader.gradebook.store import NAME, Gradebook
from grader.gradebook.task import Task, grade_task
from grader.gradebook.unasked import NewQuestion
from grader.intake import Found
from grader.pipeline import Grader, Options
from grader.records import Observation
from grader.reports import record

FILES = {
    "reader": """
        def doubled(number):
            return 2 * number
        """,
    "forms": """
        from grader.observations import Answered

        NUMBER = Answered(int)
        """,
    "one": """
        from grader.assignment import Topic
        from grader.evidence import Probe, Question
        from grader.judging import Criterion, Fail, checks
        from .reader import doubled

        def _ask(evidence, rng):
            return Question({"x": 3}, known=6)

        def right(evidence):
            "It is right."
            if doubled(evidence["one.answer"].value) != 2 * evidence["one.answer"].known:
                raise Fail("expected another number")

        TOPIC = Topic((Probe("one.answer", "op", _ask),), (Criterion("one", checks(right)),))
        """,
    "two": """
        from grader.assignment import Topic
        from grader.evidence import Probe, Question
        from grader.judging import Blocked, Criterion, Fail, checks

        PASSED = "it passed: {}"

        def _ask(evidence, rng):
            return Question({"y": 4}, known=evidence.passed("one"))

        def follows(evidence):
            "It follows the first."
            if not evidence["two.answer"].known:
                raise Fail(f"the first is {evidence.verdict('one').feedback}")
            return PASSED.format(evidence.once("half", lambda: evidence["one.answer"].value / 2))

        TOPIC = Topic(
            (Probe("two.answer", "op", _ask, needs=("one",)),), (Criterion("two", checks(follows), needs=("one",)),),
        )
        """,
    "three": """
        from grader.assignment import Topic
        from grader.judging import Criterion, Fail, checks, warn

        def alone(evidence):
            "It looks at the answer to somebody else's question, and at a number of the rubric's."
            if evidence.rubric.below("least", evidence["one.answer"].value):
                raise Fail("too small")

        def share(evidence):
            return evidence.once("half", lambda: evidence["one.answer"].value / 2) / 10

        def told(evidence):
            return warn("told", "of the second") if evidence.passed("two") else []

        TOPIC = Topic(criteria=(Criterion("three", checks(alone)),), warnings=(told,), measures={"share": share})
        """,
    "assignment": """
        from pathlib import Path
        from grader.assignment import Assignment, joined
        from . import forms, one, three, two

        TOPIC = joined(one.TOPIC, two.TOPIC, three.TOPIC, forms={"op": forms.NUMBER})
        ASSIGNMENT = Assignment(
            name="of three", rubric=Path(__file__).parent / "rubric.toml", wanted=(), provided=(), never_called=(), ops=(),
            probes=TOPIC.probes, criteria={each.id: each for each in TOPIC.criteria}, warnings=TOPIC.warnings,
            measures=TOPIC.measures, forms=TOPIC.forms,
        )
        """,
}  # fmt: skip
RUBRIC = '[assignment]\nname = "Of three"\n\n[thresholds]\nleast = 5\n' + "".join(
    f'\n[[criteria]]\nid = "{name}"\npart = 1\ntitle = "{name}"\npoints = 2\n' for name in ("one", "two", "three")
)


class Answers:
    """A worker that answers every question with a number."""

    forks, sandbox = False, {}

    def __init__(self, number):
        self.number = number

    def open(self, program, files):
        return self

    def ask(self, op, args, seconds):
        return Observation("value", {"defined": [], "problems": []} if op == "load" else self.number)

    def close(self):
        return None


def write(folder, name, old="", new=""):
    lines = FILES[name].splitlines()
    text = "\n".join(line[8:] for line in lines)
    assert old in text
    (folder / f"{name}.py").write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """An assignment, and a gradebook with a right and a wrong submission."""
    tmp_path = tmp_path_factory.mktemp("course")
    folder = tmp_path / "of_three"
    folder.mkdir()
    (folder / "rubric.toml").write_text(RUBRIC)
    for name in FILES:
        write(folder, name)
    options = Options(assignment=finding.load(folder), out=tmp_path / "grades", seed=1)
    with contextlib.closing(Gradebook(options.out / NAME)) as book:
        remember(book, options)
        for key, number in (("anna", 6), ("bela", 8)):
            (tmp_path / key).mkdir()
            (tmp_path / key / "a.py").write_text("x = 1\n")
            row = book.submission_row(key, key, lambda key=key: key, {"path": str(tmp_path / key), "files": "{}"})
            task = Task(row.id, Found(key, tmp_path / key), 1)
            book.finish(row.id, digests.current(options), grade_task(Grader(options, Answers(number), NoData()), task))
    return folder, options.out


@pytest.fixture
def course(graded, tmp_path):
    """The same, for a test to change."""
    folder, out = graded
    for name in FILES:
        write(folder, name)
    return folder, shutil.copytree(out, tmp_path / "grades")


def judged(monkeypatch):
    """The criteria that are judged from now on."""
    met, judge = [], verdicts.judge
    monkeypatch.setattr(
        verdicts, "judge", lambda criterion, evidence: met.append(criterion.id) or judge(criterion, evidence)
    )
    return met


def again(course, rubric=None):
    """By student, the grade by the code as it is now, and what is kept of it; an exception where it must be asked."""
    folder, out = course
    found = {}
    with contextlib.closing(Gradebook(out / NAME)) as book:
        regrader = Regrader(Options(assignment=finding.load(folder), out=out, rubric=rubric), book)
        for row in book.submissions():
            try:
                packed = regrader.from_kept(book.latest(row.id))
                found[row.key] = json.dumps(record.to_dict(packed.grade)), packed
            except NewQuestion as error:
                found[row.key] = repr(error), None
    return found


ALL = {"one", "two", "three"}
CHANGES = [
    pytest.param("reader", "", "", set(), id="nothing"),
    pytest.param("three", "too small", "much too small", {"three"}, id="a check's words"),
    pytest.param("three", '"told", "of', '"told", "again of', {"three"}, id="a warning"),
    pytest.param("three", "/ 10", "/ 20", {"three"}, id="a measure"),
    pytest.param("reader", "2 * number", "number * 2 + 1", {"one", "two", "three"}, id="a reader that a check imports"),
    pytest.param("one", "known=6", "known=8", ALL, id="the right answer to a question that others look at"),
    pytest.param("forms", "Answered(int)", "Answered(float)", ALL, id="the type of answers"),
    pytest.param("two", "follows the", "comes after the", {"two"}, id="a check whose verdict a warning reads"),
    pytest.param("two", "it passed", "it has passed", {"two"}, id="a check's remark"),
    pytest.param("one", "expected another", "expected a different", ALL, id="a verdict that others read"),
    pytest.param("two", '{"y": 4}', '{"y": 5}', None, id="a question"),
    pytest.param("assignment", "one.TOPIC, two.TOPIC, three.TOPIC", "three.TOPIC, one.TOPIC, two.TOPIC", ALL, id="their order"),
    pytest.param("reader", "def doubled", "import json\njson.added = True\n\ndef doubled", ALL, id="a module that changes others"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "touched"), CHANGES)
def test_what_a_change_touches_is_judged_again_and_the_grade_is_that_of_judging_all_anew(
    course, monkeypatch, name, old, new, touched
):
    write(course[0], name, old, new)
    (course[0] / "untouched.py").write_text("# something else is new as well\n")
    met = judged(monkeypatch)
    taken_over, reused = again(course), set(met)
    monkeypatch.setattr(Regrader, "_reach", lambda self, judged: None)
    anew = again(course)
    assert {key: grade for key, (grade, _) in taken_over.items()} == {key: grade for key, (grade, _) in anew.items()}
    assert touched is None or reused == touched
    assert all(("NewQuestion" in grade) == (touched is None) for grade, _ in anew.values())


def test_a_verdict_that_comes_out_equal_leaves_those_that_read_it(course, monkeypatch):
    write(course[0], "one", "if doubled", "if True and doubled")
    monkeypatch.setattr(sources.Reach, "of", lambda self, piece: piece == "criterion one")
    met = judged(monkeypatch)
    again(course)
    assert met == ["one", "one"]


def test_what_was_taken_over_is_taken_over_again(course, monkeypatch):
    write(course[0], "three", "too small", "much too small")
    with contextlib.closing(Gradebook(course[1] / NAME)) as book:
        regrade.regrade_all(options := Options(assignment=finding.load(course[0]), out=course[1]), book)
        remember(book, options)
    write(course[0], "two", "it passed", "it has passed")
    met = judged(monkeypatch)
    again(course)
    assert set(met) == {"two"}


def test_another_engine_has_all_judged_again(course, monkeypatch):
    monkeypatch.setattr(digests, "engine", lambda: "others")
    write(course[0], "three", "too small", "much too small")
    met = judged(monkeypatch)
    again(course)
    assert set(met) == ALL


def test_another_number_of_the_rubric_that_a_verdict_rests_on_has_all_judged_again(course, monkeypatch, tmp_path):
    (tmp_path / "other.toml").write_text(RUBRIC.replace("least = 5", "least = 7"))
    write(course[0], "two", "it passed", "it has passed")
    met = judged(monkeypatch)
    found = again(course, tmp_path / "other.toml")
    assert met == ["one", "two", "three", "two"] and "too small" in found["anna"][0]


def test_code_that_is_not_known_any_more_has_all_judged_again(course, monkeypatch):
    with contextlib.closing(Gradebook(course[1] / NAME)) as book:
        book.db.execute("DELETE FROM sources")
    write(course[0], "three", "too small", "much too small")
    met = judged(monkeypatch)
    again(course)
    assert set(met) == ALL


def test_where_only_some_criteria_are_judged_what_has_no_turn_is_the_same():
    reads = {"criterion a": ["question heads.embedding"]}
    kept = packing.KeptVerdicts({}, [], reads=reads)
    reach = sources.Reach(VIT, ())
    assert Reuse(kept, reach, {"heads.embedding"}).reused("criterion a") and not Reuse(kept, reach).reused(
        "criterion a"
    )


def test_what_is_taken_over_takes_with_it_what_its_scores_read():
    reads = {"measure m": ["score a"], "score a": ["score b"], "score b": ["question load"], "score c": []}
    reuse = Reuse(packing.KeptVerdicts({}, [], reads=reads), sources.Reach(VIT, ()))
    assert reuse.reused("measure m") and reuse.noted.keys() == reads.keys() - {"score c"}


@pytest.mark.parametrize("name", finding.names())
def test_every_piece_of_an_assignment_stands_in_a_module(name):
    assignment = finding.find(name)
    reach = sources.Reach(assignment, ())
    assert not reach.everything and not any(map(reach.of, [piece for piece, _ in sources.pieces(assignment)]))


def test_a_change_of_the_heads_reaches_what_is_asked_of_the_heads_and_their_criterion():
    reach = sources.Reach(VIT, ["grader.assignments.vit.model.heads"])
    assert {piece for piece, _ in sources.pieces(VIT) if reach.of(piece)} == {
        "question heads.classification", "question heads.embedding", "criterion vit.heads",
    }  # fmt: skip


@pytest.mark.parametrize("floor", sources.FLOORS)
def test_what_judges_looks_at_others_by_the_methods_that_note_it_and_imports_nothing_that_is_not_written_down(floor):
    beside = {"inside", "corpus", "figures", "reference", "student"}
    paths = [path for path in (shipped.PACKAGE / floor).rglob("*.py") if not beside & set(path.parts)]
    refused = re.compile(r"evidence\.(answers|verdicts|measured|firewall|reading)\b|importlib|__import__|\bexec\(")
    assert len(paths) > 40 and not [path for path in paths if refused.search(path.read_text())]
