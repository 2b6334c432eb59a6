"""Part 1: transforms that do too little, and others that look unusual and are right."""

from grader.audit import Case

VARIETY, TENSORS = "augmentation.variety", "augmentation.tensors"

IMPORTS = """\
import random

import numpy as np
import torch
import torchvision.transforms.functional as TF
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from torchvision import transforms
from torchvision.transforms import v2

"""
END = "transforms.ToTensor(), transforms.Normalize((0.286,), (0.353,))"
TEST = f"tfm_test = transforms.Compose([{END}])\n"
V2_END = "v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize((0.286,), (0.353,))"
TO_TENSOR = """
def to_tensor(array):
    x = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32) / 255)
    return (x[None] - 0.286) / 0.353


def tfm_test(image):
    return to_tensor(np.asarray(image))
"""


def composed(steps: str, test: str = TEST) -> dict[str, str]:
    """The part with tfm_train made of these steps and the usual end."""
    return {"augmentation.py": f"{IMPORTS}\ntfm_train = transforms.Compose([{steps}, {END}])\n{test}"}


def written(source: str, test: str = TEST) -> dict[str, str]:
    """The part written out, with the usual tfm_test."""
    return {"augmentation.py": f"{IMPORTS}{source}\n{test}"}


def fault(name: str, edits: dict[str, str], word: str, cost: str = VARIETY) -> Case:
    return Case(f"augmentation.{name}", edits, (cost,), word)


def variant(name: str, edits: dict[str, str]) -> Case:
    return Case(f"augmentation.{name}", edits)


FLIP = "transforms.RandomHorizontalFlip()"

RAISING = [
    fault(
        "crop_larger_than_the_image", composed(f"transforms.RandomCrop(40), {FLIP}"), "larger than input image", TENSORS
    ),
    fault(
        "scale_turned_round",
        composed(f"transforms.RandomResizedCrop(28, scale=(1.0, 0.8)), {FLIP}"),
        "raised RuntimeError",
        TENSORS,
    ),
]

IDLE = [
    fault("crop_without_padding", composed(f"transforms.RandomCrop(28), {FLIP}"), "padding"),
    fault("flip_never", composed("transforms.RandomCrop(28, padding=2), transforms.RandomHorizontalFlip(p=0)"), "probability"),
    fault("rotation_by_0", composed(f"transforms.RandomRotation(0), {FLIP}"), "0 degrees"),
    fault("empty_jitter", composed(f"transforms.ColorJitter(), {FLIP}"), "range"),
    fault("hue_of_gray", composed(f"transforms.ColorJitter(hue=0.3, saturation=0.5), {FLIP}"), "gray"),
    fault("grayscale_of_gray", composed(f"transforms.RandomGrayscale(p=0.5), {FLIP}"), "gray already"),
    fault("erasing_never", written(f"tfm_train = transforms.Compose([{FLIP}, {END}, transforms.RandomErasing(p=0)])"), "probability"),
    fault("apply_never", composed(f"transforms.RandomApply([transforms.RandomRotation(20)], p=0), {FLIP}"), "never applied"),
    fault("flip_always", composed("transforms.RandomHorizontalFlip(p=1.0), transforms.RandomRotation(10)"), "each time"),
    fault("whole_resized_crop", composed(f"transforms.RandomResizedCrop(28, scale=(1, 1), ratio=(1, 1)), {FLIP}"), "scale"),
    fault("affine_by_nothing", composed(f"transforms.RandomAffine(0), {FLIP}"), "range"),
    fault("perspective_by_0", composed(f"transforms.RandomPerspective(distortion_scale=0.0, p=1.0), {FLIP}"), "changes nothing"),
    fault("v2_idle", written(f"tfm_train = v2.Compose([v2.RandomCrop(28), v2.RandomVerticalFlip(p=0.0), v2.RandomRotation(15), {V2_END}])"), "padding"),
]  # fmt: skip

FEW = [
    fault("none", written(f"tfm_train = transforms.Compose([{END}])"), "no random"),
    fault("flip_of_its_own_beside_a_flip", composed(f"{FLIP}, transforms.Lambda(lambda image: TF.hflip(image) if random.random() < 0.3 else image)"), "one kind"),
    fault("noise_drawn_once_and_a_flip", written(f"""
noise = 0.1 * torch.randn(1, 28, 28, generator=torch.Generator().manual_seed(3)) + 0.02
tfm_train = transforms.Compose([{FLIP}, transforms.ToTensor(), lambda x: x + noise, transforms.Normalize((0.286,), (0.353,))])
"""), "one kind"),
    fault("only_resize", composed("transforms.Resize(32), transforms.CenterCrop(28)"), "no random"),
    fault("one_flip", composed(FLIP), "RandomHorizontalFlip"),
    fault("rotation_twice", composed("transforms.RandomRotation(10), transforms.RandomRotation(20)"), "RandomRotation"),
    fault("one_resized_crop", composed("transforms.RandomResizedCrop(28, scale=(0.8, 1.0))"), "RandomResizedCrop"),
    fault("affine_rotates_only", composed("transforms.RandomAffine(degrees=15)"), "rotation"),
    fault("one_jitter", composed("transforms.ColorJitter(brightness=0.2, contrast=0.2)"), "ColorJitter"),
    fault("v2_one_crop", written(f"tfm_train = v2.Compose([v2.RandomCrop(28, padding=4), {V2_END}])"), "RandomCrop"),
    fault("own_flip_only", written("""
def tfm_train(image):
    array = np.asarray(image)
    if random.random() < 0.5:
        array = array[:, ::-1]
    return to_tensor(array)
""", TO_TENSOR), "horizontal flip"),
    fault("own_noise_only", written(f"""
class AddNoise:
    def __call__(self, x):
        return x + 0.1 * torch.randn_like(x)


tfm_train = transforms.Compose([{END}, AddNoise()])
"""), "noise"),
    fault("own_noise_twice", written("""
def tfm_train(image):
    array = np.asarray(image) / 255 + np.random.normal(0, 0.1, (28, 28))
    return to_tensor(255 * np.clip(array + np.random.uniform(-0.05, 0.05, (28, 28)), 0, 1))
""", TO_TENSOR), "noise"),
    fault("own_shift_only", written("""
def tfm_train(image):
    dx, dy = np.random.randint(-2, 3, size=2)
    return to_tensor(np.roll(np.asarray(image), (dy, dx), axis=(0, 1)))
""", TO_TENSOR), "shift"),
    fault("own_functional_rotation", written(f"""
end = transforms.Compose([{END}])


def tfm_train(image):
    return end(TF.rotate(image, random.uniform(-15, 15)))
"""), "rotation"),
    fault("augmented_test_swapped", {
        "augmentation.py": f"{IMPORTS}tfm_train = transforms.Compose([{END}])\n{TEST}\n"
        f"augmentations = transforms.Compose([transforms.RandomRotation(10), {FLIP}])\n"
    }, "no random"),
    fault("thrown_away", written(f"""
augment = transforms.Compose([transforms.RandomRotation(10), {FLIP}])
end = transforms.Compose([{END}])


def tfm_train(image):
    augment(image)
    return end(image)
"""), "they return used"),
    fault("seeded_each_time", written(f"""
augment = transforms.Compose([transforms.RandomCrop(28, padding=2), {FLIP}, {END}])


def tfm_train(image):
    torch.manual_seed(0)
    return augment(image)
"""), "seed"),
]  # fmt: skip

# What has nothing to do with the image has no normalisation either.
TRAIN_IGNORES = Case(
    "augmentation.train_ignores_the_image",
    written(
        f"tfm_train = transforms.Compose([transforms.RandomCrop(28, padding=2), {FLIP}, {END}, transforms.Lambda(torch.randn_like)])"
    ),
    (VARIETY, TENSORS),
    "does not depend on the image",
)
TRAIN_ZEROS = Case(
    "augmentation.train_is_all_zeros",
    written(
        f"tfm_train = transforms.Compose([transforms.RandomCrop(28, padding=2), {FLIP}, {END}, transforms.Lambda(lambda x: x * 0)])"
    ),
    (VARIETY, TENSORS),
    "the same value for black, gray and white",
)
GOOD_STEPS = f"transforms.RandomCrop(28, padding=2), {FLIP}"
STANDARDISED = "transforms.Lambda(lambda x: (x - x.mean()) / (x.std() + 1e-6))"
STANDARDISED_BARE = "transforms.Lambda(lambda x: (x - x.mean()) / x.std())"


def composed_of_tensors(
    test: str, steps: str = f"transforms.ToTensor(), shifted, noisy, {END.split(', ', 1)[1]}"
) -> dict[str, str]:
    """A tfm_train of steps of its own on tensors, noise among them, and a tfm_test."""
    own = """
def noisy(x):
    return x + 0.05 * torch.randn_like(x)


def shifted(x):
    return torch.roll(x, torch.randint(-2, 3, (2,)).tolist(), dims=(1, 2))


"""
    return written(f"{own}tfm_train = transforms.Compose([{steps}])", f"tfm_test = {test}\n")


def drawn(end: str, test: str = "def tfm_test(image):\n    return end(image)\n") -> dict[str, str]:
    """A tfm_train that is a function, which draws for itself and changes the brightness."""
    return written(
        f"""
def end(image):
    return TF.normalize(TF.to_tensor(image), [0.286], [0.353])


def tfm_train(image):
    image = TF.hflip(image) if random.random() < 0.5 else image
    image = TF.adjust_brightness(image, random.uniform(0.7, 1.3))
    {end}
""",
        test,
    )


OWN_STEPS = """
def tfm_train(image):
    if random.random() < 0.5:
        image = TF.hflip(image)
    image = TF.rotate(image, random.uniform(-12, 12))
    image = TF.affine(image, 0, [random.randint(-2, 2), random.randint(-2, 2)], 1.0, [0.0])
    return to_tensor(np.asarray(image))
"""
DARKENED = """def tfm_train(image):
    image = Image.fromarray((np.asarray(image) * random.uniform(0.7, 1)).astype(np.uint8))
"""


def own(name: str, old: str, new: str, word: str) -> Case:
    """Functions of one's own, changed once."""
    source = TO_TENSOR + OWN_STEPS
    assert old in source, old
    return fault(f"own_{name}", written(source.replace(old, new), ""), word, TENSORS)


WRONG_TENSORS = [
    own("flattened", "(x[None] - 0.286) / 0.353", "((x[None] - 0.286) / 0.353).flatten()", "shape (784,)"),
    own("with_channels_last", "(x[None] - 0.286) / 0.353", "((x[None] - 0.286) / 0.353).permute(1, 2, 0)", "shape (28, 28, 1)"),
    own("raises_for_half", "TF.hflip", "TF.horizontal_flip", "horizontal_flip"),
    own("test_in_whole_numbers", "return to_tensor(np.asarray(image))\n\ndef", "return to_tensor(np.asarray(image) * 255.0)\n\ndef", "mean 0.001122"),
    own("test_divided_by_128", "return to_tensor(np.asarray(image))\n\ndef", "return to_tensor(np.asarray(image) * (255 / 128))\n\ndef", "mean 0.1436"),
    own("darkened_test_not_normalised", "return to_tensor(np.asarray(image))\n\ndef tfm_train(image):\n",
        f"return torch.from_numpy(np.asarray(image) / np.float32(255))[None]\n\n\n{DARKENED}",
        "tfm_train ends with values from -0.81, of black pixels, to 2.0"),
    own("darkened_test_in_whole_numbers", "return to_tensor(np.asarray(image))\n\ndef tfm_train(image):\n",
        f"return to_tensor(np.asarray(image) * 255.0)\n\n\n{DARKENED}",
        "mean 0.001122"),
    fault("train_not_normalised", written(f"tfm_train = transforms.Compose([{GOOD_STEPS}, transforms.ToTensor()])"), "normalisation", TENSORS),
    fault("test_not_normalised", composed(GOOD_STEPS, "tfm_test = transforms.ToTensor()\n"), "normalisation", TENSORS),
    fault("test_other_mean", composed(GOOD_STEPS, "tfm_test = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])\n"), "mean 0.5", TENSORS),
    fault("test_other_deviation", composed(GOOD_STEPS, "tfm_test = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.286,), (0.3,))])\n"), "deviation", TENSORS),
    fault("test_augmented", composed(GOOD_STEPS, f"tfm_test = transforms.Compose([transforms.RandomRotation(10), {END}])\n"), "each time", TENSORS),
    fault("test_ignores_the_image", composed(GOOD_STEPS, f"tfm_test = transforms.Compose([{END}, transforms.Lambda(torch.zeros_like)])\n"), "does not depend on the image", TENSORS),
    fault("test_is_train", composed(GOOD_STEPS, "tfm_test = tfm_train\n"), "each time", TENSORS),
    fault("test_stays_pil", composed(GOOD_STEPS, "tfm_test = transforms.Compose([transforms.Resize(28)])\n"), "PIL", TENSORS),
    fault("test_rgb", composed(GOOD_STEPS, "tfm_test = transforms.Compose([transforms.Grayscale(3), transforms.ToTensor(), transforms.Normalize((0.286,) * 3, (0.353,) * 3)])\n"), "gray", TENSORS),
    fault("test_resized", composed(GOOD_STEPS, f"tfm_test = transforms.Compose([transforms.Resize(32), {END}])\n"), "size", TENSORS),
    fault("test_double", composed(GOOD_STEPS, f"tfm_test = transforms.Compose([{END}, transforms.Lambda(lambda x: x.double())])\n"), "float64", TENSORS),
    fault("test_bytes_normalised", composed(GOOD_STEPS, "tfm_test = transforms.Compose([transforms.PILToTensor(), transforms.Normalize((0.286,), (0.353,))])\n"), "PILToTensor", TENSORS),
    fault("test_list", composed(GOOD_STEPS, f"tfm_test = [{END}]\n"), "transforms.Compose", TENSORS),
    fault("test_bytes", composed(GOOD_STEPS, "tfm_test = transforms.PILToTensor()\n"), "uint8", TENSORS),
    fault("test_flat", composed(GOOD_STEPS, f"tfm_test = transforms.Compose([{END}, transforms.Lambda(lambda x: x.squeeze(0))])\n"), "channel", TENSORS),
    fault("test_divides_by_0", composed(GOOD_STEPS, f"tfm_test = transforms.Compose([{END}, transforms.Lambda(lambda x: (x - x) / (x - x))])\n"), "NaN", TENSORS),
    fault("test_three_means", composed(GOOD_STEPS, "tfm_test = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])\n"), "three channels", TENSORS),
    fault("normalised_before_tensor", written(f"tfm_train = transforms.Compose([{GOOD_STEPS}, transforms.Normalize((0.286,), (0.353,)), transforms.ToTensor()])"), "after ToTensor", TENSORS),
    fault("erased_before_tensor", written(f"tfm_train = transforms.Compose([{GOOD_STEPS}, transforms.RandomErasing(p=1.0), {END}])"), "after ToTensor", TENSORS),
    fault("erased_at_times_before_tensor", written(f"tfm_train = transforms.Compose([{FLIP}, transforms.RandomErasing(), {END}])"), "after ToTensor", TENSORS),
    fault("both_enlarged", composed(f"transforms.Resize(224), {GOOD_STEPS.replace('28', '224')}", f"tfm_test = transforms.Compose([transforms.Resize(224), {END}])\n"), "28x28", TENSORS),
    fault("train_enlarged", written(f"tfm_train = transforms.Compose([transforms.RandomCrop(32, padding=4), {FLIP}, {END}])"), "28x28", TENSORS),
    fault("train_255", written(f"tfm_train = transforms.Compose([{GOOD_STEPS}, transforms.PILToTensor(), transforms.ConvertImageDtype(torch.float32), transforms.Lambda(lambda x: x * 255)])"), "normalisation", TENSORS),
    fault("test_by_its_own_statistics", composed(GOOD_STEPS, f"tfm_test = transforms.Compose([transforms.ToTensor(), {STANDARDISED}])\n"), "own mean", TENSORS),
    fault("test_by_its_own_statistics_train_written", written(TO_TENSOR + """

def tfm_train(image):
    image = TF.hflip(image) if random.random() < 0.5 else image
    return to_tensor(np.asarray(TF.rotate(image, random.uniform(-10, 10))))
""", f"tfm_test = transforms.Compose([transforms.ToTensor(), {STANDARDISED}])\n"), "own mean", TENSORS),
    fault("test_by_its_own_statistics_train_noisy", composed_of_tensors(f"transforms.Compose([transforms.ToTensor(), {STANDARDISED_BARE}])"), "own mean", TENSORS),
    fault("train_noisy_and_not_normalised", composed_of_tensors(f"transforms.Compose([{END}])", "transforms.ToTensor(), shifted, noisy"), "normalisation", TENSORS),
    fault("written_and_normalised_twice", drawn("return TF.normalize(end(image), [0.286], [0.353])"), "normalises twice", TENSORS),
    fault("written_and_test_flat", drawn("return end(image)", "def tfm_test(image):\n    return end(image)[0]\n"), "channel", TENSORS),
    fault("written_and_test_double", drawn("return end(image)", "def tfm_test(image):\n    return end(image).double()\n"), "float64", TENSORS),
    fault("written_without_return", drawn("end(image)"), "return", TENSORS),
    fault("test_inverted", composed(GOOD_STEPS, "tfm_test = transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: 1 - x), transforms.Normalize((0.286,), (0.353,))])\n"), "changed places", TENSORS),
    fault("logarithm_of_black", written("""
def end(image):
    return TF.normalize(torch.log(TF.to_tensor(image)), [0.286], [0.353])


def tfm_train(image):
    image = TF.hflip(image) if random.random() < 0.5 else image
    return end(TF.rotate(image, random.uniform(-10, 10)))
""", "tfm_test = end\n"), "infinite", TENSORS),
    fault("own_train_not_normalised", written("""
def tfm_train(image):
    array = np.asarray(image, dtype=np.float32) / 255
    if np.random.rand() < 0.5:
        array = array[:, ::-1].copy()
    dx, dy = np.random.randint(-2, 3, size=2)
    return torch.from_numpy(np.roll(array, (dy, dx), axis=(0, 1))).unsqueeze(0)
"""), "normalisation", TENSORS),
    fault("jitter_after_normalising", written(f"tfm_train = transforms.Compose([{FLIP}, {END}, transforms.ColorJitter(0.3, 0.3), transforms.RandomErasing()])"), "before Normalize", TENSORS),
    fault("rare_jitter_after_normalising", written(f"""
end = transforms.Compose([{END}])


def tfm_train(image):
    return transforms.RandomApply([v2.ColorJitter(brightness=0.2)], p=0.2)(transforms.RandomRotation(10)(end(image)))
"""), "cuts all values off", TENSORS),
    fault("sharpened_after_normalising", written(f"tfm_train = transforms.Compose([{FLIP}, {END}, transforms.RandomAdjustSharpness(2, p=0.3)])"), "RandomAdjustSharpness", TENSORS),
    fault("train_numpy", written(f"tfm_train = transforms.Compose([{GOOD_STEPS}, {END}, transforms.Lambda(lambda x: x.numpy())])"), "NumPy", TENSORS),
]  # fmt: skip

FAULTS = [*RAISING, *IDLE, *FEW, TRAIN_IGNORES, TRAIN_ZEROS, *WRONG_TENSORS]
