"""The types of what is told of the losses of pytorch-metric-learning in a training that was watched."""

from grader.observations import Count, Name, Record


class TupleSources(Record, frozen=True):
    """Calls of a loss, by where the tuples come from that it was given.

    Attributes:
        none: it was given none.
        miner: a miner found them in the same embeddings and labels.
        all: they are all triplets of the batch.
        other: from somewhere else.
        other_embeddings, other_labels: a miner found them, but was given others than the loss.
    """

    none: Count = 0
    miner: Count = 0
    all: Count = 0
    other: Count = 0
    other_embeddings: Count = 0
    other_labels: Count = 0


class WatchedLoss(Record, frozen=True):
    """Calls of one kind of loss of pytorch-metric-learning that had a gradient.

    Attributes:
        triplet: it is a TripletMarginLoss, or a subclass of it that computes that.
        imitates: it is a subclass that computes something else.
        learned: calls whose embeddings received a gradient.
        flat: of these, how many received zero.
        found: calls whose tuples hold some, on a batch in which there are triplets.
        nothing: calls whose tuples are empty on such a batch.
        one_class: calls on a batch of one class, in which there are no negatives.
        exchanged: calls whose labels are not one for each embedding.
        in_order: calls whose embeddings are known to be those of the batch, in its order.
        mislabelled: of these, how many had other labels than the batch.
        upwards: calls whose loss got a negative gradient, as -loss gives it.
        crossed: calls whose triplets hold positives of other classes and negatives of the anchor's.
        unfit: other calls whose triplets do not fit the labels, a third of them or more.
        weightless: calls whose loss got a gradient of zero, as 0 * loss gives it, or of nearly so.
        graded: calls whose loss got a gradient.
        bare: of these, how many were given no tuples.
        tuples: calls by the source of their tuples.
    """

    type: Name
    triplet: bool
    calls: Count
    learned: Count
    flat: Count
    found: Count
    nothing: Count
    one_class: Count
    exchanged: Count
    tuples: TupleSources
    in_order: Count = 0
    mislabelled: Count = 0
    upwards: Count = 0
    crossed: Count = 0
    unfit: Count = 0
    weightless: Count = 0
    graded: Count = 0
    bare: Count = 0
    imitates: bool = False
