"""How the submission turns gray levels into a model's inputs, for whoever asks its models about images."""

import numpy as np

from grader.assignments.vit.augmentation.tensors import is_sound, test_transform, train_transform
from grader.evidence import Evidence
from grader.torchkit.images import normalisation as of_transform
from grader.torchkit.images.observed import ObservedTransform, planes

Array = np.ndarray


def normalisation(evidence: Evidence) -> tuple[float, float] | None:
    """(scale, shift) such that tfm_train ends with scale * pixel / 255 + shift; None where that cannot be told.

    Where draws of the student's own change gray levels, and tfm_test ends otherwise, it is about that.
    """
    if not evidence["augmentation.train"].ok:
        return None
    train = train_transform(evidence)
    found = of_transform.line(train)
    if not train.has_own_randomness or not evidence["augmentation.test"].ok:
        return found
    # where draws change gray levels too, the clean line is tfm_test's, if both agree
    test = test_transform(evidence)
    agree = is_sound(test) and of_transform.same(train, test)
    return (of_transform.line(test) if agree else None) or found or of_transform.drawn_range(train)


def lut(evidence: Evidence) -> Array | None:
    """(256,) float32 what tfm_test makes of each gray level; None where it does more to a pixel than that.

    A missing channel axis or another dtype costs its own criterion, and the gray levels can be told all the same.
    """
    if not evidence["augmentation.test"].ok:
        return None
    test = test_transform(evidence)
    if test.did.failures is not None or test.did.not_finite or test.did.varies > 0:
        return None
    table = _table(test)
    return table if table is not None and _explains(table, test, evidence) else None


def _table(test: ObservedTransform) -> Array | None:
    levels, outputs = test.asked["levels"], test.of_all_levels()
    if outputs is None or outputs.shape[1:] != levels.shape:
        return None
    table = np.zeros(256)
    table[levels.ravel()] = outputs.ravel()
    return table.astype(np.float32) if np.abs(table[levels] - outputs[0]).max() < 1e-6 else None


def _explains(table: Array, test: ObservedTransform, evidence: Evidence) -> bool:
    """Whether the table gives what was seen of whole images."""
    pictures = [*(np.asarray(evidence.data.train_images[pick]) for pick in test.asked["picks"]), test.asked["texture"]]
    outputs = planes(test.did.outputs, len(pictures))
    if outputs is None or outputs.shape[1:] != pictures[0].shape:
        return False
    return bool(np.abs(table[np.stack(pictures)] - outputs).max() < 1e-5)
