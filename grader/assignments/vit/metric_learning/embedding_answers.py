"""The types of what workers answer about ``get_embeddings``, the sampler and the evaluation.

Shapes: B batch, n items of a data set.
"""

from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from grader.observations import (
    Answered,
    ArrayOf,
    Count,
    Misfit,
    Name,
    RaisedResult,
    Record,
    Result,
    ResultOrRaised,
    Text,
)
from grader.torchkit.answers import StateDict


class Forward(Record, frozen=True):
    """One call of a model.

    Attributes:
        training: whether it was in train mode.
        grad: whether gradients were computed.
        batch: B.
    """

    training: bool
    grad: bool
    batch: Count


Forwards = Annotated[tuple[Forward, ...], Meta(max_length=50)]  # calls of one model that are told of


class EmbeddingCall(Record, frozen=True):
    """A call of ``get_embeddings``, and how it left both models.

    Attributes:
        result: what it returned or raised.
        grad: whether PyTorch computes gradients afterwards.
        frozen: parameters that require no gradient afterwards.
        vit, head: the calls of both models meanwhile.
        changed: of how many images that the ViT was called with the batch holds none, as it was given.
        own: (B, E) head(ViT(x)) by the student's own models, where these were handed over.
    """

    result: ResultOrRaised
    grad: bool
    frozen: Count
    vit: Forwards
    head: Forwards
    changed: Count = 0
    own: Annotated[np.ndarray, ArrayOf("f", shape=(None, None))] | None = None


class Sampled(Record, frozen=True, tag_field="kind", tag="sampled"):
    """What ``sample_balanced_subset`` returned.

    Attributes:
        subset: whether it is a ``torch.utils.data.Subset``.
        type: of what class it is.
        rows: indices of the items that it holds, in order.
    """

    subset: bool
    type: Name
    rows: Annotated[tuple[Count, ...], Meta(max_length=400_000)]  # items of one data set


class SavedModels(Record, frozen=True, tag_field="kind", tag="saved"):
    """What ``evaluate_at_end_epoch`` wrote into vit_embeds.pt.

    Attributes:
        keys: of the dict that the file holds.
        vit, embedding_head: the state dicts under these keys; None where there is something else.
        precision: what stands under "precision@1".
    """

    keys: Annotated[tuple[Text, ...], Meta(max_length=20)]
    vit: StateDict | None
    embedding_head: StateDict | None
    precision: Result


class EndOfEpoch(Record, frozen=True):
    """A call of ``evaluate_at_end_epoch``.

    Attributes:
        result: what it returned or raised.
        printed: what it printed.
        file: what vit_embeds.pt holds afterwards, or what reading it raised; None where there is no such file.
    """

    result: ResultOrRaised
    printed: Text
    file: SavedModels | RaisedResult | None


class ModelStates(Record, frozen=True):
    """The state dicts of the two models that were evaluated."""

    vit: StateDict
    embedding_head: StateDict


class Evaluated(Record, frozen=True):
    """What the given functions for evaluating made of two models and three data sets.

    Attributes:
        over: what ``get_embeddings_over_dataset`` returned or raised.
        precision: what ``test_embedding_model`` returned or raised.
        end: calls of ``evaluate_at_end_epoch``, by name.
        state: of the models.
    """

    over: ResultOrRaised
    precision: ResultOrRaised
    end: dict[Name, EndOfEpoch]
    state: ModelStates


def _each_call(args: dict[str, Any], answer: dict[str, Any]) -> None:
    """Refuse an answer that tells of other calls than those that were asked for."""
    same_names(args["calls"], answer)


def _each_end(args: dict[str, Any], answer: Evaluated) -> None:
    same_names(args["best"], answer.end)


def same_names(asked: dict[str, Any], answered: dict[str, Any]) -> None:
    """Refuse an answer that has not the names that were asked for.

    Raises:
        Misfit: names are missing, or there are others.
    """
    if asked.keys() != answered.keys():
        raise Misfit(f"Expected the calls {', '.join(asked)}, got {', '.join(answered)[:200] or 'none'}")


ANSWERS = {
    "embedding.get": Answered(dict[Name, EmbeddingCall], _each_call),
    "embedding.sample": Answered(dict[Name, Sampled | RaisedResult], _each_call),
    "embedding.evaluate": Answered(Evaluated, _each_end),
}
