"""What a student is told of common slips in the model: the cause, in one sentence."""

from pathlib import Path

import pytest

from grader.assignments.vit.model import block
from tests import harness

REFERENCE = (Path(__file__).resolve().parents[3] / "reference" / "vit_model.py").read_text(encoding="utf-8")
ATTENDED, MLP = "x = x + attended", "x = x + self.mlp(self.ln_2(x))"
SLIPS = {
    "attention is not added": (
        block,
        [(ATTENDED, "x = attended")],
        "what attention gives is not added to the block's input",
    ),
    "the MLP is not added": (block, [(MLP, "x = self.mlp(self.ln_2(x))")], "what the MLP gives is not added"),
    "neither is added": (
        block,
        [(ATTENDED, "x = attended"), (MLP, "x = self.mlp(self.ln_2(x))")],
        "what attention gives is not added to the block's input",
    ),
    "the input is taken away": (block, [(ATTENDED, "x = attended - x")], "missing or changed"),
}


def feedback(topic: object, edits: list[tuple[str, str]]) -> str:
    source = REFERENCE
    for old, new in edits:
        assert source.count(old) == 1
        source = source.replace(old, new)
    (judgement,) = harness.verdicts({"vit_model": source}, [topic.TOPIC]).values()
    assert judgement.status == "failed"
    return judgement.feedback


@pytest.mark.parametrize(("topic", "edits", "words"), SLIPS.values(), ids=SLIPS)
def test_the_cause_is_named(topic: object, edits: list[tuple[str, str]], words: str) -> None:
    assert words in feedback(topic, edits)
