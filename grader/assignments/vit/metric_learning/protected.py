"""The sampler and the evaluation, which a student leaves as they are given.

A block that was left alone (see ``grader.assignments.vit.untouched``) has passed and is not asked for. Any other is judged by
what it does, and by nothing in which the course's editions differ.

Shapes: n items of a data set, D hidden size, E embedding size.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from grader import patterns
from grader.assignments.vit import blocks, untouched
from grader.assignments.vit.metric_learning import embeddings, expected, given_text
from grader.assignments.vit.metric_learning.given_text import PROTECTED_HINT as TEMPLATE
from grader.assignments.vit.metric_learning.given_text import left_alone, unchanged
from grader.assignments.vit.metric_learning.training_items import training_items
from grader.evidence import Answer, Evidence, Probe, Question
from grader.judging import (
    Blocked,
    Criterion,
    Fail,
    Malformed,
    checks,
    dig,
    raised_hint,
    raised_words,
    word,
    words,
)
from grader.sandbox.outside.replies import raised_from

D, E = 24, 8
REFERENCE, QUERY = 60, 40
PER_CLASS = 500  # what the assignment calls the sampler with
MANY = 520  # more than the given batch of 500, and no multiple of it
LOW, HIGH = 0, 1  # calls of evaluate_at_end_epoch
APART = 0.04  # how far the right Precision@1 lies from the ones that mistakes give
EXACT = 1e-4  # of a Precision@1: a nearest neighbour is a whole number of queries, here 1/40 each
PRINTED = 0.0051  # a value printed with two decimals
BEST = patterns.compile(r"Best Precision@1:?\s*([0-9]*\.?[0-9]+(?:e-?\d+)?)\s*(%?)")
PROVIDED = "This block is given: compare it with the template."
SAMPLER, OVER, PRECISION, END = NAMES = blocks.JUDGED
Check = Callable[[Evidence], None]


def unless_left_alone(name: str) -> Callable[[Check], Check]:
    """Let a block pass that was left alone; another that fails although it reads as given says what else changed it."""

    def decorate(check: Check) -> Check:
        @functools.wraps(check)
        def judged(seen: Evidence) -> None:
            alone = left_alone(seen, name)
            if name != SAMPLER:
                _needs_get_embeddings(seen, alone)
            if not alone:
                with given_text.cause_elsewhere(seen, name):
                    check(seen)

        return judged

    return decorate


def _needs_get_embeddings(seen: Evidence, alone: bool) -> None:
    """Wait for `get_embeddings`; where nothing is asked, its own text must be more than the template's."""
    missing = not seen.has("get_embeddings") or seen.verdict("contrastive.embeddings").status == "missing"
    if missing or (alone and untouched.still_to_do(seen.submission.program, "get_embeddings")):
        raise Blocked("contrastive.embeddings", "the evaluation calls `get_embeddings`, which is still to be written")


def _ask_sampler(seen: Evidence, rng: np.random.Generator) -> Question:
    """Calls with all ten classes: with fewer, an edition may raise."""
    few = np.repeat(np.arange(10), [2, *[7] * 9])  # class 0 has fewer items than are asked for
    eight, many, real = (np.repeat(np.arange(10), size) for size in (8, 53, PER_CLASS + 7))
    labels = [rng.permutation(of) for of in (eight, few, many, real)]
    calls: list[dict[str, int]] = [
        {"n_samples_per_class": 3, "n_classes": 10},
        {"n_samples_per_class": 4, "n_classes": 10},
        {},
        {"n_samples_per_class": PER_CLASS},
    ]
    known = [_sampled(of, **call) for of, call in zip(labels, calls, strict=True)]
    asked = [{"labels": of, "arguments": call} for of, call in zip(labels, calls, strict=True)]
    return Question({"calls": asked}, known=known)


def _sampled(labels: np.ndarray, n_samples_per_class: int = 50, n_classes: int = 10) -> list[int]:
    return [int(row) for label in range(n_classes) for row in np.flatnonzero(labels == label)[:n_samples_per_class]]


def _ask_evaluation(seen: Evidence, rng: np.random.Generator) -> Question:
    """Images and labels whose right Precision@1 differs from what swapped or repeated sets would give."""
    given = expected.models(rng, D, E)
    images = [expected.blurred(rng, size) for size in (REFERENCE, QUERY, MANY)]
    reference, query, rows = (expected.embeddings(expected.tensors(each), **given) for each in images)
    nearest = [_nearest(*pair) for pair in zip(expected.forms(reference), expected.forms(query), strict=True)]
    while True:
        labels = [rng.integers(0, 3, len(each)) for each in images]
        right, wrong = _precisions(nearest, *labels[:2])
        if all(min(abs(p - other) for other in wrong.values()) > APART for p in right):
            break
    sets = [{"images": of, "labels": own} for of, own in zip(images, labels, strict=True)]
    args = {**given, **dict(zip(("reference", "query", "many"), sets, strict=True)), "best": [0.0, 0.99]}
    known = {"right": right, "wrong": wrong, "state": given, "many": {"rows": rows, "labels": labels[2]}}
    return Question({**args, "own_embeddings": embeddings.exact(seen)}, known=known)


def _nearest(reference: np.ndarray, query: np.ndarray) -> dict[str, np.ndarray]:
    """The nearest of the reference set to each query, and what is found where the sets are mistaken."""
    return {
        "right": expected.nearest(query, reference),
        "swapped": expected.nearest(reference, query),
        "query": expected.nearest(query, query, itself=False),
        "reference": expected.nearest(reference, reference, itself=False),
    }


def _precisions(
    nearest: list[dict[str, np.ndarray]], reference: np.ndarray, query: np.ndarray
) -> tuple[list[float], dict[str, float]]:
    """The right Precision@1, by embeddings as they are and of length 1; and the wrong ones."""
    right: list[float] = []
    wrong: dict[str, float] = {"itself": 1.0, "none": 0.0}
    for number, found in enumerate(nearest, 1):
        right.append(float((reference[found["right"]] == query).mean()))
        wrong[f"swapped{number}"] = float((query[found["swapped"]] == reference).mean())
        wrong[f"query{number}"] = float((query[found["query"]] == query).mean())
        wrong[f"reference{number}"] = float((reference[found["reference"]] == reference).mean())
    return right, wrong


@unless_left_alone(SAMPLER)
def sampler(seen: Evidence) -> None:
    """`sample_balanced_subset` keeps the first items of each class, class by class, as a `Subset`."""
    answer = seen["protected.sampler"]
    for which, rows in enumerate(answer.known):
        facts = _result(dig(answer.value, which), "rows")
        got = dig(facts, "rows")
        if not isinstance(got, list) or not all(type(row) is int for row in got):
            raise Malformed
        if got == rows:
            continue
        if dig(facts, "subset") is not True and not got:
            raise Fail(f"expected a torch.utils.data.Subset, got {dig(facts, 'type')}", TEMPLATE)
        arguments = answer.question.args["calls"][which]["arguments"]
        called = ", ".join(f"{name}={value}" for name, value in arguments.items()) or "no further arguments"
        raise Fail(
            f"sample_balanced_subset with {called} {_difference(got, rows)}",
            TEMPLATE,
        )


def _difference(got: list[int], rows: list[int]) -> str:
    if len(got) != len(rows):
        return f"keeps {len(got)} items, expected {len(rows)}"
    if sorted(got) == sorted(rows):
        return "keeps the right items in another order, expected class by class"
    return f"keeps other items ({len(set(got) - set(rows))} of {len(rows)}), expected the first ones of each class"


def _result(facts: Any, key: str) -> Any:
    """The facts of a guarded call; its exception becomes a failure."""
    if isinstance(facts, dict) and "raised" in facts:
        raised = raised_from(facts["raised"])
        if raised is None:
            raise Malformed
        raise Fail(f"it {raised_words(raised)}", raised_hint(raised) or PROVIDED)
    dig(facts, key)
    return facts


@unless_left_alone(OVER)
def embeddings_of_dataset(seen: Evidence) -> None:
    """`get_embeddings_over_dataset` gives the embeddings and the labels of all items of a data set."""
    answer = seen["protected.evaluation"]
    described = dig(_result(dig(answer.value, "over"), "result"), "result")
    arrays = [array for item in _items(described) if (array := expected.as_array(item)) is not None]
    rows = [array.astype(np.float64) for array in arrays if array.dtype.kind == "f" and array.shape[1:] > (1,)]
    labels = [array.reshape(-1) for array in arrays if array.ndim and array.size == len(array)]
    if len(rows) != 1 or len(labels) != 1:
        raise Fail("expected embeddings (n, E) and labels (n,)", PROVIDED)
    wanted, known = answer.known["many"]["rows"], answer.known["many"]["labels"]
    if rows[0].shape != wanted.shape or len(labels[0]) != MANY:
        raise Fail(
            f"expected embeddings {wanted.shape} and {MANY} labels, got {rows[0].shape} and {len(labels[0])}",
            "Does the loop return within the first batch, or drop the last one?",
        )
    if not _paired(rows[0], labels[0], wanted, known):
        raise Fail("embeddings and labels do not belong together, or are not those of the data set's images")


def _paired(rows: np.ndarray, labels: np.ndarray, wanted: np.ndarray, known: np.ndarray) -> bool:
    """Whether the rows are the right ones, as they are or of length 1, in any order, each with its label."""
    if any(_close(rows, form) for form in expected.forms(wanted)):  # in order, as nearly always: nothing to look for
        return bool((known == labels).all())
    for form in expected.forms(wanted):
        nearest = np.abs(rows[:, None] - form[None]).max(2).argmin(1)
        if _close(rows, form[nearest]) and len(set(nearest.tolist())) == len(form):
            return bool((known[nearest] == labels).all())
    return False


def _close(rows: np.ndarray, right: np.ndarray) -> bool:
    return bool(np.abs(rows - right).max() <= 0.03 * np.abs(right).max())


def _items(described: Any) -> list[Any]:
    """What a returned tuple, list or dict holds, one level of nesting deep or itself."""
    if not isinstance(described, dict):
        raise Malformed
    if word(described, "kind") not in ("sequence", "dict"):
        return [described]
    inside = described.get("items")
    found = list(inside.values()) if isinstance(inside, dict) else inside
    if not isinstance(found, list):
        raise Malformed
    return [item for item in found if isinstance(item, dict)]


def numbers(described: Any) -> list[float]:
    """All single numbers in what was returned."""
    found = []
    for item in _items(described):
        array = expected.as_array(item)
        if array is not None and array.size == 1:
            found.append(float(array.reshape(-1)[0]))
        elif isinstance(item.get("number"), int | float):
            found.append(float(item["number"]))
    return found


@unless_left_alone(PRECISION)
def precision(seen: Evidence) -> None:
    """`test_embedding_model` gives the Precision@1 of the test set against the reference set."""
    answer = seen["protected.evaluation"]
    described = dig(_result(dig(answer.value, "precision"), "result"), "result")
    found = numbers(described)
    if any(abs(number - right) < EXACT for number in found for right in answer.known["right"]):
        return
    if not found:
        raise Fail("expected Precision@1 as a number, got none", PROVIDED)
    raise Fail(f"expected Precision@1 {answer.known['right'][0]:.4f}, got {found[0]:.4f}", _cause(answer.known, found))


def _cause(known: dict[str, Any], found: list[float]) -> str:
    same = {name.rstrip("12") for name, wrong in known["wrong"].items() if min(abs(n - wrong) for n in found) < EXACT}
    if same:  # two mistakes may give the same number
        return " Or: ".join(words for name, words in WRONG.items() if name in same)
    return "The queries are the test images, the reference set is the training subset."


WRONG = {
    "swapped": "The two sets are swapped: the queries are the test images, the reference set is the training subset.",
    "itself": "A set is compared with itself: each image then finds itself.",
    "none": "No query finds its class: do labels and embeddings come from the same set?",
    "query": "The test set is compared with itself: the reference set is the training subset.",
    "reference": "The training subset is compared with itself: the queries are the test images.",
}


@unless_left_alone(END)
def end_of_epoch(seen: Evidence) -> None:
    """`evaluate_at_end_epoch` keeps the best model in `vit_embeds.pt`, prints and returns the best Precision@1."""
    answer = seen["protected.evaluation"]
    low, high = (_result(dig(answer.value, "end", which), "result") for which in (LOW, HIGH))
    right = _of_these_embeddings(answer)
    if dig(low, "file") is None:
        raise Fail("a Precision@1 better than the best before was reached, but no vit_embeds.pt was written", TEMPLATE)
    _written(dig(low, "file"), dig(answer.value, "state"), right)
    if dig(high, "file") is not None:
        raise Fail("vit_embeds.pt was written although the Precision@1 is worse than the best before", TEMPLATE)
    for facts, wanted, better in ((low, right, True), (high, [0.99], False)):
        _printed(str(dig(facts, "printed")), wanted, better)
        found = numbers(dig(facts, "result"))
        if found and not any(abs(number - best) < EXACT for number in found for best in wanted):
            raise Fail(f"expected the best Precision@1 {wanted[0]:.4f} to be returned, got {found[0]:.4f}", TEMPLATE)


def _of_these_embeddings(answer: Answer) -> list[float]:
    """The right Precision@1, as normalised embeddings give it or as others do, where `test_embedding_model` tells."""
    right, facts = answer.known["right"], dig(answer.value, "precision")
    found = [] if not isinstance(facts, dict) or "result" not in facts else numbers(facts["result"])
    return [one for one in right if any(abs(number - one) < EXACT for number in found)] or right


def _printed(text: str, wanted: list[float], better: bool) -> None:
    """Judge the line with the best value; an edition may leave it out where the value is no better."""
    found = [float(number) / (100 if percent else 1) for number, percent in BEST.findall(text[:2_000])]
    if not found and not better:
        return
    if not found:
        raise Fail("expected the line `Best Precision@1: <value>` to be printed", TEMPLATE)
    if not any(abs(value / scale - best) < PRINTED for value in found for best in wanted for scale in (1, 100)):
        raise Fail(f"expected `Best Precision@1: {wanted[0]:.4f}`, printed {found[0]:g}", TEMPLATE)


def _written(file: Any, state: Any, right: list[float]) -> None:
    """Judge what the checkpoint holds."""
    if isinstance(file, dict) and "raised" in file:
        raise Fail("vit_embeds.pt could not be read back", TEMPLATE)
    keys = words(file, "keys")
    for name in ("vit", "embedding_head", "precision@1"):
        if name not in keys:
            raise Fail(f"vit_embeds.pt lacks the entry {name!r}, it holds {', '.join(keys)[:200]}", TEMPLATE)
    for name in ("vit", "embedding_head"):
        if name not in file or not _same_state(dig(file, name), dig(state, name)):
            raise Fail(f"the entry {name!r} of vit_embeds.pt is not the state dict of that model", TEMPLATE)
    recorded = numbers(dig(file, "precision"))
    if not any(abs(number - best) < EXACT for number in recorded for best in right):
        shown = f"{recorded[0]:.4f}" if recorded else "no number"
        raise Fail(f"expected 'precision@1' {right[0]:.4f} in vit_embeds.pt, got {shown}", TEMPLATE)


def _same_state(got: Any, wanted: Any) -> bool:
    if not isinstance(got, dict) or not isinstance(wanted, dict) or got.keys() != wanted.keys():
        return False
    pairs = [(got[name], wanted[name]) for name in wanted]
    return all(isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b) for a, b in pairs)


def _samples(seen: Evidence) -> bool:
    return seen.has(SAMPLER) and not left_alone(seen, SAMPLER)


def _evaluates(seen: Evidence) -> bool:
    if left_alone(seen, OVER, PRECISION, END) or not seen.has("get_embeddings", OVER, PRECISION, END):
        return False
    return seen.verdict("contrastive.embeddings").status != "missing"


SERVES = ("contrastive.protected",)
PROBES = (
    Probe("protected.sampler", "embedding.sample", _ask_sampler, _samples, serves=SERVES),
    Probe(
        "protected.evaluation",
        "embedding.evaluate",
        _ask_evaluation,
        _evaluates,
        serves=SERVES,
        needs=("contrastive.embeddings",),
    ),
)
CRITERIA = (
    Criterion(
        "contrastive.protected",
        checks(sampler, embeddings_of_dataset, precision, end_of_epoch, training_items, unchanged),
        NAMES,
        needs=("contrastive.embeddings",),
    ),
)
WARNINGS = given_text.WARNINGS
