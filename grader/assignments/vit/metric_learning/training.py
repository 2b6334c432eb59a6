"""``train_embedding_model``, by what happened in a run of it on a small set."""

import numpy as np

from grader.assignment import Topic
from grader.assignments.vit.metric_learning.evaluation_calls import MODELS, evaluated
from grader.assignments.vit.metric_learning.losses_and_miners import (
    begins_alike,
    labels_of_the_images,
    mined_elsewhere,
    miner_used,
    mislabelled,
    triplet_loss,
    triplet_losses,
    unused_miner,
    weightless,
)
from grader.assignments.vit.metric_learning.model_arguments import (
    exchanged_call,
    models_built,
    refused_call,
    replaced_argument,
)
from grader.assignments.vit.metric_learning.watched_runs import TrainingRun, counted, failure, through, trained
from grader.assignments.vit.settings import at_fault
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Skip, after, checks
from grader.torchkit import watched_trainings
from grader.torchkit.modules import lines
from grader.torchkit.modules.asking import normal
from grader.torchkit.training_answers import WatchedModel

CLASSES = {  # and the criteria that judge them and their parts
    "ViT": ("vit.patch_embeddings", "vit.position_embedding", "vit.attention_block", "vit.model"),
    "LinearEmbeddingHead": ("vit.heads",),
}
SHUFFLE_HINT = "Give the DataLoader of the training subset shuffle=True: the subset lists its images class by class."
IMAGES_ON_LINE = 30  # images between the ends of the line, so that chance puts no others in their order


def _ask(evidence: Evidence, rng: np.random.Generator) -> Question:
    line = lines.places(rng, IMAGES_ON_LINE)
    images = lines.points(rng, normal(rng, 1, 28, 28), line)
    own = [
        name for name, criteria in CLASSES.items()
        if evidence.has(name) and all(_nothing_known_against(criterion, evidence) for criterion in criteria)
    ]  # fmt: skip
    args = {"seed": int(rng.integers(2**31)), "line": images, "own": own}
    return Question(args, {"line": line})


def _nothing_known_against(criterion: str, evidence: Evidence) -> bool:
    """Whether a criterion is passed, or nothing was asked that could tell."""
    if criterion not in evidence.assignment.criteria:
        return True
    verdict = evidence.verdict(criterion)
    unasked = verdict.status == "failed" and all(result.status == "skipped" for result in verdict.results)
    return verdict.status == "passed" or unasked


def runs_through(evidence: Evidence) -> None:
    """`train_embedding_model(train_dataset, test_dataset)` runs through."""
    problem = failure(evidence)
    if problem is not None:
        # Batches of the probe differ in size, so that tuples of another batch may raise before anything else tells.
        run = counted(evidence)
        of_arguments = exchanged_call(evidence, run) or replaced_argument(evidence) or refused_call(evidence)
        raise mined_elsewhere(run) or of_arguments or _of_a_number(problem, evidence)


def _of_a_number(problem: Exception, evidence: Evidence) -> Exception:
    """What ended the training, with a hint about a hyperparameter that nothing can be trained with."""
    raised = counted(evidence).raised
    hint = at_fault(evidence, raised) if isinstance(problem, Fail) and raised is not None else ""
    return Fail(str(problem), hint) if hint else problem


def steps(evidence: Evidence) -> None:
    """Each batch is learned from: backward, then a step of the optimizer."""
    run = through(evidence)
    watched_trainings.expect_any_step(run, "the training subset")
    watched_trainings.expect_second_epoch(run)
    watched_trainings.expect_end(run)
    watched_trainings.expect_no_waste(run)
    _all_batches(run)


def _all_batches(run: TrainingRun) -> None:
    """No batch is left out of an epoch."""
    first = run.epochs[0]
    min_unstepped = 30  # batches without a step that are no accumulation of gradients any more
    if first.steps and first.backwards >= min_unstepped and first.unstepped > 0.6 * first.backwards:
        raise Fail(
            f"of the first {first.backwards} batches of an epoch, the last {first.unstepped} lead to no step of the "
            "optimizer",
            "Look at the condition that optimizer.step() stands under: every nth batch is (i + 1) % n == 0.",
        )
    early = [epoch for epoch in watched_trainings.early_epochs(run) if epoch.evaluations]
    watched_trainings.expect_second_batch(early)
    # losses that are added up over an epoch are all learned from
    if watched_trainings.once_an_epoch(early) and any(loss.learned < 0.8 * loss.calls for loss in triplet_losses(run)):
        raise Fail(
            "each epoch learns from its last batch alone: backward() is called once an epoch",
            "backward() and step() belong in the loop over the batches. Look at their indentation.",
        )


@after(models_built)
def both_models(evidence: Evidence) -> None:
    """The ViT and the embedding head are trained together: the optimizer holds both, and both change."""
    run = trained(evidence)
    for role, name in MODELS.items():
        models = [model for model in run.models if model.role == role]
        if not models:
            raise Fail(f"{name} was never built", "Build a ViT and a LinearEmbeddingHead inside the function.")
        if not any(model.moved for model in models):
            raise _unmoved(run, name, max(models, key=lambda model: (model.calls, model.held)))
        if run.builds_anew(role):
            raise Fail(
                f"{name} is built anew in each epoch: what was learned in the epochs before is lost",
                "Build both models, the optimizer and the scheduler once, before the loop over the epochs.",
            )
    if run.total("empty") >= run.steps:
        raise _nothing_arrives(run)  # weight decay moves weights all the same
    _expect_classes_mixed(run)


def _expect_classes_mixed(run: TrainingRun) -> None:
    """Most batches hold images of several classes, as they do where the loader shuffles."""
    triplet = triplet_losses(run)
    of_one_class, calls = (sum(getattr(loss, name) for loss in triplet) for name in ("one_class", "calls"))
    max_share = 0.75  # batches of two images at random are of one class one time in ten
    if run.items.batch >= 3 and of_one_class > max_share * calls and not mislabelled(run)[0]:
        raise Fail(
            f"{of_one_class} of {calls} batches hold images of one class only: there are no negatives in them, no "
            "triplets, and nothing is learned from them",
            SHUFFLE_HINT,
        )


def _nothing_arrives(run: TrainingRun) -> Exception:
    """Why all gradients are None or zero at every step of the optimizer."""
    triplet = triplet_losses(run)
    if (triplet and not any(loss.learned for loss in triplet)) or (not run.losses and run.without_gradient):
        return Skip()  # the check of the loss tells
    if mislabelled(run)[0] or weightless(run):
        return Skip()  # the checks of the labels and of the loss tell
    said = "at every step of the optimizer all gradients were None or zero"
    if triplet and all(loss.one_class == loss.calls for loss in triplet):
        if run.items.batch < 3:
            return Fail(
                f"batches of {run.items.batch} hold no triplets, and nothing is learned",
                "A triplet is two images of a class and one of another: make batch_size larger.",
            )
        return Fail(
            "each batch holds images of one class only: there are no negatives, no triplets, and nothing is learned",
            SHUFFLE_HINT,
        )
    if triplet and all(loss.flat >= loss.learned for loss in triplet):
        if begins_alike(run):
            return Fail(
                f"{said}: with the weights that it begins with, the ViT gives the same feature for each image, so that all "
                "embeddings of a batch are the same",
                "Begin with weights that are not all zero, in scales and gates too; or take a miner that finds triplets "
                "even so, as with type_of_triplets='all'.",
            )
        return Fail(
            f"{said}: the triplet loss of each batch is 0, or does not change with the embeddings",
            "Look at the miner's type_of_triplets: easy ones teach nothing. Or the margin is too small, or backward() is "
            "called on something else than the loss, such as a rounded one.",
        )
    if not run.total("arrived"):
        return Fail(said, "Look for detach() and torch.no_grad() between the models and the loss.")
    return Fail(
        said,
        f"{watched_trainings.ORDER_HINT} And gradients that are clipped to 0 or multiplied by 0 teach nothing.",
    )


def _unmoved(run: TrainingRun, name: str, model: WatchedModel) -> Exception:
    """Say why a model stayed as it was."""
    unchanged = f"the weights of {name} do not change"
    if model.frozen == model.parameters > 0:
        return Fail(
            f"{unchanged}: its parameters do not require gradients",
            "Both models are to be trained: leave requires_grad of their parameters True.",
        )
    if not model.held and any(other.held for other in run.models if other.role == model.role):
        return Fail(
            f"{unchanged}: the optimizer does not hold its parameters, but those of another one, built before",
            "Build both models once, before the optimizer that they are given to and before the loop over the epochs. What "
            "copy.deepcopy makes is another model.",
        )
    if not model.held:
        return Fail(
            f"{unchanged}: no optimizer that takes a step holds its parameters",
            "Give one optimizer the parameters of both models, or each of them an optimizer of its own, and call step() of "
            "each.",
        )
    if run.total("empty") >= run.steps:
        return _nothing_arrives(run)
    if not model.calls:
        return Fail(
            f"{unchanged}: it is never called, or only without gradient",
            "Call it in the training as it is, without torch.no_grad() and not by get_embeddings().",
        )
    if not run.used.rate.any():
        return Fail(f"{unchanged}: the learning rate is 0", "Look at lr and at the scheduler's first values.")
    if any((curve == 0).all(axis=0).any() for curve in run.rates.curves):
        return Fail(
            f"{unchanged}: the learning rate of its parameters is 0",
            "The optimizer has several groups of parameters: look at the lr of each.",
        )
    if model.held < model.parameters:
        return Fail(
            f"{unchanged}: the optimizer holds {model.held} of its {model.parameters} parameters, the others are never trained",
            "Give the optimizer all parameters of both models.",
        )
    return Fail(
        f"{unchanged}: no gradient reaches it, or it is given its old weights back",
        "Look for detach() between the model and the loss, and for load_state_dict() in the loop.",
    )


def gradients_zeroed(evidence: Evidence) -> None:
    """Gradients are zeroed between the steps of the optimizer."""
    watched_trainings.expect_zeroed(trained(evidence))


TOPIC = Topic(
    probes=(
        Probe(
            "training", "embedding.train", _ask, lambda evidence: evidence.has("train_embedding_model"), seconds=60.0,
            serves=("contrastive.training", "contrastive.scheduler", "contrastive.protected"),
            needs=tuple(dict.fromkeys(criterion for criteria in CLASSES.values() for criterion in criteria)),
        ),
    ),
    criteria=(
        Criterion(
            "contrastive.training",
            checks(runs_through, steps, triplet_loss, miner_used, labels_of_the_images, models_built, both_models, gradients_zeroed, evaluated),
            ("train_embedding_model",),
            needs=("vit.model", "vit.heads", "augmentation.tensors"),
        ),
    ),
    warnings=(unused_miner,),
)  # fmt: skip
