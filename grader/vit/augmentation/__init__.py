"""Part 1: the transforms. Two kinds of random change, and tensors as the model takes them."""

from grader.vit.augmentation import tensors, variety
from grader.vit.augmentation.probes import PROBES
from grader.vit.augmentation.tensors import lut, normalisation

CRITERIA = (*variety.CRITERIA, *tensors.CRITERIA)
WARNINGS: tuple = ()
MEASURES: dict = {}
__all__ = ["CRITERIA", "MEASURES", "PROBES", "WARNINGS", "lut", "normalisation"]
