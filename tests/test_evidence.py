"""What is known of a submission goes as soon as its grade is there: a class of any size needs the same memory."""

import gc
import threading
import weakref
from pathlib import Path

import pytest

from grader.assignments.vit.model import block
from grader.evidence import UNASKED, Answer
from grader.records import Observation
from tests import harness

SOURCE = (Path(__file__).parents[1] / "reference" / "vit_model.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "status"),
    [
        pytest.param(SOURCE, "passed", id="passed"),
        pytest.param(SOURCE.replace("nn.GELU()", "nn.Identity()"), "failed", id="failed"),
        pytest.param(SOURCE.replace("batch_first=True", "batch_first=7 / 0"), "failed", id="raised"),
        pytest.param("", "missing", id="missing"),
    ],
)
def test_evidence_does_not_wait_for_the_garbage_collector(source, status):
    gc.disable()
    try:
        seen = harness.evidence({"vit_model": source}, [block.TOPIC])
        assert harness.judged(seen, "vit.attention_block").status == status
        gone = weakref.ref(seen)
        del seen
        assert gone() is None, gc.get_referrers(gone())
    finally:
        gc.enable()


def test_one_submission_does_not_wait_for_what_another_is_asked():
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> Observation:
        asked.set()
        go_on.wait(10)
        return Observation("value", 1)

    waiting = threading.Thread(target=lambda: Answer("long", UNASKED, slow).observation)
    waiting.start()
    asked.wait(10)
    other = threading.Thread(target=lambda: Answer("short", UNASKED, lambda: Observation("value", 2)).observation)
    other.start()
    other.join(2)
    blocked = other.is_alive()
    go_on.set()
    waiting.join()
    assert not blocked
