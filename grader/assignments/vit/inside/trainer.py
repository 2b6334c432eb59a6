"""Trains the submitted ViT, for submissions that come without vit_classifier.pt.

How often and how soon the reference's architecture reaches 88 % of FashionMNIST's test images stands in
docs/trainer.md; bench/trainer.py prints it.
"""

import time
from typing import Any

import numpy as np
import torch

from grader.assignments.vit.inside import checkpoints
from grader.assignments.vit.inside.returned_form import HeadOfOutput
from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import building, classifier_training, image_sets
from grader.torchkit.inside.classifier_training import Training
from grader.torchkit.inside.generators import seed_everything


@op("classifier.train")
def train(
    student: Student, train_images: np.ndarray, train_labels: np.ndarray, sets: list[dict[str, Any]],
    pixels: dict[str, Any], threads: int, target: float, budget: float, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Train the submitted ViT and ClassificationHead, then predict the classes of sets of images.

    Args:
        train_images, train_labels: (60000, 28, 28) and (60000,) uint8.
        sets, pixels: as for ``image_sets.outputs``.
        target: share of held-out images that is to be named right, before the margin.
        threads: of torch, for the prediction.
        budget: seconds in all.
    """
    training_share = 0.92  # of the budget; the rest is for the test images
    deadline = time.monotonic() + training_share * budget
    values = checkpoints.settings(student)
    if undefined := building.undefined(checkpoints.VIT, values):
        return {"undefined": undefined, "outputs": None, "stopped": "not begun", "passes": 0.0, "history": []}
    before, history = torch.get_num_threads(), []
    torch.set_num_threads(1)  # on a CPU two took 0.96 to 1.8 times as long for five architectures (docs/trainer.md)
    try:
        training = prepared(student, values, train_images, train_labels, pixels, target, deadline, seed)
        history = training.history
        stopped = classifier_training.until_enough(training)
        models = training.models.to("cpu")
        found = image_sets.outputs(
            student, training.logits, list(models), image_sets.predicted, sets, pixels, threads, seed
        )
    except NotImplementedError:
        raise
    except Exception as error:
        found, stopped, history = {"kind": "raised", "exception": describe.exception(error)}, "raised", []
    finally:
        torch.set_num_threads(before)
    passes = float(sum(cycle["passes"] for cycle in history))
    return {"undefined": [], "outputs": found, "stopped": stopped, "passes": passes, "history": history}


def prepared(
    student: Student, values: dict[str, Any], images: np.ndarray, labels: np.ndarray, pixels: dict[str, Any],
    target: float, deadline: float, seed: int,
) -> Training:  # fmt: skip
    """Build the models, put the images where they are used."""
    seed_everything(seed)
    vit, head = (building.built(student, part, values) for part in (checkpoints.VIT, checkpoints.CLASSIFIER))
    generator, prepare = torch.Generator().manual_seed(seed), image_sets.pixels_of(student, **pixels)
    table = None
    if pixels.get("transform"):
        tensors = prepare(images)
    else:
        tensors = torch.from_numpy(np.array(images))
        table = prepare(np.arange(256, dtype=np.uint8).reshape(1, 1, 256)).flatten()
    classes = torch.from_numpy(labels.astype(np.int64))
    recipe = classifier_training.RECIPE
    return Training(vit, HeadOfOutput(head), tensors, classes, table, target, deadline, generator, recipe)
