"""The sampler and the evaluation, which a student leaves as they are given.

A block that was left unchanged (see ``grader.given.unchanged``) has passed and is not asked for. Any other is judged by
what it does, and by nothing in which the course's editions differ.

Shapes: n items of a data set, E embedding size.
"""

import ast
import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from grader import patterns
from grader.assignment import Topic
from grader.assignments.vit.blocks import END_OF_EPOCH, JUDGED, OVER_DATASET, PRECISION, SAMPLER
from grader.assignments.vit.metric_learning import expected, given_text
from grader.assignments.vit.metric_learning.embedding_answers import EndOfEpoch, Evaluated, ModelStates, SavedModels
from grader.assignments.vit.metric_learning.given_text import PROTECTED_HINT, left_unchanged, unchanged
from grader.assignments.vit.metric_learning.protected_questions import RightEvaluation, ask_evaluation, ask_sampler
from grader.assignments.vit.metric_learning.training_items import training_items
from grader.evidence import Evidence, Probe
from grader.given.unchanged import still_to_write
from grader.judging import Blocked, Criterion, Fail, about, checks
from grader.observations import RaisedResult, Result, ResultOrRaised
from grader.raised import raised_hint, raised_words
from grader.sentences import return_hint, type_words
from grader.torchkit.results import array_of, items_of, single_numbers, words_of

GIVEN_HINT = "This block is given: compare it with the template."
Check = Callable[[Evidence], None]


def unless_unchanged(name: str) -> Callable[[Check], Check]:
    """Let a block pass that was left unchanged; where another of a given text fails, the hint says what else was changed."""

    def decorate(check: Check) -> Check:
        @about(name)
        @functools.wraps(check)
        def judged(evidence: Evidence) -> None:
            alone = left_unchanged(evidence, name)
            if name != SAMPLER:
                _needs_get_embeddings(evidence, alone)
            if not alone:
                with given_text.cause_elsewhere(evidence, name), _told_of(name):
                    check(evidence)

        return judged

    return decorate


@contextlib.contextmanager
def _told_of(name: str) -> Iterator[None]:
    """Name the block in what a check says is wrong: there are four of them."""
    try:
        yield
    except Fail as fail:
        message = fail.message if name in fail.message else f"`{name}`: {fail.message}"
        raise Fail(message, fail.hint.replace("This block", f"`{name}`"), fail.measurement) from None


def _needs_get_embeddings(evidence: Evidence, alone: bool) -> None:
    """Wait for `get_embeddings`, unless nothing is asked that calls it: then it must be written, with a slip or not."""
    unparsed = evidence.submission.syntax_errors
    if not _calls_get_embeddings(evidence):
        return
    if alone and any("get_embeddings" in problem.names for problem in unparsed):
        return
    missing = not evidence.has("get_embeddings") or evidence.verdict("contrastive.embeddings").status == "missing"
    if missing or (alone and still_to_write(given_text.namespaces(evidence), "get_embeddings")):
        raise Blocked("contrastive.embeddings", "the evaluation calls `get_embeddings`, which is still to be written")


def _calls_get_embeddings(evidence: Evidence) -> bool:
    """Whether the blocks that evaluate name `get_embeddings`: a student may have called it otherwise, there as well."""
    origins = {name: evidence.submission.program.names.get(name) for name in (OVER_DATASET, PRECISION, END_OF_EPOCH)}
    known = given_text.namespaces(evidence)
    found = [known.definition(origin.module, name) for name, origin in origins.items() if origin is not None]
    names = {node.id for each in found if each for node in ast.walk(each.node) if isinstance(node, ast.Name)}
    return "get_embeddings" in names or len(found) < len(origins) or None in found


@unless_unchanged(SAMPLER)
def sampler(evidence: Evidence) -> None:
    """`sample_balanced_subset` keeps the first items of each class, class by class, as a `Subset`."""
    answer = evidence["protected.sampler"]
    for arguments, rows in answer.known.items():
        sampled = answer.value[arguments]
        if isinstance(sampled, RaisedResult):
            raise _raised(SAMPLER, sampled)
        if sampled.rows == rows:
            continue
        if not sampled.subset and not sampled.rows:
            got = type_words(sampled.type)
            raise Fail(f"expected a torch.utils.data.Subset, got {got}", return_hint(got, PROTECTED_HINT))
        called = arguments or "no further arguments"
        raise Fail(f"sample_balanced_subset with {called} {_difference(sampled.rows, rows)}", PROTECTED_HINT)


def _difference(got: tuple[int, ...], rows: tuple[int, ...]) -> str:
    if len(got) != len(rows):
        return f"keeps {len(got)} items of a small data set, expected {len(rows)}: that many of each class"
    if sorted(got) == sorted(rows):
        return "keeps the right items in another order, expected class by class"
    return f"keeps other items ({len(set(got) - set(rows))} of {len(rows)}), expected the first ones of each class"


def _raised(name: str, raised: RaisedResult) -> Fail:
    return Fail(f"`{name}` {raised_words(raised.exception)}", raised_hint(raised.exception) or GIVEN_HINT)


def _returned(name: str, result: ResultOrRaised) -> Result:
    """What a call returned; its exception becomes a failure."""
    if isinstance(result, RaisedResult):
        raise _raised(name, result)
    return result


def _evaluated(evidence: Evidence) -> tuple[Evaluated, RightEvaluation]:
    answer = evidence["protected.evaluation"]
    return answer.value, answer.known


@unless_unchanged(OVER_DATASET)
def embeddings_of_dataset(evidence: Evidence) -> None:
    """`get_embeddings_over_dataset` gives the embeddings and the labels of all items of a data set."""
    evaluated, known = _evaluated(evidence)
    result = _returned(OVER_DATASET, evaluated.over)
    arrays = [array for item in items_of(result) if (array := array_of(item)) is not None]
    rows = [array.astype(np.float64) for array in arrays if array.dtype.kind == "f" and array.shape[1:] > (1,)]
    labels = [array.reshape(-1) for array in arrays if array.ndim and array.size == len(array)]
    if len(rows) != 1 or len(labels) != 1:
        got = " and ".join(map(words_of, items_of(result)[:3])) or words_of(result)
        raise Fail(f"expected embeddings (n, E) and labels (n,), got {got}", return_hint(got, GIVEN_HINT))
    if rows[0].shape != known.rows.shape or len(labels[0]) != len(known.labels):
        raise Fail(
            f"expected embeddings {known.rows.shape} and {len(known.labels)} labels, got {rows[0].shape} and {len(labels[0])}",
            "Does the loop return within the first batch, end after some, drop the last one, or begin a new list in each batch?",
        )
    forms = expected.forms(known.rows)  # as they are, or of length 1
    in_order = any(_close(rows[0], form) for form in forms)
    if in_order and (known.labels == labels[0]).all():
        return
    if not in_order and _shuffled(rows[0], labels[0], forms, known.labels):
        raise Fail(
            "embeddings and labels belong together, but come in another order than the items of the data set",
            "Row i is the embedding of item i: leave out shuffle=True.",
        )
    raise Fail(
        "embeddings and labels do not belong together, or are not those of the data set's images",
        "Collect embeddings and labels in one loop over the same loader, which must not shuffle again in between.",
    )


def _shuffled(rows: np.ndarray, labels: np.ndarray, forms: Sequence[np.ndarray], right: np.ndarray) -> bool:
    """Whether the rows are those of one of the forms in some order, each with its right label."""
    for form in forms:
        with np.errstate(all="ignore"):  # what is not finite is near nothing
            # by the squared distance, but for a number that each row has for all forms
            nearest = ((form**2).sum(1) - 2 * rows @ form.T).argmin(1)
        if _close(rows, form[nearest]) and len(set(nearest.tolist())) == len(form):
            return bool((right[nearest] == labels).all())
    return False


def _close(rows: np.ndarray, right: np.ndarray) -> bool:
    return bool(np.abs(rows - right).max() <= 0.03 * np.abs(right).max())


@unless_unchanged(PRECISION)
def precision(evidence: Evidence) -> None:
    """`test_embedding_model` gives the Precision@1 of the test set against the reference set."""
    evaluated, known = _evaluated(evidence)
    found = single_numbers(_returned(PRECISION, evaluated.precision))
    if _has_one_of(found, known.precisions):
        return
    if not found:
        raise Fail("expected Precision@1 as a number, got none", GIVEN_HINT)
    in_percent = _has_one_of([number / 100 for number in found], known.precisions)
    hint = "Return the share, from 0 to 1, not percent." if in_percent else _mistake(found, known.mistakes)
    raise Fail(f"expected Precision@1 {known.precisions[0]:.4f}, got {found[0]:.4f}", hint)


def _has_one_of(found: list[float], wanted: list[float]) -> bool:
    rounding = 1e-4  # of a Precision@1: a nearest neighbour is a whole number of queries, here 1/40 each
    return any(abs(number - right) < rounding for number in found for right in wanted)


def _mistake(found: list[float], mistakes: dict[str, list[float]]) -> str:
    explanations = {
        "swapped": "The two sets are swapped: the queries are the test images, the reference set is the training subset.",
        "itself": "A set is compared with itself: each image then finds itself.",
        "none": "No query finds its class: do labels and embeddings come from the same set?",
        "query": "The test set is compared with itself: the reference set is the training subset.",
        "reference": "The training subset is compared with itself: the queries are the test images.",
    }
    same = [hint for name, hint in explanations.items() if _has_one_of(found, mistakes[name])]
    # Two mistakes may give the same number.
    return " Or: ".join(same) or "The queries are the test images, the reference set is the training subset."


@unless_unchanged(END_OF_EPOCH)
def end_of_epoch(evidence: Evidence) -> None:
    """`evaluate_at_end_epoch` keeps the best model in `vit_embeds.pt`, prints and returns the best Precision@1."""
    evaluated, known = _evaluated(evidence)
    results = {name: _returned(END_OF_EPOCH, call.result) for name, call in evaluated.end.items()}
    better, equal, slightly, worse = (evaluated.end[name] for name in ("better", "equal", "slightly better", "worse"))
    right = _of_these_embeddings(evaluated, known)
    if better.file is None:
        raise Fail("the Precision@1 is better than the best before, but no vit_embeds.pt was written", PROTECTED_HINT)
    _expect_written(better.file, evaluated.state, right)
    if worse.file is not None:
        raise Fail("vit_embeds.pt was written although the Precision@1 is worse than the best before", PROTECTED_HINT)
    _expect_best(better, results["better"], right, always=True)
    _, before = evidence["protected.evaluation"].question.args["best"]["worse"]
    _expect_best(worse, results["worse"], [before], always=False)
    if slightly.file is None:
        raise Fail(
            "the Precision@1 is better than the best before by 0.001, but no vit_embeds.pt was written", PROTECTED_HINT
        )
    unchanged_best = single_numbers(results["equal"]) == single_numbers(results["better"])
    if equal.file is not None and unchanged_best:
        raise Fail("vit_embeds.pt was written although the Precision@1 equals the best before", PROTECTED_HINT)


def _of_these_embeddings(evaluated: Evaluated, known: RightEvaluation) -> list[float]:
    """The right Precision@1, as normalised embeddings give it or as others do, where `test_embedding_model` tells."""
    result = evaluated.precision
    found = [] if isinstance(result, RaisedResult) else single_numbers(result)
    return [one for one in known.precisions if _has_one_of(found, [one])] or known.precisions


def _expect_best(call: EndOfEpoch, result: Result, wanted: list[float], always: bool) -> None:
    """Judge the printed and the returned value.

    Args:
        always: whether every edition prints it; some leave it out where the value is no better.
    """
    printed_best = patterns.compile(r"Best Precision@1:?\s*([0-9]*\.?[0-9]+(?:e-?\d+)?)\s*(%?)")
    found = [float(n) / (100 if percent else 1) for n, percent in printed_best.findall(call.printed[:2_000])]
    if not found and always:
        raise Fail("expected the line `Best Precision@1: <value>` to be printed", PROTECTED_HINT)
    printed = [value / scale for value in found for scale in (1, 100)]
    max_rounding = 0.0051  # a value printed with two decimals
    if found and not any(abs(value - best) < max_rounding for value in printed for best in wanted):
        raise Fail(f"expected `Best Precision@1: {wanted[0]:.4f}`, printed {found[0]:g}", PROTECTED_HINT)
    numbers = single_numbers(result)
    if not numbers:
        raise Fail(f"expected the best Precision@1 {wanted[0]:.4f} to be returned, got no number", PROTECTED_HINT)
    if not _has_one_of(numbers, wanted):
        raise Fail(
            f"expected the best Precision@1 {wanted[0]:.4f} to be returned, got {numbers[0]:.4f}", PROTECTED_HINT
        )


def _expect_written(file: SavedModels | RaisedResult, state: ModelStates, right: list[float]) -> None:
    """Judge what the checkpoint holds."""
    if isinstance(file, RaisedResult):
        raise Fail("vit_embeds.pt could not be read back", PROTECTED_HINT)
    for name in ("vit", "embedding_head", "precision@1"):
        if name not in file.keys:
            there = ", ".join(file.keys)[:200]
            raise Fail(f"vit_embeds.pt lacks the entry {name!r}, it holds {there}", PROTECTED_HINT)
    pairs = {"vit": (file.vit, state.vit), "embedding_head": (file.embedding_head, state.embedding_head)}
    for name, (got, wanted) in pairs.items():
        if got is None or not _same_state(got, wanted):
            raise Fail(f"the entry {name!r} of vit_embeds.pt is not the state dict of that model", PROTECTED_HINT)
    recorded = single_numbers(file.precision)
    if not _has_one_of(recorded, right):
        shown = f"{recorded[0]:.4f}" if recorded else "no number"
        raise Fail(f"expected 'precision@1' {right[0]:.4f} in vit_embeds.pt, got {shown}", PROTECTED_HINT)


def _same_state(got: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return got.keys() == wanted.keys() and all(np.array_equal(got[name], wanted[name]) for name in wanted)


def _asks_sampler(evidence: Evidence) -> bool:
    return evidence.has(SAMPLER) and not left_unchanged(evidence, SAMPLER)


def _asks_evaluation(evidence: Evidence) -> bool:
    names = (OVER_DATASET, PRECISION, END_OF_EPOCH)
    if left_unchanged(evidence, *names) or not evidence.has(*names):
        return False
    if not _calls_get_embeddings(evidence):
        return True
    return evidence.has("get_embeddings") and evidence.verdict("contrastive.embeddings").status != "missing"


TOPIC = Topic(
    probes=(
        Probe("protected.sampler", "embedding.sample", ask_sampler, _asks_sampler, serves=("contrastive.protected",)),
        Probe(
            "protected.evaluation",
            "embedding.evaluate",
            ask_evaluation,
            _asks_evaluation,
            serves=("contrastive.protected",),
            needs=("contrastive.embeddings",),
        ),
    ),
    criteria=(
        Criterion(
            "contrastive.protected",
            checks(sampler, embeddings_of_dataset, precision, end_of_epoch, training_items, unchanged),
            JUDGED,
            needs=("contrastive.embeddings",),
        ),
    ),
    warnings=(given_text.modified,),
)
