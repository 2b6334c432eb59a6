"""A run over a class, with places that break: who is asked again, who is given up, who never waits for whom."""

import dataclasses
from concurrent.futures import Future

import pytest

from grader.errors import GraderError
from grader.gradebook import adjusting
from grader.gradebook.digests import Digests
from grader.gradebook.ledger import Decision, Ledger
from grader.gradebook.places import PlaceLost
from grader.gradebook.run import MAX_STARTS, Run
from grader.gradebook.store import NAME, Gradebook, PackedGrade
from tests import grades
from tests.gradebook import classroom

NOW = Digests("asks", "checks", "rubric", "environment")


class Breaking:
    """A place that breaks for some students, and notes whom it was asked for and with whom beside."""

    width = 2

    def __init__(self, *bad, error=None, times=100):
        self.bad, self.error, self.times = bad, error or RuntimeError("a worker died"), times
        self.asked, self.renewed = [], 0

    def submit(self, task):
        self.asked.append(task.found.key)
        future = Future()
        if task.found.key in self.bad and self.asked.count(task.found.key) <= self.times:
            future.set_exception(self.error)
        else:
            future.set_result(PackedGrade(dataclasses.replace(grades.grade(task.found.key), seed=task.seed)))
        return future

    def ready(self):
        return None

    def renew(self):
        self.renewed += 1

    def close(self):
        return None


@pytest.fixture
def book(tmp_path):
    book = Gradebook(tmp_path / "grades" / NAME)
    yield book
    book.close()


@pytest.fixture
def found(tmp_path):
    from grader.intake import find_submissions

    return find_submissions(classroom.make(tmp_path / "class"))


def status(done):
    return {each.task.found.key: (each.grade.status, each.how) for each in done}


def test_one_that_kills_workers_is_marked_and_the_others_are_graded(book, found):
    place = Breaking("cleo")
    done = status(Run(book, place, NOW, 1).grade(found))
    assert done.pop("cleo") == ("needs_review", "given up")
    assert set(done.values()) == {("graded", "graded")}
    assert place.asked.count("cleo") == 2 and place.renewed == 1


def test_a_worker_that_dies_costs_a_retry(book, found):
    place = Breaking("anna", "cleo", times=1)
    assert set(status(Run(book, place, NOW, 1).grade(found)).values()) == {("graded", "graded")}
    assert sorted(place.asked) == sorted(["anna", "cleo", *classroom.POINTS])


def test_where_workers_are_lost_for_many_it_was_nobodys_fault(book, found):
    place = Breaking("bela", "cleo", "dora", "emil", error=GraderError("the workers' parent died"), times=1)
    assert set(status(Run(book, place, NOW, 1).grade(found)).values()) == {("graded", "graded")}
    assert place.renewed == 1 and len(place.asked) == 10


def test_what_takes_the_whole_grader_with_it_comes_last_and_alone_then_never(book, found):
    run = Run(book, Breaking(), NOW, 1)
    bela = run.hand_in(found[1], 1)
    for _ in range(3):
        book.begin(bela.id)
    place = Breaking()
    assert status(Run(book, place, NOW, 1).grade(found))["bela"] == ("graded", "graded")
    assert place.asked[-1] == "bela"


def test_after_so_many_starts_without_an_end_it_is_given_up_unasked(book, found):
    bela = Run(book, Breaking(), NOW, 1).hand_in(found[1], 1)
    for _ in range(MAX_STARTS):
        book.begin(bela.id)
    place = Breaking()
    done = Run(book, place, NOW, 1).grade(found)
    assert status(done)["bela"] == ("needs_review", "given up") and "bela" not in place.asked
    assert "a person should look at it" in done[1].grade.reason


def test_where_nothing_can_be_graded_nobody_is_marked(book, found):
    place = Breaking(*classroom.POINTS, error=GraderError("no worker"))
    with pytest.raises(GraderError, match="no worker"):
        Run(book, place, NOW, 1).grade(found)
    assert [book.latest(row.id) for row in book.submissions()] == [None] * 6
    assert all(row.begun <= 1 for row in book.submissions())


def test_a_lost_cluster_ends_the_run_and_marks_nobody(book, found):
    place = Breaking("dora", error=PlaceLost("tcp://x: the scheduler was lost"))
    with pytest.raises(PlaceLost):
        Run(book, place, NOW, 1).grade(found)
    assert all(row.begun <= 1 for row in book.submissions())
    assert status(Run(book, Breaking(), NOW, 1).grade(found))["dora"] == ("graded", "graded")


def test_the_same_handed_in_twice_is_graded_once(book, found, tmp_path):
    classroom.notebook(tmp_path / "again" / "anna" / "a.ipynb").write_bytes((found[0].path / "a.ipynb").read_bytes())
    twice = [found[0], dataclasses.replace(found[0], path=tmp_path / "again" / "anna")]
    place = Breaking()
    assert len(Run(book, place, NOW, 1).grade(twice)) == 2
    assert place.asked == ["anna"]


def test_a_students_seed_does_not_depend_on_the_order(book, found, tmp_path):
    seeds = {each.task.found.key: each.grade.seed for each in Run(book, Breaking(), NOW, 1).grade(found)}
    other = Gradebook(tmp_path / "other" / NAME)
    again = Run(other, Breaking(), NOW, 1).grade(list(reversed(found)))
    other.close()
    assert seeds == {each.task.found.key: each.grade.seed for each in again} and len(set(seeds.values())) == 6


def test_what_was_moved_is_not_graded_again_and_has_its_new_path(book, found, tmp_path):
    Run(book, Breaking(), NOW, 1).grade(found)
    (tmp_path / "class").rename(tmp_path / "moved")
    moved = [dataclasses.replace(each, path=tmp_path / "moved" / each.key) for each in found]
    place = Breaking()
    done = Run(book, place, NOW, 1).grade(moved)
    assert place.asked == [] and {each.how for each in done} == {"kept"}
    assert done[0].grade.submission["path"] == str(tmp_path / "moved" / "anna")


def test_what_needs_review_is_graded_again_when_that_is_asked_for(book, found):
    Run(book, Breaking("cleo"), NOW, 1).grade(found)
    place = Breaking()
    assert status(Run(book, place, NOW, 1).grade(found))["cleo"][0] == "needs_review" and place.asked == []
    done = status(Run(book, place, NOW, 1, retry=True).grade(found))
    assert done["cleo"] == ("graded", "graded") and place.asked == ["cleo"]


def test_where_what_was_kept_cannot_be_read_it_is_graded_again(book, found):
    def unreadable(row, kept):
        raise GraderError("kept observations cannot be read")

    Run(book, Breaking(), NOW, 1).grade(found)
    place = Breaking()
    other = dataclasses.replace(NOW, rubric="another")
    assert len(Run(book, place, other, 1, regrade=unreadable).grade(found)) == 6 and len(place.asked) == 6


def test_what_a_person_has_decided_is_not_retried_and_stands_in_the_grade(book, found):
    Run(book, Breaking("cleo"), NOW, 1).grade(found)
    (kept,) = book.history("cleo")
    on = adjusting.beneath(kept.grade, "score", "files")
    Ledger(book).add([Decision("cleo", "score", 40.0, "graded on paper", "", "Prof. Oak", 0.0, on)])
    place = Breaking()
    done = Run(book, place, NOW, 1, retry=True).grade(found)
    grade = next(each.grade for each in done if each.task.found.key == "cleo")
    assert place.asked == [] and (grade.status, grade.score) == ("graded", 40)
