"""Linear regression by hand: an assignment of two checks.

    fit(x, y) -> (weights, bias)        least squares; x (N, D), y (N,), weights (D,), bias a number
    predict(x, weights, bias) -> (N,)

Shapes: N points, D features.
"""

from pathlib import Path

import numpy as np

from grader.assignment import Assignment
from grader.evidence import Evidence, Probe, Question
from grader.judging import Criterion, Fail, checks
from grader.observations import Answered, ArrayResult, NumberResult, Result, SequenceResult, TensorResult

HERE = Path(__file__).resolve().parent
CLOSE = 1e-3  # float32 arithmetic on numbers around 1


def _ask_fit(evidence: Evidence, rng: np.random.Generator) -> Question:
    x = rng.standard_normal((50, 4)).astype(np.float32)
    weights, bias = rng.standard_normal(4), 3.0 + rng.random()  # a bias far from 0: leaving it out must show
    y = (x @ weights + bias).astype(np.float32)
    return Question({"x": x, "y": y}, known={"weights": weights, "bias": bias})


def _ask_predict(evidence: Evidence, rng: np.random.Generator) -> Question:
    x, weights, bias = (rng.standard_normal(shape).astype(np.float32) for shape in ((7, 3), (3,), ()))
    return Question({"x": x, "weights": weights, "bias": float(bias)}, known=x @ weights + bias)


def least_squares(evidence: Evidence) -> None:
    """`fit` finds the weights and the bias that the points were made with."""
    result, known = evidence["fit"].value, evidence["fit"].known
    if not isinstance(result, SequenceResult) or len(result.items) != 2:
        raise Fail("expected a pair (weights, bias)", "Return both, with a comma between them.")
    weights, bias = map(_numbers, result.items)
    if weights.shape != known["weights"].shape:
        raise Fail(f"expected weights of shape {known['weights'].shape}, got {weights.shape}")
    if not np.allclose(weights, known["weights"], atol=CLOSE):
        raise Fail(
            f"expected the weights {np.round(known['weights'], 3)}, got {np.round(weights, 3)}",
            "Without a column of ones, the weights have to make up for the bias.",
        )
    if bias.size != 1 or not np.allclose(bias, known["bias"], atol=CLOSE):
        raise Fail(f"expected the bias {known['bias']:.3f}, got {np.round(bias, 3)}")


def prediction(evidence: Evidence) -> None:
    """`predict` gives x · weights + bias for each point."""
    answer = evidence["predict"]
    got = _numbers(answer.value)
    if got.shape != answer.known.shape:
        raise Fail(f"expected one number a point, shape {answer.known.shape}, got {got.shape}")
    if not np.allclose(got, answer.known, atol=CLOSE):
        raise Fail(f"expected {np.round(answer.known[:3], 3)}…, got {np.round(got[:3], 3)}…", "Is the bias added?")


def _numbers(result: Result) -> np.ndarray:
    """The numbers among what a student's function returned."""
    match result:
        case TensorResult(array=array) | ArrayResult(array=array):
            return array.astype(np.float64)
        case NumberResult(number=number):
            return np.array(number)
    raise Fail(f"expected numbers, got {type(result).__struct_config__.tag}")


ASSIGNMENT = Assignment(
    name="linear regression",
    rubric=HERE / "rubric.toml",
    wanted=("fit", "predict"),
    provided=(),
    never_called=(),
    ops=(str(HERE / "ops.py"),),
    probes=(
        Probe("fit", "regression.fit", _ask_fit, lambda evidence: evidence.has("fit")),
        Probe("predict", "regression.predict", _ask_predict, lambda evidence: evidence.has("predict")),
    ),
    criteria={
        "regression.fit": Criterion("regression.fit", checks(least_squares), names=("fit",)),
        "regression.predict": Criterion("regression.predict", checks(prediction), names=("predict",)),
    },
    reference=HERE / "reference",
    forms={"regression.fit": Answered(Result), "regression.predict": Answered(Result)},
)
