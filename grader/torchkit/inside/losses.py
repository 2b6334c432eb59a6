"""What the losses of pytorch-metric-learning are given in a training: embeddings, and tuples from a miner or elsewhere.

Shapes: B batch, E embedding size.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from pytorch_metric_learning.losses import CrossBatchMemory, TripletMarginLoss
from pytorch_metric_learning.losses.base_metric_loss_function import BaseMetricLossFunction
from pytorch_metric_learning.miners.base_miner import BaseMiner
from torch import Tensor, nn

from grader.torchkit.inside.batch_rows import BatchRows
from grader.torchkit.inside.loss_signs import climbs
from grader.torchkit.inside.noted_reads import NotedReads
from grader.torchkit.inside.same_rows import same_labels, same_rows

FORWARD = BaseMetricLossFunction.forward


@dataclass(frozen=True)
class Rows:
    """What a miner or a loss is given.

    Attributes:
        anchors: (B, E).
        labels: (B,).
        references: (R, E) positives and negatives, the anchors themselves where there are no others.
        reference_labels: (R,).
    """

    anchors: Tensor
    labels: Tensor | None
    references: Tensor
    reference_labels: Tensor | None

    def differ(self, other: "Rows") -> str:
        """Whether these are other embeddings than another's, or other labels; empty where they are the same."""
        if not (same_rows(self.anchors, other.anchors) and same_rows(self.references, other.references)):
            return "other_embeddings"
        pairs = (self.labels, other.labels), (self.reference_labels, other.reference_labels)
        return "" if all(same_labels(*pair) for pair in pairs) else "other_labels"


@dataclass(frozen=True)
class Mined:
    """What a miner found, and in what."""

    tuples: tuple[Any, ...]
    rows: Rows | None


@dataclass
class LossCalls:
    """Calls of one kind of loss that were made for learning.

    What the counts mean is explained at ``grader.torchkit.loss_answers.WatchedLoss``.
    """

    triplet: bool
    imitates: bool = False
    calls: int = 0
    learned: int = 0
    flat: int = 0
    found: int = 0
    nothing: int = 0
    one_class: int = 0
    exchanged: int = 0
    in_order: int = 0
    mislabelled: int = 0
    upwards: int = 0
    crossed: int = 0
    unfit: int = 0
    weightless: int = 0
    graded: int = 0
    bare: int = 0
    tuples: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("none", "miner", "all", "other", "other_embeddings", "other_labels"), 0)
    )


class Losses:
    """Notes of the losses and miners of one run; ``sets`` are as of ``BatchRows``."""

    loss_arguments = ("embeddings", "labels", "indices_tuple", "ref_emb", "ref_labels")

    def __init__(self, *sets: NotedReads) -> None:
        self.calls: dict[str, LossCalls] = {}
        self.without_gradient: dict[str, None] = {}  # types of losses that were called under no_grad, in order
        self.miners: dict[str, None] = {}  # types of miners that were called
        self._mined: list[Mined] = []
        self.rows = BatchRows(*sets)
        self._computed = False  # pytorch-metric-learning's own triplet loss, in the call under way
        self._under_way: list[nn.Module] = []  # losses that are called and have not returned
        self._memory: list[str] = []  # inside CrossBatchMemory: where the tuples come from that it was given

    def patches(self) -> list[tuple[Any, str, Any]]:
        """Owner, name and what stands there meanwhile."""
        return [
            (CrossBatchMemory, "forward", self._remember(CrossBatchMemory.forward)),
            (TripletMarginLoss, "compute_loss", self._compute(TripletMarginLoss.compute_loss)),
            (BaseMetricLossFunction, "__call__", lambda *args, **kwargs: self._call(*args, **kwargs)),
            (BaseMetricLossFunction, "forward", lambda *args, **kwargs: self._forward(*args, **kwargs)),
        ]

    def facts(self) -> dict[str, Any]:
        """What was noted, by the names of the types; at most 20 of each."""
        max_told = 20  # types of losses, and of miners
        return {
            "losses": [{"type": name, **vars(note)} for name, note in list(self.calls.items())[:max_told]],
            "without_gradient": list(self.without_gradient)[:max_told],
            "miners": list(self.miners)[:max_told],
        }

    def _call(self, loss: Any, *args: Any, **kwargs: Any) -> Any:
        """What calling a loss does."""
        self._under_way.append(loss)
        try:
            return nn.Module.__call__(loss, *args, **kwargs)
        finally:
            self._under_way.pop()

    def _forward(self, loss: Any, *args: Any, **kwargs: Any) -> Any:
        """What its ``forward`` does: whoever calls it by that name calls the loss, so that hooks see it."""
        is_called = any(loss is each for each in self._under_way)
        return FORWARD(loss, *args, **kwargs) if is_called else loss(*args, **kwargs)

    def after_forward(self, module: nn.Module, args: Any, kwargs: Any, output: Any = None) -> None:
        """Note what a module was given, if it is a miner or a loss; a global forward hook.

        After an exception torch calls it without ``kwargs``.
        """
        kwargs = kwargs or {}
        max_recent = 8  # results of miners that tuples are looked up in
        miner_arguments = ("embeddings", "labels", "ref_emb", "ref_labels")  # by place
        if isinstance(module, BaseMiner):
            self.miners[type(module).__name__[:100]] = None
            if isinstance(output, tuple | list):
                rows = _given(_arguments(miner_arguments, args, kwargs))
                self._mined = [*self._mined[1 - max_recent :], Mined(tuple(output), rows)]
        elif isinstance(module, BaseMetricLossFunction):
            inputs = _arguments(self.loss_arguments, args, kwargs)
            note, source = self._loss(module, inputs, self._is_triplet_loss(module, inputs, output))
            if note is not None and isinstance(output, Tensor) and output.grad_fn is not None:
                _listen(note, output, inputs["embeddings"], bare=source == "none")

    def _compute(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def compute_loss(loss: Any, *args: Any, **kwargs: Any) -> Any:
            self._computed = True
            return original(loss, *args, **kwargs)

        return compute_loss

    def _is_triplet_loss(self, module: nn.Module, inputs: dict[str, Any], output: Any) -> bool:
        """Whether a loss is a triplet margin loss; a subclass may compute something else under that name."""
        if not isinstance(module, TripletMarginLoss):
            return False
        computed, self._computed = self._computed, False
        if computed or output is None:  # it raised
            return True
        plain = copy.copy(module)
        plain.__class__ = TripletMarginLoss
        try:
            with torch.no_grad():
                return bool(torch.isclose(FORWARD(plain, **inputs), output, rtol=1e-3).all())
        except Exception:  # it takes other arguments, or returns something else
            return False
        finally:
            self._computed = False

    def _remember(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def forward(memory: Any, *args: Any, **kwargs: Any) -> Any:
            inputs = _arguments(self.loss_arguments, args, kwargs)
            given = inputs.get("indices_tuple")
            self._memory.append("miner" if memory.miner is not None else self._source(given, _rows(given), inputs))
            try:
                return original(memory, *args, **kwargs)
            finally:
                self._memory.pop()

        return forward

    def _loss(self, module: nn.Module, inputs: dict[str, Any], triplet: bool) -> tuple[LossCalls | None, str]:
        """Note a call of a loss, and where its tuples come from; None where it is not made for learning."""
        embeddings, labels, given = (inputs.get(name) for name in ("embeddings", "labels", "indices_tuple"))
        if not isinstance(embeddings, Tensor):
            return None, ""
        name = type(module).__name__[:100]
        if not torch.is_grad_enabled():
            self.without_gradient[name] = None
            return None, ""
        note = self.calls.setdefault(
            name, LossCalls(triplet, imitates=not triplet and isinstance(module, TripletMarginLoss))
        )
        note.calls += 1
        if isinstance(labels, Tensor):
            note.exchanged += embeddings.dim() != 2 or labels.numel() != len(embeddings)
            note.one_class += len(torch.unique(labels)) == 1
        elif labels is not None:  # such as the tuples of a miner
            note.exchanged += 1
        wrong = None if self._memory else self.rows.mislabelled(embeddings, labels)
        note.in_order += wrong is not None
        note.mislabelled += wrong is True
        rows = _rows(given)
        if not self._memory and rows is not None and isinstance(labels, Tensor) and _triplets(labels):
            note.found += bool(len(rows))
            note.nothing += not len(rows)
        wrong_triplets, all_exchanged = (
            (0.0, False) if self._memory else _triplets_by_labels(given, labels, inputs.get("ref_labels"))
        )
        note.crossed += all_exchanged
        max_unfit = 0.3  # of the triplets of a batch
        note.unfit += wrong_triplets > max_unfit and not all_exchanged
        source = self._memory[-1] if self._memory else self._source(given, rows, inputs)
        note.tuples[source] += 1
        return note, source

    def _source(self, given: Any, rows: np.ndarray | None, inputs: dict[str, Any]) -> str:
        """Where a tuple of indices comes from; of a miner that was asked about something else, what that was."""
        if given is None:
            return "none"
        found = self._miner(given, rows, _given(inputs))
        if found:
            return found
        labels = inputs.get("labels")
        if rows is None or not isinstance(labels, Tensor):
            return "other"
        every = len(rows) == _triplets(labels) if len(given) == 3 else _are_all_pairs(given, labels)
        return "all" if every else "other"

    def _miner(self, given: Any, rows: np.ndarray | None, of_loss: Rows | None) -> str:
        """The word "miner" where these are tuples of one, empty where they are not; else what the miner was asked about."""
        asked = [mined for mined in self._mined if any(part is other for part in given for other in mined.tuples)]
        told = {_differ(mined.rows, of_loss) for mined in asked}
        if not asked and rows is not None:
            recent = [(_differ(mined.rows, of_loss), _rows(mined.tuples)) for mined in self._mined]
            known = [(differs, found) for differs, found in recent if found is not None]
            told = {differs for differs, found in known if np.isin(found, rows).any()}
            if _all_among(rows, [found for differs, found in known if not differs]):
                return "miner"
            if not _all_among(rows, [found for _, found in known]):
                return ""
        return "miner" if "" in told else max(told, default="")


def _triplets_by_labels(given: Any, labels: Any, references: Any) -> tuple[float, bool]:
    """How the labels that a loss is given fit its triplets.

    Returns:
        the share of triplets whose positive is of another class than the anchor, or whose negative is of the same.
        whether all positives are of other classes than their anchors, and all negatives of the same.
    """
    of_others = references if isinstance(references, Tensor) else labels
    tensors = isinstance(given, tuple | list) and all(isinstance(part, Tensor) for part in (*given, labels, of_others))
    if not tensors or len(given) != 3 or not len(given[0]):
        return 0.0, False
    anchors, positives, negatives = given
    try:
        same_positive = labels[anchors] == of_others[positives]
        same_negative = labels[anchors] == of_others[negatives]
    except (IndexError, RuntimeError):  # the loss says what is wrong
        return 0.0, False
    wrong = ~same_positive | same_negative
    return float(wrong.float().mean()), bool((~same_positive & same_negative).all())


def _listen(note: LossCalls, loss: Tensor, embeddings: Tensor, bare: bool) -> None:
    """Note the gradients that come to a loss, and those that come to its embeddings after that.

    Args:
        bare: the loss was given no tuples.
    """
    min_weight = 1e-6  # of a loss in what is learned from; less teaches nothing
    came: list[Tensor] = []  # to the loss itself: another one may be computed from the same embeddings

    def turned(gradient: Tensor) -> None:
        came.append(gradient)
        note.upwards += climbs(gradient)
        note.weightless += bool(gradient.abs().sum() < min_weight)
        note.graded += 1
        note.bare += bare

    def learned(gradient: Tensor) -> None:
        note.learned += bool(came)
        note.flat += bool(came) and not gradient.any()

    loss.register_hook(turned)
    if embeddings.grad_fn is not None:  # without one, a gradient goes no further than these numbers
        embeddings.register_hook(learned)


def _arguments(positions: tuple[str, ...], args: Any, kwargs: Any) -> dict[str, Any]:
    return {**dict(zip(positions, args, strict=False)), **kwargs}


def _given(inputs: dict[str, Any]) -> Rows | None:
    """What a miner or a loss was given, None where that is no tensor."""
    anchors, labels = inputs.get("embeddings"), inputs.get("labels")
    references, reference_labels = inputs.get("ref_emb"), inputs.get("ref_labels")
    if references is None:
        references, reference_labels = anchors, labels
    if not isinstance(anchors, Tensor) or not isinstance(references, Tensor):
        return None
    known = [each.detach().clone() if isinstance(each, Tensor) else None for each in (labels, reference_labels)]
    return Rows(anchors.detach().clone(), known[0], references.detach().clone(), known[1])


def _differ(mined: Rows | None, of_loss: Rows | None) -> str:
    return "" if mined is None or of_loss is None else mined.differ(of_loss)


def _all_among(rows: np.ndarray, found: list[np.ndarray]) -> bool:
    return bool(found) and bool(np.isin(rows, np.concatenate(found)).all())


def _rows(tuples: Any) -> np.ndarray | None:
    """Index tuples as one number each; pairs become two rows each."""
    try:
        given = [part.detach().cpu() if isinstance(part, Tensor) else part for part in tuples]
        parts = [np.asarray(part, dtype=np.int64) for part in given]
        if len(parts) == 3:
            return (parts[0] * 10_000 + parts[1]) * 10_000 + parts[2]
        if len(parts) == 4:
            return np.concatenate([-1 - parts[0] * 10_000 - parts[1], -1 - 10**9 - parts[2] * 10_000 - parts[3]])
    except (TypeError, ValueError):
        pass
    return None


def _are_all_pairs(given: Any, labels: Tensor) -> bool:
    """Whether pairs (anchor, positive, anchor, negative) are all that there are among labels."""
    alike = int((labels[:, None] == labels).sum()) - len(labels)
    unlike = len(labels) ** 2 - len(labels) - alike
    return len(given) == 4 and (len(given[0]), len(given[2])) == (alike, unlike)


def _triplets(labels: Tensor) -> int:
    """How many triplets a batch holds."""
    counts = torch.unique(labels, return_counts=True)[1]
    return int((counts * (counts - 1) * (len(labels) - counts)).sum())
