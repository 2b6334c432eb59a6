"""What honest workers answer about transforms, written by hand."""

import numpy as np

from grader.torchkit.images.calibration import CELLS, calibration_images, question

RNG = np.random.default_rng(0)
ASKED = {**question(RNG), "calibration": calibration_images(RNG)}
COUNT = len(ASKED["drawn"])
OUTPUTS = np.zeros((5, 1, 28, 28), np.float32)
RAISED = {"type": "ValueError", "bases": ["ValueError"], "message": "no", "frames": []}
LEAF = {"name": "RandomCrop", "text": "RandomCrop(28)", "own": False, "nested": False, "hits": 3,
        "varies": 0.5, "moves": 0.5, "cut": 0.0}  # fmt: skip
CALIBRATED = dict.fromkeys(ASKED["calibration"], OUTPUTS)
TEST = {
    "count": 256, "kinds": [{"type": "tensor", "dtype": "float32", "shape": [1, 28, 28], "count": 256}],
    "not_finite": 0, "failures": None, "varies": 0.0, "drawn": np.zeros((COUNT, CELLS, CELLS), np.float32),
    "outputs": OUTPUTS, "flat": OUTPUTS, "levels": OUTPUTS[:1],
}  # fmt: skip
TRAIN = {
    **TEST, "pictures": OUTPUTS, "library_only": True, "leaves": [LEAF], "unreached": [LEAF],
    "mapped": {"RandomAffine(10)": CALIBRATED},
    "rest": {"varies": 0.1, "repeats": True, "calibration": CALIBRATED},
}  # fmt: skip
