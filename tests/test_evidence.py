"""What is known of a submission goes as soon as its grade is there: a class of any size needs the same memory."""

import gc
import weakref
from pathlib import Path

import pytest

from grader.assignments.vit.model import block
from tests import harness

SOURCE = (Path(__file__).parents[1] / "reference" / "vit_model.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "source",
    [SOURCE, SOURCE.replace("nn.GELU()", "nn.Identity()"), SOURCE.replace("batch_first=True", "batch_first=7 / 0"), ""],
    ids=["passed", "failed", "raised", "missing"],
)
def test_evidence_does_not_wait_for_the_garbage_collector(source):
    gc.disable()
    try:
        seen = harness.evidence({"vit_model": source}, [block.TOPIC])
        assert harness.judged(seen, "vit.attention_block").status
        gone = weakref.ref(seen)
        del seen
        assert gone() is None, gc.get_referrers(gone())
    finally:
        gc.enable()
