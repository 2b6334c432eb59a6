"""Who is blamed for time where there is no reference to compare with."""

import pytest

from grader.asking import Doubts, ReferenceAnswers
from grader.evidence import Probe, Question
from grader.records import Frame, Observation, Raised
from grader.sandbox.outside.clock import Patience

PROBE = Probe("slow", "slow", lambda seen, rng: Question({}), seconds=20.0)
LATE = Observation("timeout", detail="no answer after 20 s")


class Worker:
    def __init__(self, answer):
        self.answer = answer

    def ask(self, op, args, patience):
        return self.answer

    def close(self):
        pass


class Workers(Worker):
    """All of whose workers answer a program with nothing in it in one way."""

    def open(self, program, files):
        assert program["modules"] == {}
        return Worker(self.answer)


@pytest.mark.parametrize(
    ("empty", "again", "outcome"),
    [("value", LATE, "timeout"), ("timeout", LATE, "fault"), ("timeout", Observation("value", 3), "value")],
    ids=["the code is slow", "the machine is busy", "it was busy once"],
)
def test_a_worker_with_nothing_in_it_tells_slow_code_from_a_busy_machine(empty, again, outcome):
    doubts = Doubts(Workers(Observation(empty)), hidden=list, reference=None)
    assert doubts.settled(Worker(again), PROBE, Question({}), LATE, Patience(20.0, 20.0)).outcome == outcome


@pytest.mark.parametrize(("empty", "outcome"), [("value", "raised"), ("raised", "fault")])
def test_a_worker_that_cannot_be_made_ready_is_nobodys_fault(empty, outcome):
    """Where libraries lie that workers may not read, for instance: whatever was handed in, loading it raises."""
    load = Probe("load", "load", lambda seen, rng: Question({}), seconds=60.0)
    raised = Observation("raised", raised=Raised("PermissionError", ("OSError",), "threadpoolctl.py", ()))
    doubts = Doubts(Workers(Observation(empty)), hidden=list, reference=None)
    settled = doubts.settled(Worker(raised), load, Question({}), raised, Patience(60.0, 60.0))
    assert settled.outcome == outcome
    assert ("PermissionError: threadpoolctl.py" in settled.detail) == (outcome == "fault")


UNFIT = Observation("forged", detail="not ours", misfit="Expected `int`")
THEIRS = Observation(
    "raised", raised=Raised("KeyError", ("KeyError",), "'a'", (Frame("a.py", None, 3, "f", "x['a']"),))
)
OURS = Observation("raised", raised=Raised("KeyError", ("KeyError",), "'a'", at="ops.py, line 3"))


@pytest.mark.parametrize(
    ("answer", "reference", "outcome", "asked"),
    [
        (UNFIT, UNFIT, "fault", 1), (UNFIT, OURS, "fault", 1), (OURS, OURS, "fault", 1), (OURS, UNFIT, "fault", 1),
        (UNFIT, Observation("value", 1), "forged", 1), (OURS, Observation("value", 1), "raised", 1),
        (OURS, THEIRS, "raised", 1), (UNFIT, LATE, "forged", 2), (THEIRS, OURS, "raised", 0),
        (Observation("undefined", detail="fit"), OURS, "undefined", 0), (Observation("value", 1), OURS, "value", 0),
    ],
)  # fmt: skip
def test_the_reference_is_asked_once_whether_an_answer_is_the_operations_doing(answer, reference, outcome, asked):
    questions, known = [], ReferenceAnswers()

    def own(probe):
        questions.append(probe.id)
        return reference

    for _ in range(2):
        doubts = Doubts(None, list, None, known, own, wanted=("fit",))
        assert doubts.excused(PROBE, answer, None).outcome == outcome
    assert len(questions) == asked
