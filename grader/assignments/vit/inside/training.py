"""A student's ``train_embedding_model``, run on small data and watched.

It is tried with stand-ins for everything that may be broken elsewhere, then with more and more of the
student's own, until one attempt goes through. Which attempt it was is a fact like any other.
"""

import contextlib
import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from grader.assignments.vit.inside import embedding as embedding  # registers its operations with these
from grader.assignments.vit.inside import lookalike, standins
from grader.assignments.vit.inside.built_models import ROLES, built_models, own_sizes, small_sizes, usable
from grader.assignments.vit.inside.checkpoints import CLASSIFIER, VIT
from grader.assignments.vit.inside.constants import ANY_ARGUMENTS, AS_LARGE, BUILT
from grader.assignments.vit.inside.datasets import Garments, in_place_of_fashion_mnist
from grader.assignments.vit.inside.evaluations import Evaluations, unwatched
from grader.sandbox.inside.own_folder import own_folder
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import notebook_call
from grader.torchkit.inside.followed_models import signature_of
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.model_calls import ModelCalls
from grader.torchkit.inside.replacing import called_in_place, twin
from grader.torchkit.inside.training_facts import training_facts
from grader.torchkit.inside.training_watch import TrainingWatch

NAME = "train_embedding_model"
SAMPLER = "sample_balanced_subset"
EVALUATING = ("get_embeddings_over_dataset", "test_embedding_model")
AS_MANY = 6_000  # training images of each class in FashionMNIST


@dataclass(frozen=True)
class Attempt:
    """What stands in for what.

    Attributes:
        name: what it is called in the answer.
        own: the classes of the student's that are used; stand-ins are for the others.
        small_model: the hyperparameters make the student's own model small.
        own_evaluation: the student's own evaluation is called once.
        own_sampler: the student's own sampler is used.
        subset: the training set is handed over as the Subset of 5,000, not as the notebook would.
        per_class: training images of each class: of 700, 500, 600 and all can be told apart.
        uncut: few images, small batches, none of them cut; the evaluation finds it better each time.
        only_built: it ends when the student's own ViT is first called, or at the first step.
        tensors: the notebook's data sets give tensors, whether they have a transform or not.
    """

    name: str
    own: frozenset[str] = frozenset()
    small_model: bool = True
    own_evaluation: bool = False
    own_sampler: bool = False
    subset: bool = False
    per_class: int = 700
    uncut: bool = False
    only_built: bool = False
    tensors: bool = False


def attempts(own: frozenset[str]) -> list[Attempt]:
    """What is tried one after the other, until one attempt goes through.

    The student's own classes are used where nothing is wrong with them: what the student's code does with them is to
    be seen. Where one is broken, a stand-in takes its place, and both are tried as they are when that does not do.
    """
    both = frozenset(ROLES)
    with_own = Attempt("own models" if own == both else "stand-ins", own)
    return [
        with_own,
        *([replace(with_own, name=AS_LARGE, small_model=False)] if own else []),
        replace(with_own, name="own evaluation", own_evaluation=True),
        replace(with_own, name="own sampler", own_sampler=True),
        *([Attempt("own models", both)] if own != both else []),
        Attempt("all own", both, own_evaluation=True),
        replace(with_own, name="data sets of tensors", tensors=True),
        replace(with_own, name="subset", subset=True),
        replace(with_own, name="as many images as FashionMNIST has", per_class=AS_MANY),
        replace(with_own, name="uncut", per_class=24, uncut=True),
    ]


@op("embedding.train")
def train(student: Student, seed: int, line: np.ndarray, own: list[str]) -> list[dict[str, Any]]:
    """Run ``train_embedding_model`` until an attempt goes through.

    Where its learning rate was not seen to move, the attempt without any cuts follows as one item more. Where it went
    through with a small model, the models are built once more as large as the student's own numbers make them. Where none
    did, an attempt with models that take any arguments may still show the scheduler.

    Args:
        line: images on a line, which each ViT is given with the weights that it began with.
        own: names of the student's classes that nothing is known to be wrong with.
    """
    planned = attempts(usable(student, own))
    runs = [_first(student, planned[0], seed, line)]
    raised = runs[0]["raised"] or {"type": "", "message": ""}
    of_many = raised["type"] in ("IndexError", "AssertionError")  # as of range(60_000) or len(…) == 60_000
    of_images = "PIL." in raised["message"]  # as of a loader of images that no transform made tensors of
    first = [a for a in planned[1:] if (of_many and a.per_class == AS_MANY) or (of_images and a.tensors)]
    planned[1:] = [*first, *(attempt for attempt in planned[1:] if attempt not in first)]
    for attempt in planned[1:] if runs[0]["raised"] else planned[-1:]:
        if not runs[-1]["raised"] and len(runs[-1]["used"]["rate"]):
            break
        runs.append(_run(student, attempt, seed, line))
    if len(runs[-1]["used"]["rate"]) and runs[-1]["attempt"] != planned[-1].name and not _moves(runs[-1]):
        runs.append(_run(student, planned[-1], seed, line))
    through = next(attempt for attempt in planned if attempt.name == runs[-1]["attempt"])
    if not runs[-1]["raised"] and through.small_model and through.own and runs[-1]["sizes"]:
        in_full = replace(through, name=BUILT, small_model=False, per_class=24, uncut=False, only_built=True)
        runs.append(_run(student, in_full, seed, line))
    if runs[-1]["raised"]:
        runs.append(_run(student, Attempt(ANY_ARGUMENTS), seed, line))
    return runs


def _first(student: Student, attempt: Attempt, seed: int, line: np.ndarray) -> dict[str, Any]:
    """The first attempt; a function that does not sample, and is called nowhere, is given the Subset of 5,000.

    One that is called and does not sample may do so where there are more images: ``if len(train_dataset) > 10_000:``.
    """
    run, called = _called(student, attempt, seed, line)
    if run["raised"] or not run["items"]["direct"]:
        return run
    if not called:
        return _run(student, replace(attempt, subset=True), seed, line)
    of_many = _run(student, replace(attempt, per_class=AS_MANY), seed, line)
    return run if of_many["raised"] or of_many["items"]["direct"] else of_many


def _moves(run: dict[str, Any]) -> bool:
    """Whether a learning rate was seen to move, or would in the whole training."""
    return len(set(run["used"]["rate"].tolist())) > 1 or any(np.ptp(curve) > 0 for curve in run["rates"]["curves"])


def _run(student: Student, attempt: Attempt, seed: int, line: np.ndarray) -> dict[str, Any]:
    return _called(student, attempt, seed, line)[0]


def _called(student: Student, attempt: Attempt, seed: int, line: np.ndarray) -> tuple[dict[str, Any], bool]:
    """What was seen of an attempt, and whether the function was called as the notebook does it."""
    seed_everything(seed)
    test_per_class = 1_000 if attempt.per_class == AS_MANY else 10
    sets = garments(seed, attempt.per_class), garments(seed + 1, test_per_class, train=False)
    max_epochs = 1_000
    epochs = min(_hyperparameter(student, "num_epochs", 1), max_epochs)
    watch = TrainingWatch(*sets, not attempt.uncut, 0 if attempt.only_built else 600, planned=epochs)
    given = _twin_of(student, "evaluate_at_end_epoch")
    evaluations = Evaluations(
        watch, given, call_own=attempt.own_evaluation, rising=attempt.uncut, epochs=epochs, classes=_classes(student)
    )
    samples: list[dict[str, Any]] = []
    own_sampler = _twin_of(student, SAMPLER)
    sampler = standins.sample_balanced_subset(samples, signature_of(own_sampler))
    names: dict[str, Any] = {
        SAMPLER: own_sampler if attempt.own_sampler and own_sampler is not None else sampler,
        "evaluate_at_end_epoch": evaluations.evaluate,
        **{name: unwatched(watch, student.get(name)) for name in EVALUATING if student.has(name)},
        "train_dataset": sets[0],
        "test_dataset": sets[1],
        "train_loader": DataLoader(sets[0], _hyperparameter(student, "batch_size", 64), shuffle=True),
        "test_loader": DataLoader(sets[1], 100),
        **({"batch_size": 16} if attempt.uncut and _hyperparameter(student, "batch_size", 0) else {}),
        **(small_sizes(student) if attempt.small_model and attempt.own else {}),
    }
    in_place = [(student.get(name), names[name]) for name in (SAMPLER, "evaluate_at_end_epoch") if student.has(name)]
    calls = ModelCalls()
    any_width = attempt.name == ANY_ARGUMENTS
    models = built_models(student, attempt.own, watch, calls, attempt.only_built, any_width)
    with (
        models as built, own_folder(), student.restored(),
        student.as_it_was_for(NAME), student.overriding(**names, **built), called_in_place(in_place),
    ):  # fmt: skip
        _leave_classifier(student)
        calls.facts.clear()  # that was no call of the student's
        for role, stand_ins in _classes(student).items():
            if evaluations.classes[role]:
                evaluations.classes[role] += stand_ins[:1]
        sizes = own_sizes(student)
        called = None if attempt.subset else _arguments(student, sets, attempt.tensors)
        function, arguments = (
            student.get(NAME),
            called or notebook_call.Arguments((_given(attempt, sets[0]), sets[1]), {}),
        )
        ended = watch.run(lambda: function(*arguments.args, **arguments.kwargs))
    facts = {
        "attempt": attempt.name,
        "per_class": attempt.per_class,
        "samples": [int(call["n_samples_per_class"]) for call in samples[:10]],
        "sizes": sizes,
        "calls": calls.facts,
        **training_facts(watch, ended, epochs, images=line, of_role="" if attempt.only_built else "vit"),
        **evaluations.facts(),
    }
    return facts, called is not None


def _twin_of(student: Student, name: str) -> Any:
    """A function of the submission's as it is, whatever stands in its place; None where there is none."""
    return twin(student.get(name)) if student.has(name) else None


def _classes(student: Student) -> dict[str, tuple[type, ...]]:
    """The submission's ViT and its parts, and its head; none where that is no class."""
    parts = {
        "vit": ("ViT", "Transformer", "ResidualAttentionBlock", "PatchEmbeddings", "PositionEmbedding"),
        "head": ("LinearEmbeddingHead",),
    }
    found = {
        role: [student.get(name) if student.has(name) else None for name in names] for role, names in parts.items()
    }
    return {
        role: tuple(each for each in those if isinstance(each, type)) if isinstance(those[0], type) else ()
        for role, those in found.items()
    }


def _arguments(student: Student, sets: tuple[Garments, Garments], tensors: bool) -> notebook_call.Arguments | None:
    """What the notebook's own statements hand to the function; None where that cannot be known.

    Args:
        tensors: whether data sets that have no transform give tensors all the same.
    """
    for value in student.values():
        if isinstance(value, functools._lru_cache_wrapper):  # it would give the data sets of another attempt
            value.cache_clear()
    with in_place_of_fashion_mnist(*sets, always_tensors=tensors):
        return notebook_call.arguments(student, NAME, sets)


def _given(attempt: Attempt, train_set: Garments) -> Any:
    """The training set as it is handed over where the notebook's own call is not known."""
    sampled = 500  # of each class, as the assignment wants it
    return standins.sample_balanced_subset([])(train_set, sampled) if attempt.subset else train_set


def garments(seed: int, per_class: int, train: bool = True) -> Garments:
    """A small data set that looks like FashionMNIST."""
    return Garments(*lookalike.images_and_labels(seed, per_class), train)


def _leave_classifier(student: Student) -> None:
    """Leave the checkpoint that the training before leaves: the embedding's ViT may begin with its weights."""
    with contextlib.suppress(Exception):
        content: dict[str, Any] = {"acc": 0.9}
        for part in (VIT, CLASSIFIER):
            sizes = [student.get(size) if isinstance(size, str) else size for size in part.arguments]
            content[part.key] = student.get(part.name)(*sizes).state_dict()
        torch.save(content, "vit_classifier.pt")


def _hyperparameter(student: Student, name: str, default: int) -> int:
    """A whole number above 0 that the student's code sets; the default where it is anything else."""
    value = student.get(name) if student.has(name) else default
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default
