"""Give the parameters of a module values, drawn from a seed."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from grader.torchkit.inside.layers import of_layers

FAINT_SCALE = 1 / 30
_Convolution = nn.modules.conv._ConvNd


def fill(module: nn.Module, kind: str, seed: int = 0, silent: Collection[int] = (), layers: int = 0) -> None:
    """Give every parameter a value.

    Random means: matrices with entries of size 1/sqrt(fan-in), embeddings of size 1/2, vectors (norm weights, biases,
    scales) moved by 0.3, so that nothing that starts at zero or one hides anything, and single numbers moved by 0.3 up
    or down, never by next to nothing. Gains and biases in the rows of one parameter are vectors, too. Of several
    matrices in one parameter, (3, heads, D, D / heads), which axis is summed over is the student's affair: the longest
    is taken for the fan-in.

    Args:
        module: whose parameters are changed in place.
        kind: which parameters, and how:
            "random": all of them, at random.
            "faint": the same with matrices ``FAINT_SCALE`` times as large: what they make of long tokens is of the size of
            biases then.
            "random_but_plain": at random, but those that are zero or one everywhere, or in each row, stay: weights and
            biases of norms.
            "zero": all of them zero.
            "zero_but_ones": zero, but those that are one everywhere, or in some rows, stay: weights of norms.
        seed: of the random values.
        silent: numbers of layers whose parameters are all zero, of as many as there are …
        layers: … in the module.

    Raises:
        ValueError: which parameters belong to which layer cannot be told.
    """
    generator = torch.Generator().manual_seed(seed)
    tiny = 1e-12  # stands for zero: 0 / 0 in a weight norm or a learned temperature would be NaN
    parametrized = _parametrized(module)
    kernels = {
        id(p) for part in module.modules() if isinstance(part, _Convolution) for p in part.parameters(recurse=False)
    }
    with torch.no_grad():
        for parameter in module.parameters():
            if kind in ("random", "faint") or (kind == "random_but_plain" and not _is_plain(parameter)):
                strength = FAINT_SCALE if kind == "faint" else 1.0
                made_of = parametrized.get(id(parameter))
                value = parameter if made_of is None else made_of().clone()  # what is computed with begins at 1, say
                _randomise(value, generator, strength, is_kernel=id(parameter) in kernels)
                if made_of is not None:
                    made_of.right_inverse(value)
            elif kind == "zero" or (kind == "zero_but_ones" and not _holds_ones(parameter)):
                parameter.fill_(tiny)
        for number in silent:
            for part in of_layers(module, layers)[number]:
                part.fill_(tiny)


def _parametrized(module: nn.Module) -> dict[int, Any]:
    """By the identity of a parameter, what turns it into the tensor that is computed with, as ``orthogonal`` does.

    Not every value of such a parameter stands for a tensor: it is asked which one does. A weight norm has two
    parameters, and any value of these will do.
    """
    lists = [each for each in module.modules() if isinstance(each, ParametrizationList)]
    invertible = [each for each in lists if all(hasattr(step, "right_inverse") for step in each)]
    return {id(each.original): each for each in invertible if hasattr(each, "original")}


def _is_plain(parameter: Tensor) -> bool:
    return bool((parameter == 0).all()) or _holds_ones(parameter)


def _holds_ones(parameter: Tensor) -> bool:
    """Whether it is one everywhere, or holds vectors of ones beside vectors of zeros, as gain and bias of a norm begin."""
    values = torch.atleast_1d(parameter)
    if not bool(((values == 0) | (values == 1)).all()) or not bool((values == 1).any()):
        return False
    return bool((values == values[..., :1]).all()) or bool((values == values[:1]).all())


def _randomise(parameter: Tensor, generator: torch.Generator, strength: float, is_kernel: bool) -> None:
    noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32).to(parameter.dtype)
    if parameter.numel() == 1:
        parameter.add_(0.3 * noise.sign())
    elif parameter.dim() < 2 or _holds_ones(parameter):
        parameter.add_(0.3 * noise)
    elif not is_kernel and sum(size > 1 for size in parameter.shape) > 2 and parameter.dim() > 3:
        parameter.copy_(strength * noise / max(parameter.shape) ** 0.5)
    elif parameter.dim() == 3 or 1 in parameter.shape:  # [CLS] tokens and positions
        parameter.copy_(0.5 * noise)
    else:
        parameter.copy_(strength * noise / max(1, parameter[0].numel()) ** 0.5)
