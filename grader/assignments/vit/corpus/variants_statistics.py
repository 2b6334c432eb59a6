"""Part 1 with a normalisation that is computed from the training images, as notebooks do before their transforms."""

from grader.assignments.vit.corpus.faults_augmentation import FLIP, variant, written
from grader.audit import Case

OWN_END = "transforms.ToTensor(), transforms.Normalize((mean,), (std,))"
USED = f"""
tfm_train = transforms.Compose([{FLIP}, transforms.RandomCrop(28, padding=2), {OWN_END}])
"""
TESTED = f"tfm_test = transforms.Compose([{OWN_END}])\n"
IMPORT = "from torchvision import datasets\nfrom torchvision.datasets import FashionMNIST as Clothes\n"


def _computed(name: str, statistics: str, used: str = USED, tested: str = TESTED) -> Case:
    return variant(f"statistics_{name}", written(f"{IMPORT}{statistics}{used}", tested))


IN_A_FUNCTION = """
found = {}


def statistics():
    if not found:
        pixels = Clothes("data", download=True).data / 255
        found.update(mean=pixels.mean(), std=pixels.std())
    return found["mean"], found["std"]


def end(image):
    mean, std = statistics()
    return transforms.functional.normalize(transforms.functional.to_tensor(image), [mean], [std])


def tfm_train(image):
    return end(transforms.RandomRotation(5)(transforms.RandomHorizontalFlip()(image)))
"""
VARIANTS = [
    _computed("of_the_pixels", """
raw = datasets.FashionMNIST(root="./data", train=True, download=True)
pixels = raw.data.float() / 255
mean, std = pixels.mean().item(), pixels.std().item()
"""),
    _computed("not_downloaded_again", """
mean, std = ((f := getattr(Clothes("data", train=True).data.float(), name)()).item() / 255 for name in ("mean", "std"))
"""),
    _computed("of_the_items", """
raw = datasets.FashionMNIST("data", train=True, download=True, transform=transforms.ToTensor())
stack = torch.stack([raw[i][0] for i in range(10_000)])
mean, std = stack.mean().item(), stack.std().item()
"""),
    _computed("of_batches", """
from torch.utils.data import DataLoader


def mean_and_std(loader):
    total, squares, count = 0.0, 0.0, 0
    for images, _ in loader:
        total += images.sum()
        squares += (images**2).sum()
        count += images.numel()
    mean = total / count
    return mean.item(), (squares / count - mean**2).sqrt().item()


raw = datasets.FashionMNIST("data", True, transforms.ToTensor(), download=True)
mean, std = mean_and_std(DataLoader(raw, batch_size=1000, num_workers=2))
"""),
    _computed("in_a_loop", """
sums = torch.zeros(2)
for image, _ in datasets.FashionMNIST("data", download=True, transform=transforms.ToTensor()):
    sums += torch.stack([image.mean(), (image**2).mean()]) / 60_000
mean = sums[0].item()
std = (sums[1] - mean**2).sqrt().item()
"""),
    _computed("in_a_function", "", IN_A_FUNCTION, "tfm_test = end\n"),
]  # fmt: skip
