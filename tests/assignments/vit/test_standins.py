"""No stand-in of the grader's is a solution: whoever finds one in a worker's memory loses what it stands for."""

import inspect
from pathlib import Path

import pytest
import torch

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


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: standins.ViT(hidden_size=8).eval(), (2, 1, 28, 28)),
        (lambda: standins.LinearEmbeddingHead(8, 4).eval(), (2, 8)),
        (lambda: standins.ClassificationHead(8), (2, 8)),
        (lambda: standins.PatchEmbeddings(28, 7, 8, 1), (2, 1, 28, 28)),
        (lambda: standins.PositionEmbedding(16, 8), (2, 16, 8)),
        (lambda: standins.Transformer(8, 1, 2), (2, 17, 8)),
    ],
    ids=["ViT", "LinearEmbeddingHead", "ClassificationHead", "PatchEmbeddings", "PositionEmbedding", "Transformer"],
)
def test_the_input_of_a_stand_in_has_whatever_name_a_student_gives_it(make, shape) -> None:
    module, x = make(), torch.rand(shape)
    assert torch.equal(module(pixel_values=x), module(x))
    with pytest.raises(TypeError):
        module(x, mask=x)


def test_the_stand_in_of_get_embeddings_is_called_by_the_names_of_the_contract() -> None:
    given = inspect.signature(standins.get_embeddings).parameters
    assert [*given] == ["x", "vit_model", "model_embedding"]


def test_a_right_get_embeddings_takes_its_arguments_in_no_other_order() -> None:
    def own(images: torch.Tensor, backbone: torch.nn.Module, head: torch.nn.Module) -> None: ...

    stand_in = standins.in_the_order_of(own)
    images, vit, head = torch.zeros(2, 1, 28, 28), standins.ViT(), standins.LinearEmbeddingHead(64, 32)
    assert stand_in(images, vit, head).shape == (2, 32)
    assert stand_in(head=head, images=images, backbone=vit).shape == (2, 32)
    with pytest.raises(TypeError, match="in this order, got Tensor, LinearEmbeddingHead, ViT"):
        stand_in(images, head, vit)


def test_a_right_get_embeddings_may_take_its_models_together() -> None:
    def own(images: torch.Tensor, *models: torch.nn.Module, batch_size: int = 64) -> None: ...

    stand_in = standins.in_the_order_of(own)
    images, vit, head = torch.zeros(2, 1, 28, 28), standins.ViT(), standins.LinearEmbeddingHead(64, 32)
    assert stand_in(images, vit, head, batch_size=2).shape == (2, 32)
    with pytest.raises(TypeError, match="in this order"):
        stand_in(images, head, vit)
