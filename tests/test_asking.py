"""Which probes wait for which, and whose workers are closed."""

from pathlib import Path

import pytest

from grader.asking import Asking, Doubts
from grader.evidence import Evidence, Probe, Question, ask_all
from grader.records import Observation, Program, Submission
from grader.vit.assignment import VIT

PROBES = (
    Probe("short", "short", lambda seen, rng: Question({})),
    Probe("long", "long", lambda seen, rng: Question({}), apart=True),
    Probe("next", "next", lambda seen, rng: Question({}), when=lambda seen: seen["short"].ok),
)


def evidence():
    folder = Path("ab12")
    submission = Submission("ab12", folder, folder, "", None, Program((), {}, {}), (), {})
    return Evidence(submission, 1, rubric=None, data=None, assignment=VIT)


def test_what_is_apart_is_begun_in_its_turn_and_waited_for_at_the_end():
    order = []

    def ask(probe, question):
        order.append(probe.id)
        return Observation("value", probe.id)

    def begin(probe, question):
        order.append(f"{probe.id} begun")
        return lambda: ask(probe, question)

    seen = evidence()
    ask_all(PROBES, seen, ask, begin)
    assert order == ["short", "long begun", "next", "long"]
    assert seen["long"].value == "long" and set(seen.timings) == set(seen.asked) == {"short", "long", "next"}


def test_a_question_that_rests_on_an_answer_apart_waits_for_it():
    rests = Probe("rests", "rests", lambda seen, rng: Question({"twice": 2 * seen["long"].value}))
    seen = evidence()
    ask_all((*PROBES, rests), seen, lambda probe, question: Observation("value", question.args.get("twice", 3)))
    assert seen["rests"].value == 6


class Workers:
    """Workers that say which of them answers."""

    forks = True

    def __init__(self):
        self.opened, self.closed = [], []

    def open(self, program, files):
        worker = Worker(len(self.opened), self)
        self.opened.append(worker)
        return worker


class Worker:
    def __init__(self, number, workers):
        self.number, self.workers = number, workers

    def ask(self, op, args, seconds):
        return Observation("value", self.number)

    def close(self):
        self.workers.closed.append(self.number)


@pytest.mark.parametrize(("beside", "workers"), [(True, [0, 1]), (False, [0])], ids=["several cores", "one core"])
def test_a_worker_of_its_own_answers_what_is_apart_where_there_are_cores(beside, workers):
    started, seen = Workers(), evidence()
    with Asking(started, seen.submission, Doubts(started, list, None), lambda probe: None, beside) as asking:
        ask_all(PROBES, seen, asking.ask, asking.begin)
    assert seen["long"].value == workers[-1] and seen["next"].value == 0
    assert started.closed == workers
