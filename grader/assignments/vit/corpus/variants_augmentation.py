"""Part 1: augmentation and tensors that are right, written in other ways."""

from grader.assignments.vit.corpus.faults_augmentation import (
    END,
    FLIP,
    IMPORTS,
    STANDARDISED_BARE,
    TO_TENSOR,
    V2_END,
    composed,
    variant,
    written,
)

VARIANTS = [
    variant("v2", written(f"tfm_train = v2.Compose([v2.RandomCrop(28, padding=4), v2.RandomHorizontalFlip(), {V2_END}])", f"tfm_test = v2.Compose([{V2_END}])\n")),
    variant("own_dropout_before_normalising", written("""
def drop(x):
    return torch.nn.functional.dropout(x, 0.2)


normalise = transforms.Normalize((0.286,), (0.353,))
tfm_train = transforms.Compose([transforms.RandomRotation(10), transforms.ToTensor(), drop, normalise, transforms.RandomErasing()])
""")),
    variant("darkened_by_one_of_two_factors", written(f"""
tfm_train = transforms.Compose([{FLIP}, transforms.ToTensor(), lambda x: x * random.choice((0.5, 0.75)),
                                transforms.Normalize((0.286,), (0.353,))])
""")),
    variant("v2_tensors_first", written("""
tfm_train = v2.Compose([v2.PILToTensor(), v2.RandomHorizontalFlip(0.3), v2.RandomRotation(10),
                        v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.286], [0.353]), v2.RandomErasing(0.1)])
""")),
    variant("v2_sequential", written("""
tfm_train = torch.nn.Sequential(v2.ToImage(), v2.RandomApply([v2.GaussianBlur(3)], p=0.3), v2.RandomHorizontalFlip(),
                                v2.ToDtype(torch.float32, scale=True), v2.Normalize((0.286,), (0.353,)))
""")),
    variant("moved_after_normalising", written(f"""
tfm_train = transforms.Compose([{END}, {FLIP}, transforms.RandomAffine(10, (0.1, 0.1), (0.9, 1.1)), transforms.RandomCrop(28, padding=4),
                                transforms.RandomPerspective(0.3), transforms.RandomErasing(scale=(0.02, 0.4))])
""")),
    variant("narrow_crops_after_normalising", written(f"tfm_train = transforms.Compose([{END}, transforms.RandomResizedCrop(28, antialias=True), transforms.RandomVerticalFlip()])")),
    variant("blurred_after_normalising", written(f"tfm_train = v2.Compose([{V2_END}, v2.GaussianBlur(3), v2.RandomRotation(10, fill=0), v2.GaussianNoise(clip=False)])")),
    variant("each_by_its_own_statistics", written(
        f"tfm_train = transforms.Compose([{FLIP}, transforms.RandomRotation(10), transforms.ToTensor(), {STANDARDISED_BARE}])",
        f"tfm_test = transforms.Compose([transforms.ToTensor(), {STANDARDISED_BARE}])\n")),
    variant("faint_jitter", composed(f"transforms.ColorJitter(brightness=0.05), {FLIP}")),
    variant("rare", composed("transforms.RandomHorizontalFlip(p=0.05), transforms.RandomApply([transforms.RandomRotation((8, 8))], p=0.05)")),
    variant("choice", composed("transforms.RandomChoice([transforms.RandomRotation(10), transforms.RandomHorizontalFlip(p=1.0)])")),
    variant("order", composed("transforms.RandomOrder([transforms.RandomRotation(10), transforms.ColorJitter(brightness=0.3)])")),
    variant("rotation_and_erasing", written(f"tfm_train = transforms.Compose([transforms.RandomRotation(15), {END}, transforms.RandomErasing(p=0.2)])")),
    variant("jitter_before_all", composed(f"transforms.ColorJitter(brightness=(0.5, 0.9)), {FLIP}")),
    variant("affine_both", composed("transforms.RandomAffine(degrees=10, translate=(0.1, 0.1))")),
    variant("padded_by_hand", composed(f"transforms.Pad(4), transforms.RandomCrop(28), {FLIP}")),
    variant("resized_crop_and_flip", composed(f"transforms.RandomResizedCrop(28, scale=(0.8, 1.0), antialias=True), {FLIP}")),
    variant("resized_both", composed(f"transforms.Resize((32, 32)), transforms.RandomCrop((28, 28)), {FLIP}", f"tfm_test = transforms.Compose([transforms.Resize(28), {END}])\n")),
    variant("auto_augment", composed("transforms.AutoAugment(transforms.AutoAugmentPolicy.CIFAR10)")),
    variant("rand_augment", composed("transforms.RandAugment(num_ops=2, magnitude=5)")),
    variant("trivial_augment", composed("transforms.TrivialAugmentWide()")),
    variant("aug_mix", composed("transforms.AugMix()")),
    variant("elastic_and_perspective", composed("transforms.RandomPerspective(0.2, p=0.5), transforms.RandomApply([transforms.ElasticTransform(20.0)], p=0.3)")),
    *(variant(f"own_{name}_and_rotation", written(f"""{TO_TENSOR}

def tfm_train(image):
    image = {change}
    image = TF.rotate(image, random.uniform(-15, 15))
    return to_tensor(np.asarray(image))
""", "")) for name, change in (
        ("solarisation", "TF.solarize(image, random.randint(40, 200))"),
        ("solarisation_at_times", "TF.solarize(image, random.randint(40, 200)) if random.random() < 0.6 else image"),
        ("inversion", "TF.invert(image) if random.random() < 0.5 else image"),
        ("darkness", "TF.adjust_brightness(image, random.uniform(0.3, 1))"),
        ("light", "TF.adjust_brightness(image, random.uniform(1, 2))"),
        ("contrast", "TF.adjust_contrast(image, random.uniform(0.4, 1.6))"),
        ("gamma", "TF.adjust_gamma(image, random.uniform(0.5, 2))"),
        ("a_zoom", "TF.affine(image, 0, [0, 0], random.uniform(0.6, 1.2), [0.0])"),
    )),
    variant("invert_and_sharpness", composed("transforms.RandomInvert(p=0.1), transforms.RandomAdjustSharpness(2, p=0.3)")),
    variant("posterize_and_equalize", composed("transforms.RandomPosterize(3, p=0.3), transforms.RandomEqualize(p=0.2)")),
    variant("lambda_normalises", written("""
tfm_train = transforms.Compose([transforms.RandomVerticalFlip(0.1), transforms.RandomCrop(28, padding=3, padding_mode="reflect"),
                                transforms.ToTensor(), transforms.Lambda(lambda x: (x - 0.286) / 0.353)])
""")),
    variant("lambda_noise", written(f"""
tfm_train = transforms.Compose([{FLIP}, transforms.ToTensor(),
                                transforms.Lambda(lambda x: torch.clamp(x + 0.05 * torch.randn_like(x), 0, 1)),
                                transforms.Normalize((0.286,), (0.353,))])
""")),
    variant("names_of_torch", written(f"from torch import *\ntfm_train = transforms.Compose([{FLIP}, transforms.RandomRotation(10), {END}])")),
    variant("own_numpy", written("""
def tfm_train(image):
    array = np.asarray(image)
    if random.random() < 0.5:
        array = array[:, ::-1]
    dx, dy = np.random.randint(-2, 3, size=2)
    return to_tensor(np.roll(array, (dy, dx), axis=(0, 1)))
""", TO_TENSOR)),
    variant("own_generator", written("""
rng = np.random.default_rng()


def tfm_train(image):
    array = np.asarray(image).astype(np.float32)
    if rng.random() < 0.5:
        array = array[:, ::-1]
    if rng.random() < 0.5:
        y, x = rng.integers(0, 20, size=2)
        array = array.copy()
        array[y:y + 8, x:x + 8] = 0
    return to_tensor(array)
""", TO_TENSOR)),
    variant("own_torch", written("""
def tfm_train(image):
    x = to_tensor(np.asarray(image))
    if torch.rand(1) < 0.5:
        x = torch.flip(x, dims=[2])
    return x + 0.1 * torch.randn_like(x)
""", TO_TENSOR)),
    variant("own_noise_and_erasing", written("""
def tfm_train(image):
    array = np.array(image) / 255
    y, x = np.random.randint(0, 23, 2)
    array[y:y + 6, x:x + 6] = 0
    return to_tensor(255 * (array + np.random.normal(0, 0.1, array.shape)))
""", TO_TENSOR)),
    variant("own_noise_then_erasing", written("""
def tfm_train(image):
    x = TF.to_tensor(image)
    x = x + 0.05 * torch.randn_like(x)
    y, x0 = random.randrange(22), random.randrange(22)
    x[:, y:y + 6, x0:x0 + 6] = 0
    return TF.normalize(x, [0.286], [0.353])
""")),
    variant("own_noise_then_rotation", written("""
def tfm_train(image):
    x = TF.to_tensor(image)
    x = TF.rotate(x + 0.05 * torch.randn_like(x), random.uniform(-15, 15))
    return TF.normalize(x, [0.286], [0.353])
""")),
    variant("own_noise_cut_off_and_blur", written("""
def tfm_train(image):
    image = image.filter(ImageFilter.GaussianBlur(random.uniform(0, 1)))
    x = TF.to_tensor(image)
    x = (x + 0.05 * torch.randn_like(x)).clamp(0, 1)
    return TF.normalize(x, [0.286], [0.353])
""")),
    variant("own_noise_and_zoom", written("""
def tfm_train(image):
    array = np.asarray(TF.affine(image, 0, [0, 0], random.uniform(0.85, 1.15), [0, 0], Image.BILINEAR))
    return to_tensor(array + np.random.normal(0, 25, array.shape))
""", TO_TENSOR)),
    variant("own_noise_and_shear", written("""
def tfm_train(image):
    array = np.asarray(TF.affine(image, 0, [0, 0], 1, [random.uniform(-10, 10), 0], Image.BILINEAR)) / 255
    return to_tensor(255 * np.clip(array + np.random.normal(0, 0.1, array.shape), 0, 1))
""", TO_TENSOR)),
    variant("own_generator_as_a_default", written("""
def tfm_train(image, rng=np.random.default_rng()):
    array = np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1))))
    return to_tensor(array + rng.normal(0, 5, array.shape))
""", TO_TENSOR)),
    variant("own_functional", written("""
def tfm_train(image):
    image = TF.rotate(image, random.uniform(-10, 10))
    if random.random() > 0.5:
        image = TF.hflip(image)
    image = TF.adjust_brightness(image, random.uniform(0.8, 1.2))
    return TF.normalize(TF.to_tensor(image), [0.286], [0.353])
""")),
    variant("own_pil", written(f"""
end = transforms.Compose([{END}])


def tfm_train(image):
    image = image.rotate(random.randint(-15, 15), resample=Image.BILINEAR)
    image = ImageEnhance.Contrast(image).enhance(random.uniform(0.7, 1.3))
    return end(image)
""")),
    variant("own_pil_filters", written("""
def tfm_train(image):
    if random.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.5, 1.5)))
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    return tfm_test(image)
""")),
    variant("own_classes", written(f"""
class Shift:
    def __init__(self, pixels):
        self.pixels = pixels

    def __call__(self, image):
        dx, dy = (random.randint(-self.pixels, self.pixels) for _ in range(2))
        return image.transform(image.size, Image.AFFINE, (1, 0, dx, 0, 1, dy))


class Cutout(torch.nn.Module):
    def forward(self, x):
        y, z = torch.randint(0, 21, (2,))
        x = x.clone()
        x[:, y:y + 8, z:z + 8] = 0
        return x


tfm_train = transforms.Compose([Shift(3), {END}, Cutout()])
""")),
    variant("function_around_compose", written(f"""
augment = transforms.Compose([transforms.RandomRotation(5), {FLIP}])
finish = transforms.Compose([{END}])


def tfm_train(image):
    return finish(augment(image))
""")),
    variant("built_each_time", written(f"""
def tfm_train(image):
    return transforms.Compose([transforms.RandomCrop(28, padding=1), {FLIP}, {END}])(image)
""")),
    variant("lambdas", {"augmentation.py": f"""{IMPORTS}
normalise = transforms.Normalize((0.286,), (0.353,))
tfm_train = lambda image: normalise(TF.to_tensor(transforms.RandomHorizontalFlip()(transforms.RandomRotation(10)(image))))
tfm_test = lambda image: normalise(TF.to_tensor(image))
"""}),
    variant("own_salt_and_zoom", written("""
def tfm_train(image):
    if random.random() < 0.5:
        size = random.randint(22, 28)
        left, top = random.randint(0, 28 - size), random.randint(0, 28 - size)
        image = image.crop((left, top, left + size, top + size)).resize((28, 28), Image.BILINEAR)
    array = np.array(image)
    if random.random() < 0.3:
        array[np.random.rand(28, 28) < 0.05] = 255
    return to_tensor(array)
""", TO_TENSOR)),
]  # fmt: skip
