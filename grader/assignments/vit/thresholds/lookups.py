"""Does a model look the test images up, instead of recognising what is on them?

A table of answers reaches any score. It shows in how the score comes about, whatever the table is searched by:

- images that were moved or dimmed a little are not found in it, and are named far worse;
- its errors, where it has some to look honest, lie on easy and on hard images alike, while a model that recognises
  images hardly ever errs on the easy ones;
- its score is beyond what any published model reaches.

``python -m bench.lookups`` measures all three on honest models and on look-ups; the bounds below rest on it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.assignments.vit.thresholds.claims import CLASSIFIER, EMBEDDINGS
from grader.assignments.vit.thresholds.questions import classifying
from grader.assignments.vit.thresholds.scores import accuracy, known, named, precision
from grader.evidence import Evidence

# Bounds by probe: what honest models and look-ups have stands in docs/verdicts.md.
MIN_KEPT = {  # share of the score that changed images must keep
    CLASSIFIER: {"moved": 0.75, "dimmed": 0.90},
    EMBEDDINGS: {"moved": 0.65, "dimmed": 0.80},
}
MAX_EASY_ERRORS = {CLASSIFIER: 0.5, EMBEDDINGS: 0.7}  # errors on easy images over errors on all
MIN_ERRORS = 20  # fewer errors tell nothing about where errors lie
IMPLAUSIBLE = {CLASSIFIER: 0.975, EMBEDDINGS: 0.95}  # the best published classifiers reach 0.97
CHANGES = {"moved": "moved by one pixel, with a little noise", "dimmed": "dimmed by three tenths"}
WORDS = {CLASSIFIER: "the accuracy", EMBEDDINGS: "Precision@1"}
SCORES: dict[str, Callable[..., float]] = {CLASSIFIER: accuracy, EMBEDDINGS: precision}


@dataclass(frozen=True)
class Signs:
    """What tells a look-up from a model that recognises images.

    Attributes:
        score: share of the test images that are named right.
        kept: by kind of change, the score on changed images over that on the same ones unchanged.
        easy: share of errors among the easy images over that among all; None where errors are too few.
    """

    score: float
    kept: dict[str, float]
    easy: float | None


def suspicion(probe: str, signs: Signs) -> str:
    """Why a person has to look at a score, in words; empty where nothing is suspicious."""
    score = f"{WORDS[probe]} is {signs.score:.3f}"
    question = "does the model look up answers to images that it knows?"
    for change, kept in signs.kept.items():
        if kept < MIN_KEPT[probe][change]:
            lost = f"falls to {kept:.0%} of itself when test images are {CHANGES[change]}"
            return f"{score}, and {lost}: {question}"
    if signs.easy is not None and signs.easy > MAX_EASY_ERRORS[probe]:
        spread = f"errors are as frequent on easy images as on hard ones ({signs.easy:.2f} times as on all)"
        return f"{score}, but its {spread}, while a model that recognises images errs on hard ones: {question}"
    if signs.score > IMPLAUSIBLE[probe]:
        return f"{score}, more than any published model reaches: {question}"
    return ""


def looked_up(seen: Evidence, probe: str) -> str:
    """The same for a submission; empty too where there is no score."""
    return str(seen.once(f"suspicion {probe}", lambda: _looked_up(seen, probe)))


def _looked_up(seen: Evidence, probe: str) -> str:
    score = known(SCORES[probe], seen)
    return "" if score is None else suspicion(probe, _signs(seen, probe, score))


def _signs(seen: Evidence, probe: str, score: float) -> Signs:
    predicted, labels = named(seen, probe)
    kept = {change: _kept(seen, probe, change, predicted == labels) for change in CHANGES}
    easy = seen.data.easy_test_images[: len(labels)]
    return Signs(score, {name: share for name, share in kept.items() if share is not None},
                 easy_errors(predicted != labels, easy))  # fmt: skip


def _kept(seen: Evidence, probe: str, change: str, right: np.ndarray) -> float | None:
    """The score on changed images over that on the same ones; they are the first of the test images."""
    changed = known(SCORES[probe], seen, change)
    if changed is None:
        return None
    asked = classifying(seen) if probe == CLASSIFIER else probe
    still = right[: len(seen[asked].known["labels"][change])].mean()
    return float(changed / still) if still > 0 else None


def easy_errors(wrong: np.ndarray, easy: np.ndarray) -> float | None:
    """Share of errors among easy images over that among all.

    Args:
        wrong: (n,) which images were named wrongly.
        easy: (n,) which images are easy.
    """
    if wrong.sum() < MIN_ERRORS or not easy.any():
        return None
    return float(wrong[easy].mean() / wrong.mean())
