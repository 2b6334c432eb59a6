"""The checks of part 2 on observations written by hand: an honest answer, changed in one place."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.answer_changes import as_sent
from grader.assignments.vit.model import TOPIC, asking, block
from grader.evidence import Evidence
from grader.records import Judgement, Observation
from tests import harness
from tests.assignments.vit.junk import JUNK, RAISED, changed, paths, with_value, without

REFERENCE = Path(__file__).resolve().parents[3] / "reference" / "vit_model.py"
CRITERIA = {
    "shapes": "vit.shapes", "patches": "vit.patch_embeddings", "positions": "vit.position_embedding",
    "transformer": "vit.attention_block", "block": "vit.attention_block", "heads.classification": "vit.heads",
    "heads.embedding": "vit.heads", "model": "vit.model",
}  # fmt: skip


@pytest.fixture(scope="module")
def honest() -> Evidence:
    return harness.evidence({"vit_model": REFERENCE.read_text(encoding="utf-8")}, [TOPIC], seed=1)


def judged(seen: Evidence, probe: str) -> Judgement:
    """The verdict that an answer decides about; the warnings must not stumble over it either."""
    for warning in TOPIC.warnings:
        warning(seen)
    return harness.judged(seen, CRITERIA[probe])


def assert_no_error(seen: Evidence, probe: str, what: Any) -> Judgement:
    judgement = judged(seen, probe)
    wrong = [r.message for r in judgement.results if r.status == "error"]
    assert not wrong and judgement.status != "error", (what, wrong[:1])
    return judgement


def test_honest_answers_pass(honest):
    assert {harness.judged(honest, criterion).status for criterion in CRITERIA.values()} == {"passed"}


@pytest.mark.parametrize("probe", CRITERIA)
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_for_an_answer_fails(honest, probe, junk):
    assert assert_no_error(with_value(honest, probe, (), junk), probe, junk).status == "failed"


@pytest.mark.parametrize("probe", CRITERIA)
def test_junk_inside_an_answer_is_never_an_error_of_the_graders(honest, probe):
    places = list(paths(as_sent(honest.answers[probe].observation.value), deep=6))
    drawn = random.Random(1)
    assert len(places) > 5
    for place in drawn.sample(places, min(100, len(places))):
        name = drawn.choice(list(JUNK))
        assert_no_error(with_value(honest, probe, place, JUNK[name]), probe, (place, name))


@pytest.mark.parametrize("probe", CRITERIA)
def test_a_missing_key_is_never_an_error_of_the_graders(honest, probe):
    value = as_sent(honest.answers[probe].observation.value)
    drawn = random.Random(2)
    places = [p for p in paths(value, deep=4) if p and isinstance(p[-1], str)]
    assert places
    for place in drawn.sample(places, min(60, len(places))):
        assert_no_error(without(honest, probe, place), probe, place)


@pytest.mark.parametrize("probe", CRITERIA)
@pytest.mark.parametrize("outcome", ["crashed", "timeout", "memory", "forged"])
def test_no_answer_fails(honest, probe, outcome):
    seen = changed(honest, probe, Observation(outcome, detail="it ended"))
    assert judged(seen, probe).status in ("failed", "missing")


def test_a_tensor_of_float64_is_named(honest):
    batch = as_sent(honest.answers["patches"].observation.value)["gray"]["calls"]["batch"]
    double = {**batch, "dtype": "float64", "array": batch["array"].astype(np.float64)}
    seen = with_value(honest, "patches", ("gray", "calls", "batch"), double)
    assert "expected a float32 tensor from `PatchEmbeddings`, got float64" in judged(seen, "patches").feedback


def test_nan_is_named(honest):
    nan = np.full((asking.B, asking.T, asking.D), np.nan, np.float32)
    seen = with_value(honest, "transformer", ("one block", "calls", "batch", "array"), nan)
    assert f"NaN or infinite values: {nan.size} of {nan.size}" in judged(seen, "transformer").feedback


def test_something_still_to_do_is_missing_not_failed(honest):
    raised = {**RAISED, "type": "NotImplementedError", "bases": ["NotImplementedError", "RuntimeError"]}
    seen = with_value(honest, "positions", ("usual", "calls", "batch"), {"kind": "raised", "exception": raised})
    assert judged(seen, "positions").status == "missing"


def test_an_exception_is_told_with_the_line_of_the_students_code(honest):
    frame = {"file": "vit_model.py", "cell": None, "line": 7, "function": "forward", "text": "x = x.view(3)"}
    raised = {"kind": "raised", "exception": {**RAISED, "frames": [frame]}}
    seen = with_value(honest, "model", ("gray", "calls", "batch"), raised)
    assert "raised RuntimeError: no at vit_model.py, line 7: `x = x.view(3)`" in judged(seen, "model").feedback


@pytest.mark.parametrize(
    ("build", "words"),
    [("one layer", "With arguments given by name it works"), ("three layers", "Transformer(width, layers, heads)?")],
)
def test_a_vit_that_runs_with_some_arguments_tells_which_are_exchanged(honest, build, words):
    seen = with_value(honest, "model", (build, "calls", "batch"), {"kind": "raised", "exception": RAISED})
    assert words in judged(seen, "model").feedback


def test_heads_as_wide_as_there_should_be_heads_are_named(honest):
    added = as_sent(honest.answers["block.pairs"].observation.value)["one head"]["calls"]["long, 1"]["array"]
    other = added + 3 * np.random.default_rng(1).standard_normal(added.shape).astype(np.float32)
    seen = with_value(honest, "block.pairs", ("one head", "calls", "long, 1", "array"), other)
    assert "mean of the values" in judged(seen, "transformer").feedback
    seen = with_value(seen, "transformer", ("one block", "calls", "attention scale", "width"), 4)
    assert "a head is 4 features wide, expected 24 / 4 = 6" in judged(seen, "transformer").feedback


def test_a_wrong_shape_is_named_with_the_call_that_gave_it(honest):
    seen = with_value(honest, "shapes", ("ViT", 0), {"kind": "shape", "shape": [2, 17, 64], "values": None})
    words = "ViT: wrong: ViT(28, 7, 1, 64, 2, 4) on (2, 1, 28, 28): expected output shape (2, 64), got (2, 17, 64)"
    assert words in judged(seen, "shapes").feedback


def test_something_that_is_no_tensor_is_named(honest):
    seen = with_value(honest, "shapes", ("ClassificationHead", 0), {"kind": "no tensor", "type": "tuple"})
    assert "expected a tensor of shape (2, 10), got tuple" in judged(seen, "shapes").feedback


def test_a_missing_gradient_names_the_parameter(honest):
    place = ("default", "calls", "gradients", "largest", "fc.bias")
    seen = with_value(honest, "heads.classification", place, None)
    assert "no gradient reaches `fc.bias`" in judged(seen, "heads.classification").feedback


def test_where_the_number_of_heads_is_unused_nothing_is_said_of_the_weights_of_attention():
    source = REFERENCE.read_text(encoding="utf-8").replace("(d_model, n_head, batch", "(d_model, d_model, batch")
    feedback = harness.verdicts({"vit_model": source}, [block.TOPIC])["vit.attention_block"].feedback
    assert "the number of heads is not used" in feedback and "mean" not in feedback


def test_nothing_in_the_place_of_a_tensor_is_a_missing_return(honest):
    nothing = {"kind": "other", "type": "NoneType", "none": True}
    feedback = judged(with_value(honest, "positions", ("usual", "calls", "batch"), nothing), "positions").feedback
    assert "expected `PositionEmbedding` to return a tensor, got None. Nothing comes back" in feedback


def test_no_drawn_order_of_the_tokens_hides_heads_that_are_split_by_a_bare_reshape() -> None:
    heads = 4
    # token t's part c lies at t * heads + c; a bare reshape gives each head the next T of these
    groups = {frozenset(range(head * asking.T, (head + 1) * asking.T)) for head in range(heads)}
    for seed in range(2_000):
        order = asking.order_of_tokens(np.random.default_rng(seed))
        moved = {frozenset(int(order[at // heads]) * heads + at % heads for at in group) for group in groups}
        assert sorted(order) == list(range(asking.T)) and moved != groups
        assert not (order == np.arange(asking.T)).any()
