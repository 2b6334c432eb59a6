"""What is known of a submission goes as soon as its grade is there: a class of any size needs the same memory."""

import gc
import weakref
from pathlib import Path

import pytest

from grader.assignments.vit.model import block
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
