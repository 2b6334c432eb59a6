"""Warnings about scores that an honest training does not have, on answers written by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.assignments.vit.thresholds import answers, plausibility
from grader.assignments.vit.thresholds.sources import CLASSIFIER, EMBEDDINGS
from grader.evidence import Answer, Question
from grader.observations import NumberResult, fit
from grader.records import Observation
from grader.rubric import Rubric
from grader.rubric_reads import RubricReads

LABELS = np.arange(1_000, dtype=np.uint8) % 10
DIRECTIONS = np.eye(10, dtype=np.float32)
LOADED = {"kind": "loaded"}
PASSING = SimpleNamespace(status="passed")


class Evidence(dict[str, Answer]):
    """As much of a submission's evidence as the warnings look at; all criteria have passed."""

    def __init__(self, given: dict[str, Answer]) -> None:
        super().__init__(given)
        self.submission = SimpleNamespace(files=dict.fromkeys(("vit_classifier.pt", "vit_embeds.pt")))
        self.data = SimpleNamespace(test_labels=LABELS, easy_test_images=np.zeros(1_000, bool))
        thresholds = {"accuracy": 0.88, "precision_at_1": 0.6, "log_computed": 0.05}
        self.rubric = RubricReads(Rubric("", (), thresholds, strict=False))
        self.options: dict[str, Any] = {}
        self.answers = given

    def verdict(self, criterion: str) -> Any:
        return PASSING

    def passed(self, criterion: str) -> bool:
        return True

    def once(self, name: str, compute: Any, code: str = "", of: Any = ()) -> Any:
        return compute()


@pytest.fixture(autouse=True)
def _pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.assignments.vit.thresholds.pixel_transforms.candidates", lambda evidence: {"a": {}})


def named(share: float) -> np.ndarray:
    """(1000,) classes, so many of them right."""
    return np.where(np.arange(1_000) < share * 1_000, LABELS, (LABELS + 1) % 10).astype(np.uint8)


def answer(probe: str, op: str, key: str, recorded: float, sets: dict[str, Any]) -> Answer:
    asked = [{"name": name, "rows": np.arange(1_000)} for name in sets]
    value = {
        "opening": {"kind": "opened", "types": {}, "recorded": recorded}, "undefined": [],
        "models": {"vit": LOADED, key: LOADED}, "outputs": {"kind": "sets", "sets": sets},
    }  # fmt: skip
    arrived = fit(Observation("value", value), answers.FORMS[op], {"sets": asked})
    assert arrived.outcome == "value", arrived.misfit
    return Answer(probe, Question({}, {"labels": dict.fromkeys(sets, LABELS)}), arrived)


def evidence(recorded: float = 0.9, **shares: float) -> Any:
    """Answers with so many right in each set: test, train, moved, dimmed of the classifier, e_… of the embeddings."""
    shares = {"test": 0.9, "train": 0.9, "e_test": 0.8, "e_unseen": 0.81} | shares
    predicted = {n: {"predicted": named(s), "not_finite": 0} for n, s in shares.items() if not n.startswith("e_")}
    embedded = {n[2:]: named(s) for n, s in shares.items() if n.startswith("e_")} | {"reference": LABELS}
    embeddings = {n: {"embeddings": DIRECTIONS[classes], "width": 10} for n, classes in embedded.items()}
    return Evidence({
        CLASSIFIER: answer(CLASSIFIER, "checkpoint.classify", "classifier", recorded, predicted),
        EMBEDDINGS: answer(EMBEDDINGS, "checkpoint.embed", "embedding_head", 0.8, embeddings),
    })  # fmt: skip


def codes(found: Any) -> list[str]:
    """The codes of all warnings about scores."""
    checks = (plausibility.leaks, plausibility.looked_up, plausibility.classifier_leak, plausibility.claims)
    return [warning.code for check in checks for warning in check(found)]


def test_an_honest_training_warns_of_nothing() -> None:
    assert codes(evidence()) == []


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ({"e_unseen": 0.87}, "leak.train"),
        ({"e_unseen": 0.75}, "leak.test"),
        ({"train": 0.84}, "leak.test"),
        ({"moved": 0.5}, "leak.test"),
        ({"test": 0.99, "train": 0.99}, "leak.test"),
        ({"recorded": 0.95}, "checkpoint.claim"),
        ({"recorded": 95.0}, "checkpoint.claim"),
    ],
    ids=["more than the subset", "the test images", "worse on training images", "looked up", "beyond all", "claims", "percent"],
)  # fmt: skip
def test_a_score_that_none_has_honestly_is_told(shares: dict[str, float], code: str) -> None:
    assert codes(evidence(**shares)) == [code]


def test_a_score_below_the_threshold_is_not_said_to_be_looked_up() -> None:
    assert codes(evidence(test=0.8, train=0.8, moved=0.3, recorded=0.8)) == []


def test_a_model_that_reaches_nothing_is_not_said_to_have_learned_from_more() -> None:
    assert codes(evidence(e_test=0.1, e_unseen=0.5)) == ["checkpoint.claim"]


SIZES = {
    "it fits": (28, 7, ""),
    "a rest": (28, 8, "the last 4 rows and as many columns of every image are cut off; 2, 4, 7, 14 would fit"),
    "another image": (32, 5, "the last 2 rows and as many columns of every image are cut off; 2, 4, 8, 16 would fit"),
    "no number": (28, float("nan"), ""),
    "nothing": (28, 0, ""),
    "too large": (1e9, 3, ""),
}


@pytest.mark.parametrize("image, patch, words", SIZES.values(), ids=SIZES)
def test_a_patch_size_that_cuts_images_off_is_told(image: float, patch: float, words: str) -> None:
    sizes = {"image_size": image, "patch_size": patch}
    numbers = {name: NumberResult(number=float(size), type="int") for name, size in sizes.items()}
    answered = Answer("hyperparameters", Question({}), Observation("value", numbers))
    found = plausibility.truncated(Evidence({"hyperparameters": answered}))  # type: ignore[arg-type]
    assert [warning.code for warning in found] == ["size.truncated"] * bool(words)
    assert all(words in warning.message for warning in found)
