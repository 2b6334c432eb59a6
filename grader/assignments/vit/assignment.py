"""The assignment put together from its parts."""

from collections.abc import Mapping

from grader import shipped
from grader.assignments.vit import (
    application,
    augmentation,
    blocks,
    logs,
    metric_learning,
    model,
    names,
    pictures,
    settings,
    thresholds,
)
from grader.judging import Assignment

PARTS = (augmentation, model, metric_learning, application, thresholds, logs, pictures)
# The checkpoints take longest: begun as soon as all is known that their questions rest on.
EARLY = (*settings.FIRST, *augmentation.PROBES, *metric_learning.embeddings.PROBES, *thresholds.PROBES)
ALL = (*EARLY, *(probe for part in PARTS for probe in part.PROBES), *thresholds.TRAINED, *settings.LAST)


def _check_given(texts: Mapping[str, str], where: str) -> None:
    blocks.check_given(texts, where)
    model.shapes.check_given(texts, where)


VIT = Assignment(
    name="vit",
    wanted=names.WANTED,
    provided=names.PROVIDED,
    never_called=names.NEVER_CALLED,
    traced="train_embedding_model",
    ops=(
        "grader.assignments.vit.inside.modules",
        "grader.assignments.vit.inside.transforms",
        "grader.assignments.vit.inside.training",
        "grader.assignments.vit.inside.retrieval",
        "grader.assignments.vit.inside.inference",
        "grader.assignments.vit.inside.looking",
    ),
    probes=tuple(dict.fromkeys(ALL)),
    criteria={criterion.id: criterion for part in PARTS for criterion in part.CRITERIA},
    warnings=tuple(warning for part in (*PARTS, settings) for warning in part.WARNINGS),
    reference=shipped.REFERENCE,
    given=shipped.GIVEN,
    check_given=_check_given,
    measures={name: measure for part in PARTS for name, measure in part.MEASURES.items()},
    forms={op: form for part in (*PARTS, settings) for op, form in part.FORMS.items()},
)
