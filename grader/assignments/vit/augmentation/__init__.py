"""Part 1: the transforms. Two kinds of random change, and tensors as the model takes them."""

from grader.assignment import Topic, joined
from grader.assignments.vit.augmentation import tensors, variety
from grader.assignments.vit.augmentation.normalisation import lut, normalisation
from grader.assignments.vit.augmentation.probes import PROBES
from grader.torchkit.images.answers import ANSWERS

TOPIC = joined(Topic(PROBES), variety.TOPIC, tensors.TOPIC, forms=ANSWERS)
__all__ = ["TOPIC", "lut", "normalisation"]
