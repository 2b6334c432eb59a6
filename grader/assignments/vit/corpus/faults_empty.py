"""What is not written yet, without a raise that says so: an empty body, or None."""

from functools import partial

from grader.assignments.vit.corpus.application_lines import body
from grader.assignments.vit.corpus.contrastive_bodies import EMBED, START, instead
from grader.audit import Case, with_classes

PASS = "    pass\n"
THRESHOLDS = ("vit.accuracy", "contrastive.precision")
EMPTY = "is empty"


def part(name: str, costs: tuple[str, ...]) -> Case:
    """A class of the ViT that holds nothing."""
    source = {name: f"class {name}(nn.Module):\n    pass\n"}
    return Case(f"empty.{name}", {"vit_model.py": partial(with_classes, source, "")}, costs, EMPTY)


FAULTS = [
    part("PatchEmbeddings", ("vit.patch_embeddings", "vit.shapes", *THRESHOLDS)),
    part("Transformer", ("vit.attention_block", "vit.shapes", *THRESHOLDS)),
    part("ViT", ("vit.model", "vit.shapes", *THRESHOLDS)),
    Case(
        "empty.get_embeddings",
        {"contrastive.py": instead(EMBED, PASS)},
        ("contrastive.embeddings",),
        EMPTY,
    ),
    Case(
        "empty.train_embedding_model",
        {"contrastive.py": instead(START, PASS)},
        ("contrastive.training", "contrastive.scheduler"),
        EMPTY,
    ),
    Case(
        "empty.retrieve_topk",
        {"application.py": body("return the k smallest", "return None")},
        ("application.knn",),
        EMPTY,
    ),
    Case(
        "empty.tfm_train",
        {
            "augmentation.py": [
                ("tfm_train = transforms.Compose(\n", "tfm_train = None\nunused = transforms.Compose(\n")
            ]
        },
        ("augmentation.variety", "augmentation.tensors"),
        "tfm_train",
    ),
]
