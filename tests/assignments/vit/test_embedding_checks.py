"""The checks of ``get_embeddings``, the evaluation and transfer learning, on answers that are written by hand."""

import contextlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from grader.assignments.vit.application import answers as application
from grader.assignments.vit.application import knn, small_sets, transfer
from grader.assignments.vit.inside import embedding
from grader.assignments.vit.metric_learning import embedding_answers, embeddings, protected, protected_questions
from grader.evidence import Answer, Question
from grader.given import NO_GIVEN_FILES
from grader.judging import Fail, Skip
from grader.observations import fit
from grader.records import Observation, Program
from tests.assignments.vit.test_embedding_answers import RAISED

TYPES = {**application.ANSWERS, **embedding_answers.ANSWERS}


class Written:
    """As much of the evidence as the checks look at: one question, and an answer that is written by hand."""

    given = NO_GIVEN_FILES
    submission = SimpleNamespace(program=Program((), {}, {}), syntax_errors=())

    def __init__(self, probe: str, op: str, question: Question, value: Any) -> None:
        observation = fit(Observation("value", value), TYPES[op], question.args)
        assert observation.outcome == "value", observation.misfit
        unknown = Answer("hyperparameters", Question({}), Observation("crashed"))
        self.answers = {unknown.probe: unknown, probe: Answer(probe, question, observation)}

    def __getitem__(self, probe: str) -> Answer:
        return self.answers[probe]

    def has(self, *names: str) -> bool:
        return True

    def passed(self, criterion: str) -> bool:
        return False

    def verdict(self, criterion: str) -> Any:
        return SimpleNamespace(status="passed")

    def once(self, name: str, compute: Any) -> Any:
        return compute()


def tensor(array: Any, **more: Any) -> dict[str, Any]:
    array = np.asarray(array)
    return {
        "kind": "tensor",
        "dtype": array.dtype.name,
        "device": "cpu",
        "requires_grad": False,
        "array": array,
        **more,
    }


def failure(check: Any, evidence: Any) -> str:
    """What a check says, with its hint."""
    with pytest.raises(Fail) as raised:
        check(evidence)
    return f"{raised.value.message} | {raised.value.hint}"


RNG = np.random.default_rng(1)
EMBED = embeddings._ask(Written("", "knn.ask", Question({"cases": []}), []), RNG)  # type: ignore[arg-type]
FORWARD = {"training": False, "grad": False, "batch": 5}


def embedded(change: Any = lambda rows: rows, **edits: Any) -> Written:
    """Right embeddings, changed in every call."""
    call = {"grad": True, "frozen": 0, "vit": [FORWARD], "head": [FORWARD]}
    results = {name: tensor(np.float32(change(right))) for name, right in EMBED.known.items()}
    value = {name: {**call, "result": result, **edits} for name, result in results.items()}
    return Written("embeddings", "embedding.get", EMBED, value)


CHECKS = embeddings.TOPIC.criteria[0].checks


@pytest.mark.parametrize("check", [each.function for each in CHECKS], ids=lambda each: each.__name__)
def test_right_embeddings_pass_normalised_or_not(check: Any) -> None:
    check(embedded())
    check(embedded(lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)))


@pytest.mark.parametrize(
    ("check", "evidence", "words"),
    [
        ("shape", embedded(lambda rows: rows[0]), "One vector"),
        ("shape", embedded(result=RAISED), "on a batch of 5 images it raised E"),
        ("shape", embedded(result={"kind": "sequence", "type": "list", "items": []}), "got a list of 0"),
        ("shape", embedded(result=tensor(np.ones((5, 64), np.int64))), "floating-point"),
        ("values", embedded(lambda rows: rows[::-1]), "another order"),
        ("values", embedded(lambda rows: rows * np.arange(1, 1 + len(rows))[:, None]), "other lengths"),
        ("values", embedded(lambda rows: rows[[0] * len(rows)]), "repeated"),
        ("values", embedded(lambda rows: rows * np.nan), "NaN"),
        ("values", embedded(np.square), "other values"),
        ("values", embedded(np.square, vit=[{**FORWARD, "training": True}]), "the ViT computed in train mode"),
        ("values", embedded(np.square, changed=5), "called with changed images"),
        ("eval_mode", embedded(head=[]), "without a call of both models"),
        ("no_gradient", embedded(result=tensor(np.ones((5, 64)), requires_grad=True)), "requires_grad is True"),
        ("no_gradient", embedded(result=tensor(np.ones((5, 64)), device="cuda")), "got device cuda"),
        ("training_goes_on", embedded(grad=False), "no gradients any more"),
        ("training_goes_on", embedded(frozen=3), "require no gradient"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_wrong_embeddings_are_named(check: str, evidence: Any, words: str) -> None:
    assert words in failure(getattr(embeddings, check), evidence)


def moved_in_place(x: Any, vit: Any, head: Any) -> Any:
    x -= 0.286
    return head(vit(x))


def one_by_one(x: Any, vit: Any, head: Any) -> Any:
    return torch.cat([head(vit(image[None].bfloat16().float())) for image in x])


@pytest.mark.parametrize(("function", "changed"), [(moved_in_place, {8, 5, 1}), (one_by_one, {0})])
def test_images_that_are_changed_before_the_vit_gets_them_are_counted(function: Any, changed: set[int]) -> None:
    student: Any = SimpleNamespace(get=lambda name: function, as_it_was_for=contextlib.nullcontext)
    answers = embedding.get(student, **EMBED.args)
    assert {answer["changed"] for answer in answers.values()} == changed


EVALUATION = protected_questions.ask_evaluation(embedded(), RNG)  # type: ignore[arg-type]
KNOWN: protected_questions.RightEvaluation = EVALUATION.known
STATE = {"vit": {"w": np.ones(2, np.float32)}, "embedding_head": {"w": np.zeros(2, np.float32)}}


def number(value: float) -> dict[str, Any]:
    return {"kind": "number", "number": value, "type": "float"}


def end(best: float, printed: str | None = None, file: Any = None) -> dict[str, Any]:
    line = f"Best Precision@1: {best:.4f}" if printed is None else printed
    return {"result": number(best), "printed": line, "file": file}


def saved(**edits: Any) -> dict[str, Any]:
    keys = ["vit", "embedding_head", "precision@1"]
    return {"kind": "saved", "keys": keys, **STATE, "precision": number(KNOWN.precisions[0]), **edits}


def evaluated(
    over: Any = None,
    precision: Any = None,
    better: Any = None,
    equal: Any = None,
    slightly: Any = None,
    worse: Any = None,
) -> Written:
    pair = {"kind": "sequence", "type": "tuple", "items": [tensor(np.float32(KNOWN.rows)), tensor(KNOWN.labels)]}
    best = KNOWN.precisions[0]
    ends = {
        "better": better or end(best, file=saved()), "equal": equal or end(best),
        "slightly better": slightly or end(best, file=saved()), "worse": worse or end(0.99),
    }  # fmt: skip
    value = {"over": over or pair, "precision": precision or number(KNOWN.precisions[0]), "end": ends, "state": STATE}
    return Written("protected.evaluation", "embedding.evaluate", EVALUATION, value)


@pytest.mark.parametrize("check", [protected.embeddings_of_dataset, protected.precision, protected.end_of_epoch])
def test_a_right_evaluation_passes(check: Any) -> None:
    check(evaluated())
    check(evaluated(worse=end(0.99, printed="")))


@pytest.mark.parametrize(
    ("check", "evidence", "words"),
    [
        ("embeddings_of_dataset", evaluated(over=number(1)), "got the number 1"),
        ("embeddings_of_dataset", evaluated(over=RAISED), "`get_embeddings_over_dataset` raised E"),
        ("precision", evaluated(precision=number(KNOWN.mistakes["swapped"][0])), "swapped"),
        ("precision", evaluated(precision=number(1)), "itself"),
        ("precision", evaluated(precision=number(100 * KNOWN.precisions[0])), "not percent"),
        ("precision", evaluated(precision={"kind": "other", "type": "NoneType", "none": True}), "got none"),
        ("end_of_epoch", evaluated(better=end(KNOWN.precisions[0])), "no vit_embeds.pt was written"),
        ("end_of_epoch", evaluated(better=end(KNOWN.precisions[0], file=RAISED)), "could not be read back"),
        ("end_of_epoch", evaluated(better=end(KNOWN.precisions[0], file=saved(keys=["vit"]))), "lacks the entry"),
        ("end_of_epoch", evaluated(better=end(KNOWN.precisions[0], file=saved(vit=None))), "not the state dict"),
        ("end_of_epoch", evaluated(better=end(KNOWN.precisions[0], file=saved(precision=number(1)))), "got 1.0000"),
        ("end_of_epoch", evaluated(better=end(KNOWN.precisions[0], "", saved())), "to be printed"),
        ("end_of_epoch", evaluated(worse=end(0.99, file=saved())), "worse than the best before"),
        ("end_of_epoch", evaluated(slightly=end(KNOWN.precisions[0])), "better than the best before by 0.001"),
        ("end_of_epoch", evaluated(equal=end(KNOWN.precisions[0], file=saved())), "equals the best before"),
        ("end_of_epoch", evaluated(worse=end(0.5, printed="")), "to be returned, got 0.5000"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_a_wrong_evaluation_is_named(check: str, evidence: Any, words: str) -> None:
    assert words in failure(getattr(protected, check), evidence)


N, LOOKS = small_sets.TRAIN_ITEMS, np.repeat(np.arange(10), small_sets.PER_CLASS)
TRANSFER = Question(
    {"train": {"labels": LOOKS}, "test": {"labels": LOOKS}, "vit": {"other": 0}, "told": N},
    {"looks": LOOKS, "test_labels": LOOKS, "width": 64},
)
RIGHT_LOGITS = 10 * np.eye(10, dtype=np.float32)[LOOKS]


def trained(
    acc: Any = 1.0, steps: int = 54, stale: int = 0, after: float = 1.0, backwards: int = 0, **edits: Any
) -> Written:
    """A head that learned, changed in some way."""
    head = {
        "optimized": True, "moved": True, "rows": 3 * N, "reads": 3 * N, "items": np.full(N, 3), "batches": np.full(54, 64),
        "calls": None, "evaluated": None,
        "logits": {"kind": "logits", "train": RIGHT_LOGITS, "test": RIGHT_LOGITS, "initial": 0 * RIGHT_LOGITS}, **edits,
    }  # fmt: skip
    result = {"kind": "dict", "keys": ["acc", "vit", "classifier"], "acc": acc, "vit": {"w": np.ones(1)},
              "classifier_type": "dict"}  # fmt: skip
    vit = {"before": {"w": np.ones(1)}, "after": {"w": np.full(1, after)}, "buffers": []}
    value = {"vit": vit, "steps": steps, "backwards": backwards, "stale": stale, "result": result, "head": head}
    return Written("transfer", "transfer.run", TRANSFER, value)


@pytest.mark.parametrize(
    "check", [each.function for each in transfer.TOPIC.criteria[0].checks], ids=lambda each: each.__name__
)
def test_a_right_head_passes(check: Any) -> None:
    check(trained())


@pytest.mark.parametrize(
    ("check", "evidence", "words"),
    [
        ("vit_unchanged", trained(after=2.0), "`w` changed"),
        ("head_learned", trained(logits=RAISED), "does not fit a ClassificationHead on the ViT's features: it raised "),
        ("head_learned", trained(moved=False), "after 54 optimizer steps"),
        ("head_learned", trained(moved=False, steps=0), "loss.backward()"),
        ("epochs", trained(rows=5 * N, reads=5 * N, items=np.full(N, 5)), "num_epochs=3"),
        ("epochs", trained(rows=3 * N, reads=9, items=np.where(np.arange(N) < 60, 55, 0)), "only 60 different items"),
        ("gradients", trained(stale=53), "zero_grad"),
        ("gradients", trained(steps=108, backwards=54, stale=34), "zero_grad"),  # its late gradients are 0
        ("accuracy", trained(acc=0.5), "got 0.500"),
        ("accuracy", trained(acc="Tensor"), "got Tensor"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_a_wrong_head_is_named(check: str, evidence: Any, words: str) -> None:
    assert words in failure(getattr(transfer, check), evidence)


def test_an_accuracy_is_not_judged_on_another_vit() -> None:
    accuracy = next(check for check in transfer.TOPIC.criteria[0].checks if check.name == "accuracy")
    assert accuracy.comes_after == ("vit_unchanged",)


def test_look_ups_that_raised_leave_distances_to_the_other_check() -> None:
    question = knn._ask(embedded(), RNG)  # type: ignore[arg-type]
    evidence = Written("knn", "knn.ask", question, [{"result": RAISED, "changed": []}] * len(question.known))
    assert "it raised E" in failure(knn.indices, evidence)
    with pytest.raises(Skip):
        knn.distances(evidence)  # type: ignore[arg-type]
