"""The random transforms of torchvision, by class: which kind of change each makes, and why one may make none.

https://docs.pytorch.org/vision/stable/transforms.html
"""

from grader import patterns
from grader.torchkit.images import families
from grader.torchkit.images.answers import LeafSeen

POLICIES = frozenset({"AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"})  # each chooses among many
SEVERAL_KINDS = frozenset({"RandomAffine"})  # one class, and its arguments say which kinds of change
RANDOM = POLICIES | SEVERAL_KINDS | frozenset({
    "RandomCrop", "RandomResizedCrop", "RandomHorizontalFlip", "RandomVerticalFlip", "RandomRotation",
    "RandomPerspective", "ElasticTransform", "RandomZoomOut", "RandomIoUCrop", "RandomResize", "RandomShortestSize",
    "ScaleJitter", "ColorJitter", "RandomPhotometricDistort", "RandomGrayscale", "RandomChannelPermutation",
    "RandomInvert", "RandomPosterize", "RandomSolarize", "RandomAdjustSharpness", "RandomAutocontrast",
    "RandomEqualize", "RandomErasing", "GaussianBlur", "GaussianNoise", "JPEG",
})  # fmt: skip
FAMILY = {
    "RandomCrop": families.SHIFT, "RandomResizedCrop": families.ZOOM, "RandomZoomOut": families.ZOOM,
    "RandomHorizontalFlip": families.FLIP, "RandomVerticalFlip": families.UPSIDE_DOWN,
    "RandomRotation": families.ROTATION, "RandomPerspective": families.WARP, "ElasticTransform": families.WARP,
    "ColorJitter": families.INTENSITY, "GaussianNoise": families.NOISE, "GaussianBlur": families.SHARPNESS,
    "RandomAdjustSharpness": families.SHARPNESS, "RandomErasing": families.ERASING,
}  # fmt: skip


def why_idle(leaf: LeafSeen) -> str:
    """Why a transform changes nothing, as the end of a sentence; empty where that is not known."""
    probability = patterns.compile(r"\bp=(\d+(?:\.\d*)?)")
    if any(float(chance) == 0 for chance in probability.findall(leaf.text)):
        return ": its probability is 0"
    if leaf.name == "ColorJitter":
        gray_only = "brightness=None" in leaf.text and "contrast=None" in leaf.text
        coloured = gray_only and not ("saturation=None" in leaf.text and "hue=None" in leaf.text)
        return ": gray images have no hue and saturation" if coloured else ": no range is given"
    known_reasons = {
        "RandomCrop": ": a crop as large as the image, without padding, has only one place",
        "RandomResizedCrop": ": scale and ratio leave nothing but the whole image",
        "RandomRotation": ": it rotates by 0 degrees",
        "RandomAffine": ": each of its ranges holds one value only",
        "RandomGrayscale": ": the images are gray already",
        "RandomChannelPermutation": ": the images have one channel",
    }
    return known_reasons.get(leaf.name, "")
