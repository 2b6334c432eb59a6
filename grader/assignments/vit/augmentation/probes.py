"""What is asked of ``tfm_train`` and ``tfm_test``."""

from typing import Any

import numpy as np

from grader.evidence import Evidence, Probe, Question
from grader.torchkit.images import calibration, library


def _asked_of_both(name: str, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "name": name,
        "images": {"$shared": "train_images"},
        "picks": [int(pick) for pick in rng.integers(0, 60_000, 7)],
        **calibration.question(rng),
    }


def _ask_test(evidence: Evidence, rng: np.random.Generator) -> Question:
    return Question(_asked_of_both("tfm_test", rng))


def _ask_train(evidence: Evidence, rng: np.random.Generator) -> Question:
    args = _asked_of_both("tfm_train", rng) | {"calibration": calibration.calibration_images(rng)}
    return Question({**args, "random": sorted(library.RANDOM), "several_kinds": sorted(library.SEVERAL_KINDS)})


PROBES = (
    Probe(
        "augmentation.test", "transforms.test", _ask_test, when=lambda evidence: evidence.has("tfm_test"), seconds=60
    ),
    Probe(
        "augmentation.train",
        "transforms.train",
        _ask_train,
        when=lambda evidence: evidence.has("tfm_train"),
        seconds=120,
    ),
)
