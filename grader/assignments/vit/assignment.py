"""The assignment put together from its parts."""

from collections.abc import Mapping

from grader.assignment import Assignment, joined
from grader.assignments.vit import (
    application,
    augmentation,
    blocks,
    files,
    logs,
    metric_learning,
    model,
    names,
    pictures,
    reading,
    settings,
    template_blocks,
    thresholds,
)
from grader.torchkit import devices, fashion_mnist

TOPIC = joined(
    augmentation.TOPIC, model.TOPIC, metric_learning.TOPIC, application.TOPIC, thresholds.TOPIC, logs.TOPIC, pictures.TOPIC,
    settings.TOPIC,
)  # fmt: skip
PROBES = (
    settings.PROBE,
    # The checkpoints take longest: begun as soon as all is known that their questions rest on.
    *augmentation.TOPIC.probes, *metric_learning.embeddings.TOPIC.probes, *thresholds.TOPIC.probes,
    *TOPIC.probes,
    *thresholds.training.PROBES,  # last, as they take longest
    devices.PROBE,
)  # fmt: skip


def _check_given(texts: Mapping[str, str], where: str) -> None:
    blocks.check_given(texts, where)
    model.shapes.check_given(texts, where)


VIT = Assignment(
    name="vit",
    rubric=files.RUBRIC,
    parts={1: "Augmentation", 2: "Vision Transformer", 3: "Metric learning", 4: "Application"},
    wanted=names.WANTED,
    provided=names.PROVIDED,
    never_called=names.TRAINING,
    traced="train_embedding_model",
    ops=(
        "grader.torchkit.inside.modules",
        "grader.torchkit.inside.shapes",
        "grader.torchkit.inside.names",
        "grader.assignments.vit.inside.provided",
        "grader.assignments.vit.inside.replaced_parts",
        "grader.torchkit.inside.transforms",
        "grader.assignments.vit.inside.training",
        "grader.assignments.vit.inside.retrieval",
        "grader.assignments.vit.inside.inference",
        "grader.assignments.vit.inside.attention",
    ),
    probes=tuple(dict.fromkeys(PROBES)),
    criteria={criterion.id: criterion for criterion in TOPIC.criteria},
    warnings=TOPIC.warnings,
    reference=files.REFERENCE,
    template=files.TEMPLATE,
    readme=files.README,
    given=files.GIVEN,
    check_given=_check_given,
    generated=template_blocks.generated,
    data=fashion_mnist.load,
    figures=tuple(
        f"grader.assignments.vit.figures.{name}"
        for name in ("augmentation", "schedule", "log", "attention", "map", "neighbours", "confusions")
    ),
    cells={"contrastive.logs": logs.READER.training_cells},
    trained=tuple(dict.fromkeys(criterion for probe in thresholds.TOPIC.probes for criterion in probe.serves)),
    official={
        "vit.accuracy": "vit.accuracy without vit_classifier.pt is decided in the official grade, which trains your ViT itself."
    },
    reading=reading.READING,
    corpus="grader.assignments.vit.corpus",
    measures=TOPIC.measures,
    labels={
        "accuracy": "accuracy",
        "precision_at_1": "Precision@1",
        "precision_at_1_unseen_train": "Precision@1 on unseen training images",
    },
    modules=("augmentation", "vit_model", "contrastive", "application", "hyperparameters"),
    libraries=("torch", "torchvision", "pytorch-metric-learning", "einops"),
    forms=TOPIC.forms,
)
