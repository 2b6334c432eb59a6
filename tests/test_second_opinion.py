"""Who is blamed for time where there is no reference to compare with."""

import pytest

from grader.asking import Doubts
from grader.evidence import Probe, Question
from grader.records import Observation, Raised
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
