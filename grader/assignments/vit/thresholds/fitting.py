"""Whether a checkpoint opens and fits the submitted code, and if not, why."""

from grader.assignments.vit.settings import SIZES, at_fault, hyperparameter, unequal_heads
from grader.assignments.vit.thresholds import mismatch, pixel_transforms
from grader.assignments.vit.thresholds.answers import (
    CheckpointAnswer,
    ClassifierAnswer,
    EmbeddingAnswer,
    TrainingAnswer,
)
from grader.assignments.vit.thresholds.sources import CLASSIFIER, EMBEDDINGS, FILES, last_training
from grader.evidence import Evidence
from grader.judging import Blocked, Fail, Missing
from grader.observations import RaisedResult
from grader.raised import lacks_forward, raised_hint, raised_words
from grader.records import Raised
from grader.sentences import type_words
from grader.torchkit import checkpoints, image_sets
from grader.torchkit.checkpoints import Absent, ClassMissing, Loaded, Loading, Mismatch, NoStateDict
from grader.torchkit.image_sets import Embedded, EmbeddedSets, NoRows, Predicted, PredictedSets, Stopped

MODEL = ("vit.patch_embeddings", "vit.position_embedding", "vit.attention_block", "vit.model", "vit.heads")

PART_OF_CLASS = {  # the criterion that judges each class
    "PatchEmbeddings": "vit.patch_embeddings", "PositionEmbedding": "vit.position_embedding",
    "ResidualAttentionBlock": "vit.attention_block", "Transformer": "vit.attention_block", "ViT": "vit.model",
    "ClassificationHead": "vit.heads", "LinearEmbeddingHead": "vit.heads",
}  # fmt: skip


def broken(evidence: Evidence, *criteria: str) -> str | None:
    """The first of some criteria that the submission's code fails, or lacks: what a checkpoint cannot go into."""
    return next((each for each in criteria if evidence.verdict(each).status in ("failed", "missing")), None)


def classified(evidence: Evidence) -> dict[str, Predicted]:
    """What the classifier in vit_classifier.pt predicts for each set of images.

    Raises:
        Fail, Missing, Blocked, Unanswered: there is nothing to judge; why, in words.
    """
    pixel_transforms.candidates(evidence)  # Blocked where images cannot be turned into tensors
    answer: ClassifierAnswer = evidence[CLASSIFIER].value
    _expect_loaded(evidence, CLASSIFIER, answer)
    return _predicted(evidence, answer.outputs)


def embedded(evidence: Evidence) -> dict[str, Embedded]:
    """What the model in vit_embeds.pt gives for each set of images; raises as ``classified`` does."""
    pixel_transforms.candidates(evidence)
    answer: EmbeddingAnswer = evidence[EMBEDDINGS].value
    _expect_loaded(evidence, EMBEDDINGS, answer)
    if not isinstance(answer.outputs, EmbeddedSets):
        raise _stopped(evidence, answer.outputs, "embed_size")
    return answer.outputs.sets


def trained(evidence: Evidence) -> dict[str, Predicted]:
    """What the ViT predicts for each set of images after it was trained here; raises as ``classified`` does."""
    pixel_transforms.candidates(evidence)
    answer: TrainingAnswer = evidence[last_training(evidence)].value
    _expect_defined(answer.undefined)
    return _predicted(evidence, answer.outputs)


def _predicted(evidence: Evidence, found: PredictedSets | Stopped | None) -> dict[str, Predicted]:
    if not isinstance(found, PredictedSets):
        raise _stopped(evidence, found, "number of classes")
    return found.sets


def _stopped(evidence: Evidence, found: Stopped | None, width: str) -> Fail | Blocked:
    """The verdict on models that gave no outputs."""
    if isinstance(found, NoRows):
        return _blamed(
            evidence,
            "vit.model",
            f"the model {image_sets.rows_expected(found, width)}",
            "Print the shapes of what `ViT` and its head return for one batch.",
        )
    assert found is not None, "outputs agree with the models"
    return _raised(evidence, "vit.model", "running the model on images", found.exception)


def _expect_loaded(evidence: Evidence, probe: str, answer: CheckpointAnswer) -> None:
    """Pass a checkpoint that opens and fits.

    Raises:
        Fail, Missing, Blocked: it does not.
    """
    file = FILES[probe]
    save = 'Save it as the provided functions do: torch.save({"vit": vit_model.state_dict(), …}, path).'
    opened = checkpoints.expect_dict(answer.opening, file, save)
    _expect_defined(answer.undefined)
    for key, loading in answer.models.items():
        _expect_fitting(evidence, file, key, loading, list(opened.types))


def _expect_defined(undefined: list[str]) -> None:
    if undefined:
        names = ", ".join(f"`{name[:40]}`" for name in undefined)
        are = "is" if len(undefined) == 1 else "are"
        raise Missing(f"{names} {are} not defined: the model is built with the notebook's hyperparameters")


def _expect_fitting(evidence: Evidence, file: str, key: str, loading: Loading, held: list[str]) -> None:
    """Pass a model that was loaded.

    Args:
        held: the keys of the checkpoint.
    """
    class_of = {"vit": "ViT", "classifier": "ClassificationHead", "embedding_head": "LinearEmbeddingHead"}
    name, second = class_of[key], "classifier" if file == FILES[CLASSIFIER] else "embedding_head"
    part = PART_OF_CLASS[name]
    match loading:
        case Loaded():
            return
        case ClassMissing():
            raise Blocked(part, f"`{name}` is not defined, so {file} has no model to go into")
        case Absent():
            hint = f'Save both models as the provided functions do: torch.save({{"vit": …, "{second}": …}}, path).'
            if {"classifier", "embedding_head"} - {second} <= set(held):
                hint = "This belongs into the other file: were the names of the two exchanged?"
            raise Fail(f'expected a state dict under "{key}" in {file}, which holds {_keys(held)}', hint)
        case RaisedResult():
            doing = f"building `{name}` with the notebook's hyperparameters"
            raise _raised(evidence, part, doing, loading.exception, _of_a_size(evidence, loading.exception))
        case NoStateDict():
            raise Fail(
                f'expected a state dict under "{key}" in {file}, got {type_words(loading.type)}',
                "Save model.state_dict().",
            )
        case Mismatch():
            message = checkpoints.what_does_not_fit(key, file, name, loading)
            parts = (PART_OF_CLASS[owner] for owner in loading.owners if owner in PART_OF_CLASS)
            by = broken(evidence, *parts, "vit.model", *MODEL)
            raise Blocked(by, message) if by else Fail(message, mismatch.cause(evidence, key, loading))


def _keys(held: list[str]) -> str:
    """The first keys of a checkpoint, in words."""
    shown = ", ".join(f'"{name}"' for name in held[:3])
    more = f" and {len(held) - 3} more" if len(held) > 3 else ""
    return f"{shown}{more}" if held else "nothing"


def _of_a_size(evidence: Evidence, raised: Raised) -> str:
    """A hint about a hyperparameter that no model can be built with; "" where none is known."""
    of_types = at_fault(evidence, raised, SIZES)
    if of_types or not ("AssertionError" in raised.bases or "divisible" in raised.message):
        return of_types
    hidden_size, heads = (hyperparameter(evidence, name) for name in ("hidden_size", "heads"))
    return "" if hidden_size is None or heads is None else unequal_heads(hidden_size, heads)


def _raised(evidence: Evidence, part: str, doing: str, raised: Raised, hint: str = "") -> Fail | Blocked:
    """The verdict on an exception while something was done with a checkpoint's models."""
    said = f"{doing} {raised_words(raised)}"
    if raised.is_to_do:
        return Blocked(PART_OF_CLASS.get(lacks_forward(raised), part), said)
    lacking = next((criterion for criterion in MODEL if evidence.verdict(criterion).status == "missing"), None)
    if raised.type == "NameError" and lacking:
        return Blocked(lacking, said)
    return _blamed(evidence, part, said, hint or raised_hint(raised))


def _blamed(evidence: Evidence, part: str, message: str, hint: str) -> Fail | Blocked:
    """Blame a criterion of the model where one has failed, else the checkpoint."""
    by = broken(evidence, part, *MODEL)
    if by or not evidence.passed(part):
        return Blocked(by or part, message)
    return Fail(message, hint)
