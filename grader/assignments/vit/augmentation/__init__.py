"""Part 1: the transforms. Two kinds of random change, and tensors as the model takes them."""

from grader.assignments.vit.augmentation import forms, tensors, variety
from grader.assignments.vit.augmentation.probes import PROBES
from grader.assignments.vit.augmentation.tensors import lut, normalisation

CRITERIA = (*variety.CRITERIA, *tensors.CRITERIA)
WARNINGS: tuple = ()
MEASURES: dict = {}
FORMS = forms.FORMS
__all__ = ["CRITERIA", "FORMS", "MEASURES", "PROBES", "WARNINGS", "lut", "normalisation"]
