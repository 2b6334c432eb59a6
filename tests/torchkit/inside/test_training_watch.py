"""A training is watched: what it reads, computes and optimizes, whatever the assignment."""

import copy
import itertools
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

from grader.assignments.vit.metric_learning import training
from grader.assignments.vit.metric_learning.watched_runs import TrainingRun
from grader.torchkit.inside.followed_models import followed, following, named_arguments
from grader.torchkit.inside.training_watch import TrainingWatch
from tests.torchkit.inside.training import EPOCHS, steps, watched


def test_each_epoch_counts_its_batches_steps_and_evaluations() -> None:
    run = watched(lambda train, test, watch: steps(train, watch))
    assert (run.ended, len(run.epochs), run.total("evaluations")) == ("returned", EPOCHS, EPOCHS)
    assert run.epochs[0].length == 10 and 0 < run.epochs[0].batches == run.epochs[0].steps < 10
    assert run.total("stale") == run.total("wasted") == run.total("empty") == 0
    assert run.models[0].moved and run.models[0].held == run.models[0].parameters == 2


def test_gradients_that_nobody_zeroes_are_stale() -> None:
    run = watched(lambda train, test, watch: steps(train, watch, zeroed=False))
    assert run.total("stale") == run.total("backwards") - 1


def test_gradients_that_are_zeroed_at_the_end_of_each_step_were_there() -> None:
    def training(train: Dataset, test: object, watch: TrainingWatch) -> None:
        def made(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
            optimizer.register_step_post_hook(lambda *step: optimizer.zero_grad())
            return torch.optim.lr_scheduler.StepLR(optimizer, 2)

        steps(train, watch, zeroed=False, made=made)

    run = watched(training)
    assert run.total("empty") == run.total("stale") == 0 < run.steps


def test_items_that_are_learned_from_and_those_that_could_be_are_told() -> None:
    run = watched(lambda train, test, watch: steps(Subset(train, range(50, 150)), watch))
    assert run.items.could.nonzero()[0].tolist() == list(range(50, 150))
    assert run.items.learned.any() and not (run.items.learned & ~run.items.could).any()
    assert (run.items.indices, run.items.tested, run.items.unknown, run.items.direct) == (100, 0, 0, False)


def test_items_of_the_test_set_are_told() -> None:
    run = watched(lambda train, test, watch: steps(test, watch))
    assert run.total("test_batches") == run.total("backwards") and run.items.tested


@pytest.mark.parametrize(("each_batch", "batches"), [(False, 1), (True, 10)])
def test_learning_rates_are_simulated_to_the_end(each_batch: bool, batches: int) -> None:
    run = watched(lambda train, test, watch: steps(train, watch, each_batch=each_batch))
    (curve,) = run.rates.curves
    assert (run.rates.epochs, run.rates.batches, run.rates.per_batch) == (EPOCHS, batches, each_batch)
    assert curve[:, 0].tolist() == pytest.approx([0.1 * 0.1 ** (step // 2) for step in range(EPOCHS * batches)])


def curve_where_stepped(due: Callable[[int, int], bool], at_the_end: bool = False) -> list[float]:
    """The learning rate of a training whose scheduler, which halves it, is stepped after some of its batches.

    Args:
        due: of the number of the batch in its epoch, and in all epochs; both begin with 1.
        at_the_end: it is stepped after the training.
    """

    def training(train: Dataset, test: object, watch: TrainingWatch) -> None:
        model = nn.Linear(3, 10)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
        counted = itertools.count(1)
        for _ in range(EPOCHS):
            for number, (inputs, labels) in enumerate(DataLoader(train, 20), 1):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
                if due(number, next(counted)):
                    scheduler.step()
        if at_the_end:
            scheduler.step()

    (curve,) = watched(training).rates.curves
    return cast(list[float], curve[:, 0].tolist())


@pytest.mark.parametrize("every", [3, 7, 25])
def test_a_scheduler_stepped_each_so_many_batches_of_the_training_is_simulated_so(every: int) -> None:
    curve = curve_where_stepped(lambda number, counted: counted % every == 0)
    assert curve == pytest.approx([0.5 ** (done // every) for done in range(10 * EPOCHS)])


@pytest.mark.parametrize("every", [10, 11])
def test_as_many_batches_as_an_epoch_has_are_an_epoch(every: int) -> None:
    curve = curve_where_stepped(lambda number, counted: counted % every == 0)
    assert curve == pytest.approx([0.5**epoch for epoch in range(EPOCHS)])


def test_a_scheduler_stepped_each_so_many_batches_of_an_epoch_is_simulated_so() -> None:
    curve = curve_where_stepped(lambda number, counted: number % 4 == 0)
    assert curve == pytest.approx([0.5 ** (2 * epoch + done // 4) for epoch in range(EPOCHS) for done in range(10)])


@pytest.mark.parametrize("at_the_end", [False, True])
def test_a_scheduler_that_is_stepped_never_or_after_the_training_changes_nothing(at_the_end: bool) -> None:
    assert set(curve_where_stepped(lambda number, counted: False, at_the_end)) == {1.0}


def trained_copy(train: Dataset, watch: TrainingWatch, holds_the_copy: bool) -> None:
    """Learn with a copy of a model, while the optimizer holds that copy or the model that was copied."""
    model = nn.Linear(3, 10)
    watch.follow("model", model)
    used = copy.deepcopy(model)
    optimizer = torch.optim.SGD((used if holds_the_copy else model).parameters(), lr=0.1)
    for inputs, labels in DataLoader(train, 20):
        nn.functional.cross_entropy(used(inputs), labels).backward()
        optimizer.step()
    copy.deepcopy(used)(torch.zeros(1, 3)).detach()
    pickle.dumps(used)


def test_a_copy_of_a_model_is_followed_from_its_first_call_on() -> None:
    model, used, *_ = watched(lambda train, test, watch: trained_copy(train, watch, holds_the_copy=True)).models
    assert (model.calls, model.held, model.moved) == (0, 0, False)
    assert used.calls > 1 and used.held == 2 and used.moved


def test_a_copy_that_no_optimizer_holds_is_told_from_the_model_that_one_holds() -> None:
    run = watched(lambda train, test, watch: trained_copy(train, watch, holds_the_copy=False))
    assert [(model.held, model.calls > 0, model.moved) for model in run.models[:2]] == [
        (2, False, False),
        (0, True, False),
    ]
    why = str(training._unmoved(cast(TrainingRun, run), "the ViT", run.models[1]))
    assert "does not hold its parameters, but those of another one" in why


def test_what_a_training_raises_is_told_and_what_is_still_to_do_passes_through() -> None:
    run = watched(lambda train, test, watch: {}["lost"])
    assert run.ended == "raised" and run.raised is not None and run.raised.type == "KeyError"

    def to_do(train: object, test: object, watch: object) -> None:
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        watched(to_do)


def test_an_endless_training_is_ended() -> None:
    def endless(train: Dataset, test: object, watch: object) -> None:
        while True:
            steps(train, watch)  # type: ignore[arg-type]

    assert watched(endless).ended == "enough"


def learn(model: nn.Module, batches: Iterable[tuple[torch.Tensor, torch.Tensor]], watch: TrainingWatch) -> None:
    """Learn from batches, and evaluate afterwards."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for inputs, labels in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    watch.evaluated()


def test_batches_that_are_fetched_before_the_last_is_learned_from_count_for_their_own_pass() -> None:
    def ahead(loader: DataLoader[tuple[torch.Tensor, torch.Tensor]]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        batches = iter(loader)
        now = next(batches, None)
        while now is not None:
            following = next(batches, None)
            yield now
            now = following

    def training(train: Dataset, test: object, watch: TrainingWatch) -> None:
        model = nn.Linear(3, 10)
        for _ in range(EPOCHS):
            learn(model, ahead(DataLoader(train, 20)), watch)

    assert all(epoch.batches == epoch.steps for epoch in watched(training).epochs)


@pytest.mark.parametrize("taken", ["for", "list", "beside", "chained"])
def test_an_epoch_is_a_pass_over_the_data_or_lasts_until_the_evaluation(taken: str) -> None:
    def training(train: Dataset, test: object, watch: TrainingWatch) -> None:
        model = nn.Linear(3, 10)
        watch.follow("model", model)
        loader, others = DataLoader(train, 20), DataLoader(train, 20)
        stream = itertools.chain.from_iterable(itertools.repeat(loader))
        for _ in range(EPOCHS):
            batches = {"for": loader, "beside": loader, "list": None, "chained": itertools.islice(stream, 12)}[taken]
            if taken == "beside":
                batches = (batch for batch in loader if next(iter(others)))
            learn(model, list(loader) if batches is None else batches, watch)

    run = watched(training)
    assert (len(run.epochs), run.total("evaluations")) == (EPOCHS, EPOCHS)
    assert taken != "chained" or run.epochs[0].batches == 12


def test_objects_of_a_class_are_told_of_while_they_are_followed() -> None:
    made: list[tuple[nn.Module, tuple[int, ...]]] = []

    class Layer(nn.Module):
        def __init__(self, width: int, depth: int = 1) -> None:
            super().__init__()

    with following(Layer, lambda module, args, kwargs: made.append((module, args))):
        first = Layer(3)
    Layer(4)
    second = followed(Layer, lambda module, args, kwargs: made.append((module, args)))(5)
    assert made == [(first, (3,)), (second, (5,))]


@pytest.mark.parametrize(
    ("args", "kwargs", "named", "misfit"),
    [
        ((3, 4), {}, {"width": 3, "depth": 4}, ""),
        ((3,), {"depth": 4}, {"width": 3, "depth": 4}, ""),
        ((3, 2**40), {}, {"width": 3}, ""),
        ((3,), {}, {}, "missing a required argument: 'depth'"),
    ],
    ids=["by order", "by name", "too large", "one missing"],
)
def test_arguments_are_told_by_name(args: tuple, kwargs: dict, named: dict[str, int], misfit: str) -> None:
    assert named_arguments(("width", "depth"), None, args, kwargs) == (named, misfit)
