"""Which parameters of a model belong to which of its layers: told from their names, or from their first axis."""

from collections import defaultdict
from itertools import groupby

from torch import Tensor, nn


def of_layers(module: nn.Module, count: int) -> list[list[Tensor]]:
    """The parameters of each layer, or the parts of parameters that are stacked; those of no layer are left out.

    Args:
        count: how many layers the module has.

    Raises:
        ValueError: that cannot be told.
    """
    numbers = _numbers_in_names([name for name, _ in module.named_parameters()], count)
    layers: list[list[Tensor]] = [[] for _ in range(count)]
    if numbers and all(name in numbers for name, parameter in module.named_parameters() if parameter.dim() > 1):
        for name, parameter in module.named_parameters():
            if name in numbers:
                layers[numbers[name]].append(parameter)
        return layers
    stacked = [parameter for parameter in module.parameters() if parameter.dim() > 1]
    if not stacked or any(parameter.shape[0] != count for parameter in stacked):
        raise ValueError("which parameters are whose is not known")
    return [[parameter[number] for parameter in stacked] for number in range(count)]


def _numbers_in_names(names: list[str], count: int) -> dict[str, int]:
    """By name of a parameter, the number of its layer: the first number in it that goes from 0 to the last layer's."""
    split = {name: ["".join(part) for _, part in groupby(name, str.isdecimal)] for name in names}
    found: defaultdict[tuple[int, str], dict[int, str]] = defaultdict(dict)
    for name, parts in split.items():
        for place in (place for place, part in enumerate(parts) if part.isdecimal()):
            alike = "".join([*parts[:place], "#", *parts[place + 1 :]])
            found[place, alike][int(parts[place])] = name
    of: dict[str, int] = {}
    for (_, _), members in sorted(found.items()):
        first = min(members)
        if sorted(members) == list(range(first, first + count)) and first in (0, 1):
            of = {name: number - first for number, name in members.items()} | of
    return of
