"""The types of what workers answer about neighbours and about a head trained on frozen features.

Shapes: n training items, the first t of which are told of, m test items, S states of a head in which it predicted,
B items of a batch, K classes.
"""

from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta

from grader.observations import Answered, ArrayOf, Count, Misfit, Name, RaisedResult, Record, ResultOrRaised, Text
from grader.torchkit.answers import StateDict

Counts = Annotated[np.ndarray, ArrayOf("iu", shape=(None,), most=1 << 22, least=0)]
Classes = Annotated[np.ndarray, ArrayOf("u", shape=(None, None))]  # (S, m) predicted
Logits = Annotated[np.ndarray, ArrayOf("f", shape=(None, None), most=1 << 22)]


class LookUp(Record, frozen=True):
    """A call of ``retrieve_topk_nearest_neighbors_l2``.

    Attributes:
        result: what it returned or raised.
        changed: which of its arguments have other values afterwards.
    """

    result: ResultOrRaised
    changed: Annotated[tuple[Literal["query", "ref"], ...], Meta(max_length=2)]


class FrozenViT(Record, frozen=True):
    """The state dict of the ViT before and after the training, and which of its names are buffers."""

    before: StateDict
    after: StateDict
    buffers: Annotated[tuple[Text, ...], Meta(max_length=20_000)]


class ReturnedDict(Record, frozen=True, tag_field="kind", tag="dict"):
    """The dict that came back.

    Attributes:
        keys: the first of them.
        acc: the number under "acc", or the name of the class of what stands there.
        vit: the state dict under "vit", or of the module there; None where there is neither.
        classifier_type: the name of the class of what stands under "classifier".
    """

    keys: Annotated[tuple[Text, ...], Meta(max_length=20)]
    acc: float | Text
    vit: StateDict | None
    classifier_type: Name


class ReturnedOther(Record, frozen=True, tag_field="kind", tag="other"):
    """Something else came back: the name of its class, and how many items it has."""

    type: Name
    items: Count


class HeadLogits(Record, frozen=True, tag_field="kind", tag="logits"):
    """What a head makes of the features of the given ViT.

    Attributes:
        train, test: (t, K) and (m, K) logits of the head that came back.
        initial: (t, K) logits of the training items when it was made; None where that was not seen.
    """

    train: Logits
    test: Logits
    initial: Logits | None


class Predictions(Record, frozen=True):
    """The batches that a head predicted while it was evaluated.

    Attributes:
        state: in which of its S states each batch was predicted.
        size: B of each batch.
        item: the test items of all batches, one after the other.
    """

    state: Counts
    size: Counts
    item: Counts


class ReturnedHead(Record, frozen=True):
    """The head that came back, and what was seen of its training.

    Attributes:
        optimized: whether an optimizer held its parameters.
        moved: whether its weights differ from those that it was made with; None where its making was not seen.
        rows: inputs that it learned from, training items as they are or not.
        reads: training items that were read.
        items: (n,) how often it learned from each training item.
        batches: how many training items each batch held that it learned from.
        calls: what it predicted; None where its making was not seen.
        evaluated: (S, m) classes of the test items in each state in which it was evaluated.
        logits: what it makes of the features, or what that raised.
        others: how many other heads learned.
    """

    optimized: bool
    moved: bool | None
    rows: Count
    reads: Count
    items: Counts | None
    batches: Counts | None
    calls: Predictions | None
    evaluated: Classes | None
    logits: HeadLogits | RaisedResult
    others: Count = 0


class HeadTraining(Record, frozen=True):
    """A run of ``train_classification_model_head_only``.

    Attributes:
        vit: the given ViT.
        steps: of all optimizers.
        backwards: backward passes, those of a step's closures included; 0 in answers that were kept earlier.
        stale: those that added to the gradients of the step before.
        result: what came back.
        head: the classifier in it; None where there is none.
        has_default_epochs: whether it can be called without num_epochs.
        copy_trained: parameters like the ViT's were trained that are not its own.
        moved: steps after which the ViT had other weights than it was given with.
    """

    vit: FrozenViT
    steps: Count
    stale: Count
    result: ReturnedDict | ReturnedOther
    head: ReturnedHead | None
    has_default_epochs: bool = True  # answers that were kept earlier do not tell
    copy_trained: bool = False
    moved: Count = 0
    backwards: Count = 0


def _each_case(args: dict[str, Any], answer: tuple[LookUp, ...]) -> None:
    if len(answer) != len(args["cases"]):
        raise Misfit(f"Expected a list of {len(args['cases'])} calls, got {len(answer)}")


def _of_these_sets(args: dict[str, Any], answer: HeadTraining) -> None:
    """Refuse arrays whose sizes are not those of the two data sets."""
    head, n, m = answer.head, len(args["train"]["labels"]), len(args["test"]["labels"])
    if head is None:
        return
    if head.items is not None:
        _has_shape("items", head.items, (n,))
    max_states = 400  # of a head while it was evaluated
    if head.evaluated is not None:
        _has_shape("evaluated", head.evaluated, (min(len(head.evaluated), max_states), m))
    if isinstance(head.logits, HeadLogits):
        _has_shape("logits.train", head.logits.train, (args["told"], head.logits.train.shape[1]))
        _has_shape("logits.test", head.logits.test, (m, head.logits.test.shape[1]))
        if head.logits.initial is not None:
            _has_shape("logits.initial", head.logits.initial, (args["told"], head.logits.initial.shape[1]))
    if head.calls is not None:
        _are_predicted(head.calls, 0 if head.evaluated is None else len(head.evaluated), m)


def _has_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise Misfit(f"Expected {name} of shape {shape}, got {array.shape}")


def _are_predicted(calls: Predictions, states: int, items: int) -> None:
    """Refuse batches of states or of test items that there are not."""
    if len(calls.state) != len(calls.size) or calls.size.sum() != len(calls.item) or (calls.size == 0).any():
        raise Misfit(f"Expected calls of {len(calls.item)} items in all, got sizes that add up to {calls.size.sum()}")
    if (calls.state >= states).any() or (calls.item >= items).any():
        raise Misfit(f"Expected calls in {states} states, of {items} items, got others")


ANSWERS = {
    "knn.ask": Answered(Annotated[tuple[LookUp, ...], Meta(max_length=1_000)], _each_case),
    "transfer.run": Answered(HeadTraining, _of_these_sets),
}
