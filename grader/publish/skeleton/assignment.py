"""The assignment "skeleton": what students define, what is asked of it, and what is demanded of the answers.

    softmax(scores) -> probabilities

Shapes: scores and probabilities (N, K), N rows of K classes.
"""

from pathlib import Path

import numpy as np

from grader.assignment import Assignment
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, checks
from grader.observations import Answered, Result, TensorResult

HERE = Path(__file__).resolve().parent


# A probe draws what is asked from seeded random numbers. What is expected (``known``) never reaches the student's code.


def _ask_some(evidence: Evidence, rng: np.random.Generator) -> Question:
    scores = rng.standard_normal((6, 5)).astype(np.float32)
    return Question({"scores": scores}, known=_softmax(scores))


def _ask_large(evidence: Evidence, rng: np.random.Generator) -> Question:
    scores = 1000 * rng.standard_normal((6, 5)).astype(np.float32)
    return Question({"scores": scores}, known=_softmax(scores))


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# A check looks at answers and at nothing else. Its docstring is what students read; ``Fail`` says what came instead.


def values(evidence: Evidence) -> None:
    """`softmax` gives each row's probabilities: e to the power of each score, over the sum of the row."""
    _compare(evidence, "some", "Is the sum taken over the classes, dim=1, and kept as a dimension?")


def large_scores(evidence: Evidence) -> None:
    """`softmax` is right for scores in the thousands as well."""
    _compare(
        evidence, "large", "In float32, exp overflows above 88: take the largest score of its row off each score first."
    )


def _compare(evidence: Evidence, probe: str, hint: str) -> None:
    answer = evidence[probe]
    got, expected = _numbers(answer.value), answer.known
    if got.shape != expected.shape:
        raise Fail(f"expected probabilities of shape {expected.shape}, got {got.shape}")
    if not np.isfinite(got).all():
        raise Fail("expected probabilities, got numbers that are not finite", hint)
    if not np.allclose(got, expected, atol=1e-5):
        raise Fail(f"expected the row {np.round(expected[0], 3)}, got {np.round(got[0], 3)}", hint)


def _numbers(result: Result) -> np.ndarray:
    if not isinstance(result, TensorResult):
        raise Fail(f"expected a tensor, got {type(result).__struct_config__.tag}")
    return result.array.astype(np.float64)


ASSIGNMENT = Assignment(
    name="skeleton",
    rubric=HERE / "rubric.toml",
    parts={1: "Softmax"},
    wanted=("softmax",),
    provided=(),
    never_called=(),
    libraries=("torch",),
    ops=(str(HERE / "ops.py"),),
    forms={"softmax.call": Answered(Result)},
    probes=(
        Probe("some", "softmax.call", _ask_some, lambda evidence: evidence.has("softmax")),
        Probe("large", "softmax.call", _ask_large, lambda evidence: evidence.has("softmax")),
    ),
    criteria={
        "softmax.values": Criterion("softmax.values", checks(values), names=("softmax",)),
        "softmax.large": Criterion("softmax.large", checks(large_scores), names=("softmax",)),
    },
    reference=HERE / "reference",
    template=HERE / "student",
    readme=HERE / "README.md",
    corpus=f"{__package__}.corpus",
)
