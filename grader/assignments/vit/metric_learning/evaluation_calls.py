"""How ``train_embedding_model`` calls ``evaluate_at_end_epoch``: when, and with which arguments."""

import ast
import itertools

from grader.assignments.vit.inside.constants import EVALUATION_ARGUMENTS
from grader.assignments.vit.metric_learning.given_text import changed, namespaces
from grader.assignments.vit.metric_learning.watched_runs import Evaluation, TrainingRun, trained
from grader.evidence import Evidence
from grader.judging import Fail
from grader.missing import other_name
from grader.raised import raised_words
from grader.sentences import type_words

MODELS = {"vit": "the ViT", "head": "the embedding head"}
SETS_HINT = "The reference set is the training subset; after it comes the test set."


def evaluated(evidence: Evidence) -> str | None:
    """`evaluate_at_end_epoch` is called every epoch, with the models that are trained and the test set."""
    run = trained(evidence)
    passes = len(run.epochs) - _last_is_cut_short(run)
    epochs = min(passes, run.rates.num_epochs or passes)  # an epoch may pass over more than one set, or twice over one
    calls = sum(evaluation.calls for evaluation in run.evaluations)
    if calls < epochs and run.refused is not None:
        raise Fail(
            f"`evaluate_at_end_epoch` {raised_words(run.refused)}, and the training goes on without it",
            "Take the try and except around the call away, and give it what its definition asks for.",
        )
    if not calls and (other := _called_instead(evidence)):
        return f"`{other}` is called for `evaluate_at_end_epoch`, which is not defined"
    if calls < epochs:
        times = (
            "never called" if not calls else f"called {'once' if calls == 1 else f'{calls} times'} in {epochs} epochs"
        )
        raise Fail(
            f"`evaluate_at_end_epoch` is {times}",
            "Call it at the end of every epoch: it keeps the best model and prints Precision@1.",
        )
    for evaluation in run.evaluations:
        _expect_models_and_sets(run, evaluation)
    _expect_copies_of_now(run)
    if "evaluate_at_end_epoch" not in changed(evidence):
        _expect_data_sets(run)
        _expect_calculator(run)
    if "evaluate_at_end_epoch" not in changed(evidence) or _takes_what_is_given(evidence):
        _expect_best_precision(run)
    if _comes_before_each_epoch(run, calls):
        return (
            "`evaluate_at_end_epoch` is called before the training of each epoch: the models of the last one are never "
            "evaluated or saved"
        )
    if calls and all(evaluation.whole for evaluation in run.evaluations) and not run.items.direct:
        return (
            "`evaluate_at_end_epoch` is given all training images as its reference set, and not the 5,000 that are trained "
            "on: its Precision@1 is another one than the grader's"
        )
    return None


def _comes_before_each_epoch(run: TrainingRun, calls: int) -> bool:
    """Whether the models are evaluated before each epoch, and not after the last.

    Args:
        calls: of the evaluation, those before the first epoch as well.
    """
    *before, last = [epoch.evaluations for epoch in run.epochs]
    return run.ended == "returned" and not last and bool(before) and all(before) and calls > sum(before)


def _called_instead(evidence: Evidence) -> str:
    """The function that the training calls, and that seems to be the evaluation, which has no definition of its name."""
    other = other_name("evaluate_at_end_epoch", evidence)
    training = evidence.submission.program.names.get("train_embedding_model")
    found = namespaces(evidence).definition(training.module, "train_embedding_model") if training else None
    if not other or found is None:
        return ""
    called = (node.func for node in ast.walk(found.node) if isinstance(node, ast.Call))
    return other if any(isinstance(function, ast.Name) and function.id == other for function in called) else ""


def _takes_what_is_given(evidence: Evidence) -> bool:
    """Whether a changed ``evaluate_at_end_epoch`` has the given one's arguments and returns something, as that one does."""
    origin = evidence.submission.program.names.get("evaluate_at_end_epoch")
    found = namespaces(evidence).definition(origin.module, "evaluate_at_end_epoch") if origin else None
    if found is None or not isinstance(found.node, ast.FunctionDef):
        return False
    arguments = [argument.arg for argument in found.node.args.args]
    returns = any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(found.node))
    return returns and arguments == list(EVALUATION_ARGUMENTS)


def _last_is_cut_short(run: TrainingRun) -> bool:
    """Whether the last epoch was not seen to its end, so that it needs no evaluation.

    An endless stream of batches may make several passes over the data an epoch; nobody makes three.
    """
    last = run.epochs[-1]
    return run.ended == "enough" and last.batches < 3 * max(1, last.length)


def _expect_models_and_sets(run: TrainingRun, evaluation: Evaluation) -> None:
    """The models that are trained, the training subset and the test set, each in its place."""
    if (evaluation.vit.role, evaluation.head.role) == ("head", "vit"):
        raise Fail("`evaluate_at_end_epoch` is given the head first, then the ViT", "The ViT comes first.")
    if evaluation.vit.foreign:
        raise Fail(
            f"what is trained and given to `evaluate_at_end_epoch` in the place of the ViT is "
            f"{type_words(evaluation.vit.foreign)}, not your ViT",
            "Build a ViT(image_size, patch_size, in_channels, hidden_size, layers, heads) inside the function, and train it.",
        )
    if evaluation.head.foreign and evaluation.head.role == "head":
        raise Fail(
            f"what is trained and given to `evaluate_at_end_epoch` in the place of the embedding head is "
            f"{type_words(evaluation.head.foreign)}, not your LinearEmbeddingHead",
            "Build a LinearEmbeddingHead(hidden_size, embed_size) inside the function, and train it with the ViT.",
        )
    for role, given in (("vit", evaluation.vit), ("head", evaluation.head)):
        if given.role != role:
            what = MODELS.get(given.role, type_words(given.role, "a value of type "))
            raise Fail(
                f"`evaluate_at_end_epoch` is given {what} in the place of {MODELS[role]}",
                "Its arguments are vit_model, model_embedding, accuracy_calculator, best_prec, train_dataset, "
                "test_dataset, in this order.",
            )
        trained_ones = [model for model in run.models if model.role == role and model.held and model.moved]
        if given.unheld and trained_ones:
            a_model = {"vit": "a ViT", "head": "an embedding head"}[role]
            raise Fail(
                f"`evaluate_at_end_epoch` is given {a_model} that is not the one trained",
                "Give it the models whose parameters the optimizer has.",
            )
    if run.total("test_batches") and evaluation.train == "test":
        return  # training_items tells the cause
    if evaluation.test == "train":
        alone = "its test set holds images of the training set"
        what = "the two sets are swapped" if evaluation.train == "test" else alone
        raise Fail(f"`evaluate_at_end_epoch`: {what}", SETS_HINT)
    if evaluation.train == "test":
        raise Fail("`evaluate_at_end_epoch`: its reference set is the test set", SETS_HINT)


def _expect_copies_of_now(run: TrainingRun) -> None:
    """A copy that is evaluated has learned what the models have learned by then."""
    min_unchanged = 3  # evaluations: fewer may come before the first step
    if run.copies.unchanged >= max(min_unchanged, 4 * run.copies.changed):
        raise Fail(
            "`evaluate_at_end_epoch` is given a copy of the ViT whose weights stay the same while the ViT is trained: what "
            "is learned is never evaluated or saved",
            "Give it the ViT and the head that are trained, or copy them anew in each epoch.",
        )


def _expect_data_sets(run: TrainingRun) -> None:
    """Something that a loader can be made of, in the place of each set."""
    for evaluation in run.evaluations:
        for which, place in ((evaluation.train, "reference set, train_dataset"), (evaluation.test, "test_dataset")):
            if which == "none":
                raise Fail(f"`evaluate_at_end_epoch` is given no data set as its {place}", SETS_HINT)


def _expect_calculator(run: TrainingRun) -> None:
    """What computes Precision@1."""
    for calculator in run.calculators:
        if calculator.calculates and (calculator.measures is None or "precision_at_1" in calculator.measures):
            continue
        got = (
            f"one that computes {', '.join(calculator.measures or ())}"
            if calculator.calculates
            else type_words(calculator.type)
        )
        raise Fail(
            "`evaluate_at_end_epoch`: expected as accuracy_calculator an AccuracyCalculator that computes Precision@1, "
            f"got {got[:100]}",
            'AccuracyCalculator(include=("precision_at_1",), k=1) computes it; it comes before best_prec.',
        )


def _expect_best_precision(run: TrainingRun) -> None:
    """The best Precision@1 so far, which the call before has returned, and in the beginning a number below any other."""
    if any(best.given is None for best in run.best):
        raise Fail("`evaluate_at_end_epoch` is given no number as best_prec", "Begin with best_prec = 0.")
    pairs = [
        (before.returned, now.given)
        for before, now in itertools.pairwise(run.best)
        if now.given is not None and before.returned is not None
    ]
    rounding = 0.001  # of a Precision@1 that somebody rounds
    if len(pairs) >= 3 and not any(abs(given - returned) < rounding for returned, given in pairs):
        returned, given = pairs[0]
        same = all(other == given for _, other in pairs)
        raise Fail(
            f"`evaluate_at_end_epoch` is given best_prec={given:g}{' again and again' if same else ''}, though it has "
            f"returned {returned:g}: vit_embeds.pt then does not hold the best model",
            "Keep what it returns, and give it to the next call as best_prec.",
        )
    first = run.best[0].given if run.best else None
    guessed = 0.1  # the Precision@1 of embeddings that know nothing
    if first is not None and first > guessed:
        raise Fail(
            f"the first call of `evaluate_at_end_epoch` is given best_prec={first:g}: a model is kept in vit_embeds.pt "
            "only where its Precision@1 is better than that",
            "Begin with best_prec = 0, so that the first model is kept whatever it reaches.",
        )
