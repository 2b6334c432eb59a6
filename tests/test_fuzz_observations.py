"""A small run of ``bench.fuzz_observations``, and that it sees what it looks for."""

from collections.abc import Iterator

import pytest

from bench import fuzz_observations
from bench.answer_changes import LEFT_OUT, Changed, changes, with_other
from bench.fuzz_observations import Base, Counts, bases, fuzz, judge
from grader.given import NO_GIVEN_FILES
from grader.pipeline import Options, open_grader

SEED, CHANGES = 7, 300


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Base]]:
    grader = open_grader(
        Options(given=NO_GIVEN_FILES, train="never", sample=fuzz_observations.SAMPLE, pictures=True, seed=SEED)
    )
    try:
        yield bases(grader, tmp_path_factory.mktemp("fuzz"), SEED)
    finally:
        grader.close()


def test_no_changed_answer_stops_the_grader_or_pays(graded: list[Base]) -> None:
    counts = fuzz(graded, CHANGES, SEED)
    assert not counts.problems(), counts.found
    assert counts.of["changes"] == CHANGES and counts.of["forged"] > CHANGES / 3


def test_the_bases_are_right_wrong_and_empty(graded: list[Base]) -> None:
    right, wrong, empty = graded
    assert {name for name, points in right.points.items() if not points} <= {"vit.accuracy", "contrastive.precision"}
    assert not any(wrong.points.values()) and not any(empty.points.values())
    assert not right.errors | wrong.errors | empty.errors


def test_an_exception_a_gain_and_an_error_are_seen(graded: list[Base], monkeypatch: pytest.MonkeyPatch) -> None:
    base, counts = graded[1], Counts()
    changed = Changed((), "an empty list", [])
    monkeypatch.setitem(base.pieces, "warning of the test", (lambda seen: 1 / 0, {"knn"}))
    monkeypatch.setitem(base.points, "application.knn", -1.0)
    judge(base, "knn", changed, counts, drawn=False)
    assert counts.of["exceptions"] == counts.of["gained"] == 1, counts.found
    monkeypatch.setattr(fuzz_observations, "fit", lambda observation, *_: observation)
    judge(base, "transfer", Changed((), "an array for a word", {"result": {"type": {}}, "steps": []}), counts, False)
    assert "knn" in counts.found[0] and counts.problems() >= 2


def test_every_kind_of_place_is_changed_and_the_answer_itself_stays() -> None:
    answer = {"epochs": [{"steps": 1}, {"steps": 2}], "name": "a"}
    found = [each for group in changes(answer, [[1]]) for each in group]
    assert {tuple("*" if isinstance(step, int) else step for step in each.path) for each in found} == {
        (), ("epochs",), ("epochs", "*"), ("epochs", "*", "steps"), ("name",),
    }  # fmt: skip
    assert {each.path for each in found} >= {("epochs", 0, "steps"), ("epochs", 1, "steps")}
    assert answer == {"epochs": [{"steps": 1}, {"steps": 2}], "name": "a"}
    assert with_other(answer, ("epochs", 0, "steps"), LEFT_OUT) == {"epochs": [{}, {"steps": 2}], "name": "a"}
