"""The models that the checkpoints of this assignment hold, and what they are built with."""

from typing import Any

from grader.sandbox.inside.student import Student
from grader.torchkit.inside import building
from grader.torchkit.inside.building import ModelPart

PARTS = ("PatchEmbeddings", "PositionEmbedding", "ResidualAttentionBlock", "Transformer")  # that a ViT is made of
VIT = ModelPart(
    "ViT", "vit",
    ("image_size", "patch_size", "in_channels", "hidden_size", "layers", "heads"),
    ("image_size", "patch_size", "num_channels", "hidden_size", "layers", "heads"),
)  # fmt: skip
CLASSIFIER = ModelPart("ClassificationHead", "classifier", ("hidden_size", 10), ("hidden_size", "num_classes"))
EMBEDDING = ModelPart(
    "LinearEmbeddingHead", "embedding_head", ("hidden_size", "embed_size"), ("hidden_size", "embed_size")
)


def settings(student: Student) -> dict[str, Any]:
    """The hyperparameters that the models are built with; the sizes of the data set's images hold without them."""
    return building.settings(student, (VIT, CLASSIFIER, EMBEDDING), {"image_size": 28, "in_channels": 1})
