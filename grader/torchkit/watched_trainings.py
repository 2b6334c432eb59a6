"""What any training must do, by what was seen of a run of it: step, learn from each batch, hold and change its model."""

from collections.abc import Sequence

from grader.judging import Blocked, Fail, warn
from grader.records import GradeWarning
from grader.sentences import sentence
from grader.torchkit.learning_rates import rate_problem
from grader.torchkit.training_answers import WatchedEpoch, WatchedModel, WatchedTraining

ORDER_HINT = (
    "The order in each batch is zero_grad(), backward(), step(): no zero_grad() between backward() and step(), no step() "
    "before backward()."
)
MIN_EPOCHS = 3  # fewer epochs or batches say nothing
MIN_BATCHES = 5  # batches that an early epoch is given at least, where there are so many and it asks for them


def expect_steps(run: WatchedTraining) -> None:
    """Fail unless backward() and step() are called for the batches of each epoch."""
    expect_any_step(run, "the training set")
    if run.epochs and run.epochs[0].batches:
        expect_second_epoch(run)
    expect_no_waste(run)
    early = early_epochs(run)
    expect_second_batch(early)
    if once_an_epoch(early):
        raise Fail(
            "backward() is called once an epoch",
            "backward() and step() belong in the loop over the batches. Look at their indentation.",
        )


def expect_any_step(run: WatchedTraining, data: str) -> None:
    """Fail unless backward() and step() are called at all.

    Args:
        data: what the batches are taken from, for the hint.
    """
    if not run.epochs and not run.steps:
        raise Fail(
            "nothing was learned: neither backward() of a loss nor step() of an optimizer is called",
            f"Go through the batches of a DataLoader over {data}, num_epochs times: in each batch, compute the loss, call "
            "backward() on it, then optimizer.step().",
        )
    if not run.total("backwards"):
        raise Fail(
            "no gradients were computed: the loss's backward() was never called"
            + (", and no optimizer took a step" if not run.steps else ""),
            "Call loss.backward() before optimizer.step(), with an optimizer that holds the parameters of the models that are "
            "evaluated, not copies of them.",
        )
    if not run.steps:
        raise Fail("the optimizer never took a step", "Call optimizer.step() after loss.backward().")


def expect_second_epoch(run: WatchedTraining) -> None:
    """Fail where a training returns after its first epoch of several."""
    if run.ended == "returned" and len(run.epochs) == 1 and run.rates.epochs >= MIN_EPOCHS:
        raise Fail(
            f"the training ends after one epoch of {run.rates.epochs} (num_epochs)",
            "A return or a break may stand inside the loop over the epochs. Look at its indentation.",
        )


def expect_no_waste(run: WatchedTraining) -> None:
    """Fail where the gradients of most batches are zeroed before a step is taken with them."""
    wasted, backwards = run.total("wasted"), run.total("backwards")
    if wasted > 0.6 * backwards:  # two passes for one step waste half
        raise Fail(
            f"the gradients of {wasted} of {backwards} batches are zeroed before the optimizer takes a step with them",
            "optimizer.step() belongs in the loop over the batches, after backward(). Look at its indentation.",
        )


def expect_end(run: WatchedTraining) -> None:
    """Fail where a training goes on and on after its last epoch.

    What ends by a value that it waits for has met that value by then: the evaluation sees to it. So has what ends after
    as many batches as so many epochs have: batches are handed out until then.
    """
    planned = run.rates.num_epochs
    many_more = 60  # epochs: no training is so much longer; as ``inside.passes.Budget``, which watches it, has it
    many_steps = 600  # one that is ended from within before may be slow, and right
    batches = max((epoch.length for epoch in run.epochs), default=0)  # of one epoch
    most = max(many_steps, planned * batches)
    many = planned and len(run.epochs) > 3 * planned + many_more
    if many and run.ended == "enough" and max(run.steps, run.total("batches")) >= most:
        raise Fail(
            f"the training does not end: after {len(run.epochs)} epochs it still goes on, where num_epochs is "
            f"{planned}",
            "Does the number of the epoch grow in each round of a while loop, or is a break missing? "
            "`for epoch in range(num_epochs)` counts by itself.",
        )


def expect_descent(run: WatchedTraining, losses: int, turned: int, effect: str) -> None:
    """Fail where steps make a loss larger: by its sign, or by the optimizer's, but not by both.

    Args:
        losses: that a gradient came back to.
        turned: of these, those that got a negative one.
        effect: what the training does then, as the end of the sentence.
    """
    climbs = run.total("climbed") > run.steps / 2
    if losses and (turned > losses / 2) != climbs:
        raise Fail(
            f"the training makes the loss larger, not smaller: {effect}",
            "The optimizer is made with maximize=True: leave that out." if climbs
            else "The sign of the loss is turned before backward(): call it on the loss as it is.",
        )  # fmt: skip


def early_epochs(run: WatchedTraining) -> list[WatchedEpoch]:
    """The first epochs, where they have so many batches that their number tells something."""
    return [epoch for epoch in run.epochs[:MIN_EPOCHS] if epoch.length >= MIN_BATCHES]


def expect_second_batch(early: Sequence[WatchedEpoch]) -> None:
    """Fail where each of some early epochs ends after its first batch."""
    if _leaves_after_one_batch(early):
        raise Fail(
            f"each epoch learns from one batch of {early[0].length}",
            "A break may stand inside the loop over the batches. Look at its indentation.",
        )


def _leaves_after_one_batch(early: Sequence[WatchedEpoch]) -> bool:
    return len(early) >= 2 and all(epoch.batches <= 2 and epoch.backwards == 1 for epoch in early)


def once_an_epoch(early: Sequence[WatchedEpoch]) -> bool:
    """Whether backward() is called once in each of some early epochs, although all their batches are gone through."""
    return len(early) >= 2 and all(epoch.batches >= MIN_BATCHES and epoch.backwards == 1 for epoch in early)


def expect_trained(run: WatchedTraining, models: Sequence[WatchedModel], name: str) -> None:
    """Fail unless one of some models changes, and optimizers hold all of its parameters.

    Args:
        models: those of one role.
        name: what they are called, as "the GPT".
    """
    unchanged, used = f"the weights of {name} do not change", max(models, key=lambda model: (model.calls, model.held))
    if not used.held:
        other = any(model.held for model in models)
        raise Fail(
            f"{unchanged}: the optimizer does not hold its parameters{', but those of another one' if other else ''}",
            "Build the model once, before the optimizer and before the loop over the epochs, and give the optimizer "
            "model.parameters().",
        )
    if used.held < used.parameters:
        raise Fail(
            f"the optimizer holds {used.held} of the {used.parameters} parameters of {name}: the others are never trained",
            "Give it model.parameters().",
        )
    if used.moved and run.total("empty") < run.steps:
        return  # weight decay moves weights without a gradient
    if not run.used.rate.any():
        raise Fail(f"{unchanged}: the learning rate is 0", "Look at lr and at the scheduler's first values.")
    if run.total("empty") < run.steps:
        raise Fail(
            f"{unchanged}, though gradients arrive",
            "Is a copy trained, or is an earlier state dict loaded again after the steps?",
        )
    hint = "Look for detach() and torch.no_grad() between the model and the loss."
    if run.total("arrived"):
        hint = ORDER_HINT
    raise Fail(f"{unchanged}: at the steps of the optimizer all gradients are None or zero", hint)


def expect_zeroed(run: WatchedTraining) -> None:
    """Fail where gradients of one step are still there in the next."""
    later = sum(  # after another step: where gradients are accumulated there are fewer steps than batches
        max(0, min(epoch.backwards, epoch.steps, epoch.batches or epoch.backwards) - 1) for epoch in run.epochs
    )
    if run.total("stale") > 0.5 * max(1, later):  # all are where zero_grad is missing, none in right code
        raise Fail(
            f"{run.total('stale')} of {run.total('backwards')} backward passes add to the gradients of the step before",
            "Call optimizer.zero_grad() once for each step, before backward().",
        )


def expect_schedule(run: WatchedTraining, training: str) -> str | None:
    """Fail unless the learning rate changes as it was meant to; a remark where it does, and hardly as it was meant to.

    Args:
        training: the criterion of the training itself, which is to blame where nothing could be seen.
    """
    if not _shows_rates(run):
        raise Blocked(training, "the training ended before its learning rate could be seen")
    problem = rate_problem(run)
    if problem is None or (problem.kind == "in epochs" and _leaves_after_one_batch(early_epochs(run))):
        return None  # a scheduler that is stepped in each batch is stepped once, where there is but one
    if problem.kind != "in batches":
        raise Fail(problem.message, problem.hint)
    return f"It changes, and gives full points, but {sentence(problem.message, problem.hint)}"


def collapsed_warning(run: WatchedTraining) -> list[GradeWarning]:
    """Warn of a schedule meant in epochs that is over after a few batches."""
    problem = rate_problem(run) if _shows_rates(run) else None
    if problem is None or problem.kind not in ("in batches", "over"):
        return []
    return warn("scheduler.collapsed", problem.message)


def _shows_rates(run: WatchedTraining) -> bool:
    """Whether a run came far enough to tell of its learning rate."""
    far = len(run.epochs) > 1 or any(scheduler.raised for scheduler in run.schedulers)
    return bool(run.steps or run.schedulers) and (run.raised is None or far)
