"""The types of what workers answer about checkpoints, and about a ViT that is trained here."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from grader.observations import Answered, Finite, Misfit, Name, Record
from grader.torchkit.checkpoints import Loaded, Loading, Opened, Opening
from grader.torchkit.image_sets import EmbeddedSets, PredictedSets, Stopped, agree_on_embeddings, agree_on_predictions

Names = Annotated[list[Name], Meta(max_length=60)]


class CheckpointAnswer(Record, frozen=True):
    """How far a checkpoint's models came.

    Attributes:
        opening: what the file holds.
        undefined: hyperparameters of the ViT that the submission does not define.
        models: by key of its state dict, how each model was loaded; empty where the file holds no dict, or
            hyperparameters are missing.
    """

    opening: Opening
    undefined: Names
    models: Annotated[dict[Name, Loading], Meta(max_length=2)]

    @property
    def recorded(self) -> float | None:
        """The score that the checkpoint records, as it stands there."""
        return self.opening.recorded if isinstance(self.opening, Opened) else None


class ClassifierAnswer(CheckpointAnswer, frozen=True):
    """Of ``checkpoint.classify``; the outputs are there where both models were loaded."""

    outputs: PredictedSets | Stopped | None


class EmbeddingAnswer(CheckpointAnswer, frozen=True):
    """Of ``checkpoint.embed``; the outputs are there where both models were loaded."""

    outputs: EmbeddedSets | Stopped | None


class Cycle(Record, frozen=True):
    """A part of a training: passes over the training images, and the accuracy on held-out ones after it."""

    passes: Finite
    accuracy: Finite


class TrainingAnswer(Record, frozen=True):
    """Of ``classifier.train``: how it went, and the classes that were predicted.

    Attributes:
        undefined: hyperparameters of the ViT that the submission does not define; nothing is trained then.
        stopped: what ended it.
        passes: over the training images, in all.
    """

    undefined: Names
    outputs: PredictedSets | Stopped | None
    stopped: Literal["target", "budget", "cycles", "raised", "not begun"]
    passes: Finite
    history: Annotated[list[Cycle], Meta(max_length=100)]


def _agree_on_models(answer: ClassifierAnswer | EmbeddingAnswer, keys: tuple[str, str]) -> None:
    """Hold against each other which steps were taken.

    Raises:
        Misfit: a step was taken without the one before, or left out.
    """
    begun = isinstance(answer.opening, Opened) and not answer.undefined
    if set(answer.models) != (set(keys) if begun else set()):
        raise Misfit(f"Expected {'the models ' + ' and '.join(keys) if begun else 'no models'}")
    loaded = begun and all(isinstance(model, Loaded) for model in answer.models.values())
    if loaded != (answer.outputs is not None):
        raise Misfit(f"Expected {'outputs' if loaded else 'no outputs'}")


def _agree_on_classifier(args: Mapping[str, Any], answer: ClassifierAnswer) -> None:
    _agree_on_models(answer, ("vit", "classifier"))
    if isinstance(answer.outputs, PredictedSets):
        agree_on_predictions(args["sets"], answer.outputs)


def _agree_on_embedding(args: Mapping[str, Any], answer: EmbeddingAnswer) -> None:
    _agree_on_models(answer, ("vit", "embedding_head"))
    if isinstance(answer.outputs, EmbeddedSets):
        agree_on_embeddings(args["sets"], answer.outputs)


def _agree_on_training(args: Mapping[str, Any], answer: TrainingAnswer) -> None:
    if bool(answer.undefined) != (answer.outputs is None):
        raise Misfit("Expected outputs, or names that are not defined")
    if isinstance(answer.outputs, PredictedSets):
        agree_on_predictions(args["sets"], answer.outputs)


FORMS: dict[str, Answered] = {
    "checkpoint.classify": Answered(ClassifierAnswer, _agree_on_classifier),
    "checkpoint.embed": Answered(EmbeddingAnswer, _agree_on_embedding),
    "classifier.train": Answered(TrainingAnswer, _agree_on_training),
}
