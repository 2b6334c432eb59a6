"""What ``train_embedding_model`` learns from: the triplet loss, and the triplets that a miner chooses."""

import numpy as np

from grader.assignments.vit.metric_learning.watched_runs import TrainingRun, counted, trained
from grader.evidence import Evidence
from grader.judging import Fail, Skip, after, warn
from grader.records import GradeWarning
from grader.torchkit import watched_trainings
from grader.torchkit.loss_answers import WatchedLoss


def triplet_losses(run: TrainingRun) -> list[WatchedLoss]:
    """The triplet margin losses of a run."""
    return [loss for loss in run.losses if loss.triplet]


def triplet_loss(evidence: Evidence) -> None:
    """The loss is pytorch-metric-learning's triplet margin loss, on embeddings."""
    run = trained(evidence)
    if not run.losses and run.without_gradient:
        raise Fail(
            f"the loss ({run.without_gradient[0]}) is computed under torch.no_grad(), so that it has no gradient and "
            "nothing is learned from it",
            "Compute the embeddings and the loss outside of torch.no_grad(): it is for evaluating alone.",
        )
    imitation = next((loss for loss in run.losses if loss.imitates), None)
    if not triplet_losses(run) and imitation is not None:
        raise Fail(
            f"`{imitation.type}` is a subclass of TripletMarginLoss that computes something else",
            "Use losses.TripletMarginLoss itself, or let your forward() or compute_loss() call that of super().",
        )
    if not triplet_losses(run):
        others = ", ".join(loss.type for loss in run.losses)
        raise Fail(
            "expected the loss losses.TripletMarginLoss of pytorch-metric-learning, got "
            + (others or "a loss that is not of this library"),
            f"Make losses.TripletMarginLoss(margin=margin) before the loop, in the place of {others}." if others
            else "Make a losses.TripletMarginLoss of pytorch_metric_learning before the loop, and call backward() on its result: "
            "loss = loss_func(embeddings, labels, tuples).",
        )  # fmt: skip
    if not any(loss.learned for loss in triplet_losses(run)):
        raise Fail(
            "the triplet loss is computed, but no gradient comes back from it to the embeddings",
            "Look whether the embeddings are detached or computed under torch.no_grad(), and whether backward() is "
            "called on another loss.",
        )
    learned, turned = (sum(getattr(loss, name) for loss in triplet_losses(run)) for name in ("learned", "upwards"))
    watched_trainings.expect_descent(run, learned, turned, "it draws images of different classes together")
    if weightless(run):
        raise Fail(
            "the triplet loss teaches nothing: its gradient is multiplied by 0, or by next to nothing",
            "Look at the number that it is multiplied by where several losses are added up, or call backward() on the "
            "triplet loss itself.",
        )


def weightless(run: TrainingRun) -> bool:
    """Whether the gradient of the triplet loss is 0 by a factor that it is multiplied by, nearly always."""
    learned, nothing = (sum(getattr(loss, name) for loss in triplet_losses(run)) for name in ("learned", "weightless"))
    return bool(nothing > 0.9 * learned)


def begins_alike(run: TrainingRun) -> bool:
    """Whether a ViT made the same of each image before it was trained."""
    found = [model.untrained.first for model in run.models if model.role == "vit" and model.untrained is not None]
    return any(len(rows) > 1 and np.ptp(rows, axis=0).max() <= 1e-6 * np.abs(rows).max() for rows in found)


def miner_used(evidence: Evidence) -> None:
    """The tuples that a miner finds reach the loss."""
    triplet = triplet_losses(trained(evidence))
    if not triplet:
        raise Skip
    problem, hint = _unused(counted(evidence))
    if problem:
        raise Fail(problem, hint)
    if not any(loss.found for loss in triplet) and sum(loss.nothing for loss in triplet) >= 3:
        if begins_alike(trained(evidence)):
            raise Skip  # another check tells
        raise Fail(
            "the tuples that are given to the loss are empty in each batch: there is nothing to learn from",
            "Give the miner the labels of the batch that its embeddings belong to, and look at its type_of_triplets "
            "and its margin: they may leave no triplet.",
        )
    elsewhere = mined_elsewhere(trained(evidence))
    if elsewhere is not None:
        raise elsewhere


@after(miner_used)
def labels_of_the_images(evidence: Evidence) -> None:
    """The labels that the loss is given are those of the images."""
    wrong, told = mislabelled(trained(evidence))
    if wrong:
        raise Fail(
            f"the triplet loss is given other labels than those of the images (in {wrong} of {told} batches that could "
            "be followed): it draws images of different classes together",
            "Take images and labels from the loader together, for x, y in loader, and give y as it is to the miner and "
            "to the loss.",
        )


def mislabelled(run: TrainingRun) -> tuple[int, int]:
    """In how many batches the loss was given other labels than those of the images, and in how many that was told.

    The first is 0 where it was so in a few only.
    """
    told, wrong = (sum(getattr(loss, name) for loss in triplet_losses(run)) for name in ("in_order", "mislabelled"))
    min_told = 3  # batches: fewer say nothing
    return (wrong if told >= min_told and wrong > told / 2 else 0), told


def mined_elsewhere(run: TrainingRun) -> Fail | None:
    """Whether miners were asked about something else than the loss, most times or where it raised."""
    triplet = triplet_losses(run)
    if any(loss.exchanged > loss.calls / 2 for loss in triplet):
        return Fail(
            "the triplet loss is not given the embeddings (B, E) first and then their labels (B,)",
            "The order is loss(embeddings, labels, triplets), and miner(embeddings, labels).",
        )
    if any(loss.crossed > loss.calls / 2 for loss in triplet):
        return Fail(
            "positives and negatives of the triplets are exchanged: the loss draws images of different classes together",
            "A miner gives anchors, positives and negatives in this order: give the loss its tuple as it is.",
        )
    explanations = {  # by the names of ``TupleSources``
        "other_embeddings": (
            "the miner is given other embeddings than the loss, such as those of other images, or what stands before the "
            "head: its triplets are not those of the embeddings that are learned from",
            "Give both the same: keep what the embedding head returns in a variable, then miner(embeddings, y), then "
            "loss(embeddings, y, triplets), in each batch anew.",
        ),
        "other_labels": (
            "the miner is given other labels than the loss: its positives and negatives are not those of the batch",
            "Give both the labels that the loader gives with the images: miner(embeddings, y), in each batch anew.",
        ),
    }
    calls = {source: sum(getattr(loss.tuples, source) for loss in triplet) for source in explanations}
    elsewhere = sum(calls.values())  # of the batch before, the embeddings may be the same and the labels not
    if elsewhere > sum(loss.calls for loss in triplet) / 2 or (elsewhere and run.raised is not None):
        return Fail(*explanations[max(calls, key=lambda source: calls[source])])
    if any(loss.unfit > loss.calls / 2 for loss in triplet) and not mislabelled(run)[0]:
        return Fail(
            "the triplets that the loss is given do not fit the labels of its batch: their positives are of other classes "
            "than their anchors, or their negatives of the same",
            "Call the miner in each batch anew, and give the loss what it returns for this batch: a miner's triplets are "
            "numbers of rows, and in another batch the same rows are other images.",
        )
    return None


def _unused(run: TrainingRun) -> tuple[str, str]:
    """Why no miner's tuples reach the loss, and what to do; empty when some do."""
    tuples = [loss.tuples for loss in triplet_losses(run)]
    if any(loss.exchanged > loss.calls / 2 for loss in triplet_losses(run)):
        return "", ""  # whatever stands in the labels' place: another check tells
    graded, bare = (sum(getattr(loss, name) for loss in triplet_losses(run)) for name in ("graded", "bare"))
    if graded and graded == bare and any(t.miner for t in tuples):
        return (
            "the triplet loss that is learned from is given no tuples: those of the miner are given to another call of "
            "it, whose result is thrown away",
            "Call backward() on the loss that gets the miner's result as its third argument.",
        )
    if not tuples or any(t.miner or t.other or t.other_embeddings or t.other_labels for t in tuples):
        return "", ""
    hint = (
        "Make a miner before the loop, as miners.TripletMarginMiner(). In each batch, call it on the embeddings and the "
        "labels, and give what it returns to the loss as its third argument."
    )
    if any(t.all for t in tuples):
        return "the loss is given all triplets of the batch: no miner has chosen among them", hint
    if run.miners:
        names = ", ".join(run.miners[:3])
        return (
            f"the miner ({names}) is called, but the tuples that it finds are not given to the loss",
            "The miner's result is the third argument of the loss: it says which triplets count.",
        )
    return ("no miner is used: the loss averages over all triplets of a batch, most of which teach nothing", hint)


def unused_miner(evidence: Evidence) -> list[GradeWarning]:
    """A miner is missing, or what it finds is thrown away."""
    if not evidence["training"].ok:
        return []
    try:
        problem, _ = _unused(counted(evidence))
    except Fail:  # the check of the run says so
        return []
    return warn("miner.unused", f"{problem}; the loss is called without tuples") if problem else []
