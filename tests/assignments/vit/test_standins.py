"""No stand-in of the grader's is a solution: whoever finds one in a worker's memory loses what it stands for."""

from pathlib import Path

import pytest

from grader.assignments.vit import metric_learning, model
from grader.assignments.vit.inside import embedding, standins, transfer
from grader.assignments.vit.names import WANTED
from tests import harness

REFERENCE = Path(__file__).resolve().parents[3] / "reference"
NAMES = ("augmentation", "hyperparameters", "vit_model", "contrastive", "application")
FROM = "from grader.assignments.vit.inside import embedding, standins, transfer\n"
CRITERION = {
    "PatchEmbeddings": "vit.patch_embeddings", "PositionEmbedding": "vit.position_embedding",
    "ResidualAttentionBlock": "vit.attention_block", "Transformer": "vit.attention_block", "ViT": "vit.model",
    "ClassificationHead": "vit.heads", "LinearEmbeddingHead": "vit.heads", "get_embeddings": "contrastive.embeddings",
    "evaluate_at_end_epoch": "contrastive.protected",
}  # fmt: skip

MODULE = {"vit": "vit_model", "contrastive": "contrastive"}
MADE = {"evaluate_at_end_epoch": "standins.evaluate_at_end_epoch([])"}
HANDED_OUT = {"sample_balanced_subset"}  # whole in the template: there is nothing to gain


def test_every_stand_in_of_a_name_of_the_contract_is_known_here() -> None:
    assert {name for name in vars(standins) if name in WANTED} <= CRITERION.keys() | HANDED_OUT
    assert not {name for module in (embedding, transfer) for name in vars(module) if name in WANTED}


@pytest.mark.parametrize("name", [name for name in CRITERION if hasattr(standins, name)])
def test_a_stand_in_in_the_place_of_a_solution_loses_its_criterion(name: str) -> None:
    criterion = CRITERION[name]
    part = criterion.partition(".")[0]
    sources = {each: (REFERENCE / f"{each}.py").read_text(encoding="utf-8") for each in NAMES}
    sources[MODULE[part]] += f"\n{FROM}{name} = {MADE.get(name, f'standins.{name}')}\n"

    topics = [model.TOPIC] if part == "vit" else [model.TOPIC, metric_learning.TOPIC]
    seen = harness.evidence(sources, topics)
    assert harness.judged(seen, criterion).status == "failed", harness.judged(seen, criterion).feedback
