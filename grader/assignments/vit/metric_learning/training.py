"""``train_embedding_model``, by what happened in a run of it on a small set."""

import itertools

import numpy as np

from grader.assignments.vit.metric_learning.given_text import changed
from grader.assignments.vit.metric_learning.watched_runs import Evaluation, Model, Run, counted, failure, through
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, Skip, checks, warn
from grader.records import Warning_
from grader.torchkit.modules import lines
from grader.torchkit.modules.asking import normal

MODELS = {"vit": "the ViT", "head": "the embedding head"}
CLASSES = {  # and the criteria that judge them and their parts
    "ViT": ("vit.patch_embeddings", "vit.position_embedding", "vit.attention_block", "vit.model"),
    "LinearEmbeddingHead": ("vit.heads",),
}
SIZE = 28  # pixels along one side of an image
SETS = "The reference set is the training subset; after it comes the test set."
UNHELD = -2  # the number of a model that no optimizer holds
PASSES = 3  # over the data in one epoch, as an endless stream of batches may make them; nobody makes as many
SHOWN = 5  # batches that an early epoch is given at least, where there are so many and it asks for them
SUMMED = 0.8  # share of the losses that is learned from where they are added up over an epoch: all
LENGTH = 0.1  # of the line of images: weights before a training are small, and no curvature to be seen
FEW = 3  # epochs, batches: fewer say nothing
WASTED = 0.6  # share of backward passes whose gradients may be zeroed unused; two passes for one step waste half
MINED_ELSEWHERE = {
    "other embeddings": (
        "the miner is given other embeddings than the loss: the triplets that it finds are those of other rows",
        "Give both the same: keep what the embedding head returns in a variable, then miner(embeddings, y), then "
        "loss(embeddings, y, triplets), in each batch anew.",
    ),
    "other labels": (
        "the miner is given other labels than the loss: its positives and negatives are not those of the batch",
        "Give both the labels that the loader gives with the images: miner(embeddings, y).",
    ),
}
STALE = 0.5  # share of backward passes that may meet old gradients; a missing zero_grad gives 1, right code 0


def _ask(seen: Evidence, rng: np.random.Generator) -> Question:
    line = lines.places(rng)
    images = lines.points(rng, normal(rng, 1, 28, 28), line, LENGTH)
    own = [
        name for name, criteria in CLASSES.items()
        if seen.has(name) and all(_nothing_known_against(criterion, seen) for criterion in criteria)
    ]  # fmt: skip
    args = {"seed": int(rng.integers(2**31)), "line": images, "own": own}
    return Question(args, {"line": line})


def _nothing_known_against(criterion: str, seen: Evidence) -> bool:
    """Whether a criterion is passed, or nothing was asked that could tell."""
    if criterion not in seen.assignment.criteria:
        return True
    verdict = seen.verdict(criterion)
    unasked = verdict.status == "failed" and all(result.status == "skipped" for result in verdict.results)
    return verdict.status == "passed" or unasked


def runs_through(seen: Evidence) -> None:
    """`train_embedding_model(train_dataset, test_dataset)` runs through."""
    problem = failure(seen)
    if problem is not None:
        # Batches of the probe differ in size, so that tuples of another batch may raise before anything else tells.
        raise _mined_elsewhere(counted(seen)) or problem


def steps(seen: Evidence) -> None:
    """Each batch is learned from: backward, then a step of the optimizer."""
    run = through(seen)
    if not run.epochs and not run.steps:
        raise Fail(
            "nothing was learned: neither backward() nor a step of an optimizer was seen",
            "Go through the batches of a DataLoader over the training subset, num_epochs times.",
        )
    if not run.total("backwards"):
        raise Fail("the loss's backward() was never called", "Without gradients an optimizer's step changes nothing.")
    if not run.steps:
        raise Fail("the optimizer never took a step", "Call optimizer.step() after loss.backward().")
    if run.ended == "returned" and len(run.epochs) == 1 and run.length >= FEW:
        raise Fail(
            f"the training ends after one epoch of {run.length} (num_epochs)",
            "Does a return or a break stand inside the loop over the epochs? Look at its indentation.",
        )
    _all_batches(run)


def _all_batches(run: Run) -> None:
    """What is left out of an epoch, or computed and thrown away."""
    wasted, backwards = run.total("wasted"), run.total("backwards")
    if wasted > WASTED * backwards:
        raise Fail(
            f"the gradients of {wasted} of {backwards} batches are zeroed before the optimizer takes a step with them",
            "optimizer.step() belongs into the loop over the batches, after backward(). Look at its indentation.",
        )
    early = [epoch for epoch in run.epochs[:FEW] if epoch["evaluations"] and epoch["length"] >= SHOWN]
    if len(early) < 2:
        return
    if all(epoch["batches"] <= 2 and epoch["backwards"] == 1 for epoch in early):
        raise Fail(
            f"each epoch learns from one batch of {early[0]['length']}",
            "Does a break stand inside the loop over the batches? Look at its indentation.",
        )
    once = all(epoch["batches"] >= SHOWN and epoch["backwards"] == 1 for epoch in early)
    if once and any(loss.triplet and loss.learned < SUMMED * loss.calls for loss in run.losses):
        raise Fail(
            "each epoch learns from its last batch alone: backward() is called once an epoch",
            "backward() and step() belong into the loop over the batches. Look at their indentation.",
        )


def triplet_loss(seen: Evidence) -> None:
    """The loss is pytorch-metric-learning's triplet margin loss, on embeddings."""
    run = _trained(seen)
    triplet = [loss for loss in run.losses if loss.triplet]
    if not run.losses and run.without_gradient:
        raise Fail(
            f"the loss ({run.without_gradient[0]}) is computed under torch.no_grad(), so that it has no gradient and "
            "nothing is learned from it",
            "Compute the embeddings and the loss outside of torch.no_grad(): it is for evaluating alone.",
        )
    if not triplet:
        others = ", ".join(loss.type for loss in run.losses)
        raise Fail(
            f"expected losses.TripletMarginLoss, got {others}" if others else
            "no loss of pytorch-metric-learning was computed: expected losses.TripletMarginLoss on the embeddings",
            "from pytorch_metric_learning import losses",
        )  # fmt: skip
    if not any(loss.learned for loss in triplet):
        raise Fail(
            "the triplet loss was computed, but its gradient never came back to the embeddings",
            "Are the embeddings detached, computed under no_grad, or is backward() called on something else?",
        )


def miner_used(seen: Evidence) -> None:
    """The tuples that a miner finds reach the loss."""
    triplet = [loss for loss in _trained(seen).losses if loss.triplet]
    if not triplet:
        raise Skip
    problem = _unused(seen)
    if not problem and not any(loss.found for loss in triplet) and sum(loss.nothing for loss in triplet) >= FEW:
        raise Fail(
            "the tuples that are given to the loss are empty in each batch: there is nothing to learn from",
            "The miner needs the labels of the batch that its embeddings belong to.",
        )
    if problem:
        raise Fail(problem, "The miner's result is the third argument of the loss: it says which triplets count.")
    elsewhere = _mined_elsewhere(_trained(seen))
    if elsewhere is not None:
        raise elsewhere


def _mined_elsewhere(run: Run) -> Fail | None:
    """Whether miners were asked about something else than the loss, most times or where it raised."""
    triplet = [loss for loss in run.losses if loss.triplet]
    for other, words in MINED_ELSEWHERE.items():
        calls = sum(loss.tuples.get(other, 0) for loss in triplet)
        if calls > sum(loss.calls for loss in triplet) / 2 or (calls and run.raised is not None):
            return Fail(*words)
    return None


def _unused(seen: Evidence) -> str:
    """Why no miner's tuples reach the loss; empty when some do."""
    run = counted(seen)
    triplet = [loss for loss in run.losses if loss.triplet]
    mined = ("miner", "other", *MINED_ELSEWHERE)
    if not triplet or any(loss.tuples.get(source) for loss in triplet for source in mined):
        return ""
    if any(loss.tuples.get("all") for loss in triplet):
        return "the loss is given all triplets of the batch: no miner has chosen among them"
    if run.miners:
        names = ", ".join(run.miners[:3])
        return f"the miner ({names}) is called, but the tuples that it finds are not given to the loss"
    return "no miner is used: the loss averages over all triplets of a batch, most of which teach nothing"


def models_built(seen: Evidence) -> None:
    """The ViT and the embedding head are built with arguments that fit."""
    models = [model for model in through(seen).models if model.calls or model.held]
    for vit in (model for model in models if model.role == "vit"):
        problem = f"its class does not take them: {vit.misfit}" if vit.misfit else _misfit(vit.arguments)
        if problem and not _takes_another_order(seen):
            raise Fail(f"the ViT is built with arguments that do not fit: {problem}", VIT_ARGUMENTS)
    for head in (model for model in models if model.role == "head" and model.misfit):
        raise Fail(f"the embedding head is built with arguments that do not fit: {head.misfit}", HEAD_ARGUMENTS)


def _takes_another_order(seen: Evidence) -> bool:
    """Whether the ViT's own arguments are wrong, which costs ``vit.model``: a call may follow either order then."""
    results = seen.verdict("vit.model").results if seen.has("ViT") else ()
    return any(result.name in ("shape", "arguments") and result.status == "failed" for result in results)


VIT_ARGUMENTS = "The order is ViT(image_size, patch_size, num_channels, hidden_size, layers, heads)."
HEAD_ARGUMENTS = "The order is LinearEmbeddingHead(hidden_size, embed_size)."


def _misfit(given: dict[str, int]) -> str:
    """What does not fit the images, in words; empty where all does."""
    if given.get("image_size", SIZE) != SIZE:
        swapped = given.get("patch_size") == SIZE
        return "image_size and patch_size are swapped" if swapped else f"image_size is not {SIZE}, as the images are"
    if given.get("num_channels", 1) != 1:
        return "num_channels is not 1: the images are gray"
    patch = given.get("patch_size", 1)
    return "" if patch > 0 and SIZE % patch == 0 else f"patch_size does not divide {SIZE}"


def both_models(seen: Evidence) -> None:
    """The ViT and the embedding head are trained together: the optimizer holds both, and both change."""
    run = _trained(seen)
    for role, name in MODELS.items():
        models = [model for model in run.models if model.role == role]
        if not models:
            raise Fail(f"{name} was never built", "Build a ViT and a LinearEmbeddingHead inside the function.")
        if not any(model.moved for model in models):
            raise _unmoved(run, name, max(models, key=lambda model: (model.calls, model.held)))
    if run.total("empty") >= run.steps:
        raise _nothing_arrives(run)  # weight decay moves weights all the same


def _nothing_arrives(run: Run) -> Exception:
    """Why all gradients are None or zero at every step of the optimizer."""
    triplet = [loss for loss in run.losses if loss.triplet]
    if (triplet and not any(loss.learned for loss in triplet)) or (not run.losses and run.without_gradient):
        return Skip()  # the check of the loss tells
    said = "at every step of the optimizer all gradients were None or zero"
    if triplet and all(loss.flat >= loss.learned for loss in triplet):
        return Fail(
            f"{said}: the triplet loss of each batch is 0, or does not change with the embeddings",
            "Does the miner choose easy triplets, which teach nothing, or is the margin too small?",
        )
    if not run.total("arrived"):
        return Fail(said, "Is something detached, or computed under torch.no_grad(), between the models and the loss?")
    return Fail(said, "zero_grad() belongs before backward(), not between backward() and step().")


def _unmoved(run: Run, name: str, model: Model) -> Exception:
    """Say why a model stayed as it was."""
    unchanged = f"the weights of {name} do not change"
    if model.frozen == model.parameters > 0:
        return Fail(f"{unchanged}: its parameters do not require gradients", "Both models are to be trained.")
    if not model.held and any(other.held for other in run.models if other.role == model.role):
        return Fail(
            f"{unchanged}: the optimizer does not hold its parameters, but those of another one, built before",
            "Build both models once, before the optimizer that they are given to and before the loop over the epochs.",
        )
    if not model.held:
        return Fail(
            f"{unchanged}: the optimizer does not hold its parameters",
            "Give the optimizer the parameters of both models, or a second optimizer to the other.",
        )
    if run.total("empty") >= run.steps:
        return _nothing_arrives(run)
    if not model.calls:
        return Fail(
            f"{unchanged}: it is only used without gradient", "No torch.no_grad() or get_embeddings() in training."
        )
    if not run.used[:, 2].any():
        return Fail(f"{unchanged}: the learning rate is 0", "Look at lr and at the scheduler's first values.")
    return Fail(f"{unchanged}: no gradient reaches it", "Is something detached between the model and the loss?")


def gradients_zeroed(seen: Evidence) -> None:
    """Gradients are zeroed between the steps of the optimizer."""
    run = _trained(seen)
    later = sum(max(0, min(epoch["backwards"], epoch["batches"] or epoch["backwards"]) - 1) for epoch in run.epochs)
    if run.total("stale") > STALE * max(1, later):
        raise Fail(
            f"{run.total('stale')} of {run.total('backwards')} backward passes add to the gradients of the step before",
            "Call optimizer.zero_grad() once for each step, before backward().",
        )


def evaluated(seen: Evidence) -> None:
    """`evaluate_at_end_epoch` is called every epoch, with the models that are trained and the test set."""
    run = _trained(seen)
    epochs = len(run.epochs) - _cut_short(run)
    calls = sum(evaluation.calls for evaluation in run.evaluations)
    if calls < epochs:
        raise Fail(
            "`evaluate_at_end_epoch` is never called" if not calls else
            f"`evaluate_at_end_epoch` is called {calls} times in {epochs} epochs",
            "Call it at the end of every epoch: it keeps the best model and prints Precision@1.",
        )  # fmt: skip
    for evaluation in run.evaluations:
        _right_arguments(run, evaluation)
    if "evaluate_at_end_epoch" not in changed(seen):
        _as_the_given_one_takes_them(run)


def _as_the_given_one_takes_them(run: Run) -> None:
    """The calculator computes Precision@1, and the best one so far comes back as best_prec."""
    for found in filter(None, run.calculators):
        raise Fail(
            f"`evaluate_at_end_epoch` is given as accuracy_calculator what computes no Precision@1: {found}",
            'AccuracyCalculator(include=("precision_at_1",), k=1) computes it; it comes before best_prec.',
        )
    for best, _ in run.best:
        if best is None:
            raise Fail("`evaluate_at_end_epoch` is given no number as best_prec", "0 is the best before the first.")
    carried = [
        now >= reached
        for (_, reached), (now, _) in itertools.pairwise(run.best)
        if now is not None and reached is not None
    ]
    if len(carried) >= FEW and not any(carried):
        raise Fail(
            f"`evaluate_at_end_epoch` is given best_prec={run.best[1][0]:g} again and again, though it has returned "
            f"{run.best[0][1]:g}: vit_embeds.pt then holds the last epoch's model, not the best",
            "What it returns is the best_prec of the next call.",
        )


def _cut_short(run: Run) -> bool:
    """Whether the last epoch was not seen to its end, so that it needs no evaluation."""
    last = run.epochs[-1]
    return run.ended == "enough" and last["batches"] < PASSES * max(1, last["length"])


def _right_arguments(run: Run, evaluation: Evaluation) -> None:
    if (evaluation.vit, evaluation.head) == ("head", "vit"):
        raise Fail("`evaluate_at_end_epoch` is given the head first, then the ViT", "The ViT comes first.")
    for role, given, number in (
        ("vit", evaluation.vit, evaluation.vit_number),
        ("head", evaluation.head, evaluation.head_number),
    ):
        if given != role:
            raise Fail(f"`evaluate_at_end_epoch` is given a {given} instead of {MODELS[role]}")
        trained = [model for model in run.models if model.role == role and model.held and model.moved]
        if number == UNHELD and trained:
            raise Fail(f"`evaluate_at_end_epoch` is given {MODELS[role]} that is not the one trained")
    if evaluation.test == "train":
        what = "the two sets are swapped" if evaluation.train == "test" else "its test set is the training set"
        raise Fail(f"`evaluate_at_end_epoch`: {what}", SETS)
    if evaluation.train == "test" and not run.total("test_batches"):  # else training_items tells the cause
        raise Fail("`evaluate_at_end_epoch`: its reference set is the test set", SETS)


def _trained(seen: Evidence) -> Run:
    """The run, where it took steps; else the check is skipped."""
    run = through(seen)
    if not run.steps or not run.total("backwards"):
        raise Skip
    return run


def unused_miner(seen: Evidence) -> list[Warning_]:
    """A miner is missing, or what it finds is thrown away."""
    if not seen["training"].ok:
        return []
    try:
        problem = _unused(seen)
    except Fail:  # the answer was not in the agreed form: its own check says so
        return []
    return warn("miner.unused", f"{problem}; the loss is called without tuples") if problem else []


PROBES = (
    Probe(
        "training", "embedding.train", _ask, lambda seen: seen.has("train_embedding_model"), seconds=60.0,
        serves=("contrastive.training", "contrastive.scheduler", "contrastive.protected"),
        needs=tuple(dict.fromkeys(criterion for criteria in CLASSES.values() for criterion in criteria)),
    ),
)  # fmt: skip
CRITERIA = (
    Criterion(
        "contrastive.training",
        checks(runs_through, steps, triplet_loss, miner_used, models_built, both_models, gradients_zeroed, evaluated),
        ("train_embedding_model",),
        needs=("vit.model",),
    ),
)
WARNINGS = (unused_miner,)
