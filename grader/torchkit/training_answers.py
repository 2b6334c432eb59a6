"""The types of what is told of a training that was watched: epochs, models, losses, schedulers, learning rates.

Shapes: T steps of optimizers that were seen, S steps in the whole training, G parameter groups of an optimizer, n items
of the training set, B batch, D features, P values of a parameter.
"""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, field

from grader.observations import MAX_WHOLE, ArrayOf, Count, Name, Record, Sizes, Truths
from grader.records import Frame, Raised
from grader.torchkit.loss_answers import WatchedLoss

Whole = Annotated[int, Meta(ge=-MAX_WHOLE, le=MAX_WHOLE)]
StepNumbers = Annotated[np.ndarray, ArrayOf("iu", shape=(None,), most=10_000, least=-1)]
StepEpochs = Annotated[np.ndarray, ArrayOf("iu", shape=(None,), most=10_000, least=0)]
StepRates = Annotated[np.ndarray, ArrayOf("f", shape=(None,), most=10_000)]
Factors = Annotated[np.ndarray, ArrayOf("f", shape=(None,), most=2_000)]
Values = Annotated[np.ndarray, ArrayOf(shape=(None,), most=1 << 16)]
Outputs = Annotated[np.ndarray, ArrayOf("f", most=1 << 22)]
Curve = Annotated[np.ndarray, ArrayOf("f", shape=(None, None), most=500_000)]
Number = bool | Whole | float
Setting = Annotated[str, Meta(max_length=200)] | Number | Annotated[list[Number], Meta(max_length=20)]


class WatchedEpoch(Record, frozen=True):
    """What happened in one epoch, from its first backward pass to that of the next.

    Attributes:
        batches: that were handed out, fewer than there are.
        length: batches that the loader has, 0 where it does not say.
        steps: of optimizers.
        backwards: backward passes.
        stale: backward passes that met the gradients of the step before.
        empty: steps of an optimizer whose gradients were all None or zero.
        arrived: backward passes after which a model has gradients.
        wasted: backward passes whose gradients were zeroed before any step.
        unstepped: backward passes after the last step.
        test_batches: batches with items of the test set that were learned from.
        evaluations: calls of the evaluation.
        climbed: steps of optimizers that were made with maximize=True.
        entropies: cross entropies that a gradient came back to.
        turned: of these, how many got a negative gradient, as -loss gives it.
    """

    batches: Count
    length: Count
    steps: Count
    backwards: Count
    stale: Count
    empty: Count
    arrived: Count
    wasted: Count
    unstepped: Count
    test_batches: Count
    evaluations: Count
    climbed: Count = 0
    entropies: Count = 0
    turned: Count = 0


class UsedRates(Record, frozen=True):
    """The learning rates that steps were taken with.

    Attributes:
        epoch: (T,) of each step.
        optimizer: (T,) its number; -1 for one of many more than a training has.
        rate: (T,) the largest of its parameter groups'; it may be NaN or infinite.
    """

    epoch: StepEpochs
    optimizer: StepNumbers
    rate: StepRates

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.epoch) == len(self.optimizer) == len(self.rate):
            raise ValueError("Expected as many epochs and optimizers as learning rates")


class WeightValues(Record, frozen=True):
    """(P,) values of a parameter, before anything was learned and after the training."""

    before: Values
    after: Values

    @property
    def changed(self) -> bool:
        """Whether the training changed them."""
        return self.before.shape == self.after.shape and not np.array_equal(self.before, self.after)


class OutputsTwice(Record, frozen=True):
    """(B, D) what a model computes with the weights that it had before the training; twice, to see chance in it."""

    first: Outputs
    again: Outputs

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first.shape != self.again.shape or not self.first.size or not self.first.ndim:
            raise ValueError(f"Expected two outputs of one shape, got {self.first.shape} and {self.again.shape}")


class WatchedModel(Record, frozen=True):
    """A model that the training built.

    Attributes:
        role: what it is in the training.
        calls: with gradient.
        parameters: how many it has.
        held: how many of them optimizers hold that took a step.
        frozen: how many of them require no gradient.
        arguments: whole numbers that it was built with, by name.
        misfit: why its class does not take its arguments; "" where it does.
        weights: some of its parameters.
        untrained: what it made of images before the training; None where nobody looked, or it refuses them.
    """

    role: Name
    calls: Count
    parameters: Count
    held: Count
    frozen: Count
    arguments: Annotated[dict[Name, Whole], Meta(max_length=20)]
    misfit: Name
    weights: Annotated[list[WeightValues], Meta(max_length=12)]
    untrained: OutputsTwice | None

    @property
    def moved(self) -> bool:
        """Whether the training changed its weights."""
        return any(weight.changed for weight in self.weights)


class ModelCall(Record, frozen=True):
    """A call of a model's class in student code.

    Attributes:
        name: of the class.
        words: the call with the values of its arguments.
        arguments: those that are whole numbers, by name.
        others: the others, as they look.
        frame: the line that it stands in.
        raised: what the constructor raised, or the model on one image.
        image: the shape of that image; empty where the constructor raised.
    """

    name: Name
    words: Name
    arguments: Annotated[dict[Name, Whole], Meta(max_length=20)]
    others: Annotated[dict[Name, Name], Meta(max_length=20)]
    frame: Frame | None
    raised: Raised | None
    image: Sizes


class WatchedScheduler(Record, frozen=True):
    """A scheduler that the training made.

    Attributes:
        drives: its optimizer took a step.
        steps: how often it was stepped.
        epochs: in how many epochs it was.
        inner: it is a part of another scheduler.
        made: its constructor did not raise.
        raised: what its constructor or its step raised.
        same_number: each step got the same number, as if it were always the same epoch.
        settings: what it was made with, by the names of torch's attributes.
    """

    type: Name
    drives: bool
    steps: Count
    epochs: Count
    inner: bool
    made: bool
    raised: Raised | None
    settings: Annotated[dict[Name, Setting], Meta(max_length=40)]
    same_number: bool = False


class LearningRates(Record, frozen=True):
    """The learning rates that the whole training would use, as its schedulers give them.

    Attributes:
        epochs: of the whole training, as many as were seen at least.
        batches: of an epoch, as simulated; 1 where no scheduler is stepped within an epoch.
        per_batch: some scheduler is stepped within an epoch.
        curves: for each optimizer (S, G), in order of use.
        num_epochs: the student's own number of epochs; 0 where it was not told.
        in_batches: (K,) what the function of a LambdaLR that is stepped once an epoch gives for numbers from 0 to all
            batches of the training, evenly spread; they may be NaN or infinite. Empty where there is none.
        counts_on: a scheduler is stepped each so many batches of the whole training, which the run may have too few of.
    """

    epochs: Count
    batches: Annotated[int, Meta(ge=1, le=MAX_WHOLE)]
    per_batch: bool
    curves: Annotated[list[Curve], Meta(max_length=100)]
    num_epochs: Count = 0
    in_batches: Factors = field(default_factory=lambda: np.empty(0))
    counts_on: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(curve.size for curve in self.curves):
            raise ValueError("Expected curves that hold learning rates")


class SetRate(Record, frozen=True):
    """A place in student code that sets the learning rate of an optimizer itself.

    Attributes:
        in_training: it stands in a function that does the training, not in one of its own or in a class for it.
    """

    frame: Frame
    in_training: bool


class LoadedItems(Record, frozen=True):
    """The items of the training set that a run learned from, and those that its loaders would hand out.

    Attributes:
        learned: (n,) items in batches that were learned from.
        could: (n,) items that the loaders can hand out in the whole training.
        indices: how many different ones the sampler of a loader gives.
        tested: items of the test set that the loaders give, counted in each.
        unknown: items of which it is not known what they are, counted in each.
        whole: nothing was left out for lack of time.
        batch: the largest batch.
        direct: a loader goes through the training set itself.
        offered: how many items the largest Subset holds that a loader goes through; 0 where there is none.
    """

    learned: Truths
    could: Truths
    indices: Count
    tested: Count
    unknown: Count
    whole: bool
    batch: Annotated[int, Meta(ge=1, le=MAX_WHOLE)]
    direct: bool
    offered: Count

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.learned.ndim != 1 or self.learned.shape != self.could.shape:
            raise ValueError(f"Expected marks of the same items, got {self.learned.shape} and {self.could.shape}")


class WatchedTraining(Record, frozen=True):
    """One run of a training.

    Attributes:
        ended: "enough" where it was ended from within, as it had shown enough.
        raised: what it raised.
        losses: those of pytorch-metric-learning, by type.
        without_gradient: types of such losses that were called under torch.no_grad().
        miners: types of miners that were called.
        set_rates: places that set a learning rate without a scheduler of torch's.
    """

    ended: Literal["returned", "enough", "raised"]
    raised: Raised | None
    epochs: Annotated[list[WatchedEpoch], Meta(max_length=5_000)]
    used: UsedRates
    models: Annotated[list[WatchedModel], Meta(max_length=64)]
    losses: Annotated[list[WatchedLoss], Meta(max_length=20)]
    without_gradient: Annotated[list[Name], Meta(max_length=20)]
    miners: Annotated[list[Name], Meta(max_length=20)]
    schedulers: Annotated[list[WatchedScheduler], Meta(max_length=20)]
    items: LoadedItems
    rates: LearningRates
    set_rates: Annotated[list[SetRate], Meta(max_length=20)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.ended == "raised") != (self.raised is not None):
            raise ValueError("Expected an exception of a training that raised, and of no other")

    @property
    def steps(self) -> int:
        """Steps of optimizers in all epochs."""
        return self.total("steps")

    def builds_anew(self, role: str) -> bool:
        """Whether a model of a role is built in each epoch, and all of them are trained."""
        return sum(model.moved for model in self.models if model.role == role) >= max(2, len(self.epochs))

    def total(self, count: str) -> int:
        """A count over all epochs, by its name in ``WatchedEpoch``."""
        return sum(getattr(epoch, count) for epoch in self.epochs)
