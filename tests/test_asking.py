"""Which probes wait for which, and whose workers are closed."""

import gc
import weakref
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from grader.asking import Asking, Doubts, ReferenceAnswers
from grader.assignments.vit.assignment import VIT
from grader.evidence import Evidence, KeptAnswer, Probe, Question, Unanswered
from grader.judging import Fail
from grader.probing import ask_all
from grader.records import Observation, Program, Submission
from grader.sandbox.outside.clock import Patience
from tests import test_undecided as undecided

PROBES = (
    Probe("short", "short", lambda seen, rng: Question({})),
    Probe("long", "long", lambda seen, rng: Question({}), in_parallel=True),
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
    assert seen["long"].value == "long" and set(seen.timings) == {"short", "long", "next"}


def test_a_question_that_rests_on_an_answer_apart_waits_for_it():
    rests = Probe("rests", "rests", lambda seen, rng: Question({"twice": 2 * seen["long"].value}))
    seen = evidence()
    ask_all((*PROBES, rests), seen, lambda probe, question: Observation("value", question.args.get("twice", 3)))
    assert seen["rests"].value == 6


def test_a_kept_answer_to_what_could_not_be_asked_is_that_again():
    asked = Probe("asked", "asked", lambda seen, rng: Question({"twice": 2 * seen["short"].value}))
    crashed, first, again = Observation("crashed", detail="it ended"), evidence(), evidence()
    ask_all((PROBES[0], asked), first, lambda probe, question: crashed)
    kept = {
        name: KeptAnswer(lambda name=name: first[name].observation, each.asked, True, 0.0)
        for name, each in first.answers.items()
    }
    ask_all((PROBES[0], asked), again, lambda probe, question: pytest.fail("nothing is asked again"), kept=kept)
    with pytest.raises(Unanswered) as raised:
        _ = again["asked"].known
    assert raised.value.probe == "asked" and raised.value.observation == first["asked"].observation


def test_what_a_needed_verdict_looks_at_is_asked_before_it_wherever_it_stands():
    """A probe that stands before the one that it rests on costs nobody anything."""
    order = []

    def looks(seen):
        """It is 3."""
        if seen["late"].value != 3:
            raise Fail("no")

    def ask(probe, question):
        order.append(probe.id)
        return Observation("value", 3)

    rests = Probe("rests", "x", lambda seen, rng: Question({"passed": seen.passed("a")}), needs=("a",))
    late = Probe("late", "x", lambda seen, rng: Question({}))
    seen = undecided.evidence({"a": (looks,)})
    seen.assignment = replace(seen.assignment, probes=(rests, late))
    ask_all(seen.assignment.probes, seen, ask)
    assert order == ["late", "rests"] and seen["rests"].question.args == {"passed": True}


def test_a_question_that_waits_for_its_own_answer_leaves_open_what_rests_on_it():
    def looks(seen):
        """It looks at the answer to a probe that needs it."""
        _ = seen["first"].value

    first = Probe("first", "x", lambda seen, rng: Question({"passed": seen.passed("a")}), needs=("a",))
    seen = undecided.evidence({"a": (looks,)})
    seen.assignment = replace(seen.assignment, probes=(first,))
    ask_all(seen.assignment.probes, seen, lambda probe, question: Observation("value", 3))
    assert seen.verdicts["a"].status == "error"
    assert "first waits for the answer to first" in " ".join(seen.firewall.lines)


def test_evidence_that_was_asked_for_does_not_hold_itself():
    gc.disable()
    try:
        seen = evidence()
        ask_all(PROBES[:1], seen, lambda probe, question: Observation("value", 3))
        held = weakref.ref(seen)
        del seen
        assert held() is None
    finally:
        gc.enable()


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

    def ask(self, op, args, patience):
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


class Hanging(Workers):
    """Workers that hang in all they are asked but loading; they note how long they were waited for."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.asked = seconds, []

    def open(self, program, files):
        return self

    def ask(self, op, args, patience):
        if op == "load":
            return Observation("value", {"defined": [], "problems": []})
        self.asked.append((op, patience.seconds, patience.step))
        if self.reference:
            return Observation("value", 1, seconds=0.1)
        patience.hangs.add(None, self.seconds)
        return Observation("timeout", detail="no answer")

    def close(self):
        pass


def test_what_was_waited_in_vain_shortens_what_follows_and_ends_it():
    hanging = Hanging(seconds=8.0)
    hanging.reference = False
    probes = [Probe(f"probe {n}", f"op {n}", lambda seen, rng: Question({}), seconds=20.0) for n in range(9)]
    seen = evidence()
    with Asking(hanging, seen.submission, Doubts(hanging, list, None), lambda probe: None, beside=False) as asking:
        ask_all(probes, seen, asking.ask)
    limits = [(seconds, step) for _, seconds, step in hanging.asked]
    assert limits == [(20.0, 8.0)] * 2 + [(5.0, 1.0)] * 4
    assert {seen[probe.id].observation.outcome for probe in probes} == {"timeout"}
    assert seen["probe 8"].observation.detail == "not asked: 48 s went by in earlier calls without an answer"


def test_the_reference_is_asked_once_in_a_run():
    known, reference = ReferenceAnswers(), Hanging(0.0)
    reference.reference = True
    late = Observation("timeout", detail="no answer after 8 s")
    for _ in range(3):
        doubts = Doubts(reference, list, lambda: nullcontext(evidence().submission), known)
        assert doubts.settled(None, PROBES[0], Question({}), late, Patience(20.0, 8.0)) is late
        doubts.close()
    assert [op for op, *_ in reference.asked] == ["short"]
