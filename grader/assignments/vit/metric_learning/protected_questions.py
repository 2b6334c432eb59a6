"""What is asked of the sampler and of the evaluation where a student wrote them otherwise, and the right answers.

Shapes: n items of a data set, D hidden size, E embedding size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.assignments.vit.metric_learning import embeddings, expected
from grader.evidence import Evidence, Question

Array = np.ndarray


def ask_sampler(evidence: Evidence, rng: np.random.Generator) -> Question:
    """Calls with all ten classes: with fewer, an edition may raise. By the words of its arguments, each has right rows."""
    sizes = (8, 7, 53, 507)  # of each class: more than are asked for, as in the real data
    labels = [rng.permutation(np.repeat(np.arange(10), size)) for size in sizes]
    arguments: list[dict[str, int]] = [
        {"n_samples_per_class": 3, "n_classes": 10},
        {"n_samples_per_class": 4, "n_classes": 10},
        {},
        {"n_samples_per_class": 500},  # as the assignment calls it
    ]
    names = [", ".join(f"{name}={value}" for name, value in given.items()) for given in arguments]
    pairs = list(zip(labels, arguments, strict=True))
    asked = [{"labels": of, "arguments": given} for of, given in pairs]
    known = [_first_of_each(of, **given) for of, given in pairs]
    return Question({"calls": dict(zip(names, asked, strict=True))}, dict(zip(names, known, strict=True)))


def _first_of_each(labels: Array, n_samples_per_class: int = 50, n_classes: int = 10) -> tuple[int, ...]:
    kept = (np.flatnonzero(labels == label)[:n_samples_per_class] for label in range(n_classes))
    return tuple(int(row) for rows in kept for row in rows)


@dataclass(frozen=True)
class RightEvaluation:
    """What the evaluation should find.

    Attributes:
        precisions: the right Precision@1, by embeddings as they are and by those of length 1.
        mistakes: the Precision@1 that each mistake gives, by its name, for both kinds of embeddings.
        rows: (n, E) the embeddings of the third set.
        labels: (n,) its labels.
    """

    precisions: list[float]
    mistakes: dict[str, list[float]]
    rows: Array
    labels: Array


def ask_evaluation(evidence: Evidence, rng: np.random.Generator) -> Question:
    """Images and labels whose right Precision@1 differs from what swapped or repeated sets would give."""
    given = expected.models(rng, *expected.sizes(evidence))
    references, queries = 60, 40
    many = 2_520  # more than a few of the given batches of 500, after which a trial may end, and no multiple of one
    images = [expected.blurred(rng, size) for size in (references, queries, many)]
    reference, query, rows = (expected.embeddings(expected.tensors(each), **given) for each in images)
    nearest = [_nearest(*pair) for pair in zip(expected.forms(reference), expected.forms(query), strict=True)]
    min_difference = 0.04  # between the right Precision@1 and the ones that mistakes give
    while True:
        labels = [rng.integers(0, 3, len(each)) for each in images]
        precisions, mistakes = _precisions(nearest, *labels[:2])
        wrong = [each for found in mistakes.values() for each in found]
        three_decimals = all(round(queries * p) % 2 for p in precisions)  # so that a rounded one is another
        if three_decimals and all(min(abs(p - other) for other in wrong) > min_difference for p in precisions):
            break
    sets = [{"images": of, "labels": own} for of, own in zip(images, labels, strict=True)]
    args: dict[str, Any] = {**given, **dict(zip(("reference", "query", "many"), sets, strict=True))}
    known = RightEvaluation(precisions, mistakes, rows, labels[2])
    # The best Precision@1 before each call: so many times what the call before returned, and a number added.
    slightly = -0.001  # ten images of 10,000: an improvement that a training is glad of
    best = {"better": (0, 0.0), "equal": (1, 0.0), "slightly better": (1, slightly), "worse": (0, 0.99)}
    return Question({**args, "best": best, "own_embeddings": embeddings.exact(evidence)}, known)


def _nearest(reference: Array, query: Array) -> dict[str, Array]:
    """The nearest of the reference set to each query, and what is found where the sets are mistaken."""
    return {
        "right": expected.nearest(query, reference),
        "swapped": expected.nearest(reference, query),
        "query": expected.nearest(query, query, itself=False),
        "reference": expected.nearest(reference, reference, itself=False),
    }


def _precisions(
    nearest: list[dict[str, Array]], reference: Array, query: Array
) -> tuple[list[float], dict[str, list[float]]]:
    """The right Precision@1, and the wrong ones.

    Args:
        reference, query: labels.
    """

    def precision(found: str, bank: Array, asked: Array) -> list[float]:
        return [float((bank[each[found]] == asked).mean()) for each in nearest]

    mistakes = {
        "itself": [1.0],
        "none": [0.0],
        "swapped": precision("swapped", query, reference),
        "query": precision("query", query, query),
        "reference": precision("reference", reference, reference),
    }
    return precision("right", reference, query), mistakes
