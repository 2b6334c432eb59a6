"""Part 1: what happens to an image before the model sees it."""

### BEGIN SOLUTION
# > from PIL.Image import Image
# > from torch import Tensor
# > from torchvision import transforms
# >
# >
# > def tfm_train(image: Image) -> Tensor:
# >     """Augment and normalise a training image.
# >
# >     Replace this function by a ``transforms.Compose([...])``, or fill it in.
# >
# >     Args:
# >         image: 28x28 PIL image, mode L.
# >
# >     Returns:
# >         (1, 28, 28) float tensor, changed by two or more kinds of random augmentation, then normalised.
# >     """
# >     raise NotImplementedError("augment in two or more ways, turn into a tensor, normalise")
# >
# >
# > def tfm_test(image: Image) -> Tensor:
# >     """Normalise a test image, with no randomness.
# >
# >     Args:
# >         image: 28x28 PIL image, mode L.
# >
# >     Returns:
# >         (1, 28, 28) float tensor, normalised as in ``tfm_train``.
# >     """
# >     raise NotImplementedError("turn into a tensor, normalise as tfm_train does")
from torchvision import transforms

# Mean and standard deviation of the training pixels. Both transforms end with the same normalisation, or the
# model would be tested on images of another brightness than it learned from.
normalise = transforms.Normalize((0.286,), (0.353,))

# A class must survive its augmentation: a mirrored or slightly shifted shoe is still that shoe, but in the
# test set no shoe stands on its head. Without padding, a crop of 28 from 28 would change nothing.
tfm_train = transforms.Compose(
    [
        transforms.RandomCrop(28, padding=2),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        normalise,
    ]
)

# A test measures, so the same image must give the same tensor each time.
tfm_test = transforms.Compose([transforms.ToTensor(), normalise])
### END SOLUTION
