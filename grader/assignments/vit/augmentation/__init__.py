"""Part 1: the transforms. Two kinds of random change, and tensors as the model takes them."""

from grader.assignments.vit.augmentation import tensors, variety
from grader.assignments.vit.augmentation.normalisation import lut, normalisation
from grader.assignments.vit.augmentation.probes import PROBES
from grader.torchkit.images.answers import ANSWERS

CRITERIA = (*variety.CRITERIA, *tensors.CRITERIA)
WARNINGS: tuple = ()
MEASURES: dict = {}
FORMS = ANSWERS
__all__ = ["CRITERIA", "FORMS", "MEASURES", "PROBES", "WARNINGS", "lut", "normalisation"]
